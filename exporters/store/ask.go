package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// ask is a request made ready.
type ask struct {
	q        *query.Request
	from, to int64
	dims     []query.Dimension
	time     query.Dimension // the one of dims that is a span of time, or ""
	byUser   bool
	calendar calendar
	order    query.Measure
	limit    int
	offset   int

	people map[uint32]bool // the blocks that users of the filter are in; nil is all
	users  map[uint32]bool // nil is all
	// groupOf gives the group of each facet, -1 for those that the filter leaves out.
	groupOf []int32
	quiet   facetSet    // those of background traffic; nil if there are none
	keys    [][2]string // of groups: the values of the dimensions that are facets
	single  bool        // every row belongs to the one group
}

// isTime says whether a dimension is a span of time.
func isTime(d query.Dimension) bool {
	return d == query.ByHour || d == query.ByDay || d == query.ByWeek || d == query.ByMonth
}

// word returns the value of a dimension, and false if the dimension is none of a facet's.
func (f *facet) word(d query.Dimension) (string, bool) {
	switch d {
	case query.ByService:
		return f.service, true
	case query.ByCategory:
		return f.category, true
	case query.ByVendor:
		return f.vendor, true
	case query.ByKind:
		return f.kind, true
	case query.ByStatus:
		return f.status, true
	case query.ByDepartment:
		return f.department, true
	case query.BySite:
		return f.site, true
	default:
		return "", false
	}
}

// newAsk checks a request.
func newAsk(q *query.Request) (*ask, error) {
	a := &ask{q: q, dims: q.By, calendar: calendar{q.Location}, order: cmp.Or(q.OrderBy, query.Key), limit: q.Limit, offset: q.Offset}
	if q.Keys {
		a.order = query.Key
	}
	if q.Location == nil {
		a.calendar.loc = time.UTC
	}
	if a.limit <= 0 || a.limit > query.MaxRows {
		a.limit = query.MaxRows
	}
	if a.offset < 0 {
		return nil, fmt.Errorf("the offset %d is below zero", a.offset)
	}
	if !slices.Contains([]query.Measure{query.Users, query.Visits, query.Upload, query.Last, query.Key}, a.order) {
		return nil, fmt.Errorf("rows cannot be ordered by %q; take users, visits, upload, last or key", a.order)
	}
	if err := a.period(); err != nil {
		return nil, err
	}
	return a, a.dimensions()
}

// period checks the period.
func (a *ask) period() error {
	a.from, a.to = sinceEver, forEver
	whole := true
	if t := a.q.From; !t.IsZero() {
		a.from = t.Unix()
		whole = a.from%quarter == 0
	}
	if t := a.q.To; !t.IsZero() {
		a.to = t.Unix()
		whole = whole && a.to%quarter == 0
	}
	if !whole || a.to < a.from {
		return fmt.Errorf("the period from %v to %v is not one of whole hours", a.q.From, a.q.To)
	}
	return nil
}

// dimensions checks what to group by.
func (a *ask) dimensions() error {
	if len(a.dims) > 2 {
		return fmt.Errorf("sums are grouped by at most two dimensions, not %d", len(a.dims))
	}
	if len(a.dims) == 2 && a.dims[0] == a.dims[1] {
		return fmt.Errorf("sums cannot be grouped by %q twice", a.dims[0])
	}
	for _, d := range a.dims {
		_, word := new(facet).word(d)
		switch {
		case isTime(d) && a.time != "":
			return fmt.Errorf("sums cannot be grouped by %q and %q at once", a.time, d)
		case isTime(d):
			a.time = d
		case d == query.ByUser:
			a.byUser = true
		case !word:
			return fmt.Errorf("sums cannot be grouped by %q", d)
		}
	}
	return nil
}

// prepare looks up what the filter names, and puts facets into groups.
func (a *ask) prepare(ctx context.Context, v *view) error {
	if len(a.q.Where.Users) > 0 {
		var err error
		if a.users, err = v.userIDs(ctx, a.q.Where.Users); err != nil {
			return err
		}
		a.people = map[uint32]bool{}
		for id := range a.users {
			a.people[id>>peopleShift] = true
		}
	}
	pass := newSieve(&a.q.Where)
	a.group(v.words, pass)
	a.single = pass.open() && len(a.keys) == 1 && !a.byUser && a.users == nil
	return nil
}

