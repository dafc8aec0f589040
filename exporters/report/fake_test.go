package report

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// A fake keeps uses in memory and answers from them the slow and obvious way.
type fake struct {
	uses     []use
	names    map[string]string // labels of services and users
	findings []event.Event
	watched  func(time.Time) bool // by hour; nil is never
	sumsFrom time.Time
	recsFrom time.Time
	logName  string // of the log source
}

// use is one visit with its flows.
type use struct {
	at                               time.Time
	site, user, dept, service, state string
	quiet                            bool // background traffic only
	flows, unknown                   uint64
	upload                           query.Bounds
}

// fakeShape says what a fake holds.
type fakeShape struct {
	departments, users, services int
	from, to                     time.Time
	perWeek                      float64 // uses of each user
	name                         func(kind string, i int) string
	poison                       bool
}

func usual() fakeShape {
	return fakeShape{departments: 8, users: 300, services: 40, perWeek: 2, from: date("2025-10-01"), to: date("2026-10-01")}
}

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func ordinary(kind string, i int) string {
	switch kind {
	case "department":
		return []string{"Sales", "Research", "Legal", "Finance", "Human Resources", "Engineering", "Support", "Board", "Purchasing", "Marketing"}[i%10] + map[bool]string{true: " " + strconv.Itoa(i/10+1)}[i >= 10]
	case "service":
		return []string{"ChatGPT", "Claude", "Gemini", "Otter.ai", "OpenAI API", "GitHub Copilot", "DeepL", "Perplexity", "Midjourney", "Cursor"}[i%10] + map[bool]string{true: " " + strconv.Itoa(i/10+1)}[i >= 10]
	case "user":
		return fmt.Sprintf("user.%03d", i)
	}
	return ""
}

// newFake fills one; the same shape gives the same uses.
func newFake(s fakeShape) *fake {
	if s.name == nil {
		s.name = ordinary
	}
	f := &fake{names: map[string]string{}, sumsFrom: s.from, recsFrom: s.to.AddDate(0, 0, -30), watched: func(t time.Time) bool { return !t.Before(s.from) && t.Before(s.to) }}
	rng := rand.New(rand.NewPCG(7, 11))
	states := []string{"approved", "approved", "tolerated", "in-review", "unreviewed", "unreviewed", "prohibited"}
	hours := int(s.to.Sub(s.from) / time.Hour)
	for u := range s.users {
		key := fmt.Sprintf("hmac%06x", u*7919)
		if s.poison {
			key = fmt.Sprintf([]string{"POISONKEY%d", "POISON-10.66.6.%d"}[u%2], u)
		}
		if u%4 != 3 {
			f.names[key] = s.name("user", u)
		}
		dept := s.name("department", int(rng.ExpFloat64()*2)%s.departments)
		if u%29 == 28 {
			dept = ""
		}
		for range max(int(s.perWeek*float64(hours)/168), 1) {
			n := int(rng.ExpFloat64()*5) % s.services
			id := fmt.Sprintf("svc-%02d", n)
			f.names[id] = s.name("service", n)
			at := s.from.Add(time.Duration(rng.IntN(hours))*time.Hour + time.Duration(rng.IntN(3600))*time.Second)
			b := uint64(rng.ExpFloat64() * 4e5)
			x := use{at: at, site: []string{"berlin", "lyon"}[u%2], user: key, dept: dept, service: id, state: states[n%len(states)], flows: 2, quiet: u%40 == 39,
				upload: query.Bounds{Bytes: b, Low: b - b/50, High: b + b/30 + 100}}
			if rng.IntN(20) == 0 {
				x.unknown, x.upload = 2, query.Bounds{}
			}
			f.uses = append(f.uses, x)
		}
	}
	slices.SortFunc(f.uses, func(x, y use) int {
		return cmp.Or(x.at.Compare(y.at), cmp.Compare(x.user, y.user), cmp.Compare(x.service, y.service))
	})
	for i := range min(12, (len(f.uses)+2)/3) {
		x := f.uses[len(f.uses)-1-i*3]
		f.findings = append(f.findings, f.finding(x, i))
	}
	return f
}

