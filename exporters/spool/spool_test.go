package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/exportertest"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// fake is an exporter that answers each try as script says, and has by id what it called stored.
type fake struct {
	script func(try int, ev *event.Event) (exporters.State, error)

	mu     sync.Mutex // guards what follows
	tries  int
	has    map[string]int
	order  []string
	closed bool
}

func newFake(script func(int, *event.Event) (exporters.State, error)) *fake {
	return &fake{script: script, has: map[string]int{}}
}

func always(state exporters.State) func(int, *event.Event) (exporters.State, error) {
	return func(int, *event.Event) (exporters.State, error) { return state, nil }
}

func (f *fake) Export(ctx context.Context, batch []event.Event, out []exporters.Outcome) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f.tries++
	for i := range batch {
		state, err := f.script(f.tries, &batch[i])
		if err != nil {
			return err
		}
		out[i] = exporters.Outcome{State: state, Reason: "as told", Duplicate: f.has[batch[i].Event.ID] > 0}
		if state == exporters.Stored {
			f.has[batch[i].Event.ID]++
			f.order = append(f.order, batch[i].Event.ID)
		}
	}
	return nil
}

func (f *fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.has)
}

func testConfig(dir string, names ...string) Config {
	c := Default(dir)
	c.Exporters, c.Sync, c.Retry, c.RetryMost = names, time.Millisecond, time.Millisecond, 5*time.Millisecond
	return c
}

func openSpool(t testing.TB, c Config) *Spool {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func attach(t testing.TB, s *Spool, name string, e exporters.Exporter) {
	t.Helper()
	if err := s.Attach(name, e); err != nil {
		t.Fatal(err)
	}
}

func closeSpool(t testing.TB, s *Spool) {
	t.Helper()
	if err := s.Close(patience); err != nil {
		t.Fatal(err)
	}
}

func offer(s *Spool, from, n int) {
	for i := range n {
		ev := exportertest.Event(from + i)
		s.Offer(&ev)
	}
}

// patience is how long a slow machine may take.
const patience = 2 * time.Minute

// until waits for something to become true.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// Whatever an exporter answers, every record is stored once or refused once; another beside it is not touched.
func TestOutcomes(t *testing.T) {
	seven := exportertest.Event(7)
	for _, c := range []struct {
		name          string
		script        func(int, *event.Event) (exporters.State, error)
		stored, never int
		retried       bool
	}{
		{"all stored", always(exporters.Stored), 3000, 0, false},
		{"first tries fail whole", func(try int, _ *event.Event) (exporters.State, error) {
			if try < 4 {
				return 0, errors.New("no route")
			}
			return exporters.Stored, nil
		}, 3000, 0, true},
		{"some again, some never", func(try int, ev *event.Event) (exporters.State, error) {
			if ev.Event.ID == seven.Event.ID {
				return exporters.Never, nil
			}
			if try%2 == 1 && ev.Timestamp%3e9 == 0 {
				return exporters.Again, nil
			}
			return exporters.Stored, nil
		}, 2999, 1, true},
		{"all never", always(exporters.Never), 0, 3000, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, other := newFake(c.script), newFake(always(exporters.Stored))
			s := openSpool(t, testConfig(t.TempDir(), "fake", "other"))
			attach(t, s, "fake", f)
			attach(t, s, "other", other)
			offer(s, 0, 3000)
			closeSpool(t, s)
			st := s.Stats().Exporters[0]
			if int(st.Stored) != c.stored || int(st.Never) != c.never || st.Waiting != 0 || st.Lost != 0 || st.Retried > 0 != c.retried {
				t.Errorf("stats %+v", st)
			}
			if len(f.has) != c.stored || len(f.order) != c.stored {
				t.Errorf("it has %d records of %d, stored %d times", len(f.has), c.stored, len(f.order))
			}
			if other.count() != 3000 {
				t.Errorf("the other has %d records", other.count())
			}
			if !f.closed || !other.closed {
				t.Error("an exporter was not closed")
			}
		})
	}
}

