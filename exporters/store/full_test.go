package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// shortage is a way to be without room.
type shortage struct {
	name string
	path string
	says string
	take func(t *testing.T, s *Store)
	give func(t *testing.T, s *Store)
}

// limit bounds the pages of a file.
func limit(t *testing.T, s *Store, more int) {
	t.Helper()
	var pages int
	if err := s.conn.QueryRowContext(context.Background(), "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if err := s.conn.QueryRowContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", pages+more)).Scan(&pages); err != nil {
		t.Fatal(err)
	}
}

func shortages(t *testing.T) []shortage {
	dir := t.TempDir()
	ways := []shortage{{"a bound on the file", filepath.Join(dir, "gnomon.db"), "there is no room: free some on that disk or lower store.max_bytes",
		func(t *testing.T, s *Store) { limit(t, s, 8) }, func(t *testing.T, s *Store) { limit(t, s, 1e6) }}}
	small := filepath.Join(dir, "small")
	if err := os.Mkdir(small, 0o750); err != nil {
		t.Fatal(err)
	}
	// A whole file system of its own, where the test may mount one.
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=8m"); err == nil {
		t.Cleanup(func() {
			if err := syscall.Unmount(small, 0); err != nil {
				t.Error(err)
			}
		})
		filler := filepath.Join(small, "filler")
		ways = append(ways, shortage{"a full disk", filepath.Join(small, "gnomon.db"), "there is no room", func(t *testing.T, _ *Store) {
			f, err := os.Create(filler)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for err == nil {
				_, err = f.Write(make([]byte, 4096))
			}
			// A little is left, so that a batch begins to be written.
			if err := f.Truncate(size(t, filler) - 64<<10); err != nil {
				t.Fatal(err)
			}
		}, func(t *testing.T, _ *Store) {
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
		}})
	}
	return ways
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// Without room a batch is refused whole, again and again, with a message that says what to do; with room it goes on, and nothing is lost
// or there twice.
func TestDiskFull(t *testing.T) {
	for _, c := range shortages(t) {
		t.Run(c.name, func(t *testing.T) {
			config := testConfig(t)
			config.Path = c.path
			s := open(t, config)
			n := 0
			next := func() []event.Event {
				batch := make([]event.Event, 100)
				for i := range batch {
					batch[i] = activity(noon.Add(time.Duration(n+i)*time.Second), fmt.Sprint("user ", (n+i)%40), fmt.Sprint("service ", n), n+i)
				}
				return batch
			}
			for range 3 {
				export(t, s, next())
				n += 100
			}
			c.take(t, s)
			refused := 0
			for tries := 0; refused < 3 && tries < 500; tries++ {
				out := make([]exporters.Outcome, 100)
				err := s.Export(context.Background(), next(), out)
				if err == nil {
					n += 100
					continue
				}
				refused++
				if !strings.Contains(err.Error(), c.path) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("the message is: %v", err)
				}
				if records, flows := kept(t, s); records != n || flows != uint64(n) {
					t.Fatalf("%d records and %d flows are there, %d were stored", records, flows, n)
				}
			}
			if refused == 0 {
				t.Fatal("there was always room")
			}
			c.give(t, s)
			for range 3 {
				export(t, s, next())
				n += 100
			}
			if records, flows := kept(t, s); records != n || flows != uint64(n) {
				t.Fatalf("%d records and %d flows are there, %d were stored", records, flows, n)
			}
			rows, err := s.Sums(context.Background(), query.Request{})
			if err != nil || rows[0].Users != 40 {
				t.Fatalf("%+v, %v", rows, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
