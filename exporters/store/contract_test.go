package store

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/exportertest"
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// ids reads every record of a store, page by page, and counts how often each is there.
func ids(t testing.TB, path string) map[string]int {
	t.Helper()
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := map[string]int{}
	for _, dataset := range []string{event.DatasetActivity, event.DatasetFinding, event.DatasetCoverage, event.DatasetCandidate, event.DatasetAudit} {
		for _, ev := range pages(t, r, query.RecordRequest{Dataset: dataset, Limit: 1000}) {
			got[ev.Event.ID]++
		}
	}
	return got
}

// pages reads all pages of an answer.
func pages(t testing.TB, r query.Query, q query.RecordRequest) []event.Event {
	t.Helper()
	var all []event.Event
	for {
		page, err := r.Records(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Records...)
		if page.Next == "" {
			return all
		}
		q.After = page.Next
	}
}

func TestContract(t *testing.T) {
	exportertest.Run(t, exportertest.Subject{Idempotent: true, Open: func(t *testing.T) (exporters.Exporter, func(*testing.T) map[string]int) {
		c := testConfig(t)
		return open(t, c), func(t *testing.T) map[string]int { return ids(t, c.Path) }
	}})
}

// What cannot be kept is refused for good, with the reason, and the rest of the batch is stored.
func TestNever(t *testing.T) {
	s := open(t, testConfig(t))
	whole := activity(noon, "u1", "chat", 1)
	for _, c := range []struct {
		name   string
		change func(*event.Event)
		reason string
	}{
		{"no id", func(ev *event.Event) { ev.Event.ID = "" }, "the record has no event.id"},
		{"no dataset", func(ev *event.Event) { ev.Event.Dataset = "" }, `the store does not know the dataset ""`},
		{"another dataset", func(ev *event.Event) { ev.Event.Dataset = "other" }, `the store does not know the dataset "other"`},
		{"too large", func(ev *event.Event) { ev.Message = strings.Repeat("x", maxRecord) }, "at most 1048576 are kept"},
		{"no number", func(ev *event.Event) { ev.Gnomon.Coverage = &event.Coverage{QueueAgeS: inf()} }, "unsupported value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := activity(noon, "u1", "chat", 2)
			c.change(&bad)
			out := make([]exporters.Outcome, 2)
			if err := s.Export(context.Background(), []event.Event{bad, whole}, out); err != nil {
				t.Fatal(err)
			}
			if out[0].State != exporters.Never || !strings.Contains(out[0].Reason, c.reason) {
				t.Errorf("got %+v, want never: %s", out[0], c.reason)
			}
			if out[1].State != exporters.Stored {
				t.Errorf("the other event: %+v", out[1])
			}
		})
	}
}

func inf() float64 { z := 0.0; return 1 / z }

// A closed store says so.
func TestExportAfterClose(t *testing.T) {
	s := open(t, testConfig(t))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	err := s.Export(context.Background(), []event.Event{activity(noon, "u", "chat", 1)}, make([]exporters.Outcome, 1))
	if err == nil || !strings.Contains(err.Error(), "the store is closed") {
		t.Fatalf("got %v", err)
	}
	if err := s.Maintain(context.Background()); err == nil {
		t.Fatal("a closed store was tidied up")
	}
}

// The same record, under an identifier of ours or of another form, is known again on every later day of its life.
func TestAgainOnLaterDays(t *testing.T) {
	c := testConfig(t)
	now := newClock(noon)
	c.Now = now.now
	s := open(t, c)
	foreign := activity(noon, "u1", "chat", 2)
	foreign.Event.ID = "elsewhere-1"
	old := activity(noon.AddDate(0, -3, 0), "u2", "code", 3)
	batch := []event.Event{activity(noon, "u1", "chat", 1), foreign, old}
	for range 29 {
		export(t, s, batch)
		export(t, s, []event.Event{activity(now.now(), "u3", "chat", 9)}) // each day has a part
		maintain(t, s)
		now.add(24 * time.Hour)
	}
	if n := len(s.w.parts); n < 29 {
		t.Fatalf("there are %d parts", n)
	}
	rows, err := s.Sums(context.Background(), query.Request{By: []query.Dimension{query.ByUser}})
	if err != nil {
		t.Fatal(err)
	}
	if rows[0].Flows != 2 || rows[0].Visits != 1 || rows[1].Flows != 1 || rows[2].Flows != 29 {
		t.Fatalf("%+v", rows)
	}
}
