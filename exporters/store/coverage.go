package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"database/sql"

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

// addCoverage adds deltas up. The age of the queue is no delta: the oldest counts.
func addCoverage(sum, c *event.Coverage) {
	sum.Received += c.Received
	sum.Dropped += c.Dropped
	sum.Flows += c.Flows
	sum.FlowsNamed += c.FlowsNamed
	sum.ECH += c.ECH
	sum.EncryptedDNS += c.EncryptedDNS
	sum.Relay += c.Relay
	sum.OneSided += c.OneSided
	sum.BytesWithUser += c.BytesWithUser
	sum.Evicted += c.Evicted
	sum.QueueAgeS = max(sum.QueueAgeS, c.QueueAgeS)
	for reason, n := range c.Undecodable {
		if sum.Undecodable == nil {
			sum.Undecodable = map[string]uint64{}
		}
		sum.Undecodable[reason] += n
	}
	for name, n := range c.Sources {
		if sum.Sources == nil {
			sum.Sources = map[string]event.Source{}
		}
		s := sum.Sources[name]
		sum.Sources[name] = event.Source{Read: s.Read + n.Read, Used: s.Used + n.Used, Rejected: s.Rejected + n.Rejected}
	}
}

// storeCoverage adds the new coverage records of a batch to their hours.
func (w *writer) storeCoverage(ctx context.Context, entries []entry) error {
	for i := range entries {
		ev := entries[i].ev
		if !entries[i].fresh || ev.Event.Dataset != event.DatasetCoverage || ev.Gnomon == nil || ev.Gnomon.Coverage == nil {
			continue
		}
		at := coverageAt(ev)
		hour := floor(at, secondsPerHour)
		var minutes int64
		var data []byte
		sum := event.Coverage{}
		found, err := w.get(ctx, "SELECT minutes, data FROM coverage WHERE hour = ?", []any{hour}, []any{&minutes, &data})
		if err == nil && found {
			err = json.Unmarshal(data, &sum)
		}
		if err != nil {
			return fmt.Errorf("adding coverage up: %w", err)
		}
		addCoverage(&sum, ev.Gnomon.Coverage)
		if data, err = json.Marshal(&sum); err != nil {
			return fmt.Errorf("adding coverage up: %w", err)
		}
		if _, _, err := w.exec(ctx, `INSERT INTO coverage (hour, minutes, data) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET minutes = excluded.minutes, data = excluded.data`, hour, minutes|1<<((at-hour)/60), string(data)); err != nil {
			return err
		}
	}
	return nil
}

// covering is an answer of Coverage in the making.
type covering struct {
	from, step int64
	rows       []query.CoverageRow
	minutes    []map[int64]bool // of steps that are no whole hours
}

// Coverage implements query.Query. The age of the queue is the largest of a step. Steps of whole hours (UTC) are read from hours, which
// are kept as long as sums; finer ones from records, and from hours, told of the step they begin in, where records have expired.
func (r *Reader) Coverage(ctx context.Context, from, to time.Time, step time.Duration) ([]query.CoverageRow, error) {
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
	c := covering{from: from.Unix(), step: int64(step / time.Second), rows: make([]query.CoverageRow, n), minutes: make([]map[int64]bool, n)}
	for i := range c.rows {
		c.rows[i].Start = from.Add(time.Duration(i) * step)
	}
	err := r.view(ctx, func(ctx context.Context, v *view) error {
		if c.from%secondsPerHour == 0 && c.step%secondsPerHour == 0 {
			return v.coverHours(ctx, &c, to.Unix())
		}
		oldest, err := v.coverMinutes(ctx, &c, to)
		if err != nil {
			return err
		}
		return v.coverHours(ctx, &c, min(to.Unix(), floor(oldest, secondsPerHour)))
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
		addCoverage(&row.Coverage, &sum)
		return nil
	})
}

// coverMinutes adds records up and returns the moment of the oldest that is kept.
func (v *view) coverMinutes(ctx context.Context, c *covering, to time.Time) (oldest int64, err error) {
	oldest = to.Unix()
	for _, p := range v.parts {
		if p.class != classShort {
			continue
		}
		// A record's own time may lie after the minute it speaks of; an hour is more than any does.
		err := v.each(ctx, numbered("SELECT ts, data FROM record_{n} WHERE dataset = ? AND ts >= ? AND ts < ?", p.id),
			[]any{datasets[event.DatasetCoverage], c.from * 1e9, to.UnixNano() + int64(time.Hour)}, func(rows *sql.Rows) error {
				var ts int64
				var data sql.RawBytes
				if err := rows.Scan(&ts, &data); err != nil {
					return err
				}
				ev, err := v.unzip.unpack(data)
				if err != nil {
					return err
				}
				at := coverageAt(&ev)
				oldest = min(oldest, at)
				if at < c.from || at >= to.Unix() || ev.Gnomon == nil || ev.Gnomon.Coverage == nil {
					return nil
				}
				i := (at - c.from) / c.step
				if c.minutes[i] == nil {
					c.minutes[i] = map[int64]bool{}
				}
				c.minutes[i][at/60] = true
				addCoverage(&c.rows[i].Coverage, ev.Gnomon.Coverage)
				return nil
			})
		if err != nil {
			return 0, err
		}
	}
	return oldest, nil
}