func (f *fake) finding(x use, i int) event.Event {
	return event.Event{
		Timestamp: event.At(x.at), Event: event.Meta{ID: fmt.Sprintf("finding%04d", i), Dataset: event.DatasetFinding,
			Action: []string{"first-use", "upload-limit", "prohibited-use"}[i%3], Severity: 20 + i%3*30},
		Rule: &event.Rule{ID: x.service, Name: f.names[x.service]}, User: &event.User{ID: x.user, Name: f.names[x.user], Group: &event.Group{Name: x.dept}},
		Gnomon: &event.Gnomon{Site: x.site, Policy: &event.Policy{Status: x.state, Owner: []string{"", "dlp-team"}[i%2]},
			Finding: &event.Finding{Period: day(x.at), Limit: 1_000_000, Value: 2_345_678, Evidence: []string{fmt.Sprintf("rec%04d", i)}}},
	}
}

func in(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }

func (x *use) matches(w query.Filter) bool {
	return in(w.Sites, x.site) && in(w.Services, x.service) && in(w.Statuses, x.state) && in(w.Departments, x.dept) && in(w.Users, x.user)
}

func (x *use) key(d query.Dimension, loc *time.Location) string {
	t := x.at.In(loc)
	switch d {
	case query.ByWeek:
		return t.AddDate(0, 0, -(int(t.Weekday())+6)%7).Format(time.DateOnly)
	case query.ByService:
		return x.service
	case query.ByStatus:
		return x.state
	case query.ByDepartment:
		return x.dept
	case query.ByUser:
		return x.user
	case query.BySite:
		return x.site
	}
	panic("the fake has no dimension " + string(d))
}

// Sums implements query.Query.
func (f *fake) Sums(_ context.Context, r query.Request) ([]query.Row, error) {
	if r.From.Truncate(time.Hour) != r.From || r.To.Truncate(time.Hour) != r.To {
		return nil, fmt.Errorf("%s to %s are not whole hours", r.From, r.To)
	}
	loc := r.Location
	if loc == nil {
		loc = time.UTC
	}
	groups, users := map[[2]string]*query.Row{}, map[[3]string]bool{}
	for i := range f.uses {
		x := &f.uses[i]
		if x.at.Before(r.From) || !x.at.Before(r.To) || !x.matches(r.Where) {
			continue
		}
		var k [2]string
		for j, d := range r.By {
			k[j] = x.key(d, loc)
		}
		g := groups[k]
		if g == nil {
			g = &query.Row{Key: k[:len(r.By):len(r.By)], First: x.at}
			groups[k] = g
			for _, v := range g.Key {
				g.Labels = append(g.Labels, cmp.Or(f.names[v], v))
			}
		}
		count, visits := &g.Users, &g.Visits
		if x.quiet { // of everything that this user does
			count, visits = &g.Background.Users, &g.Background.Visits
		}
		if u := [3]string{k[0], k[1], x.user}; !users[u] {
			users[u] = true
			*count++
		}
		*visits++
		g.Flows, g.Unknown = g.Flows+x.flows, g.Unknown+x.unknown
		g.Upload = query.Bounds{Bytes: g.Upload.Bytes + x.upload.Bytes, Low: g.Upload.Low + x.upload.Low, High: g.Upload.High + x.upload.High}
		g.Last = x.at
	}
	var rows []query.Row
	for _, g := range groups {
		rows = append(rows, *g)
	}
	slices.SortFunc(rows, func(x, y query.Row) int {
		if r.OrderBy == query.Upload {
			return cmp.Or(cmp.Compare(y.Upload.Bytes, x.Upload.Bytes), slices.Compare(x.Key, y.Key))
		}
		return slices.Compare(x.Key, y.Key)
	})
	return rows[:min(len(rows), cmp.Or(r.Limit, query.MaxRows))], nil
}

