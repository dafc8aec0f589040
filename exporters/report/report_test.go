package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// Every table, with what it leaves out, adds up to the total.
func TestSumsEqualTotals(t *testing.T) {
	for _, top := range []int{1, 7, 5000} {
		t.Run(fmt.Sprintf("top %d", top), func(t *testing.T) {
			req := september(t, DLP)
			req.TopN = top
			rep := build(t, newFake(usual()), req)
			if rep.Unapproved.Visits == 0 {
				t.Fatal("the fake has no unapproved use")
			}
			sum := Figures{}
			for _, s := range rep.Statuses {
				add(&sum, s.Use)
			}
			same(t, "statuses", sum, rep.All)
			for name, table := range map[string]*Table{"services": rep.ByService, "departments": rep.ByDepartment, "users": rep.ByUser} {
				sum := Figures{}
				for _, r := range table.Rows {
					add(&sum, r.Use)
				}
				if table.Rest != nil {
					add(&sum, Figures{Visits: table.Rest.Visits, Flows: table.Rest.Flows, Upload: table.Rest.Upload})
				}
				same(t, name, sum, rep.Unapproved)
				if (table.Rest != nil) != (table.Shown < table.Total) {
					t.Errorf("%s: %d of %d are shown, rest: %v", name, table.Shown, table.Total, table.Rest)
				}
			}
		})
	}
}

func add(sum *Figures, f Figures) {
	sum.Visits, sum.Flows = sum.Visits+f.Visits, sum.Flows+f.Flows
	sum.Upload.Bytes, sum.Upload.Low, sum.Upload.High = sum.Upload.Bytes+f.Upload.Bytes, sum.Upload.Low+f.Upload.Low, sum.Upload.High+f.Upload.High
	sum.Upload.Unknown += f.Upload.Unknown
}

func same(t *testing.T, name string, got, want Figures) {
	t.Helper()
	got.Users, got.Upload.Known, got.Background = want.Users, want.Upload.Known, want.Background // what the rows leave out has none
	if got != want {
		t.Errorf("%s add up to %+v, the total is %+v", name, got, want)
	}
}

// The same data and request give the same bytes.
func TestDeterministic(t *testing.T) {
	for _, a := range []Audience{Management, DLP} {
		for _, f := range forms() {
			t.Run(string(a)+" "+f.name, func(t *testing.T) {
				var first, second bytes.Buffer
				for _, b := range []*bytes.Buffer{&first, &second} {
					req := september(t, a)
					req.TopN = 5
					if err := f.write(build(t, newFake(usual()), req), b); err != nil {
						t.Fatal(err)
					}
				}
				if !bytes.Equal(first.Bytes(), second.Bytes()) {
					t.Error("two reports differ")
				}
			})
		}
	}
}

