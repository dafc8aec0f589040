package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	// maxGaps bounds the list of times without a sensor.
	maxGaps = 8
	// finePeriod is the longest period whose coverage is read hour by hour; longer ones are read day by day.
	finePeriod = 100 * 24 * time.Hour
)

// enough says whether so much of the time was watched that the figures may be compared with others: nine tenths.
func enough(watched, of int) bool { return of > 0 && watched*10 >= of*9 }

// coverageStep is how finely a period's coverage is read.
func coverageStep(p Period) time.Duration {
	if p.To.Sub(p.From) > finePeriod {
		return 24 * time.Hour
	}
	return time.Hour
}

// watched counts the watched minutes of the steps that begin in [from, to), and the minutes there are.
func watched(steps []query.CoverageRow, from, to time.Time) (minutes, of int) {
	for _, s := range steps {
		if !s.Start.Before(from) && s.Start.Before(to) {
			minutes += s.Minutes
		}
	}
	of = max(int(to.Sub(from)/time.Minute), 0)
	return min(minutes, of), of
}

// coverage adds up what the sensors saw and missed in the part of the period that has passed.
func (b *builder) coverage(ctx context.Context) error {
	p := b.rep.Period
	step := coverageStep(p)
	steps, err := b.q.Coverage(ctx, p.From, p.To, step)
	if err != nil {
		return fmt.Errorf("reading coverage: %w", err)
	}
	c := &b.rep.Coverage
	end := earlier(p.To, b.req.Now)
	c.Watched, c.Minutes = watched(steps, p.From, end)
	reasons, sources := map[string]uint64{}, map[string]LogSource{}
	for _, s := range steps {
		c.add(s)
		for name, n := range s.Undecodable {
			reasons[clean(name)] += n
		}
		for name, n := range s.Sources {
			l := sources[clean(name)]
			l.Name = clean(name)
			l.Read, l.Used, l.Rejected = l.Read+n.Read, l.Used+n.Used, l.Rejected+n.Rejected
			sources[l.Name] = l
		}
	}
	for name, n := range reasons {
		c.Undecodable = append(c.Undecodable, Reason{Name: name, Packets: n})
	}
	slices.SortFunc(c.Undecodable, func(x, y Reason) int {
		return cmp.Or(cmp.Compare(y.Packets, x.Packets), cmp.Compare(x.Name, y.Name))
	})
	for _, l := range sources {
		c.Sources = append(c.Sources, l)
	}
	c.LogSources = len(c.Sources)
	slices.SortFunc(c.Sources, func(x, y LogSource) int { return cmp.Compare(x.Name, y.Name) })
	c.gaps(steps, step, end, b.req.Location)
	return nil
}

// add takes a step's figures.
func (c *Coverage) add(s query.CoverageRow) {
	c.Received += s.Received
	c.Dropped += s.Dropped
	c.Flows += s.Flows
	c.Readable += s.FlowsReadable
	c.Named += s.FlowsNamed
	c.ECH += s.ECH
	c.EncryptedDNS += s.EncryptedDNS
	c.Relay += s.Relay
	c.OneSided += s.OneSided
	c.Cut += s.Cut
	c.Web.Add(&s.Web)
	c.OtherPorts.Add(&s.OtherPorts)
	for by, p := range s.HiddenBy {
		c.hiddenBy(clean(by), p)
	}
	c.Evicted += s.Evicted
	c.BytesWithUser += s.BytesWithUser
}

// hiddenBy adds up what hid names.
func (c *Coverage) hiddenBy(by string, p event.Part) {
	if c.HiddenBy == nil {
		c.HiddenBy = map[string]event.Part{}
	}
	c.HiddenBy[by] = c.HiddenBy[by].Plus(p)
}

// gaps lists the runs of steps without any coverage record, and keeps the longest.
func (c *Coverage) gaps(steps []query.CoverageRow, step time.Duration, end time.Time, loc *time.Location) {
	var all []Gap
	for _, s := range steps {
		if s.Minutes > 0 || !s.Start.Before(end) {
			continue
		}
		stop := earlier(s.Start.Add(step), end).In(loc)
		if n := len(all); n > 0 && all[n-1].To.Equal(s.Start) {
			all[n-1].To = stop
			continue
		}
		all = append(all, Gap{From: s.Start.In(loc), To: stop})
	}
	c.GapsAll = len(all)
	slices.SortStableFunc(all, func(x, y Gap) int { return cmp.Compare(y.To.Sub(y.From), x.To.Sub(x.From)) })
	c.Gaps = all[:min(len(all), maxGaps)]
	slices.SortFunc(c.Gaps, func(x, y Gap) int { return x.From.Compare(y.From) })
}

// mergeSources adds all log sources up: their names may hold addresses.
func (c *Coverage) mergeSources() {
	if len(c.Sources) == 0 {
		return
	}
	all := LogSource{Name: "all log sources"}
	for _, l := range c.Sources {
		all.Read, all.Used, all.Rejected = all.Read+l.Read, all.Used+l.Used, all.Rejected+l.Rejected
	}
	c.Sources = []LogSource{all}
}

// longest keeps the n longest gaps in order of time.
func longest(gaps []Gap, n int) []Gap {
	out := slices.Clone(gaps)
	slices.SortStableFunc(out, func(x, y Gap) int { return cmp.Compare(y.To.Sub(y.From), x.To.Sub(x.From)) })
	out = out[:min(len(out), n)]
	slices.SortFunc(out, func(x, y Gap) int { return x.From.Compare(y.From) })
	return out
}
