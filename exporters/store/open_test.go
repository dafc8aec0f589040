package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// files reads all files of a directory.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all[filepath.Base(path)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// raw opens a file as any database.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, "_pragma=journal_mode(WAL)"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

func must(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
}

// A store of every older version is brought to the newest and works.
func TestMigrations(t *testing.T) {
	all, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	for version := range len(all) {
		t.Run(fmt.Sprint("from ", version), func(t *testing.T) {
			c := testConfig(t)
			db := raw(t, c.Path)
			if err := migrate(context.Background(), db, c.Path, all[:version]); err != nil {
				t.Fatal(err)
			}
			if version > 0 {
				must(t, db, "INSERT INTO user (id, key, seen) VALUES (77, 'known before', 0)")
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if version > 0 {
				if _, err := OpenReader(c.Path); err == nil || !strings.Contains(err.Error(), "an older gnomon wrote it") {
					t.Fatalf("reading it as it is: %v", err)
				}
			}
			s := open(t, c)
			export(t, s, []event.Event{activity(noon, "known before", "chat", 1)})
			var id int
			if err := s.conn.QueryRowContext(context.Background(), "SELECT id FROM user WHERE key = 'known before'").Scan(&id); err != nil {
				t.Fatal(err)
			}
			if version > 0 && id != 77 {
				t.Errorf("the user is number %d now", id)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			h, err := readHeader(c.Path)
			if err != nil || h.version != len(all) || h.application != applicationID {
				t.Errorf("the header says %+v (%v)", h, err)
			}
		})
	}
}

// What is not ours to write is refused, and not one byte of it or beside it changes.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string)
		says string
	}{
		{"newer", func(t *testing.T, path string) {
			config := testConfig(t)
			config.Path = path
			s := open(t, config)
			export(t, s, []event.Event{activity(noon, "u", "chat", 1)})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			db := raw(t, path)
			must(t, db, "PRAGMA user_version = 99")
			must(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}, "a newer gnomon wrote it (version 99, this one knows 7); use that one, or choose another store. Nothing was changed"},
		{"another program's", func(t *testing.T, path string) {
			db := raw(t, path)
			must(t, db, "PRAGMA application_id = 7")
			must(t, db, "CREATE TABLE theirs (x)")
			must(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}, "it is another program's database; choose another path"},
		{"a database without a name", func(t *testing.T, path string) {
			db := raw(t, path)
			must(t, db, "CREATE TABLE theirs (x)")
			must(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}, "it is another program's database; choose another path"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := testConfig(t)
			c.make(t, config.Path)
			if err := os.WriteFile(config.Path+".lock", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			before := files(t, filepath.Dir(config.Path))
			if _, err := Open(config); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Open: %v", err)
			}
			if _, err := OpenReader(config.Path); err == nil {
				t.Error("OpenReader took it")
			}
			after := files(t, filepath.Dir(config.Path))
			for name := range after {
				if before[name] != after[name] {
					t.Errorf("%s has changed", name)
				}
			}
			if len(before) != len(after) {
				t.Errorf("there were %d files, now %d", len(before), len(after))
			}
		})
	}
}

// Where a store cannot be, the message says what to do.
func TestNowhere(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, path, says string }{
		{"no directory", filepath.Join(dir, "none", "gnomon.db"), "no such file or directory; give a directory that is there"},
		{"below a file", filepath.Join(file, "gnomon.db"), "not a directory; give a directory"},
		{"read-only file system", "/proc/gnomon.db", "give a directory that is there and that this user may write to"},
		{"no path", "", "no path is given"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := testConfig(t)
			config.Path = c.path
			if _, err := Open(config); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v\nwant %s", err, c.says)
			}
		})
	}
	t.Run("nothing to read", func(t *testing.T) {
		if _, err := OpenReader(filepath.Join(dir, "gnomon.db")); err == nil || !strings.Contains(err.Error(), "there is none; start gnomon run") {
			t.Errorf("got %v", err)
		}
	})
}

