package jsonl

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

func batch(from, n int) []event.Event {
	b := make([]event.Event, n)
	for i := range b {
		b[i] = event.Event{Timestamp: event.Time(1_700_000_000e9), Event: event.Meta{ID: fmt.Sprintf("id%04d", from+i)}}
	}
	return b
}

func export(t *testing.T, e exporters.Exporter, b []event.Event) {
	t.Helper()
	out := make([]exporters.Outcome, len(b))
	if err := e.Export(context.Background(), b, out); err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		if o.State != exporters.Stored {
			t.Fatalf("event %d: %+v", i, o)
		}
	}
}

// Rotation keeps every record of the files that stay, each once and in order.
func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.ndjson")
	f, err := Open(Config{Path: path, MaxBytes: 300, Keep: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		export(t, f, batch(i*2, 2))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var all string
	for _, name := range []string{path + ".2", path + ".1", path} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all += string(b)
	}
	if _, err := os.Stat(path + ".3"); err == nil {
		t.Error("more files are kept than asked for")
	}
	lines := strings.Split(strings.TrimSpace(all), "\n")
	for i, line := range lines {
		if want := fmt.Sprintf("id%04d", 24-len(lines)+i); !strings.Contains(line, want) {
			t.Errorf("line %d is %s, want %s", i, line, want)
		}
	}
	if len(lines) < 8 {
		t.Errorf("only %d lines are left", len(lines))
	}
}

// A file that a crash cut in mid-line goes on after its last whole line.
func TestTornLine(t *testing.T) {
	for _, c := range []struct{ name, before, want string }{
		{"torn", "{\"a\":1}\n{\"b\":", "{\"a\":1}\n"},
		{"torn, long", "{\"a\":1}\n" + strings.Repeat("x", 200_000), "{\"a\":1}\n"},
		{"torn first line", "{\"b\":", ""},
		{"whole", "{\"a\":1}\n", "{\"a\":1}\n"},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "records.ndjson")
			if err := os.WriteFile(path, []byte(c.before), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := Open(Config{Path: path, MaxBytes: 1 << 20, Keep: 1})
			if err != nil {
				t.Fatal(err)
			}
			export(t, f, batch(7, 1))
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(b), c.want+"{\"@timestamp\"") || strings.Count(string(b), "id0007") != 1 {
				t.Errorf("file holds %.100q", b)
			}
		})
	}
}

func TestStream(t *testing.T) {
	var out bytes.Buffer
	s := NewStream(&out)
	export(t, s, batch(0, 3))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n != 3 {
		t.Errorf("%d lines, want 3", n)
	}
}