func TestRequestIsChecked(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Request)
		want   string // "" is no error
	}{
		{"fine", func(*Request) {}, ""},
		{"no times", func(r *Request) { r.From, r.To = time.Time{}, time.Time{} }, "give From"},
		{"no clock", func(r *Request) { r.Now = time.Time{} }, "give From"},
		{"ends before it begins", func(r *Request) { r.From, r.To = r.To, r.From }, "after"},
		{"within an hour", func(r *Request) { r.To = r.From.Add(59 * time.Minute) }, "after"},
		{"unknown audience", func(r *Request) { r.Audience = "board" }, `"board"`},
		{"unknown paper", func(r *Request) { r.Paper = "B5" }, `"B5"`},
		{"department of one", func(r *Request) { r.MinDepartment = 1 }, "single people"},
		{"negative rows", func(r *Request) { r.TopN = -1 }, "between"},
		{"too many rows", func(r *Request) { r.Audience, r.TopN = DLP, query.MaxRows+1 }, "between"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := september(t, Management)
			tt.change(&req)
			_, err := Build(context.Background(), newFake(fakeShape{departments: 1, users: 1, services: 1, from: date("2026-09-01"), to: date("2026-09-02")}), req)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// broken answers only so many questions.
type broken struct {
	*fake
	left atomic.Int32
}

var errBroken = errors.New("the store is closed")

func (b *broken) ask() error {
	if b.left.Add(-1) < 0 {
		return errBroken
	}
	return nil
}

func (b *broken) Sums(ctx context.Context, r query.Request) ([]query.Row, error) {
	if err := b.ask(); err != nil {
		return nil, err
	}
	return b.fake.Sums(ctx, r)
}

func (b *broken) Coverage(ctx context.Context, from, to time.Time, step time.Duration) ([]query.CoverageRow, error) {
	if err := b.ask(); err != nil {
		return nil, err
	}
	return b.fake.Coverage(ctx, from, to, step)
}

func (b *broken) Span(ctx context.Context) (query.Span, error) {
	if err := b.ask(); err != nil {
		return query.Span{}, err
	}
	return b.fake.Span(ctx)
}

// Whichever question fails, the report does.
func TestFailingQuery(t *testing.T) {
	s := usual()
	s.users = 40
	f := newFake(s)
	for _, a := range []Audience{Management, DLP} {
		asked := 0
		for ; asked < 100; asked++ {
			q := &broken{fake: f}
			q.left.Store(int32(asked))
			_, err := Build(context.Background(), q, september(t, a))
			if err == nil {
				break
			}
			if !errors.Is(err, errBroken) {
				t.Fatalf("after %d answers: %v", asked, err)
			}
		}
		if asked < 10 || asked == 100 {
			t.Errorf("a report for %s took %d questions", a, asked)
		}
	}
}

// inverted gives bounds the wrong way round.
type inverted struct{ *fake }

func (v inverted) Sums(ctx context.Context, r query.Request) ([]query.Row, error) {
	rows, err := v.fake.Sums(ctx, r)
	for i := range rows {
		rows[i].Upload.Low, rows[i].Upload.High = rows[i].Upload.High, rows[i].Upload.Low
	}
	return rows, err
}

func TestBoundsNeverInverted(t *testing.T) {
	for _, q := range []query.Query{newFake(usual()), inverted{newFake(usual())}} {
		req := september(t, DLP)
		req.TopN = 3
		rep := build(t, q, req)
		check := func(u Upload) {
			if u.Low > u.Bytes || u.Bytes > u.High {
				t.Errorf("%+v", u)
			}
		}
		check(rep.All.Upload)
		check(rep.Before.All.Upload)
		for _, table := range []*Table{rep.ByService, rep.ByDepartment, rep.ByUser} {
			for _, r := range table.Rows {
				check(r.Use.Upload)
			}
			check(table.Rest.Upload)
		}
	}
}

func TestComparison(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*fake, *Request)
		want   string // of the reason; "" if it is compared
	}{
		{"both watched", func(*fake, *Request) {}, ""},
		{"not over", func(_ *fake, r *Request) { r.Now = r.To.Add(-time.Hour) }, "had not ended"},
		{"in its last hour", func(_ *fake, r *Request) { r.Now = r.To.Add(-time.Minute) }, ""},
		{"six days, in their last hour", func(_ *fake, r *Request) { r.From, r.Now = r.To.AddDate(0, 0, -6), r.To.Add(-time.Minute) }, "had not ended"},
		{"records begin later", func(f *fake, _ *Request) { f.sumsFrom = date("2026-08-02") }, "records begin on 2026-08-02"},
		{"nothing recorded", func(f *fake, _ *Request) { f.sumsFrom = time.Time{} }, "nothing is recorded"},
		{"half watched before", func(f *fake, _ *Request) {
			f.watched = func(t time.Time) bool { return t.After(date("2026-08-16")) }
		}, "the period before was watched for only 51"},
		{"not watched now", func(f *fake, _ *Request) { f.watched = nil }, "no coverage records of this period"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := usual()
			s.users = 20
			f, req := newFake(s), september(t, Management)
			tt.change(f, &req)
			rep := build(t, f, req)
			if why := rep.Before.Why; (why == "") != (tt.want == "") || !strings.Contains(why, tt.want) {
				t.Errorf("reason %q, want %q", why, tt.want)
			}
		})
	}
}

func TestNewServices(t *testing.T) {
	s := usual()
	s.users = 20
	f := newFake(s)
	for i := range f.uses {
		if f.uses[i].at.After(date("2026-09-10")) && i%3 == 0 {
			f.uses[i].service = "svc-new"
		}
	}
	f.names["svc-new"] = "Brand New"
	req := september(t, Management)
	if n := build(t, f, req).New; n.Total != 1 || n.Rows[0].Name != "Brand New" || n.Rows[0].Day < "2026-09-10" {
		t.Errorf("new services: %+v", n)
	}
	if n := build(t, silent{f}, req).New; n.Why == "" || n.Total != 0 {
		t.Errorf("without a span: %+v", n)
	}
	f.sumsFrom = req.From
	if n := build(t, f, req).New; n.Why == "" || n.Total != 0 {
		t.Errorf("without records from before: %+v", n)
	}
}

// Gaps are told, longest first kept; evidence that is gone is said to be.
func TestCoverageAndEvidence(t *testing.T) {
	f := newFake(usual())
	f.watched = func(t time.Time) bool { return t.Day() > 2 && (t.Hour() != 3 || t.Day() > 12) }
	f.recsFrom = date("2026-09-20")
	req := september(t, DLP)
	rep := build(t, f, req)
	c := rep.Coverage
	if c.GapsAll != 11 || len(c.Gaps) != maxGaps || c.Gaps[0].To.Sub(c.Gaps[0].From) != 48*time.Hour {
		t.Errorf("gaps: %d, %+v", c.GapsAll, c.Gaps)
	}
	if c.Minutes != 30*24*60 || c.Watched != c.Minutes-(48+10)*60 {
		t.Errorf("watched %d of %d minutes", c.Watched, c.Minutes)
	}
	gone := 0
	for _, r := range rep.ByUser.Rows {
		if r.Evidence == nil {
			t.Fatalf("%s %s has no evidence", r.User, r.Service)
		}
		if r.Evidence.Gone != r.Last.Before(f.recsFrom) {
			t.Errorf("%s %s, last %s: gone is %t", r.User, r.Service, r.Last, r.Evidence.Gone)
		}
		if r.Evidence.Gone {
			gone++
		}
		for _, id := range r.Evidence.IDs {
			if !strings.HasSuffix(id, "true") {
				t.Errorf("record %s was not counted", id)
			}
		}
	}
	if gone == 0 || gone == len(rep.ByUser.Rows) {
		t.Errorf("%d of %d are gone", gone, len(rep.ByUser.Rows))
	}
}
