package score

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/testdata/lab/pcapfile"
	"github.com/gnomon-sensor/gnomon/testdata/lab/vary"
)

func TestRunVariants(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a-clean", "a-lossy"} {
		place := filepath.Join(dir, name)
		if err := os.Mkdir(place, 0o755); err != nil {
			t.Fatal(err)
		}
		record := `{"kind":"connection","transport":"tcp","client":"10.20.1.11:40000","server":"203.0.113.10:443","name":"chatgpt.com","requests":1,"request_body_bytes":60000}`
		if err := os.WriteFile(filepath.Join(place, "truth.ndjson"), []byte(record), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := writeFrames(filepath.Join(place, "input.pcap"), []pcapfile.Frame{{Data: make([]byte, 60)}}, false); err != nil {
			t.Fatal(err)
		}
	}
	variants := vary.Variants()[:3]
	rows, problems := RunVariants(context.Background(), dir, []string{"echo", named}, variants)
	if len(problems) > 0 || len(rows) != 3 || rows[1].Variant != "client alone" || !rows[1].Known {
		t.Fatalf("%+v, %v", rows, problems)
	}
	var out bytes.Buffer
	if err := WriteVariants(&out, rows, variants); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Count(text, "TLS, ") != 3 || !strings.Contains(text, "99.83") {
		t.Errorf("%s", text)
	}
}
