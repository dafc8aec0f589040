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

// Every filter gives, page by page, what the plain list gives, newest first, over many parts, while more arrives.
func TestRecords(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	c := testConfig(t)
	now := newClock(noon)
	c.Now = now.now
	s := open(t, c)
	m := &model{store: time.UTC}
	for range 8 { // days, each with records of today and of the month before
		var batch []event.Event
		for i := range 60 {
			ev := random(r, now.now().AddDate(0, -i%2, 0), 24*time.Hour)
			if i%10 == 0 {
				ev.Event.ID = fmt.Sprint("foreign ", r.IntN(1e9))
			}
			if i%7 == 0 {
				ev.Timestamp = event.At(now.now()) // many at one moment
			}
			if i%5 == 0 {
				ev.Event.Action = []string{"first-use", "upload-limit"}[r.IntN(2)]
			}
			batch = append(batch, ev)
		}
		export(t, s, batch)
		m.records = append(m.records, batch...)
		now.add(24 * time.Hour)
	}
	for i, q := range []query.RecordRequest{
		{},
		{Limit: 7},
		{Limit: 1, Where: query.Filter{Users: []string{"u3", "shared"}}},
		{Limit: 10, Where: query.Filter{Users: []string{"u1"}, Services: []string{"code"}}},
		{Limit: 10, Where: query.Filter{Services: []string{"code", "none"}, Statuses: []string{"approved"}}},
		{Where: query.Filter{Services: []string{"none"}}},
		{Where: query.Filter{Users: []string{"nobody"}}},
		{Limit: 5, Where: query.Filter{Sites: []string{"paris"}, Departments: []string{"", "sales"}}},
		{Limit: 20, From: noon.AddDate(0, 0, -10), To: noon.AddDate(0, 0, 3)},
		{Limit: 3, From: noon.AddDate(0, 0, 3)},
		{Limit: 4, Action: "first-use"},
	} {
		t.Run(fmt.Sprint("question ", i), func(t *testing.T) {
			q.Dataset = event.DatasetActivity
			var want []string
			for _, ev := range newestFirst(m.records) {
				at := ev.Timestamp.Time()
				if (q.From.IsZero() || !at.Before(q.From)) && (q.To.IsZero() || at.Before(q.To)) && matches(&q.Where, &ev) &&
					(q.Action == "" || q.Action == ev.Event.Action) {
					want = append(want, ev.Event.ID)
				}
			}
			var got []string
			for _, ev := range pages(t, s, q) {
				got = append(got, ev.Event.ID)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%d records, want %d\n got %q\nwant %q", len(got), len(want), got, want)
			}
		})
	}
}

func newestFirst(records []event.Event) []event.Event {
	return slices.SortedFunc(slices.Values(records), func(a, b event.Event) int {
		x, y := parseID(a.Event.ID), parseID(b.Event.ID)
		return cmp.Or(cmp.Compare(b.Timestamp, a.Timestamp), y.compare(&x))
	})
}

