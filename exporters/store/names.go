package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/klauspost/compress/s2"
)

const (
	// NamesFor is how long contacts with names that are in no catalogue are kept, from the end of their day.
	NamesFor = 90 * 24 * time.Hour
	// maxNames bounds what is kept of one part of a day.
	maxNames = 64 << 20
	// maxParts bounds the parts of a day: a program that starts over and over makes one each time.
	maxParts = 64
	// settledPart is the part that holds a day as a whole.
	settledPart = ""
)

// PutNames keeps what a run of the program has counted so far of names on a day, in the place of what it has kept of that day before. Of a
// day with too many parts the oldest goes.
func (s *Store) PutNames(ctx context.Context, day time.Time, part string, data []byte) error {
	return s.writeNames(ctx, data, func(ctx context.Context, packed []byte) error {
		_, _, err := s.w.exec(ctx, "INSERT INTO names (day, part, data) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data",
			day.Unix(), part, packed)
		if err != nil {
			return err
		}
		_, _, err = s.w.exec(ctx, "DELETE FROM names WHERE day = ? AND part <> '' AND part NOT IN (SELECT part FROM names WHERE day = ? ORDER BY rowid DESC LIMIT ?)",
			day.Unix(), day.Unix(), maxParts)
		return err
	})
}

// SettleNames keeps a day as a whole, in the place of all its parts.
func (s *Store) SettleNames(ctx context.Context, day time.Time, data []byte) error {
	return s.writeNames(ctx, data, func(ctx context.Context, packed []byte) error {
		if _, _, err := s.w.exec(ctx, "DELETE FROM names WHERE day = ?", day.Unix()); err != nil {
			return err
		}
		_, _, err := s.w.exec(ctx, "INSERT INTO names (day, part, data) VALUES (?, ?, ?)", day.Unix(), settledPart, packed)
		return err
	})
}

func (s *Store) writeNames(ctx context.Context, data []byte, write func(context.Context, []byte) error) error {
	if len(data) > maxNames {
		return fmt.Errorf("keeping names in %s: a day has %d bytes; at most %d are kept", s.config.Path, len(data), maxNames)
	}
	packed := s2.EncodeBetter(nil, data)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("keeping names in %s: %w", s.config.Path, errClosed)
	}
	if err := s.w.transact(ctx, func(ctx context.Context) error { return write(ctx, packed) }); err != nil {
		return s.explain("keeping names", err)
	}
	return nil
}

// expireNames lets go of names that have had their time.
func (s *Store) expireNames(ctx context.Context, now time.Time) (bool, error) {
	_, _, err := s.w.exec(ctx, "DELETE FROM names WHERE day < ?", now.Add(-NamesFor).Unix()-secondsPerDay)
	return false, err
}

// NamesPart is what one run of the program, or all of them, counted of names on a day.
type NamesPart struct {
	Day     time.Time
	Settled bool // it is the day as a whole
	Data    []byte
}

// Names reads the parts of the days that begin in [from, to), the oldest day first.
func (r *Reader) Names(ctx context.Context, from, to time.Time, each func(*NamesPart) error) error {
	err := r.view(ctx, func(ctx context.Context, v *view) error {
		return v.each(ctx, "SELECT day, part, data FROM names WHERE day >= ? AND day < ? ORDER BY day, part", []any{from.Unix(), to.Unix()},
			func(rows *sql.Rows) error {
				var day int64
				var part string
				var packed []byte
				if err := rows.Scan(&day, &part, &packed); err != nil {
					return err
				}
				n, err := s2.DecodedLen(packed)
				if err != nil || n > maxNames {
					return fmt.Errorf("the names of %s: %w", time.Unix(day, 0).UTC().Format(time.DateOnly), errDamaged)
				}
				data, err := s2.Decode(nil, packed)
				if err != nil {
					return fmt.Errorf("the names of %s: %w: %w", time.Unix(day, 0).UTC().Format(time.DateOnly), errDamaged, err)
				}
				return each(&NamesPart{Day: time.Unix(day, 0).UTC(), Settled: part == settledPart, Data: data})
			})
	})
	if err != nil {
		return fmt.Errorf("reading the names in %s: %w", r.path, err)
	}
	return nil
}

// UnsettledNames lists the days that began before a time and are not kept as a whole yet, the oldest first.
func (r *Reader) UnsettledNames(ctx context.Context, before time.Time) ([]time.Time, error) {
	var days []time.Time
	err := r.view(ctx, func(ctx context.Context, v *view) error {
		return v.each(ctx, "SELECT DISTINCT day FROM names WHERE day < ? AND part <> '' ORDER BY day", []any{before.Unix()}, func(rows *sql.Rows) error {
			var day int64
			err := rows.Scan(&day)
			days = append(days, time.Unix(day, 0).UTC())
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading the names in %s: %w", r.path, err)
	}
	return days, nil
}
