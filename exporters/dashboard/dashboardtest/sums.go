package dashboardtest

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// labelKey is a dimension of an hour: formatting a time for every cell would take longer than all else.
type labelKey struct {
	by   query.Dimension
	hour int64
	loc  string
}

// group is a row and who is in it.
type group struct {
	row    query.Row
	people map[int]bool // true: seen in more than the background
}

// Sums implements query.Query.
func (w *World) Sums(ctx context.Context, r query.Request) ([]query.Row, error) {
	if err := w.begin(ctx); err != nil {
		return nil, err
	}
	groups := map[string]*group{}
	for _, c := range w.within(r.From, r.To) {
		if !w.matches(&c, &r.Where) {
			continue
		}
		var key, label []string
		for _, by := range r.By {
			k, l := w.dimension(&c, by, r.Location)
			key, label = append(key, k), append(label, l)
		}
		id := strings.Join(key, "\x00")
		g := groups[id]
		if g == nil {
			g = &group{row: query.Row{Key: key, Labels: label}, people: map[int]bool{}}
			groups[id] = g
		}
		g.add(&c)
	}
	rows := make([]query.Row, 0, len(groups))
	for _, g := range groups {
		rows = append(rows, g.counted())
	}
	if len(r.By) == 0 && len(rows) == 0 {
		rows = []query.Row{{}}
	}
	order(rows, r.OrderBy)
	rows = rows[min(r.Offset, len(rows)):]
	if r.Limit > 0 {
		rows = rows[:min(r.Limit, len(rows))]
	}
	return rows, nil
}

// counted is the row with how many people are in it.
func (g *group) counted() query.Row {
	for _, active := range g.people {
		if active {
			g.row.Users++
		} else {
			g.row.Background.Users++
		}
	}
	return g.row
}

// within are the cells of a time.
func (w *World) within(from, to time.Time) []cell {
	find := func(t time.Time) int {
		return sort.Search(len(w.cells), func(i int) bool { return w.cells[i].hour >= t.Unix()/3600 })
	}
	first, last := find(from), find(to)
	return w.cells[first:max(first, last)]
}

func (w *World) matches(c *cell, f *query.Filter) bool {
	in := func(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }
	o, p := &offers[c.service], &w.people[c.person]
	return in(f.Services, w.serviceID(c.service)) && in(f.Categories, o.category) && in(f.Statuses, o.status) && in(f.Sites, "berlin") &&
		in(f.Departments, p.department) && in(f.Users, p.key)
}

func (w *World) serviceID(i int) string { return w.hostile(i, offers[i].id) }

func (w *World) dimension(c *cell, by query.Dimension, loc *time.Location) (key, label string) {
	o, p := &offers[c.service], &w.people[c.person]
	switch by {
	case query.ByService:
		return w.serviceID(c.service), w.hostile(c.service, o.name)
	case query.ByCategory:
		return o.category, o.category
	case query.ByVendor:
		return o.vendor, o.vendor
	case query.ByKind:
		return o.kind, o.kind
	case query.ByStatus:
		return o.status, o.status
	case query.ByDepartment:
		return p.department, p.department
	case query.BySite:
		return "berlin", "berlin"
	case query.ByUser:
		return p.key, cmp.Or(p.name, p.key)
	}
	s := w.timeLabel(by, c.hour, loc)
	return s, s
}

func (w *World) timeLabel(by query.Dimension, hour int64, loc *time.Location) string {
	if loc == nil {
		loc = time.UTC
	}
	id := labelKey{by, hour, loc.String()}
	w.labelsMu.Lock()
	defer w.labelsMu.Unlock()
	s, ok := w.labels[id]
	if !ok {
		s = formatStep(time.Unix(hour*3600, 0).In(loc), by)
		w.labels[id] = s
	}
	return s
}

func formatStep(t time.Time, by query.Dimension) string {
	switch by {
	case query.ByHour:
		return t.Format("2006-01-02T15:00:00Z07:00")
	case query.ByWeek:
		t = t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
	case query.ByMonth:
		t = t.AddDate(0, 0, 1-t.Day())
	}
	return t.Format(time.DateOnly)
}

func (g *group) add(c *cell) {
	r := &g.row
	r.Flows += c.flows
	r.BytesUp += c.up + c.flows*900
	r.BytesDown += c.up*3 + c.flows*20_000
	r.Upload.Bytes += c.up
	r.Upload.Low += c.up - c.up/40
	r.Upload.High += c.up + c.up/25
	r.Unknown += c.unknown
	at := time.Unix(c.hour*3600, 0).UTC().Add(17 * time.Minute)
	if r.First.IsZero() {
		r.First = at
	}
	r.Last = at
	if offers[c.service].kind == query.UseBackground {
		r.Background.Visits += c.visits
		if !g.people[c.person] {
			g.people[c.person] = false
		}
		return
	}
	r.Visits += c.visits
	g.people[c.person] = true
}

func order(rows []query.Row, by query.Measure) {
	slices.SortFunc(rows, func(a, b query.Row) int {
		n := 0
		switch by {
		case query.Users:
			n = cmp.Compare(b.Users, a.Users)
		case query.Visits:
			n = cmp.Compare(b.Visits, a.Visits)
		case query.Upload:
			n = cmp.Compare(b.Upload.Bytes, a.Upload.Bytes)
		case query.Last:
			n = b.Last.Compare(a.Last)
		}
		return cmp.Or(n, slices.Compare(a.Key, b.Key))
	})
}
