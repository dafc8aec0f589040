package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A report about a site of which nothing was ever recorded says so, with the sites that there are: its name may be wrong.
func TestReportSite(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "gnomon.toml")
	if err := os.WriteFile(conf, []byte("[observer]\nsite = \"berlin\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := gnomon(t, "", "scan", "-c", conf, "--store", "--state-dir", dir, "../../testdata/captures/demo.pcap"); status != 0 {
		t.Fatal(stderr)
	}
	for _, tt := range []struct {
		name, site string
		want       string
	}{
		{"any", "", ""},
		{"its own", "berlin", ""},
		{"misspelt", "berlim", `No use was ever recorded at site "berlim". The sites with records: "berlin".`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr := gnomon(t, "", "report", "-c", conf, "--state-dir", dir, "--last", "month", "--site", tt.site)
			if status != 0 || stdout == "" || strings.TrimSpace(stderr) != tt.want {
				t.Errorf("status %d, %d bytes, %q, want %q", status, len(stdout), stderr, tt.want)
			}
		})
	}
}
