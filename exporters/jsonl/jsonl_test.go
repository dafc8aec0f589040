package jsonl

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/exportertest"
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

// ids counts how often each record is in the files.
func ids(t *testing.T, path string) map[string]int {
	t.Helper()
	got := map[string]int{}
	for _, name := range []string{path, path + ".1", path + ".2"} {
		text, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var ev event.Event
			if err := json.Unmarshal([]byte(line), &ev); err != nil {
				t.Fatal(err)
			}
			got[ev.Event.ID]++
		}
	}
	return got
}

func TestContract(t *testing.T) {
	t.Run("file", func(t *testing.T) {
		exportertest.Run(t, exportertest.Subject{Open: func(t *testing.T) (exporters.Exporter, func(*testing.T) map[string]int) {
			path := filepath.Join(t.TempDir(), "records.ndjson")
			f, err := Open(Config{Path: path, MaxBytes: 100 << 20, Keep: 1})
			if err != nil {
				t.Fatal(err)
			}
			return f, func(t *testing.T) map[string]int { return ids(t, path) }
		}})
	})
	t.Run("stream", func(t *testing.T) {
		exportertest.Run(t, exportertest.Subject{Open: func(t *testing.T) (exporters.Exporter, func(*testing.T) map[string]int) {
			path := filepath.Join(t.TempDir(), "records.ndjson")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.Close() })
			return NewStream(f), func(t *testing.T) map[string]int { return ids(t, path) }
		}})
	})
}

// What comes again after a crash, a batch at most, is not written again, whether the file was rotated meanwhile or not.
func TestAfterCrash(t *testing.T) {
	for _, size := range []int64{1 << 30, 1000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			config := Config{Path: filepath.Join(t.TempDir(), "records.ndjson"), MaxBytes: size, Keep: 2}
			open := func() *File {
				f, err := Open(config)
				if err != nil {
					t.Fatal(err)
				}
				return f
			}
			f := open()
			export(t, f, batch(0, 500))
			export(t, f, batch(500, batchSize))
			f = open() // as after a kill: the last batch was never heard of
			out := make([]exporters.Outcome, batchSize)
			if err := f.Export(context.Background(), batch(500, batchSize), out); err != nil || !out[0].Duplicate || !out[batchSize-1].Duplicate {
				t.Fatalf("%v, %+v", err, out[0])
			}
			export(t, f, batch(500+batchSize, 100))
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			got := ids(t, config.Path)
			for id, n := range got {
				if n != 1 {
					t.Errorf("record %s is there %d times", id, n)
				}
			}
			if want := 600 + batchSize; size > 1000 && len(got) != want {
				t.Errorf("%d records, want %d", len(got), want)
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
