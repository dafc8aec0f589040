package dashboard

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// period is what a page is about: whole hours From to To, the steps of its charts, and the period before it.
type period struct {
	id       string
	from, to time.Time
	// shift takes a time back by the length of the period, in days or months of the calendar.
	shift func(time.Time) time.Time
	step  query.Dimension
	loc   *time.Location
}

// preset is a period one can choose by name; the first is what pages begin with.
type preset struct{ ID, Label, before string }

var presets = [...]preset{
	{"30d", "30 days", "the 30 days before"}, {"24h", "24 hours", "the 24 hours before"}, {"7d", "7 days", "the 7 days before"},
	{"12w", "12 weeks", "the 12 weeks before"}, {"12m", "12 months", "the 12 months before"},
}

// menu is the order in which presets are offered.
var menu = [...]int{1, 2, 0, 3, 4}

const (
	custom  = "custom"
	maxDays = 1100 // of a custom period
)

// errPeriod explains how a custom period is written.
var errPeriod = errors.New("the period cannot be read; write the days as 2026-11-21, the first not after the last")

// parsePeriod reads p, from and to of a query string.
func parsePeriod(q url.Values, now time.Time, loc *time.Location) (period, error) {
	id := q.Get("p")
	if id == custom || id == "" && q.Get("from")+q.Get("to") != "" {
		return customPeriod(q, now, loc)
	}
	end := now.Truncate(time.Hour)
	if end.Before(now) {
		end = end.Add(time.Hour)
	}
	today := midnight(now, loc)
	days := func(n int) func(time.Time) time.Time {
		return func(t time.Time) time.Time { return t.In(loc).AddDate(0, 0, -n) }
	}
	switch id {
	case "", "30d":
		return newPeriod("30d", today.AddDate(0, 0, -29), end, days(30), query.ByDay), nil
	case "24h":
		return newPeriod(id, end.Add(-24*time.Hour).In(loc), end, func(t time.Time) time.Time { return t.Add(-24 * time.Hour) }, query.ByHour), nil
	case "7d":
		return newPeriod(id, today.AddDate(0, 0, -6), end, days(7), query.ByDay), nil
	case "12w":
		return newPeriod(id, monday(today).AddDate(0, 0, -77), end, days(84), query.ByWeek), nil
	case "12m":
		first := time.Date(today.Year(), today.Month()-11, 1, 0, 0, 0, 0, loc)
		return newPeriod(id, first, end, func(t time.Time) time.Time { return monthsBack(t.In(loc), 12) }, query.ByMonth), nil
	}
	return period{}, fmt.Errorf("the period %q is not offered; choose one above", id)
}

func newPeriod(id string, from, to time.Time, shift func(time.Time) time.Time, step query.Dimension) period {
	loc := from.Location()
	return period{id: id, from: from.Truncate(time.Hour), to: to.In(loc), shift: shift, step: step, loc: loc}
}

// customPeriod reads days, both of which belong to the period; it ends today at the latest.
func customPeriod(q url.Values, now time.Time, loc *time.Location) (period, error) {
	from, err := time.ParseInLocation(time.DateOnly, q.Get("from"), loc)
	last, lastErr := time.ParseInLocation(time.DateOnly, q.Get("to"), loc)
	if err != nil || lastErr != nil || last.Before(from) || from.Year() < 2000 {
		return period{}, errPeriod
	}
	if today := midnight(now, loc); last.After(today) {
		last = today
	}
	if from.After(last) {
		return period{}, errors.New("the period lies in the future; choose an earlier one")
	}
	n := 1 // days; counted by the calendar, because some have 23 hours
	for d := from; d.Before(last) && n <= maxDays; d = d.AddDate(0, 0, 1) {
		n++
	}
	if n > maxDays {
		return period{}, fmt.Errorf("the period has more than %d days; choose a shorter one", maxDays)
	}
	shift := func(t time.Time) time.Time { return t.In(loc).AddDate(0, 0, -n) }
	return newPeriod(custom, from, last.AddDate(0, 0, 1), shift, stepFor(n)), nil
}

