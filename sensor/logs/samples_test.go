package logs

import (
	"strings"
	"testing"
)

func library(t testing.TB) *Library {
	t.Helper()
	l, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// now is when the samples were written last.
func now() int64 { return 1_798_000_000 * second } // 2026-12-23

// Every format reads its own samples, and is the one that is recognised in them.
func TestSamples(t *testing.T) {
	l := library(t)
	if len(l.Formats()) < 60 {
		t.Fatalf("only %d formats", len(l.Formats()))
	}
	for _, info := range l.Formats() {
		t.Run(info.Name, func(t *testing.T) {
			f, err := l.Open(info.Name, Options{Now: now})
			if err != nil {
				t.Fatal(err)
			}
			records, told := 0, info.Upload != ""
			for _, line := range info.Samples {
				var r Record
				var a Account
				err := f.Parse([]byte(line), &r)
				a.Add([]byte(line), &r, err)
				if a.Rejected() > 0 {
					t.Errorf("%v: %s", err, line)
				}
				if err != nil {
					continue
				}
				records++
				if !r.Client.IsValid() || !strings.HasPrefix(r.Client.String(), "192.0.2.") && r.Client.String() != "2001:db8::7" {
					t.Errorf("client %v of %s", r.Client, line)
				}
				if host := string(r.Host); host != "chat.example" && (host != "" || !r.Server.IsValid()) && info.Name != "nginx-combined" && info.Name != "haproxy-tcp" {
					t.Errorf("host %q of %s", host, line)
				}
				told = told || r.HasUp || r.Kind == KindLookup
			}
			if records == 0 {
				t.Error("no sample gives a record")
			}
			if !told {
				t.Error("no sample tells an upload, and the format does not say how to get one")
			}
			guesses := l.Detect([]byte(strings.Join(info.Samples, "\n")+"\n"), Options{Now: now})
			if len(guesses) == 0 || guesses[0].Name != info.Name {
				t.Errorf("the samples are taken for %+v", guesses)
			}
		})
	}
}
