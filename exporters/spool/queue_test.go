package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// fake answers each try as script says: by batch number, then by event.
type fake struct {
	mu     sync.Mutex
	tries  int
	script func(try int, ev *event.Event) (exporters.State, error)
	stored []string
	closed bool
}

func (f *fake) Export(_ context.Context, batch []event.Event, out []exporters.Outcome) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tries++
	for i := range batch {
		state, err := f.script(f.tries, &batch[i])
		if err != nil {
			return err
		}
		out[i] = exporters.Outcome{State: state, Reason: "as told"}
		if state == exporters.Stored {
			f.stored = append(f.stored, batch[i].Event.ID)
		}
	}
	return nil
}

func (f *fake) Close() error { f.closed = true; return nil }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func offer(q *Queue, n int) {
	for i := range n {
		q.Offer(&event.Event{Event: event.Meta{ID: fmt.Sprint(i)}})
	}
}

// Whatever the exporter answers, every record is stored once, refused once or counted as dropped.
func TestQueue(t *testing.T) {
	for _, c := range []struct {
		name   string
		script func(int, *event.Event) (exporters.State, error)
		want   Stats
	}{
		{"all stored", func(int, *event.Event) (exporters.State, error) { return exporters.Stored, nil }, Stats{Stored: 100}},
		{"first tries fail whole", func(try int, _ *event.Event) (exporters.State, error) {
			if try < 4 {
				return 0, errors.New("no route")
			}
			return exporters.Stored, nil
		}, Stats{Stored: 100}},
		{"some again, some never", func(try int, ev *event.Event) (exporters.State, error) {
			if ev.Event.ID == "7" {
				return exporters.Never, nil
			}
			if try%2 == 1 && len(ev.Event.ID) == 1 {
				return exporters.Again, nil
			}
			return exporters.Stored, nil
		}, Stats{Stored: 99, Never: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{script: c.script}
			q := New(Config{Name: "fake", Records: 1000, Batch: 16, Retry: time.Microsecond, RetryMost: time.Millisecond}, f, quiet())
			offer(q, 100)
			if err := q.Close(10 * time.Second); err != nil {
				t.Fatal(err)
			}
			if got := q.Stats(); got != c.want {
				t.Errorf("stats %+v, want %+v", got, c.want)
			}
			seen := map[string]bool{}
			for _, id := range f.stored {
				if seen[id] {
					t.Errorf("record %s was stored twice", id)
				}
				seen[id] = true
			}
			if !f.closed {
				t.Error("the exporter was not closed")
			}
		})
	}
}

// A full queue drops and counts when it must not wait, and Close gives up in time when nothing is taken.
func TestQueueFull(t *testing.T) {
	release := make(chan struct{})
	f := &fake{script: func(int, *event.Event) (exporters.State, error) { <-release; return exporters.Again, nil }}
	q := New(Config{Name: "fake", Records: 10, Batch: 4, Retry: time.Millisecond, RetryMost: time.Millisecond}, f, quiet())
	offer(q, 30)
	dropped := q.Stats().Dropped
	if dropped < 15 || dropped > 20 {
		t.Errorf("%d of 30 records were dropped by a queue of 10 with a batch of 4 under way", dropped)
	}
	close(release)
	if err := q.Close(20 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if got := q.Stats(); got.Dropped != 30 || got.Waiting != 0 {
		t.Errorf("stats %+v, want all 30 counted as dropped", got)
	}
}

// With Wait nothing is dropped, however slow the exporter.
func TestQueueWaits(t *testing.T) {
	f := &fake{script: func(int, *event.Event) (exporters.State, error) { return exporters.Stored, nil }}
	q := New(Config{Name: "fake", Records: 2, Batch: 1, Wait: true, Retry: time.Millisecond, RetryMost: time.Millisecond}, f, quiet())
	offer(q, 500)
	if err := q.Close(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	if got := q.Stats(); got.Stored != 500 || got.Dropped != 0 {
		t.Errorf("stats %+v, want 500 stored", got)
	}
}

// A refused batch is tried again after its pause even if nothing else happens: no other record, no Close.
func TestQueueRetriesAlone(t *testing.T) {
	for range 200 {
		stored := make(chan struct{})
		f := &fake{script: func(try int, _ *event.Event) (exporters.State, error) {
			if try == 1 {
				return exporters.Again, nil
			}
			close(stored)
			return exporters.Stored, nil
		}}
		q := New(Config{Name: "fake", Records: 10, Batch: 4, Retry: 50 * time.Microsecond, RetryMost: time.Millisecond}, f, quiet())
		offer(q, 1)
		select {
		case <-stored:
		case <-time.After(10 * time.Second):
			t.Fatal("it was not tried again")
		}
		if err := q.Close(time.Second); err != nil {
			t.Fatal(err)
		}
	}
}
