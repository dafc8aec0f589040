package store

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// model answers questions from a list of records, in the plainest way: what the store has to agree with.
type model struct {
	records []event.Event
	store   *time.Location // where the store's hours lie
}

// users and sums of a group, by its key.
type modelRow struct {
	query.Row
	users map[string]bool // true: seen in more than the background
}

func quiet(ev *event.Event) bool { return ev.Gnomon.Use == query.UseBackground }

func (m *model) sums(q query.Request) []query.Row {
	begins := m.visits()
	groups := map[string]*modelRow{}
	for i := range m.records {
		ev := &m.records[i]
		if !*ev.Gnomon.Counted || !inPeriod(&q, ev, m.store) || !matches(&q.Where, ev) {
			continue
		}
		key := modelKey(&q, ev, m.store)
		g := groups[strings.Join(key, "\x00")]
		if g == nil {
			g = &modelRow{Row: query.Row{Key: key}, users: map[string]bool{}}
			groups[strings.Join(key, "\x00")] = g
		}
		g.add(ev)
		if v := ev.Gnomon.Visit; v != nil && begins[v.ID] == ev.Event.ID {
			if quiet(ev) {
				g.Background.Visits++
			} else {
				g.Visits++
			}
		}
	}
	rows := []query.Row{}
	for _, g := range groups {
		for _, active := range g.users {
			if active {
				g.Users++
			} else {
				g.Background.Users++
			}
		}
		rows = append(rows, g.Row)
	}
	slices.SortFunc(rows, func(a, b query.Row) int { return slices.Compare(a.Key, b.Key) })
	return rows
}

// visits says which record begins each visit.
func (m *model) visits() map[string]string {
	first := map[string]*event.Event{}
	for i := range m.records {
		ev := &m.records[i]
		if !*ev.Gnomon.Counted || ev.Gnomon.Visit == nil {
			continue
		}
		now := first[ev.Gnomon.Visit.ID]
		if now == nil || quiet(now) && !quiet(ev) ||
			quiet(now) == quiet(ev) && cmp.Or(cmp.Compare(ev.Timestamp, now.Timestamp), cmp.Compare(ev.Event.ID, now.Event.ID)) < 0 {
			first[ev.Gnomon.Visit.ID] = ev
		}
	}
	ids := map[string]string{}
	for visit, ev := range first {
		ids[visit] = ev.Event.ID
	}
	return ids
}

func (g *modelRow) add(ev *event.Event) {
	if ev.Gnomon.Flow.Slice == 0 {
		g.Flows++
	}
	g.BytesUp += *ev.Source.Bytes
	g.BytesDown += *ev.Destination.Bytes
	if u := ev.Gnomon.Upload; u != nil {
		g.Upload.Bytes += u.Bytes
		g.Upload.Low += u.Low
		g.Upload.High += u.High
	} else if ev.Gnomon.Flow.Slice == 0 {
		g.Unknown++
	}
	at := ev.Timestamp.Time().Truncate(time.Second)
	if g.First.IsZero() || at.Before(g.First) {
		g.First = at
	}
	if at.After(g.Last) {
		g.Last = at
	}
	if who := modelUser(ev); who != "shared" && who != "" {
		g.users[who] = g.users[who] || !quiet(ev)
	}
}

func modelUser(ev *event.Event) string {
	switch {
	case ev.Gnomon.Attribution.Shared:
		return "shared"
	case ev.User != nil:
		return ev.User.ID
	case ev.Source.IP == "":
		return ""
	case ev.Gnomon.Site == "":
		return "ip:" + ev.Source.IP
	}
	return "ip:" + ev.Source.IP + "@" + ev.Gnomon.Site
}

func department(ev *event.Event) string {
	if ev.User == nil {
		return ""
	}
	return ev.User.Group.Name
}

func inPeriod(q *query.Request, ev *event.Event, store *time.Location) bool {
	hour := time.Unix(calendar{store}.hour(ev.Timestamp.Time().Unix()), 0)
	return !hour.Before(q.From) && hour.Before(q.To)
}