// What an exporter that is away does not take stays for the next start, and the next; records are kept for one that is not attached.
func TestStarts(t *testing.T) {
	dir := t.TempDir()
	away := errors.New("away")
	for i := range 3 {
		s := openSpool(t, testConfig(dir, "away", "absent"))
		attach(t, s, "away", newFake(func(int, *event.Event) (exporters.State, error) { return 0, away }))
		offer(s, i*100, 100)
		until(t, "it has been tried", func() bool { return s.Stats().Exporters[0].Failing })
		if err := s.Close(10 * time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if st := s.Stats().Exporters[0]; int(st.Waiting) != (i+1)*100 || st.LastError != "away" {
			t.Fatalf("start %d: %+v", i, st)
		}
	}
	back, absent := newFake(always(exporters.Stored)), newFake(always(exporters.Stored))
	s := openSpool(t, testConfig(dir, "away", "absent"))
	attach(t, s, "away", back)
	attach(t, s, "absent", absent)
	if err := s.Drain(context.Background(), "away"); err != nil {
		t.Fatal(err)
	}
	if back.count() != 300 {
		t.Errorf("after Drain it has %d records", back.count())
	}
	closeSpool(t, s)
	for name, f := range map[string]*fake{"away": back, "absent": absent} {
		if len(f.has) != 300 || len(f.order) != 300 {
			t.Errorf("%s has %d records, stored %d times", name, len(f.has), len(f.order))
		}
	}
	if entries, err := filepath.Glob(filepath.Join(dir, "*.seg")); err != nil || len(entries) > 1 {
		t.Errorf("files are left where all have everything: %v, %v", entries, err)
	}
}

// What one process writes for one exporter alone reaches no other, then or later, and is no loss to it.
func TestOnly(t *testing.T) {
	dir := t.TempDir()
	c := testConfig(dir, "store", "other")
	for _, only := range []string{"", "store", ""} {
		c.Only = only
		s := openSpool(t, c)
		f := newFake(always(exporters.Stored))
		attach(t, s, "store", f)
		offer(s, 0, 50)
		closeSpool(t, s)
		if f.count() != 50 {
			t.Fatalf("the store has %d records", f.count())
		}
	}
	c.Only = ""
	s := openSpool(t, c)
	other := newFake(always(exporters.Stored))
	attach(t, s, "other", other)
	closeSpool(t, s)
	if st := s.Stats().Exporters[0]; len(other.order) != 100 || st.Lost != 0 || st.Waiting != 0 {
		t.Errorf("the other got %d records; %+v", len(other.order), st)
	}
}

// At the cap the oldest go; only who is behind loses, exactly what is counted, and it is said.
func TestCap(t *testing.T) {
	var log bytes.Buffer
	c := testConfig(t.TempDir(), "behind", "ahead")
	c.MaxBytes, c.Log = 1<<20, slog.New(slog.NewTextHandler(&locked{w: &log}, nil))
	s := openSpool(t, c)
	release := make(chan struct{})
	behind := newFake(func(int, *event.Event) (exporters.State, error) { <-release; return exporters.Stored, nil })
	ahead := newFake(always(exporters.Stored))
	attach(t, s, "behind", behind)
	attach(t, s, "ahead", ahead)
	const n = 20000
	for i := range 40 {
		offer(s, i*n/40, n/40)
		until(t, "the other has them", func() bool { return ahead.count() == (i+1)*n/40 })
	}
	if st := s.Stats(); st.Bytes > c.MaxBytes || st.Exporters[0].Lost == 0 {
		t.Errorf("%d bytes on the disk, %+v", st.Bytes, st.Exporters[0])
	}
	close(release)
	closeSpool(t, s)
	st := s.Stats()
	if lost := int(st.Exporters[0].Lost); lost == 0 || lost+len(behind.has) != n || st.Exporters[1].Lost != 0 || st.Refused != 0 {
		t.Errorf("%d lost and %d stored of %d; %+v", lost, len(behind.has), n, st)
	}
	newest := exportertest.Event(n - 1)
	if behind.has[newest.Event.ID] != 1 {
		t.Error("the newest was lost")
	}
	if text := log.String(); !strings.Contains(text, "records are lost: nobody took them in time") || !strings.Contains(text, "reader=behind") {
		t.Errorf("it was not said: %s", text)
	}
}

// locked lets several goroutines write.
type locked struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// With Wait nothing is lost at the cap: Offer waits for the exporter.
func TestWait(t *testing.T) {
	c := testConfig(t.TempDir(), "slow")
	c.MaxBytes, c.Memory, c.Wait = 512<<10, 64<<10, true
	s := openSpool(t, c)
	slow := newFake(func(try int, _ *event.Event) (exporters.State, error) {
		if try%3 == 0 {
			return 0, errors.New("busy")
		}
		return exporters.Stored, nil
	})
	attach(t, s, "slow", slow)
	offer(s, 0, 10000)
	closeSpool(t, s)
	if st := s.Stats(); len(slow.has) != 10000 || st.Exporters[0].Lost != 0 || st.Refused != 0 {
		t.Errorf("%d of 10000; %+v", len(slow.has), st)
	}
}

// Room makes those wait who can, before others lose anything.
func TestRoom(t *testing.T) {
	c := testConfig(t.TempDir(), "away")
	c.MaxBytes = 1 << 20
	s := openSpool(t, c)
	release := make(chan struct{})
	f := newFake(func(int, *event.Event) (exporters.State, error) { <-release; return exporters.Stored, nil })
	attach(t, s, "away", f)
	n := 0
	for full := false; !full; n += 100 {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		full = s.Room(ctx) != nil
		cancel()
		offer(s, n, 100)
	}
	close(release)
	if err := s.Room(context.Background()); err != nil {
		t.Error(err)
	}
	closeSpool(t, s)
	if st := s.Stats().Exporters[0]; f.count() != n || st.Lost != 0 {
		t.Errorf("%d of %d records; %+v", f.count(), n, st)
	}
	if err := s.Room(context.Background()); err != nil && !errors.Is(err, errClosing) {
		t.Error(err)
	}
}

// A second process is refused and told who has the spool.
func TestLocked(t *testing.T) {
	dir := t.TempDir()
	s := openSpool(t, testConfig(dir))
	if _, err := Open(testConfig(dir)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d has it open", os.Getpid())) {
		t.Errorf("opened twice: %v", err)
	}
	closeSpool(t, s)
	closeSpool(t, openSpool(t, testConfig(dir)))
}

// Dead letters are kept over starts, shown with their reason, handed over again or forgotten, by the process that has the spool or by
// another.
func TestDeadLetters(t *testing.T) {
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprintf("running %v", running), func(t *testing.T) {
			dir := t.TempDir()
			c := testConfig(dir, "picky", "other")
			s := openSpool(t, c)
			picky := newFake(always(exporters.Never))
			attach(t, s, "picky", picky)
			attach(t, s, "other", newFake(always(exporters.Stored)))
			offer(s, 0, 10)
			until(t, "they are dead letters", func() bool { return s.Stats().Dead.Records == 10 })
			var letters []Letter
			if err := Letters(dir, func(l *Letter) error { letters = append(letters, *l); return nil }); err != nil {
				t.Fatal(err)
			}
			want := exportertest.Event(3)
			if len(letters) != 10 || letters[3].Event.Event.ID != want.Event.ID || letters[3].Exporter != "picky" || letters[3].Reason != "as told" {
				t.Fatalf("%d letters; %+v", len(letters), letters)
			}
			picky.mu.Lock()
			picky.script = always(exporters.Stored)
			picky.mu.Unlock()
			if !running {
				closeSpool(t, s)
			}
			ask := func(r Request, want int) {
				t.Helper()
				if n, err := Ask(context.Background(), c, r); err != nil || n != want {
					t.Fatalf("%+v: %d letters, %v; want %d", r, n, err, want)
				}
			}
			ask(Request{Do: Retry, Select: Selection{Exporter: "other"}}, 0)
			ask(Request{Do: Retry, Select: Selection{Numbers: []uint64{letters[3].Number, letters[4].Number, 99}}}, 2)
			ask(Request{Do: Purge, Select: Selection{Numbers: []uint64{letters[0].Number}}}, 1)
			ask(Request{Do: Retry, Select: Selection{Exporter: "picky"}}, 7)
			ask(Request{Do: Purge}, 0)
			if _, err := Ask(context.Background(), c, Request{Do: "eat"}); err == nil {
				t.Error("it did what nobody knows")
			}
			if !running {
				s = openSpool(t, c)
				attach(t, s, "picky", picky)
			}
			closeSpool(t, s)
			if picky.count() != 9 || len(picky.order) != 9 {
				t.Errorf("it got %d of 9 again", picky.count())
			}
			if err := Letters(dir, func(l *Letter) error { return fmt.Errorf("letter %d is still there", l.Number) }); err != nil {
				t.Error(err)
			}
		})
	}
}

