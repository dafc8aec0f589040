package main

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"
)

// period is the time that a report or a list is about.
type period struct {
	last, from, to string
	where          string // fromStore or fromElastic
}

func (p *period) flags(f *pflag.FlagSet) {
	f.StringVar(&p.last, "last", "30d", "the time up to now: 24h, 7d, 30d, 12w, 12m; or month, the calendar month before")
	p.where = fromStore
	f.Var(&fromValue{where: &p.where, day: &p.from}, "from", "first `DAY` (2026-01-31), instead of --last; or elasticsearch: read the records of all sensors there, "+
		"not the embedded store; both may be given")
	f.StringVar(&p.to, "to", "", "last `DAY`, included; default: today")
}

// between is the period as half-open times in a location.
func (p *period) between(now time.Time, l *time.Location) (from, to time.Time, err error) {
	// Sums are kept by the hour: the hour that has begun belongs to the period.
	now = now.Truncate(time.Hour).Add(time.Hour).In(l)
	if p.from == "" && p.to != "" {
		return from, to, usage("--to needs --from")
	}
	if p.from == "" {
		from, to, err = lastPeriod(p.last, now)
	} else {
		from, to, err = p.days(now, l)
	}
	if err == nil && !from.Before(to) && p.to != "" {
		err = usage("--to %s: it lies before --from %s", p.to, p.from)
	} else if err == nil && !from.Before(to) {
		err = usage("the period from %s to %s is empty", from.Format(time.DateOnly), to.Format(time.DateOnly))
	}
	return from, to, err
}

func (p *period) days(now time.Time, l *time.Location) (from, to time.Time, err error) {
	if from, err = time.ParseInLocation(time.DateOnly, p.from, l); err != nil {
		return from, to, usage("--from %s: write a day as 2026-01-31, or elasticsearch", p.from)
	}
	if p.to == "" {
		return from, now, nil
	}
	if to, err = time.ParseInLocation(time.DateOnly, p.to, l); err != nil {
		return from, to, usage("--to %s: write a day as 2026-01-31", p.to)
	}
	return from, to.AddDate(0, 0, 1), nil
}

// lastPeriod reads --last.
func lastPeriod(last string, now time.Time) (from, to time.Time, err error) {
	if last == "month" {
		to = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
		return to.AddDate(0, -1, 0), to, nil
	}
	var n int
	var unit string
	if _, err := fmt.Sscanf(last, "%d%1s", &n, &unit); err != nil || n < 1 || n > 10_000 || fmt.Sprintf("%d%s", n, unit) != last {
		return from, to, usage("--last %s: write 24h, 7d, 12w, 12m or month", last)
	}
	switch unit {
	case "h":
		return now.Add(-time.Duration(n) * time.Hour), now, nil
	case "d":
		return now.AddDate(0, 0, -n), now, nil
	case "w":
		return now.AddDate(0, 0, -7*n), now, nil
	case "m":
		return now.AddDate(0, -n, 0), now, nil
	}
	return from, to, usage("--last %s: the unit is h, d, w or m", last)
}
