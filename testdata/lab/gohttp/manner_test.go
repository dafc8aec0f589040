package gohttp

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
)

func TestMannerOf(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want clients.Manner
		rest []string
		bad  bool
	}{
		{"as usual", []string{"h1", "ca", "-"}, clients.Manner{}, []string{"h1", "ca", "-"}, false},
		{"all of it", []string{"-cert=c", "-fresh", "-gzip", "-tls12", "h2"}, clients.Manner{TLS12: true, Fresh: true, Gzip: true, Cert: "c"}, []string{"h2"}, false},
		{"unknown", []string{"-quick"}, clients.Manner{}, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			how, rest, err := mannerOf(tt.args)
			if (err != nil) != tt.bad || how.Manner != tt.want && !tt.bad || !slices.Equal(rest, tt.rest) {
				t.Errorf("%+v, %q, %v", how, rest, err)
			}
		})
	}
}

func TestConfigure(t *testing.T) {
	root := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(root, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if config, err := (&manner{clients.Manner{TLS12: true, Fresh: true}}).configure(root); err != nil || config.MaxVersion != tls.VersionTLS12 || config.ClientSessionCache == nil {
		t.Errorf("%+v, %v", config, err)
	}
	if _, err := (&manner{clients.Manner{Cert: "/nowhere"}}).configure(root); err == nil {
		t.Error("a certificate that is not there was taken")
	}
}
