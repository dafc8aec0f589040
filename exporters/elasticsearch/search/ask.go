package search

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// ask is a request for sums made ready.
type ask struct {
	q     *query.Request
	loc   *time.Location
	zone  string // what the server calls loc
	order query.Measure
	limit int
	skip  int // rows before them
	exact int // up to how many users a distinct count has to be exact
}

// byField are the dimensions that are words of a record.
var byField = map[query.Dimension]string{query.ByService: serviceField, query.ByCategory: categoryField, query.ByVendor: "gnomon.service.vendor",
	query.ByKind: "gnomon.service.kind", query.ByStatus: statusField, query.ByDepartment: departmentField, query.BySite: siteField}

// byTime are those that are spans of time, as the server calls them.
var byTime = map[query.Dimension]string{query.ByHour: "1h", query.ByDay: "1d", query.ByWeek: "1w", query.ByMonth: "1M"}

// quarter is what all offsets of time zones in use are multiples of: hours begin at multiples of it.
const quarter = 15 * time.Minute

// newAsk checks a request.
func newAsk(q *query.Request) (*ask, error) {
	a := &ask{q: q, loc: q.Location, order: cmp.Or(q.OrderBy, query.Key), limit: q.Limit, skip: q.Offset}
	if a.loc == nil {
		a.loc = time.UTC
	}
	if a.limit <= 0 || a.limit > query.MaxRows {
		a.limit = query.MaxRows
	}
	if q.Keys {
		a.order = query.Key
	}
	if q.Offset < 0 {
		return nil, fmt.Errorf("the offset %d is below zero", q.Offset)
	}
	if !slices.Contains([]query.Measure{query.Users, query.Visits, query.Upload, query.Last, query.Key}, a.order) {
		return nil, fmt.Errorf("rows cannot be ordered by %q; take users, visits, upload, last or key", a.order)
	}
	for _, check := range []func() error{a.period, a.dimensions} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	a.zone = zoneOf(a.loc, q.From, q.To)
	return a, nil
}

// period checks the period.
func (a *ask) period() error {
	for _, t := range []time.Time{a.q.From, a.q.To} {
		if !t.IsZero() && !t.Truncate(quarter).Equal(t) {
			return fmt.Errorf("the period from %v to %v is not one of whole hours", a.q.From, a.q.To)
		}
	}
	if !a.q.To.IsZero() && a.q.To.Before(a.q.From) {
		return fmt.Errorf("the period ends (%v) before it begins (%v)", a.q.To, a.q.From)
	}
	return nil
}

// dimensions checks what to group by.
func (a *ask) dimensions() error {
	by := a.q.By
	if len(by) > 2 {
		return fmt.Errorf("sums are grouped by at most two dimensions, not %d", len(by))
	}
	times := 0
	for i, d := range by {
		switch {
		case slices.Contains(by[:i], d):
			return fmt.Errorf("sums cannot be grouped by %q twice", d)
		case byTime[d] != "":
			times++
		case byField[d] == "" && d != query.ByUser:
			return fmt.Errorf("sums cannot be grouped by %q", d)
		}
	}
	if times > 1 {
		return fmt.Errorf("sums cannot be grouped by %q and %q at once", by[0], by[1])
	}
	return nil
}

// byUser says whether users are among the dimensions.
func (a *ask) byUser() bool { return slices.Contains(a.q.By, query.ByUser) }

// zoneOf is what a server calls a zone. The host's own has no name in Go; where it cannot be found, its offset stands for it.
func zoneOf(loc *time.Location, from, to time.Time) string {
	if name := loc.String(); name != "Local" {
		return name
	}
	if to.IsZero() {
		to = time.Now()
	}
	names := []string{os.Getenv("TZ")}
	if path, err := os.Readlink("/etc/localtime"); err == nil {
		_, name, _ := strings.Cut(path, "zoneinfo/")
		names = append(names, name)
	}
	for _, name := range names {
		if known, err := time.LoadLocation(name); err == nil && name != "" && agree(known, loc, from, to) {
			return name
		}
	}
	return to.In(loc).Format("-07:00")
}

// agree says whether two zones show the same time at the ends of a period.
func agree(a, b *time.Location, from, to time.Time) bool {
	for _, t := range []time.Time{from, to} {
		_, x := t.In(a).Zone()
		_, y := t.In(b).Zone()
		if x != y {
			return false
		}
	}
	return true
}

// key writes a span of time for a row.
func (a *ask) key(d query.Dimension, at time.Time) string {
	if d == query.ByHour {
		return at.In(a.loc).Format("2006-01-02T15:00:00Z07:00")
	}
	return at.In(a.loc).Format(time.DateOnly)
}

// compare is the order of an answer.
func (a *ask) compare(x, y *query.Row) int {
	c := 0
	switch a.order {
	case query.Users:
		c = cmp.Compare(y.Users, x.Users)
	case query.Visits:
		c = cmp.Compare(y.Visits, x.Visits)
	case query.Upload:
		c = cmp.Compare(y.Upload.Bytes, x.Upload.Bytes)
	case query.Last:
		c = y.Last.Compare(x.Last)
	}
	for i := 0; c == 0 && i < len(x.Key); i++ {
		if c = strings.Compare(x.Key[i], y.Key[i]); a.q.By[i] == query.ByHour {
			c = compareHours(x.Key[i], y.Key[i])
		}
	}
	return c
}

// compareHours is the order of time: when clocks go back, an hour is there twice, and the later one has the smaller offset.
func compareHours(x, y string) int {
	t, err := time.Parse(time.RFC3339, x)
	u, err2 := time.Parse(time.RFC3339, y)
	if err != nil || err2 != nil {
		return strings.Compare(x, y)
	}
	return t.Compare(u)
}

// cut sorts rows and leaves those between offset and limit.
func (a *ask) cut(rows []query.Row) []query.Row {
	slices.SortFunc(rows, func(x, y query.Row) int { return a.compare(&x, &y) })
	rows = rows[min(a.skip, len(rows)):]
	return rows[:min(a.limit, len(rows))]
}
