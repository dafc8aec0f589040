package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// jumpFrom is how far the clock may go between two looks without a doubt; jumpWait is how long a doubtful one has to go on before
	// anything expires by it. A clock that is set to next year by mistake must not empty the store.
	jumpFrom = 48 * time.Hour
	jumpWait = time.Hour
	// vacuumPages is how much is given back to the file system at once: 16 MB.
	vacuumPages = 2048
)

// clockJump watches the clock.
type clockJump struct {
	known bool
	last  time.Time // the last look
	since time.Time // the first look after a jump
}

// background calls Maintain now and then.
func (s *Store) background(ctx context.Context) {
	defer close(s.ended)
	if s.config.Every < 0 {
		return
	}
	tick := time.NewTicker(s.config.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.Maintain(ctx); err != nil && ctx.Err() == nil {
				s.config.Log.Error("the store could not be tidied up; trying again", "error", err)
			}
		}
	}
}

// Maintain settles the sums of days that are over, lets go of what has expired and gives room back. It works in short transactions,
// between which records are taken in.
func (s *Store) Maintain(ctx context.Context) error {
	steps := []func(context.Context, time.Time) (more bool, err error){s.settleStep, s.expireParts, s.expireBlind, s.expireMonths, s.expireUsers, s.expireNames,
		s.capStep, s.vacuumStep, s.digestStep}
	now := s.config.Now()
	trusted, err := s.trustClock(ctx, now)
	if err != nil {
		return s.explain("tidying up", err)
	}
	if !trusted {
		steps = []func(context.Context, time.Time) (bool, error){s.settleStep, s.capStep, s.vacuumStep, s.digestStep}
	}
	for _, step := range steps {
		for more := true; more; {
			if err := ctx.Err(); err != nil {
				return err
			}
			if more, err = s.locked(ctx, now, step); err != nil {
				return s.explain("tidying up", err)
			}
		}
	}
	return nil
}

// locked makes one step while nothing else writes.
func (s *Store) locked(ctx context.Context, now time.Time, step func(context.Context, time.Time) (bool, error)) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, errClosed
	}
	return step(ctx, now)
}

// trustClock says whether things may expire by the clock, and keeps it.
func (s *Store) trustClock(ctx context.Context, now time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, errClosed
	}
	j := &s.jump
	if !j.known {
		var at int64
		found, err := s.w.get(ctx, "SELECT value FROM meta WHERE name = 'clock'", nil, []any{&at})
		if err != nil {
			return false, err
		}
		j.known, j.last = true, now
		if found {
			j.last = time.Unix(at, 0)
		}
	}
	if now.Sub(j.last) > jumpFrom {
		j.since = now
		s.config.Log.Warn("the clock has jumped, or gnomon was off for days; nothing expires until it has gone on for an hour",
			"from", j.last.UTC(), "to", now.UTC())
	}
	j.last = now
	if now.Before(j.since) { // it was set right again
		j.since = time.Time{}
	}
	if !j.since.IsZero() && now.Sub(j.since) < jumpWait {
		return false, nil
	}
	j.since = time.Time{}
	_, _, err := s.w.exec(ctx, "INSERT INTO meta (name, value) VALUES ('clock', ?) ON CONFLICT DO UPDATE SET value = excluded.value", now.Unix())
	return true, err
}

// digestStep makes a digest that is missing.
func (s *Store) digestStep(ctx context.Context, _ time.Time) (bool, error) {
	return s.w.digestNext(ctx)
}

func (s *Store) settleStep(ctx context.Context, now time.Time) (bool, error) {
	return s.w.settleNext(ctx, now.Unix())
}

// expireParts drops the oldest part that has had its time.
func (s *Store) expireParts(ctx context.Context, now time.Time) (bool, error) {
	for _, p := range s.w.parts {
		until := time.Unix(p.ended, 0).Add(s.config.RawRetention)
		if p.class == classLong {
			until = time.Unix(p.ended, 0).AddDate(0, s.config.RollupMonths, 0)
		}
		switch {
		case p.ended > now.Unix()+secondsPerDay:
			// Taken in under a clock that was ahead: its time begins now.
			return true, s.w.transact(ctx, func(ctx context.Context) error {
				_, _, err := s.w.exec(ctx, "UPDATE part SET begun = min(begun, ?), ended = ? WHERE id = ?", now.Unix(), now.Unix(), p.id)
				return errors.Join(err, s.w.readParts(ctx))
			})
		case !until.After(now):
			if err := s.w.transact(ctx, func(ctx context.Context) error { return s.w.dropPart(ctx, p.id) }); err != nil {
				return false, err
			}
			s.stats.expired.Add(uint64(p.rows))
			s.config.Log.Info("records have expired", "records", p.rows, "taken_in", time.Unix(p.begun, 0).UTC())
			return true, nil
		}
	}
	return false, nil
}

