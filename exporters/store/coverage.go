package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// maxSteps bounds an answer of Coverage.
const maxSteps = 100_000

// coverageAt is the moment that a coverage record speaks of, seconds.
func coverageAt(ev *event.Event) int64 {
	if ev.Event.Start != 0 {
		return seconds(ev.Event.Start)
	}
	return seconds(ev.Timestamp)
}

// storeCoverage adds the new coverage records of a batch to their hours, and their clients to their days.
func (w *writer) storeCoverage(ctx context.Context, entries []entry) error {
	for i := range entries {
		ev := entries[i].ev
		if !entries[i].fresh || ev.Event.Dataset != event.DatasetCoverage || ev.Gnomon == nil || ev.Gnomon.Coverage == nil {
			continue
		}
		if err := w.addToHour(ctx, coverageAt(ev), ev.Gnomon.Coverage); err != nil {
			return fmt.Errorf("adding coverage up: %w", err)
		}
		if err := w.storeClients(ctx, ev); err != nil {
			return err
		}
	}
	return nil
}

// addToHour adds a minute to its hour.
func (w *writer) addToHour(ctx context.Context, at int64, c *event.Coverage) error {
	hour := floor(at, secondsPerHour)
	var minutes int64
	var data []byte
	sum := event.Coverage{}
	found, err := w.get(ctx, "SELECT minutes, data FROM coverage WHERE hour = ?", []any{hour}, []any{&minutes, &data})
	if err == nil && found {
		err = json.Unmarshal(data, &sum)
	}
	if err != nil {
		return err
	}
	sum.Add(c)
	if data, err = json.Marshal(&sum); err != nil {
		return err
	}
	minutes |= 1 << ((at - hour) / 60)
	_, _, err = w.exec(ctx, `INSERT INTO coverage (hour, minutes, data) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET minutes = excluded.minutes, data = excluded.data`, hour, minutes, string(data))
	return err
}

// covering is an answer of Coverage in the making.
type covering struct {
	from, to, step int64
	oldest         int64 // the first minute that a record was found of
	rows           []query.CoverageRow
	minutes        []map[int64]bool // of each step, as far as they come from records
}

// newCovering checks a request.
func newCovering(from, to time.Time, step time.Duration) (*covering, error) {
	if step < time.Minute || step%time.Minute != 0 {
		return nil, fmt.Errorf("reading coverage in steps of %v: take whole minutes", step)
	}
	if !to.After(from) {
		return nil, errors.New("reading coverage: the period is empty")
	}
	n := int64((to.Sub(from) + step - 1) / step)
	if n > maxSteps {
		return nil, fmt.Errorf("reading coverage in %d steps: at most %d are given; take a longer step", n, maxSteps)
	}
	c := &covering{from: from.Unix(), to: to.Unix(), step: int64(step / time.Second), oldest: to.Unix(), rows: make([]query.CoverageRow, n),
		minutes: make([]map[int64]bool, n)}
	for i := range c.rows {
		c.rows[i].Start = from.Add(time.Duration(i) * step)
	}
	return c, nil
}

// Coverage implements query.Query. The age of the queue is the largest of a step. Steps of whole hours (UTC) are read from hours, which
// are kept as long as sums; finer ones from records, and from hours, told of the step they begin in, where records have expired.
func (r *Reader) Coverage(ctx context.Context, from, to time.Time, step time.Duration) ([]query.CoverageRow, error) {
	c, err := newCovering(from, to, step)
	if err != nil {
		return nil, err
	}
	err = r.view(ctx, func(ctx context.Context, v *view) error {
		if c.from%secondsPerHour == 0 && c.step%secondsPerHour == 0 {
			return v.coverHours(ctx, c, c.to)
		}
		if err := v.coverMinutes(ctx, c); err != nil {
			return err
		}
		return v.coverHours(ctx, c, min(c.to, floor(c.oldest, secondsPerHour)))
	})
	if err != nil {
		return nil, fmt.Errorf("reading coverage from %s: %w", r.path, err)
	}
	for i, m := range c.minutes {
		c.rows[i].Minutes += len(m)
	}
	return c.rows, nil
}

// coverHours adds the hours before until up.
func (v *view) coverHours(ctx context.Context, c *covering, until int64) error {
	return v.each(ctx, "SELECT hour, minutes, data FROM coverage WHERE hour >= ? AND hour < ?", []any{c.from, until}, func(rows *sql.Rows) error {
		var hour, minutes int64
		var data []byte
		if err := rows.Scan(&hour, &minutes, &data); err != nil {
			return err
		}
		var sum event.Coverage
		if err := json.Unmarshal(data, &sum); err != nil {
			return err
		}
		row := &c.rows[(hour-c.from)/c.step]
		row.Minutes += bits.OnesCount64(uint64(minutes))
		row.Add(&sum)
		return nil
	})
}

// coverMinutes adds records up.
func (v *view) coverMinutes(ctx context.Context, c *covering) error {
	// A record's own time may lie after the minute it speaks of; an hour is more than any does.
	span := []any{datasets[event.DatasetCoverage], c.from * 1e9, c.to*1e9 + int64(time.Hour)}
	for _, p := range v.parts {
		if p.class != classShort {
			continue
		}
		err := v.each(ctx, numbered("SELECT data FROM record_{n} WHERE dataset = ? AND ts >= ? AND ts < ?", p.id), span, func(rows *sql.Rows) error {
			var data sql.RawBytes
			if err := rows.Scan(&data); err != nil {
				return err
			}
			ev, err := v.unzip.unpack(data)
			if err == nil && ev.Gnomon != nil && ev.Gnomon.Coverage != nil {
				c.add(coverageAt(&ev), ev.Gnomon.Coverage)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// add adds a record's minute, if it is asked for.
func (c *covering) add(at int64, coverage *event.Coverage) {
	c.oldest = min(c.oldest, at)
	if at < c.from || at >= c.to {
		return
	}
	i := (at - c.from) / c.step
	if c.minutes[i] == nil {
		c.minutes[i] = map[int64]bool{}
	}
	c.minutes[i][at/60] = true
	c.rows[i].Add(coverage)
}