func matches(f *query.Filter, ev *event.Event) bool {
	in := func(words []string, w string) bool { return len(words) == 0 || slices.Contains(words, w) }
	return in(f.Sites, ev.Gnomon.Site) && in(f.Services, ev.Gnomon.Service.ID) && in(f.Categories, ev.Gnomon.Service.Category) &&
		in(f.Statuses, ev.Gnomon.Policy.Status) && in(f.Departments, department(ev)) && in(f.Users, modelUser(ev))
}

func modelKey(q *query.Request, ev *event.Event, store *time.Location) []string {
	loc := cmp.Or(q.Location, time.UTC)
	t := time.Unix(calendar{store}.hour(ev.Timestamp.Time().Unix()), 0).In(loc)
	y, m, d := t.Date()
	key := []string{}
	for _, dim := range q.By {
		word := map[query.Dimension]string{
			query.ByDay: t.Format(time.DateOnly), query.ByMonth: t.Format("2006-01-01"), query.ByUser: modelUser(ev),
			query.ByWeek:    time.Date(y, m, d-(int(t.Weekday())+6)%7, 12, 0, 0, 0, time.UTC).Format(time.DateOnly),
			query.ByHour:    t.Format("2006-01-02T15:00:00Z07:00"),
			query.ByService: ev.Gnomon.Service.ID, query.ByCategory: ev.Gnomon.Service.Category, query.ByVendor: ev.Gnomon.Service.Vendor,
			query.ByKind: ev.Gnomon.Service.Kind, query.ByStatus: ev.Gnomon.Policy.Status, query.BySite: ev.Gnomon.Site,
			query.ByDepartment: department(ev)}[dim]
		if dim == query.ByMonth {
			word = t.Format("2006-01") + "-01"
		}
		key = append(key, word)
	}
	return key
}

// Whatever arrives in whatever order, more than once, in batches of any size, settled or not: every question has the answer that the plain
// list of distinct records gives.
func TestSumsEqualModel(t *testing.T) {
	zone := func(name string) *time.Location {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return loc
	}
	for _, c := range []struct {
		name   string
		store  *time.Location
		ask    *time.Location
		from   time.Time
		spread time.Duration
	}{
		{"utc", time.UTC, nil, noon, 80 * 24 * time.Hour},
		{"berlin over the end of summer time", zone("Europe/Berlin"), zone("Europe/Berlin"), time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC), 60 * time.Hour},
		{"berlin over the beginning", zone("Europe/Berlin"), zone("Europe/Berlin"), time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC), 100 * time.Hour},
		{"no midnight on the first day", zone("America/Santiago"), zone("America/Santiago"), time.Date(2026, 9, 4, 0, 0, 0, 0, time.UTC), 90 * time.Hour},
		{"half an hour off", zone("Asia/Kolkata"), zone("Asia/Kolkata"), time.Date(2026, 5, 30, 0, 0, 0, 0, time.UTC), 90 * time.Hour},
		{"three quarters off", zone("Asia/Kathmandu"), zone("Asia/Kathmandu"), time.Date(2026, 5, 30, 0, 0, 0, 0, time.UTC), 50 * time.Hour},
		{"half an hour of summer time", zone("Australia/Lord_Howe"), zone("Australia/Lord_Howe"), time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC), 70 * time.Hour},
		{"asked in another zone", zone("Europe/Berlin"), zone("America/New_York"), time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC), 40 * 24 * time.Hour},
		{"a month and more before the epoch", time.UTC, nil, time.Date(1969, 11, 1, 0, 0, 0, 0, time.UTC), 70 * 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, uint64(len(c.name))))
			config := testConfig(t)
			now := newClock(c.from.Add(c.spread / 2))
			config.Now, config.Location = now.now, c.store
			s := open(t, config)
			m := &model{store: c.store}
			for range 400 {
				m.records = append(m.records, random(r, c.from, c.spread))
			}
			feed(t, r, s, m, now)
			for i := range 40 {
				q := randomRequest(r, c.from, c.spread, cmp.Or(c.ask, time.UTC), c.store)
				q.Location = c.ask
				checkSums(t, i, s, m, q)
			}
			if _, missing := checkDigests(t, s); missing > 0 {
				t.Errorf("%d digests are missing", missing)
			}
		})
	}
}

