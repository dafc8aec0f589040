package store

import (
	"context"
	"database/sql"
	"fmt"
	"sort"
)

// The levels of settled sums.
const (
	levelHour = iota
	levelDay
	levelMonth
)

const (
	// peopleShift makes 1024 users share a block: a question for one user reads one block of each span, and a day's work is done in slices.
	peopleShift = 10
	// settleAfter is how long a day has to be over before its sums are settled: the last slices arrive late.
	settleAfter = 2 * secondsPerHour
)

// settleNext settles the oldest day that is over and has fresh sums: they go to the day's hours, to the day and to its month, all in one
// transaction for the day's rows. It returns false when there is none.
func (w *writer) settleNext(ctx context.Context, now int64) (bool, error) {
	var day, until, month int64
	found, err := w.get(ctx, "SELECT day, until, month FROM fresh WHERE until <= ? ORDER BY day LIMIT 1", []any{now - settleAfter},
		[]any{&day, &until, &month})
	if err != nil || !found {
		return false, err
	}
	err = w.transact(ctx, func(ctx context.Context) error { return w.settle(ctx, day, until, month, now) })
	if err != nil {
		return false, fmt.Errorf("settling the sums of a day: %w", err)
	}
	return true, nil
}

// settle moves the fresh sums of a day. A day that was written under another time zone ends where it did then.
func (w *writer) settle(ctx context.Context, day, until, month, now int64) error {
	rows, err := w.takeFresh(ctx, "day = ?", day)
	if err != nil {
		return err
	}
	for tier := range maxTier + 1 {
		delete(w.pending, tierKey{day, tier})
	}
	_, monthUntil := w.calendar.month(day)
	for _, k := range []blockKey{{month: month, level: levelDay, start: day}, {month: month, level: levelMonth, start: month}} {
		if err := w.addToDigest(ctx, &k, rows); err != nil {
			return err
		}
	}
	for len(rows) > 0 {
		people := rows[0].user >> peopleShift
		n := sort.Search(len(rows), func(i int) bool { return rows[i].user>>peopleShift > people })
		for _, b := range []blockKey{{month, levelHour, day, until, people}, {month, levelDay, day, until, people},
			{month, levelMonth, month, monthUntil, people}} {
			if err := w.addToBlock(ctx, &b, rows[:n], now); err != nil {
				return err
			}
		}
		rows = rows[n:]
	}
	return nil
}

// blockKey names a settled block.
type blockKey struct {
	month        int64
	level        int
	start, until int64
	people       uint32
}

// addToBlock adds rows of hours to a block.
func (w *writer) addToBlock(ctx context.Context, k *blockKey, rows []row, now int64) error {
	if k.level != levelHour {
		rows = coarser(rows, k.start)
	}
	key := []any{k.month, k.level, k.start, k.people}
	var data []byte
	found, err := w.get(ctx, "SELECT data FROM block WHERE month = ? AND level = ? AND start = ? AND people = ?", key, []any{&data})
	if err != nil {
		return err
	}
	if found {
		before, err := decodeRows(nil, data)
		if err != nil {
			return err
		}
		rows = mergeRows(before, rows)
	}
	_, _, err = w.exec(ctx, `REPLACE INTO block (month, level, start, people, until, touched, rows, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		k.month, k.level, k.start, k.people, k.until, now, len(rows), appendBlock(nil, k.start, rows))
	return err
}

// rezone brings sums to the days of the configured time zone, one month of the old days after the other: their hours become fresh sums
// of the new days. Whatever interrupts it, every hour is there once, and the next start goes on.
func (w *writer) rezone(ctx context.Context) error {
	name := w.config.Location.String()
	var before string
	found, err := w.get(ctx, "SELECT value FROM meta WHERE name = 'zone'", nil, []any{&before})
	if err != nil || found && before == name {
		return err
	}
	if found {
		w.config.Log.Info("the time zone has changed; bringing sums to the new days", "from", before, "to", name)
		if err := w.transact(ctx, w.rezoneFresh); err != nil {
			return err
		}
		var months []int64
		if err := w.each(ctx, "SELECT DISTINCT month FROM block", nil, func(rows *sql.Rows) error {
			var m int64
			err := rows.Scan(&m)
			months = append(months, m)
			return err
		}); err != nil {
			return err
		}
		for _, m := range months {
			if err := w.transact(ctx, func(ctx context.Context) error { return w.rezoneMonth(ctx, m) }); err != nil {
				return err
			}
		}
	}
	_, _, err = w.exec(ctx, "INSERT INTO meta (name, value) VALUES ('zone', ?) ON CONFLICT DO UPDATE SET value = excluded.value", name)
	return err
}

// rezoneFresh sorts fresh sums into the new days.
func (w *writer) rezoneFresh(ctx context.Context) error {
	rows, err := w.takeFresh(ctx, "1")
	if err != nil {
		return err
	}
	clear(w.pending)
	return w.storeFresh(ctx, rows)
}

// rezoneMonth takes a month of blocks apart.
func (w *writer) rezoneMonth(ctx context.Context, month int64) error {
	var rows []row
	err := w.each(ctx, "SELECT data FROM block WHERE month = ? AND level = ?", []any{month, levelHour}, func(r *sql.Rows) error {
		var data sql.RawBytes
		err := r.Scan(&data)
		if err == nil {
			rows, err = decodeRows(rows, data)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := w.dropMonth(ctx, month); err != nil {
		return err
	}
	return w.storeFresh(ctx, rows)
}

// dropMonth removes the blocks of a month and what they add up to.
func (w *writer) dropMonth(ctx context.Context, month int64) error {
	for _, text := range []string{"DELETE FROM block WHERE month = ?", "DELETE FROM digest WHERE month = ?"} {
		if _, _, err := w.exec(ctx, text, month); err != nil {
			return err
		}
	}
	return nil
}
