package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

func mustFindings(t testing.TB, change func(*FindingsConfig), loc *time.Location) *Findings {
	t.Helper()
	c := DefaultFindings()
	c.Learning = 0
	if change != nil {
		change(&c)
	}
	f, err := NewFindings(c, FindingsOptions{Location: loc, Captures: true})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// tell is findings in one line each.
func tell(found []*event.Event) []string {
	out := []string{}
	for _, ev := range found {
		who := ""
		if ev.User != nil {
			who = ev.User.ID
			if ev.User.Group != nil && who == "" {
				who = ev.User.Group.Name
			}
		}
		if ev.Source != nil {
			who += "@" + ev.Source.IP
		}
		service := ""
		if ev.Gnomon.Service != nil {
			service = ev.Gnomon.Service.ID
		}
		out = append(out, fmt.Sprintf("%s %d %s %s %s", ev.Event.Action, ev.Event.Severity, service, who, ev.Gnomon.Finding.Period))
	}
	return out
}

// as changes a record: its user, department and status.
func as(user, department, status string) func(*event.Event) {
	return func(ev *event.Event) {
		if user != "" || department != "" {
			ev.User = &event.User{ID: user}
			if department != "" {
				ev.User.Group = &event.Group{Name: department}
			}
		}
		ev.Gnomon.Policy = &event.Policy{Status: status}
	}
}

func TestFirstUse(t *testing.T) {
	const day = "2026-05-04T12:00:00Z"
	type record struct {
		service, department, status string
		change                      func(*event.Event)
	}
	uncounted := func(ev *event.Event) { *ev.Gnomon.Counted = false }
	beside := func(ev *event.Event) { ev.Gnomon.Evidence = &event.Evidence{Confidence: "medium", Role: "supporting"} }
	weak := func(ev *event.Event) { ev.Gnomon.Evidence = &event.Evidence{Confidence: "low"} }
	tests := []struct {
		name    string
		change  func(*FindingsConfig)
		records []record
		want    []string
	}{
		{"new", nil, []record{{"s", "", Unreviewed, nil}}, []string{"first-use 40 s  "}},
		{"once", nil, []record{{"s", "", Unreviewed, nil}, {"s", "", Unreviewed, nil}}, []string{"first-use 40 s  "}},
		{"new to the site is not told for the department too", nil, []record{{"s", "Sales", Unreviewed, nil}, {"s", "Sales", Unreviewed, nil}}, []string{"first-use 40 s  "}},
		{"new to a department", nil, []record{{"s", "Sales", Unreviewed, nil}, {"s", "Legal", Unreviewed, nil}, {"s", "", Unreviewed, nil}},
			[]string{"first-use 40 s  ", "first-use 30 s Legal "}},
		{"severity follows the status", nil, []record{{"a", "", Approved, nil}, {"b", "", Tolerated, nil}, {"c", "", InReview, nil}, {"d", "", Prohibited, nil}},
			[]string{"first-use 10 a  ", "first-use 20 b  ", "first-use 30 c  ", "first-use 60 d  "}},
		{"weak evidence", nil, []record{{"s", "", Unreviewed, weak}}, []string{"first-use 20 s  "}},
		{"never below one", nil, []record{{"s", "A", Approved, weak}, {"s", "B", Approved, weak}}, []string{"first-use 5 s  ", "first-use 1 s B "}},
		{"beside a use", nil, []record{{"s", "", Unreviewed, beside}, {"s", "", Unreviewed, nil}}, []string{"first-use 40 s  "}},
		{"beside a use alone", nil, []record{{"s", "", Prohibited, beside}}, []string{}},
		{"not counted", nil, []record{{"s", "", Unreviewed, uncounted}, {"s", "", Unreviewed, nil}}, []string{"first-use 40 s  "}},
		{"off", func(c *FindingsConfig) { c.FirstUse = false }, []record{{"s", "A", Unreviewed, nil}, {"s", "B", Unreviewed, nil}}, []string{"first-use 30 s B "}},
		{"departments off", func(c *FindingsConfig) { c.FirstUseDepartment = false }, []record{{"s", "A", Unreviewed, nil}, {"s", "B", Unreviewed, nil}}, []string{"first-use 40 s  "}},
		{"learning", func(c *FindingsConfig) { c.Learning = time.Hour }, []record{{"s", "", Unreviewed, nil}}, []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := mustFindings(t, func(c *FindingsConfig) {
				c.ProhibitedUse = false
				if tt.change != nil {
					tt.change(c)
				}
			}, nil)
			var found []*event.Event
			for _, r := range tt.records {
				found = append(found, f.Activity(activity(r.service, day, func(ev *event.Event) {
					as("u", r.department, r.status)(ev)
					if r.change != nil {
						r.change(ev)
					}
				}))...)
			}
			for _, ev := range found {
				if ev.User != nil && ev.User.ID != "" || ev.Source != nil {
					t.Errorf("a first use names %+v %+v", ev.User, ev.Source)
				}
			}
			if got := tell(found); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestLearning(t *testing.T) {
	use := func(f *Findings, service, at string) int { return len(f.Activity(activity(service, at, nil))) }
	f := mustFindings(t, func(c *FindingsConfig) { c.Learning = 24 * time.Hour }, nil)
	if use(f, "a", "2026-05-04T12:00:00Z")+use(f, "b", "2026-05-05T11:59:59Z")+use(f, "z", "2026-05-01T00:00:00Z") != 0 {
		t.Error("findings while learning")
	}
	if use(f, "a", "2026-05-05T12:00:00Z") != 0 {
		t.Error("what was learned is told")
	}
	if use(f, "c", "2026-05-05T12:00:00Z") != 1 {
		t.Error("nothing is told after learning")
	}
	f = mustFindings(t, func(c *FindingsConfig) { c.LearnUntil = Date{2026, 5, 31} }, nil)
	if use(f, "a", "2026-05-31T23:59:59Z") != 0 || use(f, "b", "2026-06-01T00:00:00Z") != 1 {
		t.Error("the last day of learning is not kept")
	}
}

func TestProhibited(t *testing.T) {
	shared := func(ev *event.Event) {
		as("", "", Prohibited)(ev)
		ev.Gnomon.Attribution = &event.Attribution{Shared: true}
	}
	tests := []struct {
		name, service, at string
		change            func(*event.Event)
		want              []string
	}{
		{"a user", "s", "2026-05-04T12:00:00Z", as("u1", "Sales", Prohibited), []string{"prohibited-use 70 s u1 2026-05-04"}},
		{"again that day", "s", "2026-05-04T23:59:59Z", as("u1", "Sales", Prohibited), []string{}},
		{"again the next day", "s", "2026-05-05T00:00:00Z", as("u1", "Sales", Prohibited), []string{"prohibited-use 70 s u1 2026-05-05"}},
		{"another service", "s2", "2026-05-04T12:00:00Z", as("u1", "Sales", Prohibited), []string{"prohibited-use 70 s2 u1 2026-05-04"}},
		{"another user", "s", "2026-05-04T12:00:00Z", as("u2", "", Prohibited), []string{"prohibited-use 70 s u2 2026-05-04"}},
		{"no user known", "s", "2026-05-04T12:00:00Z", as("", "", Prohibited), []string{"prohibited-use 70 s @10.1.2.3 2026-05-04"}},
		{"shared address", "s", "2026-05-06T12:00:00Z", shared, []string{"prohibited-use 70 s @10.1.2.3 2026-05-06"}},
		{"weak evidence", "s", "2026-05-07T12:00:00Z", func(ev *event.Event) {
			as("u1", "", Prohibited)(ev)
			ev.Gnomon.Evidence = &event.Evidence{Confidence: "low"}
		}, []string{"prohibited-use 40 s u1 2026-05-07"}},
		{"not prohibited", "s", "2026-05-08T12:00:00Z", as("u1", "", Unreviewed), []string{}},
		{"nobody at all", "s", "2026-05-08T12:00:00Z", func(ev *event.Event) { as("", "", Prohibited)(ev); ev.Source = nil }, []string{}},
	}
	f := mustFindings(t, func(c *FindingsConfig) { c.FirstUse, c.FirstUseDepartment = false, false }, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tell(f.Activity(activity(tt.service, tt.at, tt.change))); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// sent is a record with an upload in MiB.
func sent(user, service, at string, n, low, high uint64) *event.Event {
	return activity(service, at, func(ev *event.Event) {
		as(user, "", Unreviewed)(ev)
		ev.Event.ID = fmt.Sprint(service, at, n)
		ev.Gnomon.Upload = &event.Upload{Bytes: n << 20, Low: low << 20, High: high << 20}
	})
}

// quiet has nothing but limits of uploads.
func quiet(c *FindingsConfig) {
	c.FirstUse, c.FirstUseDepartment = false, false
	c.UploadDayMiB, c.Uploads = 100, []UploadRule{{Services: []string{"b", "a"}, DayMiB: 10}, {Services: []string{"c"}, DayMiB: 1000}}
}

func TestUploads(t *testing.T) {
	f := mustFindings(t, quiet, nil)
	steps := []struct {
		name string
		ev   *event.Event
		want []string
	}{
		{"below", sent("u", "a", "2026-05-04T10:00:00Z", 9, 8, 12), []string{}},
		{"another user", sent("v", "a", "2026-05-04T10:00:00Z", 9, 8, 12), []string{}},
		{"another day", sent("u", "a", "2026-05-03T10:00:00Z", 9, 8, 12), []string{}},
		{"another service of the limit", sent("u", "b", "2026-05-04T11:00:00Z", 1, 1, 2), []string{"upload-limit 60 b u 2026-05-04"}},
		{"once", sent("u", "b", "2026-05-04T12:00:00Z", 5, 5, 5), []string{}},
		{"all services", sent("u", "z", "2026-05-04T13:00:00Z", 85, 85, 99), []string{"upload-limit 60  u 2026-05-04"}},
		{"no doubt", sent("v", "a", "2026-05-04T13:00:00Z", 3, 3, 3), []string{"upload-limit 70 a v 2026-05-04"}},
		{"very much, two limits", sent("w", "a", "2026-05-04T13:00:00Z", 100, 100, 100), []string{"upload-limit 70  w 2026-05-04", "upload-limit 80 a w 2026-05-04"}},
		{"upload not known", activity("a", "2026-05-04T13:00:00Z", as("x", "", Unreviewed)), []string{}},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			if got := tell(f.Activity(s.ev)); !slices.Equal(got, s.want) {
				t.Errorf("got  %q\nwant %q", got, s.want)
			}
		})
	}
}

func TestUploadRecord(t *testing.T) {
	f := mustFindings(t, quiet, nil)
	for i, n := range []uint64{1, 2, 1, 1, 1, 1, 2} {
		f.Activity(sent("u", "a", fmt.Sprintf("2026-05-04T10:00:%02dZ", i), n, n, n+1))
	}
	found := f.Activity(sent("u", "a", "2026-05-04T11:00:00Z", 4, 3, 5))
	if len(found) != 1 {
		t.Fatalf("got %q", tell(found))
	}
	g := found[0].Gnomon
	if g.Finding.Value != 13<<20 || g.Finding.Limit != 10<<20 || *g.Upload != (event.Upload{Bytes: 13 << 20, Low: 12 << 20, High: 21 << 20}) {
		t.Errorf("got %+v %+v", g.Finding, g.Upload)
	}
	want := []string{"a2026-05-04T11:00:00Z4", "a2026-05-04T10:00:01Z2", "a2026-05-04T10:00:06Z2"}
	if len(g.Finding.Evidence) != maxEvidence || !slices.Equal(slices.Sorted(slices.Values(g.Finding.Evidence[:3])), slices.Sorted(slices.Values(want))) {
		t.Errorf("evidence %q, want the largest first: %q", g.Finding.Evidence, want)
	}
	ev := found[0].Event
	if ev.Start != moment("2026-05-04T00:00:00Z") || ev.End != moment("2026-05-05T00:00:00Z") || ev.Kind != "alert" || ev.Dataset != event.DatasetFinding ||
		found[0].Timestamp != moment("2026-05-04T11:01:00Z") || !strings.Contains(ev.Reason, "13.0 MiB sent to a,b on 2026-05-04 (between 12.0 and 21.0); the limit is 10 MiB") {
		t.Errorf("got %+v at %v", ev, found[0].Timestamp)
	}
	text, err := json.Marshal(found[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"site":"berlin"`, `"action":"upload-limit"`, `"user":{"id":"u"}`, `"application":"a"`, `"ecs":{"version"`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s is not in %s", part, text)
		}
	}
}

// TestUploadShared wants no limit for an address of several people, unless the record itself has the user.
func TestUploadShared(t *testing.T) {
	f := mustFindings(t, quiet, nil)
	ev := sent("", "a", "2026-05-04T10:00:00Z", 500, 500, 500)
	ev.Gnomon.Attribution = &event.Attribution{Shared: true}
	if got := tell(f.Activity(ev)); len(got) != 0 {
		t.Errorf("got %q", got)
	}
	ev = sent("u", "a", "2026-05-04T10:00:00Z", 500, 500, 500)
	ev.Gnomon.Attribution = &event.Attribution{Shared: true}
	if got := tell(f.Activity(ev)); len(got) != 2 {
		t.Errorf("got %q", got)
	}
}

// TestUploadDays wants days to be the organisation's, of 23 and 25 hours too.
func TestUploadDays(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, first, second string
		same                bool
	}{
		{"spring day", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", true},
		{"behind spring day", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", false},
		{"autumn day", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", true},
		{"behind autumn day", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", false},
		{"any day", "2026-05-03T22:00:00Z", "2026-05-04T21:59:59Z", true},
		{"told in another order", "2026-05-04T21:59:59Z", "2026-05-03T22:00:00Z", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := mustFindings(t, quiet, berlin)
			f.Activity(sent("u", "a", tt.first, 6, 6, 6))
			if got := len(f.Activity(sent("u", "a", tt.second, 6, 6, 6))); (got == 1) != tt.same {
				t.Errorf("%d findings", got)
			}
		})
	}
}

// memory is a History.
type memory struct {
	first   event.Time
	uses    []Use
	uploads []Upload
	err     error
	since   event.Time // what was asked for
}

func (m *memory) First(context.Context) (event.Time, error) { return m.first, m.err }
func (m *memory) Uses(context.Context) ([]Use, error)       { return m.uses, m.err }
func (m *memory) Uploads(_ context.Context, since event.Time) ([]Upload, error) {
	m.since = since
	return m.uploads, m.err
}

var _ History = (*memory)(nil)

// TestRestore wants a restart in the middle to change nothing: the same findings with the same ids.
func TestRestore(t *testing.T) {
	config := func(c *FindingsConfig) {
		quiet(c)
		c.FirstUse, c.FirstUseDepartment, c.Learning = true, true, 24*time.Hour
	}
	records := []*event.Event{sent("u", "a", "2026-05-01T10:00:00Z", 6, 5, 7), sent("u", "a", "2026-05-04T10:00:00Z", 6, 5, 7),
		sent("u", "c", "2026-05-04T11:00:00Z", 1, 1, 1), sent("u", "b", "2026-05-04T12:00:00Z", 6, 5, 7), sent("u", "a", "2026-05-04T13:00:00Z", 6, 5, 7)}
	whole := mustFindings(t, config, nil)
	var want []*event.Event
	for _, ev := range records {
		want = append(want, whole.Activity(ev)...)
	}
	if got := tell(want); !slices.Equal(got, []string{"first-use 40 c  ", "first-use 40 b  ", "upload-limit 70 b u 2026-05-04"}) {
		t.Fatalf("without a restart: %q", got)
	}
	for cut := range records {
		h := &memory{}
		before, after := mustFindings(t, config, nil), mustFindings(t, config, nil)
		got := map[string]bool{}
		for _, ev := range records[:cut] {
			h.first = records[0].Event.Start
			h.uses = append(h.uses, Use{Site: "berlin", Service: ev.Gnomon.Service.ID})
			up := ev.Gnomon.Upload
			h.uploads = append(h.uploads, Upload{"berlin", "u", ev.Gnomon.Service.ID, ev.Event.Start, up.Bytes, up.Low, up.High})
			for _, found := range before.Activity(ev) {
				got[found.Event.ID] = true
			}
		}
		if err := after.Restore(t.Context(), h, moment("2026-05-04T12:00:00Z").Time()); err != nil {
			t.Fatal(err)
		}
		if h.since != moment("2026-05-03T00:00:00Z") {
			t.Errorf("uploads are asked for since %v", h.since)
		}
		for _, ev := range records[cut:] {
			for _, found := range after.Activity(ev) {
				got[found.Event.ID] = true
			}
		}
		for _, ev := range want {
			if !got[ev.Event.ID] {
				t.Errorf("restart before record %d: %q is lost", cut, tell([]*event.Event{ev}))
			}
		}
		if len(got) != len(want) {
			t.Errorf("restart before record %d: %d findings, want %d", cut, len(got), len(want))
		}
	}
	broken := errors.New("the disk is full")
	if err := whole.Restore(t.Context(), &memory{err: broken}, time.Unix(0, 0)); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

// TestIDs wants an id to depend on site, action, subject and period, and on nothing else.
func TestIDs(t *testing.T) {
	id := func(change func(*event.Event)) string {
		f := mustFindings(t, func(c *FindingsConfig) { c.FirstUse = false }, nil)
		found := f.Activity(activity("s", "2026-05-04T12:00:00Z", func(ev *event.Event) {
			as("u", "", Prohibited)(ev)
			ev.Observer = &event.Observer{ID: "sensor-1", Ingress: &event.Ingress{}}
			change(ev)
		}))
		if len(found) != 1 || found[0].Observer.Ingress != nil {
			t.Fatalf("got %q", tell(found))
		}
		return found[0].Event.ID
	}
	same := id(func(*event.Event) {})
	for name, change := range map[string]func(*event.Event){
		"time of day": func(ev *event.Event) { ev.Event.Start = moment("2026-05-04T23:00:00Z") },
		"record":      func(ev *event.Event) { ev.Event.ID = "another" },
		"sensor":      func(ev *event.Event) { ev.Observer.ID = "sensor-2" },
		"address":     func(ev *event.Event) { ev.Source.IP = "10.1.2.4" },
	} {
		if id(change) != same {
			t.Errorf("another %s gives another id", name)
		}
	}
	for name, change := range map[string]func(*event.Event){
		"day":     func(ev *event.Event) { ev.Event.Start = moment("2026-05-05T00:00:00Z") },
		"site":    func(ev *event.Event) { ev.Gnomon.Site = "bonn" },
		"user":    func(ev *event.Event) { ev.User.ID = "v" },
		"service": func(ev *event.Event) { ev.Gnomon.Service.ID = "s2" },
	} {
		if id(change) == same {
			t.Errorf("another %s gives the same id", name)
		}
	}
}

// TestBounded floods with users, services and findings.
func TestBounded(t *testing.T) {
	f := mustFindings(t, func(c *FindingsConfig) { quiet(c); c.FirstUse = true }, nil)
	for i := range maxSums + 1000 {
		ev := sent(fmt.Sprint("u", i), fmt.Sprint("s", i), "2026-05-04T10:00:00Z", 200, 200, 200)
		ev.Gnomon.Policy.Status = Prohibited
		f.Activity(ev)
	}
	if len(f.sums) != maxSums || len(f.raised) > maxRaised || f.Forgotten() != 1000 {
		t.Errorf("%d sums, %d raised, %d forgotten", len(f.sums), len(f.raised), f.Forgotten())
	}
	f.Activity(sent("u", "a", "2026-05-20T10:00:00Z", 1, 1, 1))
	if len(f.sums) != 2 {
		t.Errorf("%d sums after a fortnight", len(f.sums))
	}
}

func TestActivityLeavesOthersAlone(t *testing.T) {
	f := mustFindings(t, nil, nil)
	yes := true
	for _, ev := range []*event.Event{{}, {Event: event.Meta{Dataset: event.DatasetActivity}},
		{Event: event.Meta{Dataset: event.DatasetActivity}, Gnomon: &event.Gnomon{Counted: &yes}},
		{Event: event.Meta{Dataset: event.DatasetCoverage}, Gnomon: &event.Gnomon{}},
		{Event: event.Meta{Dataset: event.DatasetCandidate}, Gnomon: &event.Gnomon{Service: &event.Service{ID: "s"}, Counted: &yes}}} {
		if got := append(f.Activity(ev), f.Coverage(ev)...); len(got) != 0 {
			t.Errorf("got %q", tell(got))
		}
	}
}

func BenchmarkActivity(b *testing.B) {
	f := mustFindings(b, quiet, nil)
	ev := sent("u", "a", "2026-05-04T10:00:00Z", 0, 0, 0)
	b.ReportAllocs()
	for b.Loop() {
		f.Activity(ev)
	}
}