// expireMonths drops the sums of the oldest month that has had its time.
func (s *Store) expireMonths(ctx context.Context, now time.Time) (bool, error) {
	var month, until int64
	before := now.AddDate(0, -s.config.RollupMonths, 0).Unix()
	found, err := s.w.get(ctx, "SELECT month, max(until) FROM block GROUP BY month HAVING max(until) <= ? AND max(touched) <= ? LIMIT 1",
		[]any{before, before}, []any{&month, &until})
	if err != nil || !found {
		return false, err
	}
	err = s.w.transact(ctx, func(ctx context.Context) error {
		err := s.w.dropMonth(ctx, month)
		if err == nil {
			_, _, err = s.w.exec(ctx, "DELETE FROM coverage WHERE hour < ?", until)
		}
		return err
	})
	if err == nil {
		s.config.Log.Info("the sums of a month have expired", "month", time.Unix(month, 0).In(s.config.Location).Format("2006-01"))
	}
	return err == nil, err
}

// expireUsers forgets users that no sum speaks of any more.
func (s *Store) expireUsers(ctx context.Context, now time.Time) (bool, error) {
	const some = 1000
	// A month's sums go as a whole, the last of them two months after the user's last record had its time.
	before := now.AddDate(0, -s.config.RollupMonths-2, 0).Unix() / secondsPerDay
	n, _, err := s.w.exec(ctx, "DELETE FROM user WHERE id IN (SELECT id FROM user WHERE id > ? AND seen < ? LIMIT ?)", userNobody, before, some)
	if n > 0 {
		clear(s.w.users)
	}
	return n == some, err
}

// size is how many bytes are in use.
func (w *writer) size(ctx context.Context) (used, free int64, err error) {
	var pages, unused, size int64
	for pragma, to := range map[string]*int64{"PRAGMA page_count": &pages, "PRAGMA freelist_count": &unused, "PRAGMA page_size": &size} {
		if err := w.conn.QueryRowContext(ctx, pragma).Scan(to); err != nil {
			return 0, 0, err
		}
	}
	return (pages - unused) * size, unused * size, nil
}

// capStep drops the oldest part before its time when the store is too large.
func (s *Store) capStep(ctx context.Context, _ time.Time) (bool, error) {
	if s.config.MaxBytes <= 0 {
		return false, nil
	}
	used, _, err := s.w.size(ctx)
	if err != nil || used <= s.config.MaxBytes {
		s.full = s.full && err != nil
		return false, err
	}
	short := func(p part) bool { return p.class == classShort }
	i := slices.IndexFunc(s.w.parts, short)
	if i < 0 || !slices.ContainsFunc(s.w.parts[i+1:], short) {
		if !s.full {
			s.full = true
			s.config.Log.Error("the store is larger than allowed, and all that is left to drop is what was just taken in; raise store.max_bytes",
				"bytes", used, "max_bytes", s.config.MaxBytes)
		}
		return false, nil
	}
	p := s.w.parts[i]
	if err := s.w.transact(ctx, func(ctx context.Context) error { return s.w.dropPart(ctx, p.id) }); err != nil {
		return false, err
	}
	s.stats.capped.Add(uint64(p.rows))
	s.config.Log.Warn("records were dropped before their time: the store is full; sums stay. Raise store.max_bytes to keep more",
		"records", p.rows, "taken_in", time.Unix(p.begun, 0).UTC(), "bytes", used, "max_bytes", s.config.MaxBytes)
	return true, nil
}

// vacuumStep gives some free pages back, but keeps a reserve: they are used again soon.
func (s *Store) vacuumStep(ctx context.Context, _ time.Time) (bool, error) {
	used, free, err := s.w.size(ctx)
	if err != nil || free <= used/4+16<<20 {
		return false, err
	}
	rows, err := s.conn.QueryContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", vacuumPages))
	if err != nil {
		return false, err
	}
	return true, drain(rows, func(*sql.Rows) error { return nil })
}

// Stats are counters since Open.
type Stats struct {
	Expired uint64 // records that had their time
	Capped  uint64 // records that were dropped before their time, for want of room
}

// Stats may be called at any time.
func (s *Store) Stats() Stats {
	return Stats{Expired: s.stats.expired.Load(), Capped: s.stats.capped.Load()}
}