// A damaged store is moved aside with all that it has, a new one is begun, and the log says it loudly.
func TestDamage(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func([]byte) []byte
		kill   bool // leave the mark of an unclean stop
	}{
		{"no database at all", func([]byte) []byte { return []byte("something else, longer than a header") }, false},
		{"cut to a few bytes", func(b []byte) []byte { return b[:50] }, false},
		{"cut in the middle", func(b []byte) []byte { return b[:len(b)/2/8192*8192] }, true},
		{"a page of zeros after a crash", func(b []byte) []byte { clear(b[8192*3 : 8192*4]); return b }, true},
		{"first page", func(b []byte) []byte { clear(b[100:8192]); return b }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := testConfig(t)
			var log bytes.Buffer
			config.Log = slog.New(slog.NewTextHandler(&log, nil))
			s := open(t, config)
			for i := range 50 {
				export(t, s, []event.Event{activity(noon, fmt.Sprint("user ", i), "chat", i)})
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(config.Path)
			if err != nil {
				t.Fatal(err)
			}
			b = c.damage(b)
			if err := os.WriteFile(config.Path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if c.kill {
				if err := os.WriteFile(config.Path+".lock", []byte("4711\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s = open(t, config)
			export(t, s, []event.Event{activity(noon, "new", "chat", 1)})
			bad, err := os.ReadFile(config.Path + ".bad-20260317T120000000Z")
			if err != nil || !bytes.Equal(bad, b) {
				t.Errorf("what was moved aside is not what was there: %v, %d bytes of %d, from %d on", err, len(bad), len(b), differ(bad, b))
			}
			if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "moved aside") {
				t.Errorf("the log says: %s", log.String())
			}
		})
	}
}

// After a stop without Close the store is checked; after Close it is not.
func TestUncleanStop(t *testing.T) {
	config := testConfig(t)
	var log bytes.Buffer
	config.Log = slog.New(slog.NewTextHandler(&log, nil))
	s := open(t, config)
	export(t, s, []event.Event{activity(noon, "u", "chat", 1)})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, unclean := range []bool{false, true} {
		log.Reset()
		if unclean {
			if err := os.WriteFile(config.Path+".lock", []byte("4711\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s = open(t, config)
		if got := strings.Contains(log.String(), "the store is whole"); got != unclean {
			t.Errorf("unclean %v, checked %v", unclean, got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A reader answers while the store is open and being written, and after it has been closed.
func TestReaderBesideWriter(t *testing.T) {
	config := testConfig(t)
	s := open(t, config)
	r, err := OpenReader(config.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	flows := func() uint64 {
		t.Helper()
		rows, err := r.Sums(context.Background(), query.Request{})
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		return rows[0].Flows
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 100 {
			export(t, s, []event.Event{activity(noon.Add(-50*time.Hour), "u", fmt.Sprint("service ", i), i)})
			if i%10 == 0 {
				maintain(t, s)
			}
		}
	}()
	last := uint64(0)
	for last < 100 {
		now := flows()
		if now < last || now > 100 {
			t.Fatalf("%d flows after %d", now, last)
		}
		last = now
		select {
		case <-done:
			if now = flows(); now != 100 {
				t.Fatalf("%d flows in the end", now)
			}
			last = now
		default:
		}
	}
	<-done
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if flows() != 100 {
		t.Fatal("records are gone after the writer has closed")
	}
}

// The file is closed to others.
func TestFileMode(t *testing.T) {
	config := testConfig(t)
	s := open(t, config)
	export(t, s, []event.Event{activity(noon, "u", "chat", 1)})
	for _, end := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(config.Path + end)
		if err != nil || info.Mode().Perm()&0o007 != 0 {
			t.Errorf("%s: %v, %v", end, info.Mode(), err)
		}
	}
}

// differ is where two files begin to differ.
func differ(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// A new file has the page size that blobs want, and gives room back.
func TestNewFile(t *testing.T) {
	s := open(t, testConfig(t))
	for pragma, want := range map[string]string{"page_size": "8192", "auto_vacuum": "2", "journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		if err := s.conn.QueryRowContext(context.Background(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s (%v), want %s", pragma, got, err, want)
		}
	}
}

// A reader cannot mend a damaged store, but says who does.
func TestReadDamaged(t *testing.T) {
	c := testConfig(t)
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(c.Path, 2*8192); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(c.Path)
	if err == nil {
		_ = r.Close()
		t.Fatal("it was opened")
	}
	if !strings.Contains(err.Error(), "it is damaged") || !strings.Contains(err.Error(), "start gnomon run once") {
		t.Error(err)
	}
}