// A page goes on where the one before ended, whatever arrives in between.
func TestPagesAreStable(t *testing.T) {
	s := open(t, testConfig(t))
	for i := range 50 {
		export(t, s, []event.Event{activity(noon.Add(time.Duration(i)*time.Minute), "u", "chat", i)})
	}
	q := query.RecordRequest{Dataset: event.DatasetActivity, Limit: 10}
	seen := map[string]bool{}
	for n := 0; ; n++ {
		page, err := s.Records(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range page.Records {
			if seen[ev.Event.ID] {
				t.Fatalf("%s is on two pages", ev.Event.ID)
			}
			seen[ev.Event.ID] = true
		}
		export(t, s, []event.Event{activity(noon.Add(24*time.Hour), "u", "code", 1000+n)})
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if len(seen) != 50 {
		t.Fatalf("%d records on all pages", len(seen))
	}
}

// Records come back as they went in, byte for byte and field for field, whatever stands in them.
func TestRecordsComeBack(t *testing.T) {
	s := open(t, testConfig(t))
	strange := activity(noon, "'; DROP TABLE user; --", "a\x00b\"\\\u2028<script>", 1)
	strange.User.Name, strange.User.Group.Name, strange.Gnomon.Site = "Zoë 🦔", strings.Repeat("長", 300), "%_?*"
	strange.Event.Action = "x' OR '1'='1"
	records := []event.Event{activity(noon, "u", "chat", 2), strange, finding(noon, 3)}
	export(t, s, records)
	for _, want := range records {
		page, err := s.Records(context.Background(), query.RecordRequest{IDs: []string{want.Event.ID, want.Event.ID, "none"}})
		if err != nil || len(page.Records) != 1 {
			t.Fatalf("%d records, %v", len(page.Records), err)
		}
		if !reflect.DeepEqual(page.Records[0], want) {
			t.Errorf("got %+v\nwant %+v", page.Records[0], want)
		}
	}
	rows, err := s.Sums(context.Background(), query.Request{By: []query.Dimension{query.ByUser, query.ByService},
		Where: query.Filter{Sites: []string{"%_?*"}, Departments: []string{strange.User.Group.Name}}})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%+v, %v", rows, err)
	}
	if got := rows[0]; got.Key[0] != strange.User.ID || got.Labels[0] != "Zoë 🦔" || got.Key[1] != strange.Rule.ID || got.Labels[1] != strange.Rule.Name {
		t.Errorf("%q, %q", got.Key, got.Labels)
	}
}

// Questions that cannot be answered say why.
func TestWrongQuestions(t *testing.T) {
	s := open(t, testConfig(t))
	ctx := context.Background()
	for _, c := range []struct {
		name string
		ask  func() error
		says string
	}{
		{"no dataset", func() error { _, err := s.Records(ctx, query.RecordRequest{}); return err }, `there is no dataset ""`},
		{"a foreign place", func() error {
			_, err := s.Records(ctx, query.RecordRequest{Dataset: event.DatasetAudit, After: "x"})
			return err
		}, "begin with the first page"},
		{"too many ids", func() error {
			_, err := s.Records(ctx, query.RecordRequest{IDs: make([]string, maxPage+1)})
			return err
		}, "at most 1000"},
		{"three dimensions", func() error {
			_, err := s.Sums(ctx, query.Request{By: []query.Dimension{query.BySite, query.ByUser, query.ByDay}})
			return err
		}, "at most two"},
		{"twice the same", func() error {
			_, err := s.Sums(ctx, query.Request{By: []query.Dimension{query.BySite, query.BySite}})
			return err
		}, "twice"},
		{"two times", func() error {
			_, err := s.Sums(ctx, query.Request{By: []query.Dimension{query.ByDay, query.ByMonth}})
			return err
		}, "at once"},
		{"an unknown dimension", func() error { _, err := s.Sums(ctx, query.Request{By: []query.Dimension{"colour"}}); return err }, `by "colour"`},
		{"an unknown measure", func() error { _, err := s.Sums(ctx, query.Request{OrderBy: "beauty"}); return err }, `by "beauty"`},
		{"half an hour", func() error { _, err := s.Sums(ctx, query.Request{From: noon.Add(time.Minute)}); return err }, "whole hours"},
		{"below zero", func() error { _, err := s.Sums(ctx, query.Request{Offset: -1}); return err }, "below zero"},
		{"seconds", func() error { _, err := s.Coverage(ctx, noon, noon.Add(time.Hour), time.Second); return err }, "whole minutes"},
		{"backwards", func() error { _, err := s.Coverage(ctx, noon, noon.Add(-time.Hour), time.Hour); return err }, "empty"},
		{"too many steps", func() error { _, err := s.Coverage(ctx, noon, noon.AddDate(9, 0, 0), time.Minute); return err }, "at most 100000"},
		{"cancelled", func() error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			_, err := s.Sums(ctx, query.Request{})
			return err
		}, "context canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.ask(); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want: %s", err, c.says)
			}
		})
	}
}

// Order, limit and offset cut an answer as they should; shared addresses and nobody are groups, but no users.
func TestOrderAndLimit(t *testing.T) {
	s := open(t, testConfig(t))
	var batch []event.Event
	for i := range 10 {
		for j := range i + 1 {
			batch = append(batch, activity(noon.Add(time.Duration(10-i)*time.Minute), fmt.Sprint("user ", i), "chat", 100*i+j))
		}
	}
	shared, nobody := activity(noon, "x", "chat", 5000), activity(noon, "", "chat", 6000)
	shared.Gnomon.Attribution.Shared, nobody.User, nobody.Source.IP = true, nil, ""
	export(t, s, append(batch, shared, nobody))
	for _, c := range []struct {
		name string
		q    query.Request
		want []string
	}{
		{"upload", query.Request{OrderBy: query.Upload, Limit: 3}, []string{"user 9", "user 8", "user 7"}},
		{"upload, the next", query.Request{OrderBy: query.Upload, Limit: 2, Offset: 3}, []string{"user 6", "user 5"}},
		{"last", query.Request{OrderBy: query.Last, Limit: 2}, []string{"user 0", "user 1"}},
		{"key", query.Request{Limit: 3}, []string{"", "shared", "user 0"}},
		{"beyond", query.Request{Offset: 100}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.q.By = []query.Dimension{query.ByUser}
			rows, err := s.Sums(context.Background(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range rows {
				got = append(got, r.Key[0])
				if users := map[bool]uint64{true: 0, false: 1}[r.Key[0] == "" || r.Key[0] == "shared"]; r.Users != users {
					t.Errorf("%q has %d users", r.Key[0], r.Users)
				}
				if r.Key[0] == "shared" && r.Labels[0] != "shared addresses (proxy, resolver)" {
					t.Errorf("it is called %q", r.Labels[0])
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	rows, err := s.Sums(context.Background(), query.Request{})
	if err != nil || rows[0].Users != 10 || rows[0].Flows != 57 {
		t.Errorf("in all: %+v, %v", rows, err)
	}
}