// Records implements query.Query.
func (f *fake) Records(_ context.Context, r query.RecordRequest) (query.Page, error) {
	var p query.Page
	if r.Dataset == event.DatasetFinding {
		for _, ev := range f.findings {
			if t := ev.Timestamp.Time(); !t.Before(r.From) && t.Before(r.To) && in(r.Where.Sites, ev.Gnomon.Site) {
				p.Records = append(p.Records, ev)
			}
		}
		return p, nil
	}
	given := map[[3]string]int{}
	for i := len(f.uses) - 1; i >= 0; i-- {
		x := &f.uses[i]
		if x.at.Before(r.From) || !x.at.Before(r.To) || x.at.Before(f.recsFrom) || !x.matches(r.Where) {
			continue
		}
		if len(p.Records) >= r.Limit {
			p.Next = "more"
			break
		}
		for _, counted := range []bool{true, false}[:1+i%7/6] { // some were seen by a second eye as well
			group := [3]string{x.service, x.state}
			if r.EachOf == query.ByDepartment {
				group[0] = x.dept
			}
			if len(r.Where.Users) > 0 {
				group[2] = x.user
			}
			if given[group]++; r.Each > 0 && given[group] > r.Each {
				continue
			}
			p.Records = append(p.Records, event.Event{Timestamp: event.At(x.at), Event: event.Meta{ID: fmt.Sprintf("record%08d%t", i, counted)},
				User: &event.User{ID: x.user, Group: &event.Group{Name: x.dept}},
				Gnomon: &event.Gnomon{Counted: &counted, Service: &event.Service{ID: x.service}, Policy: &event.Policy{Status: x.state},
					Evidence: &event.Evidence{Class: []string{"sni", "quic-sni"}[i%2], Confidence: "high"}}})
		}
	}
	return p, nil
}

// Coverage implements query.Query.
func (f *fake) Coverage(_ context.Context, from, to time.Time, step time.Duration) ([]query.CoverageRow, error) {
	var rows []query.CoverageRow
	for at := from; at.Before(to); at = at.Add(step) {
		row := query.CoverageRow{Start: at}
		for h := at; h.Before(at.Add(step)) && h.Before(to); h = h.Add(time.Hour) {
			if f.watched == nil || !f.watched(h) {
				continue
			}
			row.Minutes += 60
			row.Received += 1_000_000
			row.Dropped += 120
			row.Flows += 900
			row.FlowsReadable += 880
			row.FlowsNamed += 850
			row.ECH += 20
			row.EncryptedDNS += 9
			row.Web.Add(&event.Sight{Named: event.Part{Flows: 780, Bytes: 90_000_000}, ECH: event.Part{Flows: 20, Bytes: 3_000_000},
				EncryptedDNS: event.Part{Flows: 6, Bytes: 40_000}, Nameless: event.Part{Flows: 10, Bytes: 1_000_000}})
			row.OtherPorts.Add(&event.Sight{EncryptedDNS: event.Part{Flows: 3, Bytes: 9_000}})
			row.HiddenBy = map[string]event.Part{"dns-quad9": row.HiddenBy["dns-quad9"].Plus(event.Part{Flows: 9, Bytes: 49_000}),
				"ech": row.HiddenBy["ech"].Plus(event.Part{Flows: 20, Bytes: 3_000_000})}
			row.BytesWithUser += 123_456
			row.Undecodable = map[string]uint64{"not ip": row.Undecodable["not ip"] + 17, "truncated": row.Undecodable["truncated"] + 2}
			name := cmp.Or(f.logName, "proxy")
			s := row.Sources[name]
			row.Sources = map[string]event.Source{name: {Read: s.Read + 100, Used: s.Used + 20, Rejected: s.Rejected + 1}}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Span implements query.Spanned.
func (f *fake) Span(context.Context) (query.Span, error) {
	return query.Span{RecordsFrom: f.recsFrom, SumsFrom: f.sumsFrom}, nil
}

// silent hides Span.
type silent struct{ query.Query }

var _ query.Spanned = (*fake)(nil)
