// Package spool stands between the sensor and an exporter: it gathers records into batches, tries again what was not stored, and counts
// what is lost. It holds records in memory, bounded; an exporter behind it only says stored, again or never.
package spool

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Config tunes a queue.
type Config struct {
	// Name of the exporter, for messages.
	Name string
	// Records bounds how many wait in memory.
	Records int
	// Batch is how many are handed over at once.
	Batch int
	// Wait makes Offer wait for room instead of dropping: for captures from files, which can wait.
	Wait bool
	// Retry is the first pause after a refusal; it doubles up to RetryMost.
	Retry, RetryMost time.Duration
}

// Default returns the defaults.
func Default() Config {
	return Config{Records: 65536, Batch: 512, Retry: 200 * time.Millisecond, RetryMost: 10 * time.Second}
}

// Stats are counters since New.
type Stats struct {
	Stored  uint64
	Never   uint64 // refused for good
	Dropped uint64 // had no room
	Waiting int
}

// Queue feeds one exporter.
type Queue struct {
	config   Config
	exporter exporters.Exporter
	log      *slog.Logger

	mu      sync.Mutex // guards what follows
	changed *sync.Cond
	waiting []event.Event
	stats   Stats
	closing bool
	expired bool // the time that Close gave is over
	done    chan struct{}
}

// New starts a queue; Close ends it.
func New(config Config, exporter exporters.Exporter, log *slog.Logger) *Queue {
	q := &Queue{config: config, exporter: exporter, log: log, done: make(chan struct{})}
	q.changed = sync.NewCond(&q.mu)
	go q.run()
	return q
}

// Offer takes a record. Without room it waits or drops, as configured.
func (q *Queue) Offer(ev *event.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) >= q.config.Records && q.config.Wait && !q.closing {
		q.changed.Wait()
	}
	if len(q.waiting) >= q.config.Records || q.closing {
		q.stats.Dropped++
		return
	}
	q.waiting = append(q.waiting, *ev)
	q.changed.Broadcast()
}

// Stats may be called at any time.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Waiting = len(q.waiting)
	return s
}

// Close hands over what waits, for at most the given time, and closes the exporter. What is left then counts as dropped.
func (q *Queue) Close(within time.Duration) error {
	q.mu.Lock()
	q.closing = true
	q.changed.Broadcast()
	q.mu.Unlock()
	timer := time.AfterFunc(within, func() {
		q.mu.Lock()
		q.expired = true
		q.changed.Broadcast()
		q.mu.Unlock()
	})
	defer timer.Stop()
	<-q.done
	return q.exporter.Close()
}

// run hands batches over until the queue is closed and empty.
func (q *Queue) run() {
	defer close(q.done)
	out := make([]exporters.Outcome, q.config.Batch)
	pause := q.config.Retry
	for {
		batch := q.next()
		if batch == nil {
			return
		}
		again := q.export(batch, out[:len(batch)])
		if len(again) == 0 {
			pause = q.config.Retry
			continue
		}
		if !q.putBack(again, pause) {
			return
		}
		pause = min(2*pause, q.config.RetryMost)
	}
}

// next waits for records and takes a batch; nil means that the queue is closed and empty.
func (q *Queue) next() []event.Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 && !q.closing {
		q.changed.Wait()
	}
	if len(q.waiting) == 0 {
		return nil
	}
	n := min(len(q.waiting), q.config.Batch)
	batch := append([]event.Event(nil), q.waiting[:n]...)
	q.waiting = append(q.waiting[:0], q.waiting[n:]...)
	q.changed.Broadcast()
	return batch
}

// export returns the records that have to be tried again.
func (q *Queue) export(batch []event.Event, out []exporters.Outcome) []event.Event {
	clear(out)
	err := q.exporter.Export(context.Background(), batch, out)
	if err != nil {
		q.log.Error("records could not be exported; trying again", "exporter", q.config.Name, "records", len(batch), "error", err)
		return batch
	}
	var again []event.Event
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range batch {
		switch out[i].State {
		case exporters.Stored:
			q.stats.Stored++
		case exporters.Never:
			q.stats.Never++
			q.log.Error("a record was refused for good", "exporter", q.config.Name, "id", batch[i].Event.ID, "reason", out[i].Reason)
		case exporters.Again:
			again = append(again, batch[i])
		}
	}
	return again
}

// putBack puts records in front of the others and waits. It returns false if there is no time left for another try.
func (q *Queue) putBack(again []event.Event, pause time.Duration) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(again, q.waiting...)
	over := false // told by the timer itself: by another clock the pause could seem to lack a moment, and nobody would wake the wait again
	timer := time.AfterFunc(pause, func() {
		q.mu.Lock()
		over = true
		q.changed.Broadcast()
		q.mu.Unlock()
	})
	defer timer.Stop()
	for !over && !q.expired {
		q.changed.Wait()
	}
	if !q.expired {
		return true
	}
	q.stats.Dropped += uint64(len(q.waiting))
	q.log.Error("records are lost: the exporter did not take them in time", "exporter", q.config.Name, "records", len(q.waiting))
	q.waiting = nil
	return false
}
