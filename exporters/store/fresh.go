package store

import (
	"context"
	"database/sql"
	"fmt"
)

const (
	// tierWidth is how many blobs of a tier of a day become one of the next.
	tierWidth = 16
	// maxTier is the last tier; what would go beyond stays there.
	maxTier = 6
)

// tierKey is a tier of a day.
type tierKey struct {
	day  int64
	tier int
}

// readPending counts the fresh blobs.
func (w *writer) readPending(ctx context.Context) error {
	w.pending = map[tierKey]int{}
	return w.each(ctx, "SELECT day, tier, count(*) FROM fresh GROUP BY day, tier", nil, func(rows *sql.Rows) error {
		var k tierKey
		var n int
		err := rows.Scan(&k.day, &k.tier, &n)
		w.pending[k] = n
		return err
	})
}

// storeFresh keeps the sums of a batch: a blob for each day, and now and then fewer, larger ones.
func (w *writer) storeFresh(ctx context.Context, rows []row) error {
	days := map[int64][]row{}
	for i := range rows {
		start, _ := w.calendar.day(rows[i].hour)
		days[start] = append(days[start], rows[i])
	}
	for day, rows := range days {
		if err := w.putFresh(ctx, day, 0, sortRows(rows)); err != nil {
			return err
		}
	}
	return nil
}

// putFresh writes a blob and merges its tier if it is full.
func (w *writer) putFresh(ctx context.Context, day int64, tier int, rows []row) error {
	_, until := w.calendar.day(day)
	month, _ := w.calendar.month(day)
	data := appendBlock(nil, day, rows)
	if _, _, err := w.exec(ctx, "INSERT INTO fresh (day, until, month, tier, rows, data) VALUES (?, ?, ?, ?, ?, ?)", day, until, month, tier,
		len(rows), data); err != nil {
		return err
	}
	k := tierKey{day, tier}
	w.pending[k]++
	if w.pending[k] < tierWidth || tier >= maxTier {
		return nil
	}
	merged, err := w.takeFresh(ctx, "day = ? AND tier = ?", day, tier)
	if err != nil {
		return err
	}
	delete(w.pending, k)
	return w.putFresh(ctx, day, tier+1, merged)
}

// takeFresh removes blobs and returns their rows.
func (w *writer) takeFresh(ctx context.Context, where string, args ...any) ([]row, error) {
	var rows []row
	err := w.each(ctx, "SELECT id, data FROM fresh WHERE "+where, args, func(r *sql.Rows) error {
		var id int64
		var data sql.RawBytes
		err := r.Scan(&id, &data)
		if err == nil {
			rows, err = decodeRows(rows, data)
		}
		if err != nil {
			return fmt.Errorf("reading the sums %d: %w", id, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	_, _, err = w.exec(ctx, "DELETE FROM fresh WHERE "+where, args...)
	return sortRows(rows), err
}
