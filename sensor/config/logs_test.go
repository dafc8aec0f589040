package config

import (
	"strings"
	"testing"
)

func TestLogSource(t *testing.T) {
	for _, tt := range []struct {
		name, text, err string
	}{
		{"files", `files = ["/var/log/a.log", "/var/log/b*.log"]`, ""},
		{"directory", `directory = "/srv/drop"`, ""},
		{"udp", `listen = "udp://0.0.0.0:514"`, ""},
		{"tls", "listen = \"tls://[::]:6514\"\ncert = \"c\"\nkey = \"k\"\nca = \"a\"", ""},
		{"http on this machine", `listen = "http://127.0.0.1:8080"`, ""},
		{"http with a secret", "listen = \"http://0.0.0.0:8080\"\nsecret_file = \"s\"", ""},
		{"http for everybody", `listen = "http://0.0.0.0:8080"`, "who they are"},
		{"nowhere", "", "0 of files, directory and listen are set"},
		{"two ways", "files = [\"a\"]\ndirectory = \"b\"", "2 of files"},
		{"an empty path", `files = [""]`, "neither a path nor a pattern"},
		{"no pattern", `files = ["a[b"]`, "neither a path nor a pattern"},
		{"no protocol", `listen = "0.0.0.0:514"`, "write udp://"},
		{"no port", `listen = "udp://0.0.0.0"`, "write udp://"},
		{"tls without a certificate", `listen = "tls://0.0.0.0:6514"`, "needs cert and key"},
		{"a certificate without tls", "listen = \"tcp://0.0.0.0:6514\"\ncert = \"c\"", "cert, key and ca are for tls"},
		{"a secret without http", "listen = \"tcp://0.0.0.0:6514\"\nsecret_file = \"c\"", "secret_file is for http"},
		{"history of a listener", "listen = \"tcp://0.0.0.0:6514\"\nskip_history = true", "only files have a history"},
		{"zone", "files = [\"a\"]\ntimezone = \"Mars\"", "no zone"},
		{"silence", "files = [\"a\"]\nsilent_after = \"1s\"", "out of range"},
		{"a path as a name", "files = [\"a\"]\nname = \"../x\"", "name each source"},
		{"twice", "files = [\"a\"]\n[[logs.source]]\nname = \"proxy\"\nfiles = [\"b\"]", "stands there twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "[[logs.source]]\n" + tt.text + "\n"
			if !strings.Contains(tt.text, "\nname = \"..") {
				text = "[[logs.source]]\nname = \"proxy\"\n" + tt.text + "\n"
			}
			c := Default()
			err := Decode("test", text, &c)
			if err == nil {
				err = c.Validate()
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}
