package search

import (
	"context"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// What is counted by reason, name and source can be added up by no server: it is read record by record, a minute of a sensor each. A step of
// time that has as many records as when it was read needs no reading again.

// maxKeptSteps bounds the steps that are kept, about a kilobyte each: those of a year by the hour.
const maxKeptSteps = 10_000

// stepMaps is what was read of steps.
type stepMaps struct {
	mu    sync.Mutex
	steps map[stepOf]keptStep
}

// stepOf is a step of time.
type stepOf struct {
	start int64 // Unix time, seconds
	step  time.Duration
}

// keptStep is what was read of a step when it had so many records.
type keptStep struct {
	records uint64
	maps    event.Coverage
}

func (c *covering) stepOf(i int) stepOf { return stepOf{c.rows[i].Start.Unix(), c.step} }

// fill adds what is kept to the rows.
func (k *stepMaps) fill(c *covering) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range c.rows {
		if kept := k.steps[c.stepOf(i)]; kept.records > 0 && kept.records == c.records[i] {
			c.rows[i].Add(&kept.maps)
			c.known[i] = true
		}
	}
}

// keep keeps what was read of a step; where there are too many, others go.
func (k *stepMaps) keep(of stepOf, one keptStep) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.steps == nil {
		k.steps = map[stepOf]keptStep{}
	}
	delete(k.steps, of)
	for other := range k.steps {
		if len(k.steps) < maxKeptSteps {
			break
		}
		delete(k.steps, other)
	}
	k.steps[of] = one
}

// coverMaps adds up what is counted by reason, name and source: of the newest records that are not known yet. Parts of the time are read at
// once; a step lies in one.
func (r *Reader) coverMaps(ctx context.Context, c *covering) error {
	r.maps.fill(c)
	var steps []func(context.Context) error
	for _, part := range c.newest(coverageRecordsPage / 2) {
		steps = append(steps, func(ctx context.Context) error { return r.coverPart(ctx, c, part) })
	}
	return some(ctx, atATime, steps)
}

// mapFields are what is read of a record.
func mapFields() []any {
	return []any{startField, coverageField + ".undecodable", coverageField + ".hidden_by", coverageField + ".sources"}
}

// coverPart reads some steps, and keeps those that were read to the end.
func (r *Reader) coverPart(ctx context.Context, c *covering, part span) error {
	read, n := make([]event.Coverage, part.to-part.from), make([]uint64, part.to-part.from)
	end := c.to
	if part.to < len(c.rows) {
		end = c.rows[part.to].Start
	}
	err := r.newestCoverage(ctx, all(period(startField, c.rows[part.from].Start, end)), mapFields(), func(ev *event.Event) {
		i := c.at(ev.Event.Start.Time()) - part.from
		if i < 0 || i >= len(read) || ev.Gnomon == nil || ev.Gnomon.Coverage == nil {
			return
		}
		one := event.Coverage{Undecodable: ev.Gnomon.Coverage.Undecodable, HiddenBy: ev.Gnomon.Coverage.HiddenBy, Sources: ev.Gnomon.Coverage.Sources}
		one.Add(&read[i]) // those that were read before are later
		read[i] = one
		n[i]++
	})
	if err != nil {
		return err
	}
	for i := range read {
		c.rows[part.from+i].Add(&read[i])
		if n[i] > 0 && n[i] == c.records[part.from+i] {
			r.maps.keep(c.stepOf(part.from+i), keptStep{n[i], read[i]})
		}
	}
	return nil
}

// span is steps from one to another, which is not one of them.
type span struct{ from, to int }

// newest divides the newest steps that are not known, those of no more than maxCoverageRecords records, into parts of about so many records
// each.
func (c *covering) newest(each uint64) (list []span) {
	to, here, all := len(c.rows), uint64(0), uint64(0)
	cut := func(from int) {
		if here > 0 {
			list = append(list, span{from, to})
		}
		to, here = from, 0
	}
	for i := len(c.rows) - 1; i >= 0; i-- {
		if c.known[i] {
			cut(i + 1)
			to = i
			continue
		}
		if all += c.records[i]; all > maxCoverageRecords && all > c.records[i] {
			cut(i + 1)
			return list
		}
		if here += c.records[i]; here >= each {
			cut(i)
		}
	}
	cut(0)
	return list
}