// group puts the facets that pass into groups.
func (a *ask) group(w *words, pass *sieve) {
	a.groupOf = make([]int32, w.last+1)
	for id := range a.groupOf {
		a.groupOf[id] = -1
	}
	groups := map[[2]string]int32{}
	for _, id := range w.ids {
		f := &w.facets[id]
		if !pass.facet(f) {
			continue
		}
		var key [2]string
		for i, d := range a.dims {
			key[i], _ = f.word(d)
		}
		g, known := groups[key]
		if !known {
			g = int32(len(a.keys))
			groups[key] = g
			a.keys = append(a.keys, key)
		}
		a.groupOf[id] = g
		if f.use == query.UseBackground {
			if a.quiet == nil {
				a.quiet = make(facetSet, w.last+1)
			}
			a.quiet[id] = true
		}
	}
}

// facetSet is a set of facets by their numbers; nil is empty.
type facetSet []bool

func (s facetSet) has(id uint64) bool { return id < uint64(len(s)) && s[id] }

// sieve is a filter made ready.
type sieve struct{ sites, services, categories, statuses, departments map[string]bool }

func newSieve(f *query.Filter) *sieve {
	return &sieve{set(f.Sites), set(f.Services), set(f.Categories), set(f.Statuses), set(f.Departments)}
}

func set(words []string) map[string]bool {
	if len(words) == 0 {
		return nil
	}
	m := map[string]bool{}
	for _, w := range words {
		m[w] = true
	}
	return m
}

// open says whether everything passes.
func (s *sieve) open() bool {
	return s.sites == nil && s.services == nil && s.categories == nil && s.statuses == nil && s.departments == nil
}

// facet says whether the filter lets a facet through.
func (s *sieve) facet(f *facet) bool {
	return (s.sites == nil || s.sites[f.site]) && (s.services == nil || s.services[f.service]) &&
		(s.categories == nil || s.categories[f.category]) && (s.statuses == nil || s.statuses[f.status]) &&
		(s.departments == nil || s.departments[f.department])
}

// bucket is the beginning of the span that a moment belongs to, 0 when the question has no spans.
func (a *ask) bucket(at int64) int64 {
	var start int64
	switch a.time {
	case query.ByHour:
		start = a.calendar.hour(at)
	case query.ByDay:
		start, _ = a.calendar.day(at)
	case query.ByWeek:
		start = a.calendar.week(at)
	case query.ByMonth:
		start, _ = a.calendar.month(at)
	}
	return start
}

// whole says whether all of a span of sums lies in the period and in one span of the answer.
func (a *ask) whole(start, until int64) bool {
	return start >= a.from && until <= a.to && a.bucket(start) == a.bucket(until-1)
}

// week is the beginning of the Monday before.
func (c calendar) week(at int64) int64 {
	t := time.Unix(at, 0).In(c.loc)
	y, m, d := t.Date()
	return c.midnight(y, m, d-(int(t.Weekday())+6)%7)
}

// userName is what a user is called.
type userName struct{ key, name string }

// userIDs looks up the numbers of users.
func (v *view) userIDs(ctx context.Context, keys []string) (map[uint32]bool, error) {
	st, err := v.tx.PrepareContext(ctx, "SELECT id FROM user WHERE key = ?")
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.Close() }()
	ids := map[uint32]bool{}
	for _, key := range keys {
		rows, err := st.QueryContext(ctx, key)
		if err != nil {
			return nil, err
		}
		if err := drain(rows, func(rows *sql.Rows) error {
			var id uint32
			err := rows.Scan(&id)
			ids[id] = true
			return err
		}); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// userNames reads what the users of groups are called. For many it is faster to read all.
func (v *view) userNames(ctx context.Context, groups []*group) (map[uint32]userName, error) {
	names := map[uint32]userName{}
	row := func(rows *sql.Rows) error {
		var id uint32
		var u userName
		err := rows.Scan(&id, &u.key, &u.name)
		names[id] = u
		return err
	}
	users := map[uint32]bool{}
	for _, g := range groups {
		users[g.user] = true
	}
	if len(users) > 500 {
		return names, v.each(ctx, "SELECT id, key, name FROM user", nil, row)
	}
	st, err := v.tx.PrepareContext(ctx, "SELECT id, key, name FROM user WHERE id = ?")
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.Close() }() // it only read
	for id := range users {
		rows, err := st.QueryContext(ctx, id)
		if err == nil {
			err = drain(rows, row)
		}
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// serviceNames reads what services are called, if the answer says it.
func (v *view) serviceNames(ctx context.Context, a *ask) (map[string]string, error) {
	if !slices.Contains(a.dims, query.ByService) {
		return nil, nil
	}
	names := map[string]string{}
	return names, v.each(ctx, "SELECT id, name FROM service", nil, func(rows *sql.Rows) error {
		var id, name string
		err := rows.Scan(&id, &name)
		names[id] = name
		return err
	})
}