// feed stores the records of a model in random order, some more than once, and tidies up in between.
func feed(t *testing.T, r *rand.Rand, s *Store, m *model, now *clock) {
	t.Helper()
	queue := slices.Clone(m.records)
	for range 80 {
		queue = append(queue, m.records[r.IntN(len(m.records))])
	}
	r.Shuffle(len(queue), func(i, j int) { queue[i], queue[j] = queue[j], queue[i] })
	for len(queue) > 0 {
		n := min(len(queue), 1+r.IntN(30))
		export(t, s, queue[:n])
		queue = queue[n:]
		if r.IntN(6) == 0 {
			maintain(t, s)
			now.add(time.Duration(r.IntN(20)) * time.Hour)
		}
	}
}

func randomRequest(r *rand.Rand, from time.Time, spread time.Duration, loc, store *time.Location) query.Request {
	dims := []query.Dimension{query.ByHour, query.ByDay, query.ByWeek, query.ByMonth, query.ByService, query.ByCategory, query.ByVendor, query.ByKind,
		query.ByStatus, query.ByDepartment, query.ByUser, query.BySite}
	times := dims[:4]
	var q query.Request
	hours := int64(spread / time.Hour)
	a, b := r.Int64N(hours), r.Int64N(hours)
	start := time.Unix(calendar{store}.hour(from.Unix()), 0)
	q.From, q.To = start.Add(time.Duration(min(a, b)-24)*time.Hour), start.Add(time.Duration(max(a, b)+24)*time.Hour)
	if r.IntN(3) == 0 { // whole months
		y, mo, _ := from.In(loc).Date()
		q.From, q.To = time.Date(y, mo-1, 1, 0, 0, 0, 0, loc), time.Date(y, mo+3, 1, 0, 0, 0, 0, loc)
	}
	for len(q.By) < r.IntN(3) {
		d := dims[r.IntN(len(dims))]
		if !slices.Contains(q.By, d) && !(len(q.By) == 1 && slices.Contains(times, d) && slices.Contains(times, q.By[0])) {
			q.By = append(q.By, d)
		}
	}
	some := func(words ...string) []string {
		if r.IntN(4) > 0 {
			return nil
		}
		return words[:1+r.IntN(len(words))]
	}
	q.Where = query.Filter{Sites: some("paris", ""), Services: some("code", "chat", "none"), Statuses: some("prohibited", "approved"),
		Departments: some("", "sales"), Users: some("u3", "ip:10.0.0.1@paris", "shared", "", "nobody"), Categories: some("chat-assistant")}
	return q
}

func checkSums(t *testing.T, i int, s *Store, m *model, q query.Request) {
	t.Helper()
	got, err := s.Sums(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	want := m.sums(q)
	if len(q.By) == 0 && len(want) == 0 {
		want = []query.Row{{Key: []string{}}}
	}
	slices.SortFunc(got, func(a, b query.Row) int { return slices.Compare(a.Key, b.Key) })
	for i := range got {
		if len(got[i].Labels) != len(q.By) {
			t.Fatalf("labels: %q", got[i].Labels)
		}
		got[i].Labels = nil
		if got[i].Flows+got[i].BytesUp > 0 {
			got[i].First, got[i].Last = got[i].First.UTC(), got[i].Last.UTC()
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("question %d: %+v", i, q)
		for i := range max(len(got), len(want)) {
			g, w := "none", "none"
			if i < len(got) {
				g = fmt.Sprintf("%+v", got[i])
			}
			if i < len(want) {
				w = fmt.Sprintf("%+v", want[i])
			}
			if g != w {
				t.Fatalf("row %d:\n got %s\nwant %s", i, g, w)
			}
		}
	}
}