// Letters of an exporter that is not configured any more are not handed to anyone, and stay.
func TestDeadLettersOfNobody(t *testing.T) {
	c := testConfig(t.TempDir(), "gone")
	s := openSpool(t, c)
	attach(t, s, "gone", newFake(always(exporters.Never)))
	offer(s, 0, 3)
	closeSpool(t, s)
	c.Exporters = []string{"other"}
	if _, err := Ask(context.Background(), c, Request{Do: Retry}); err == nil || !strings.Contains(err.Error(), "not configured") {
		t.Errorf("got %v", err)
	}
	if n, err := Ask(context.Background(), c, Request{Do: Purge}); n != 3 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
}

// A spool in front of an exporter keeps the contract that the exporter keeps.
func TestContract(t *testing.T) {
	exportertest.Run(t, exportertest.Subject{Open: func(t *testing.T) (exporters.Exporter, func(*testing.T) map[string]int) {
		f := newFake(always(exporters.Stored))
		s := openSpool(t, testConfig(t.TempDir(), "fake"))
		attach(t, s, "fake", f)
		return &wrapped{s}, func(*testing.T) map[string]int { return f.has }
	}})
}

// wrapped is a spool as an exporter: what is offered and synced is stored.
type wrapped struct{ s *Spool }

func (w *wrapped) Export(ctx context.Context, batch []event.Event, out []exporters.Outcome) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i := range batch {
		w.s.Offer(&batch[i])
		out[i] = exporters.Outcome{State: exporters.Stored}
	}
	return w.s.journal.Flush()
}

func (w *wrapped) Close() error { return w.s.Close(patience) }
