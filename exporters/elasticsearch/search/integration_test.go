//go:build integration

package search

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/setup"
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/exporters/report"
	"github.com/gnomon-sensor/gnomon/exporters/store"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// node is a cluster to test against.
type node struct {
	*elasticsearch.Client
	address string
}

// nodes are the clusters to test against, by the variables that .ci/nodes/nodes env prints.
func nodes(t testing.TB) map[string]*node {
	t.Helper()
	all := map[string]*node{}
	for _, name := range []string{"ELASTICSEARCH8", "ELASTICSEARCH9", "OPENSEARCH2"} {
		address := os.Getenv("GNOMON_TEST_" + name)
		if address == "" {
			continue
		}
		conf := elasticsearch.Default()
		conf.Addresses, conf.Proxy = []string{address}, "direct"
		c, err := elasticsearch.NewClient(&conf, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		is, err := c.Server(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		all[is.Distribution+" "+is.Version] = &node{c, address}
	}
	if len(all) == 0 {
		t.Fatal("no cluster to test against: start them with make elasticsearch-up")
	}
	return all
}

// prepare makes a namespace of its own ready, for one test.
func prepare(t *testing.T, c *node, layout string) (namespace string) {
	t.Helper()
	ctx := context.Background()
	namespace = fmt.Sprintf("t%d", time.Now().UnixNano())
	target, err := setup.Probe(ctx, c, namespace, layout)
	if err != nil {
		t.Fatal(err)
	}
	run := setup.Run{Server: c, Config: setup.Default(), Force: true, Tell: func(setup.Step) {}}
	if err := run.Do(ctx, &target); err != nil {
		t.Fatal(err)
	}
	return namespace // what lies there goes with the node: it cannot delete a data stream
}

// bulk creates records, and makes them visible.
func bulk(t testing.TB, c *node, namespace, layout string, records []event.Event) {
	t.Helper()
	for part := range slices.Chunk(records, 5000) {
		var b bytes.Buffer
		for i := range part {
			ev := &part[i]
			index := elasticsearch.Stream(ev.Event.Dataset, namespace)
			if layout == elasticsearch.LayoutDaily {
				index = elasticsearch.Daily(ev.Event.Dataset, namespace) + ev.Timestamp.Time().Format("2006.01.02")
			}
			fmt.Fprintf(&b, `{"create":{"_index":%q,"_id":%q}}`+"\n", index, ev.Event.ID)
			text, err := json.Marshal(ev)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(text, '\n'))
		}
		status, answer, err := c.Do(context.Background(), http.MethodPost, "/_bulk?refresh=true&filter_path=errors,items.*.error", b.Bytes())
		if err != nil || status != http.StatusOK || bytes.Contains(answer, []byte(`"errors":true`)) {
			t.Fatalf("%d %.2000s %v", status, answer, err)
		}
	}
}

// both puts the same records into a store and a cluster.
func both(t *testing.T, c *node, layout string, records []event.Event, now time.Time, loc *time.Location) (*store.Store, *Reader) {
	t.Helper()
	conf := store.Default(filepath.Join(t.TempDir(), "gnomon.db"))
	conf.Every, conf.Location, conf.Now = -1, loc, func() time.Time { return now }
	s, err := store.Open(conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	out := make([]exporters.Outcome, len(records))
	if err := s.Export(context.Background(), records, out); err != nil {
		t.Fatal(err)
	}
	namespace := prepare(t, c, layout)
	bulk(t, c, namespace, layout, records)
	return s, New(c, namespace, layout)
}

// The same records give the same answers from the embedded store and from a cluster.
func TestNodeSameAnswers(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range nodes(t) {
		for _, w := range []struct {
			name, layout string
			loc          *time.Location
			from         time.Time
			spread       time.Duration
		}{
			{"two months", elasticsearch.LayoutStream, time.UTC, time.Date(2026, 9, 17, 0, 0, 0, 0, time.UTC), 60 * 24 * time.Hour},
			{"end of summer time", elasticsearch.LayoutDaily, berlin, time.Date(2026, 10, 23, 22, 0, 0, 0, time.UTC), 60 * time.Hour},
		} {
			t.Run(name+"/"+w.name, func(t *testing.T) {
				r := rand.New(rand.NewPCG(3, 4))
				records := world(r, w.from, w.spread, 3000)
				s, reader := both(t, c, w.layout, records, w.from.Add(w.spread), w.loc)
				compareSums(t, r, s, reader, w.from, w.spread, w.loc)
				compareFirst(t, r, reader, w.from, w.spread, w.loc)
				compareRecords(t, s, reader, w.from)
				compareCoverage(t, s, reader, w.from)
				compareReports(t, s, reader, w.from, w.spread, w.loc)
				checkFleet(t, reader, w.from)
				a, err := s.Span(context.Background())
				b, err2 := reader.Span(context.Background())
				if err != nil || err2 != nil || a.RecordsFrom.Truncate(time.Second) != b.RecordsFrom || a.To.Truncate(time.Second) != b.To {
					t.Errorf("span: %v, %v; %v %v", a, b, err, err2)
				}
			})
		}
	}
}

// all pages of an answer.
func pages(t *testing.T, q query.Query, r query.RecordRequest) []event.Event {
	t.Helper()
	var list []event.Event
	for {
		page, err := q.Records(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		if list = append(list, page.Records...); page.Next == "" {
			return list
		}
		r.After = page.Next
	}
}

func compareRecords(t *testing.T, s, reader query.Query, from time.Time) {
	t.Helper()
	for name, r := range map[string]query.RecordRequest{
		"activity":     {Dataset: event.DatasetActivity, Limit: 700},
		"of a day":     {Dataset: event.DatasetActivity, From: from.Add(5 * time.Hour), To: from.Add(29 * time.Hour), Limit: 1000},
		"of a user":    {Dataset: event.DatasetActivity, Where: query.Filter{Users: []string{"u2", "ip:10.0.0.1@paris"}, Statuses: []string{"prohibited"}}, Limit: 100},
		"findings":     {Dataset: event.DatasetFinding, Action: "upload-limit", Limit: 7},
		"of a service": {Dataset: event.DatasetFinding, Where: query.Filter{Services: []string{"chat"}}},
		"coverage":     {Dataset: event.DatasetCoverage, Limit: 1000},
		"candidates":   {Dataset: event.DatasetCandidate},
	} {
		got, want := pages(t, reader, r), pages(t, s, r)
		if name != "candidates" && len(want) == 0 {
			t.Errorf("%s: none to compare", name)
		}
		for _, list := range [][]event.Event{got, want} { // within a millisecond the order may differ
			slices.SortStableFunc(list, func(a, b event.Event) int { return strings.Compare(a.Event.ID, b.Event.ID) })
		}
		if !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%s: %d records, not %d, or others", name, len(got), len(want))
		}
	}
	compareSamples(t, s, reader)
	ids := pages(t, s, query.RecordRequest{Dataset: event.DatasetActivity, Limit: 1000})
	byID := query.RecordRequest{IDs: []string{ids[7].Event.ID, ids[3].Event.ID, "none"}}
	if got := pages(t, reader, byID); len(got) != 2 || got[0].Event.ID != ids[3].Event.ID {
		t.Errorf("by id: %d records", len(got))
	}
}

func compareCoverage(t *testing.T, s *store.Store, reader *Reader, from time.Time) {
	t.Helper()
	for _, step := range []time.Duration{time.Hour, 24 * time.Hour, 5 * time.Minute, time.Minute} {
		want, err := s.Coverage(context.Background(), from, from.Add(6*time.Hour), step)
		got, err2 := reader.Coverage(context.Background(), from, from.Add(6*time.Hour), step)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		for i := range want {
			if !reflect.DeepEqual(want[i], got[i]) {
				t.Fatalf("steps of %v, %d:\n got %+v\nwant %+v", step, i, got[i], want[i])
			}
		}
	}
	want, err := s.BlindClients(context.Background(), from.Add(-48*time.Hour), from.Add(48*time.Hour), 0)
	got, err2 := reader.BlindClients(context.Background(), from.Add(-48*time.Hour), from.Add(48*time.Hour), 0)
	if err != nil || err2 != nil || !reflect.DeepEqual(got, want) || len(want) < 5 {
		t.Errorf("clients: %v %v\n got %+v\nwant %+v", err, err2, got, want)
	}
}

// Reports over both are the same document.
func compareReports(t *testing.T, s, reader query.Query, from time.Time, spread time.Duration, loc *time.Location) {
	t.Helper()
	for _, audience := range []report.Audience{report.Management, report.DLP} {
		var texts [2]bytes.Buffer
		for i, q := range []query.Query{s, reader} {
			r, err := report.Build(context.Background(), q, report.Request{Audience: audience, From: from, To: from.Add(spread), Now: from.Add(spread), Location: loc, MinDepartment: 3})
			if err != nil {
				t.Fatal(err)
			}
			r.Coverage.RecordsFrom, r.Coverage.SumsFrom = time.Time{}, time.Time{} // to the nanosecond from one, to the second from the other
			if err := r.WriteJSON(&texts[i]); err != nil {
				t.Fatal(err)
			}
		}
		if want, got := texts[0].String(), texts[1].String(); want != got || len(want) < 2000 {
			at := 0
			for at < min(len(want), len(got)) && want[at] == got[at] {
				at++
			}
			t.Errorf("the report for %s differs:\n got %.300s\nwant %.300s", audience, got[max(0, at-100):], want[max(0, at-100):])
		}
	}
}

// The fleet is the two sensors that wrote coverage, with what their records say.
func checkFleet(t *testing.T, reader *Reader, from time.Time) {
	t.Helper()
	fleet, err := reader.Fleet(context.Background(), from, from.Add(time.Hour))
	if err != nil || len(fleet) != 2 {
		t.Fatalf("%+v, %v", fleet, err)
	}
	berlin := fleet[0]
	if berlin.Name != "berlin-1" || berlin.Site != "berlin" || berlin.Version != "1.0" || berlin.Received == 0 || berlin.Dropped == 0 || berlin.QueueS == 0 || berlin.Minutes < 100 || berlin.Minutes > 142 ||
		berlin.Last.Before(from.Add(3*time.Hour)) {
		t.Errorf("%+v", berlin)
	}
	if berlin.Catalogue != "2026.11.1" || fleet[1].Catalogue != "" {
		t.Errorf("the catalogues are %q and %q", berlin.Catalogue, fleet[1].Catalogue)
	}
	ahead, within, err := reader.Clock(context.Background(), time.Now)
	if err != nil || max(ahead, -ahead) > 5*time.Second+within {
		t.Errorf("the cluster's clock is %v ahead (%v)", ahead, err)
	}
}

// Distinct users are counted within one per cent above the most that is exact.
func TestNodeManyUsers(t *testing.T) {
	const users, nobody = 60_000, 500
	at := time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC)
	var records []event.Event
	for i := range users + nobody {
		ev := event.Event{Timestamp: event.At(at.Add(time.Duration(i) * time.Millisecond)), Source: &event.Endpoint{IP: fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)},
			Event:  event.Meta{ID: event.KeyID(at.UnixNano(), "many", fmt.Sprint(i)), Dataset: event.DatasetActivity},
			Gnomon: &event.Gnomon{Schema: 1, Counted: ptr(true), Service: &event.Service{ID: fmt.Sprint("s", i%2)}}}
		if i < users {
			ev.User = &event.User{ID: fmt.Sprintf("user-%d", i)}
		}
		records = append(records, ev)
	}
	for name, c := range nodes(t) {
		t.Run(name, func(t *testing.T) {
			namespace := prepare(t, c, elasticsearch.LayoutStream)
			bulk(t, c, namespace, elasticsearch.LayoutStream, records)
			reader := New(c, namespace, elasticsearch.LayoutStream)
			for _, q := range []struct {
				name string
				by   []query.Dimension
				want float64
			}{{"all", nil, users + nobody}, {"by service", []query.Dimension{query.ByService}, (users + nobody) / 2}, {"by day", []query.Dimension{query.ByDay}, users + nobody}} {
				rows, err := reader.Sums(context.Background(), query.Request{By: q.by})
				if err != nil || len(rows) == 0 {
					t.Fatal(err)
				}
				if off := (float64(rows[0].Users) - q.want) / q.want; max(off, -off) > 0.01 {
					t.Errorf("%s: %d users, not %.0f: %.2f %% off", q.name, rows[0].Users, q.want, 100*off)
				} else {
					t.Logf("%s: %d users of %.0f: %.3f %% off", q.name, rows[0].Users, q.want, 100*off)
				}
			}
		})
	}
}
