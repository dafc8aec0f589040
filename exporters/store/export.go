package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	sqlite3 "modernc.org/sqlite/lib"
)

var _ exporters.Exporter = (*Store)(nil)

// capEvery is after how many batches the size is looked at.
const capEvery = 64

// errClosed is what a closed store answers.
var errClosed = errors.New("the store is closed")

// Export implements exporters.Exporter. A batch is one transaction: after an error nothing of it is there. What it calls stored is on the
// disk. A record that is there already, by event.id, is stored too and changes no sum.
func (s *Store) Export(ctx context.Context, batch []event.Event, out []exporters.Outcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("storing %d records in %s: %w", len(batch), s.config.Path, errClosed)
	}
	entries := s.w.prepare(batch, out)
	if len(entries) == 0 {
		return ctx.Err()
	}
	now := s.config.Now().Unix()
	err := s.w.transact(ctx, func(ctx context.Context) error { return s.w.store(ctx, entries, now) })
	if err != nil {
		return s.explain(fmt.Sprintf("storing %d records", len(batch)), err)
	}
	for i := range entries {
		out[entries[i].at] = exporters.Outcome{State: exporters.Stored, Duplicate: !entries[i].fresh}
	}
	clear(s.w.entries) // they hold the caller's events
	s.exports++
	if s.exports%capEvery == 0 {
		if _, err := s.capStep(ctx, s.config.Now()); err != nil {
			s.config.Log.Error("the size of the store could not be bounded", "error", err)
		}
	}
	return nil
}

// store is the transaction of a batch.
func (w *writer) store(ctx context.Context, entries []entry, now int64) error {
	w.rows = w.rows[:0]
	for i := range entries {
		e := &entries[i]
		if err := w.storeEntry(ctx, e, now); err != nil {
			return err
		}
		if !e.fresh || !counted(e.ev) {
			continue
		}
		sum := sumsOf(e.ev)
		w.rows = append(w.rows, row{user: e.user, facet: e.facetID, hour: w.calendar.hour(sum.first), sums: sum})
		if err := w.countVisit(ctx, e, now); err != nil {
			return err
		}
	}
	if err := w.storeCoverage(ctx, entries); err != nil {
		return err
	}
	if err := w.storeFresh(ctx, w.rows); err != nil {
		return err
	}
	return w.saveParts(ctx)
}

// storeEntry keeps the record itself and the words it uses.
func (w *writer) storeEntry(ctx context.Context, e *entry, now int64) (err error) {
	if e.user, err = w.userID(ctx, e, floor(now, secondsPerDay)/secondsPerDay); err != nil {
		return err
	}
	if e.facetID, err = w.facetNumber(ctx, e.facet); err != nil {
		return err
	}
	if err = w.nameService(ctx, e); err != nil {
		return err
	}
	return w.insert(ctx, e, now)
}

// explain says what was being done, on what, and what to do about it.
func (s *Store) explain(doing string, err error) error {
	hint := ""
	switch sqliteCode(err) {
	case sqlite3.SQLITE_FULL:
		hint = "; there is no room: free some on that disk or lower store.max_bytes. Nothing of it was written, and it can be tried again"
	case sqlite3.SQLITE_IOERR:
		hint = "; the disk does not take it: look for room and for errors of the device in the kernel's log. It can be tried again"
	case sqlite3.SQLITE_BUSY:
		hint = "; another process keeps the file locked: end it, or wait"
	case sqlite3.SQLITE_READONLY:
		hint = "; the file or its directory has become read-only"
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		s.suspect = true
		hint = "; the file is damaged: restart gnomon, which moves it aside and begins a new one"
	}
	return fmt.Errorf("%s in %s: %w%s", doing, s.config.Path, err, hint)
}