// stepFor divides a number of days into steps that a chart can show.
func stepFor(days int) query.Dimension {
	switch {
	case days <= 2:
		return query.ByHour
	case days <= 45:
		return query.ByDay
	case days <= 370:
		return query.ByWeek
	}
	return query.ByMonth
}

// before is the period that this one is compared with: as long, and as far into its last day.
func (p period) before() (from, to time.Time) {
	return p.shift(p.from).Truncate(time.Hour), p.shift(p.to).Truncate(time.Hour)
}

// beforeName says which period that is.
func (p period) beforeName() string {
	for _, c := range presets {
		if c.ID == p.id {
			return c.before
		}
	}
	return "as many days before"
}

// stepStart is the start of the step that t lies in.
func (p period) stepStart(t time.Time) time.Time {
	t = t.In(p.loc)
	switch p.step {
	case query.ByHour:
		return t.Truncate(time.Hour)
	case query.ByWeek:
		return monday(midnight(t, p.loc))
	case query.ByMonth:
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, p.loc)
	}
	return midnight(t, p.loc)
}

// next is the start of the step behind the one that starts at t.
func (p period) next(t time.Time) time.Time {
	switch p.step {
	case query.ByHour:
		return t.Add(time.Hour)
	case query.ByWeek:
		return t.AddDate(0, 0, 7)
	case query.ByMonth:
		return t.AddDate(0, 1, 0)
	}
	return t.AddDate(0, 0, 1)
}

// starts lists the steps, the first of which may start before the period.
func (p period) starts() []time.Time {
	var out []time.Time
	for t := p.stepStart(p.from); t.Before(p.to); t = p.next(t) {
		out = append(out, t)
	}
	return out
}

// key is how rows name the step that starts at t.
func (p period) key(t time.Time) string {
	if p.step == query.ByHour {
		return t.Format("2006-01-02T15:00:00Z07:00")
	}
	return t.Format(time.DateOnly)
}

// stepName is what one step is called.
func (p period) stepName() string { return string(p.step) }

// shortLabel is how a step is written below a chart, longLabel in a table.
func (p period) shortLabel(t time.Time) string {
	switch p.step {
	case query.ByHour:
		return t.Format("15:04")
	case query.ByMonth:
		return t.Format("Jan 06")
	}
	return t.Format("2 Jan")
}

func (p period) longLabel(t time.Time) string {
	switch p.step {
	case query.ByHour:
		return t.Format("Mon 2 Jan, 15:04")
	case query.ByWeek:
		return "week of " + t.Format("2 Jan 2006")
	case query.ByMonth:
		return t.Format("January 2006")
	}
	return t.Format("Mon 2 Jan 2006")
}

// String says from when to when.
func (p period) String() string {
	last := p.to.Add(-time.Minute)
	if p.id == "24h" {
		return p.from.Format("Mon 2 Jan, 15:04") + " – " + p.to.Format("Mon 2 Jan 2006, 15:04")
	}
	if midnight(p.from, p.loc).Equal(midnight(last, p.loc)) {
		return p.from.Format("Mon 2 Jan 2006")
	}
	if p.from.Year() == last.Year() {
		return p.from.Format("2 Jan") + " – " + last.Format("2 Jan 2006")
	}
	return p.from.Format("2 Jan 2006") + " – " + last.Format("2 Jan 2006")
}

func midnight(t time.Time, loc *time.Location) time.Time {
	t = t.In(loc)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, loc)
}

// monday is the Monday on or before the day t.
func monday(t time.Time) time.Time {
	return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
}

// monthsBack is t in the month n before, or the end of that month if it has no such day.
func monthsBack(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()-time.Month(n), 1, t.Hour(), 0, 0, 0, t.Location())
	day := min(t.Day(), first.AddDate(0, 1, -1).Day())
	return first.AddDate(0, 0, day-1)
}
