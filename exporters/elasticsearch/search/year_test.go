//go:build integration

package search

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/setup"
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/exporters/store/yeartest"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// What the benchmark is measured on: with 10,000 users a day has 74,000 records. Records are stored from one day to another, so that many can be
// stored in several runs.
var (
	yearUsers = flag.Int("yearusers", 300, "users")
	yearDays  = flag.Int("yeardays", 20, "days")
	yearFrom  = flag.Int("yearfrom", 0, "the first day that is stored: those before are there")
	yearKeep  = flag.String("yearkeep", "", "the namespace in which they are kept, and looked for; default: one of this run")
	yearRoll  = flag.Int("yearroll", 7, "after how many days an index is followed by the next, as the lifecycle would have it; 0: never")
	yearWeeks = flag.Int("yearweeks", 0, "how many weeks later the records are than package yeartest has them, so that they may end today")
	yearSees  = flag.Int("yearsees", 2, "sensors that write coverage, a record a minute")
)

// first is the first day.
func first() time.Time { return yeartest.First().AddDate(0, 0, 7**yearWeeks) }

// yearStore stores a year through the exporter, in indices as they would have come to be day by day.
type yearStore struct {
	*elasticsearch.Exporter
	c         *node
	namespace string
	day       int
	r         *rand.Rand
}

// Export implements yeartest.Store.
func (s *yearStore) Export(ctx context.Context, batch []event.Event, out []exporters.Outcome) error {
	later := event.Time(first().Sub(yeartest.First()))
	for i := range batch {
		ev := &batch[i]
		ev.Timestamp, ev.Event.Start, ev.Event.End = ev.Timestamp+later, ev.Event.Start+later, ev.Event.End+later
	}
	return s.export(ctx, batch, out)
}

// export sends records until the node takes them, as a spool would.
func (s *yearStore) export(ctx context.Context, batch []event.Event, out []exporters.Outcome) error {
	for range 60 {
		if err := s.Exporter.Export(ctx, batch, out); err != nil || !slices.ContainsFunc(out, func(o exporters.Outcome) bool { return o.State == exporters.Again }) {
			return err
		}
		if err := wait(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

// Maintain implements yeartest.Store: it stores the coverage of the day, and begins a new index when it is time.
func (s *yearStore) Maintain(ctx context.Context) error {
	s.day++
	if s.day <= *yearFrom {
		return nil
	}
	day := first().AddDate(0, 0, s.day-1)
	if err := s.watch(ctx, day); err != nil {
		return err
	}
	if *yearRoll == 0 || s.day%*yearRoll != 0 || s.day == *yearDays {
		return nil
	}
	return s.roll(ctx)
}

// watch stores the coverage of a day, minute by minute, as it would have come.
func (s *yearStore) watch(ctx context.Context, day time.Time) error {
	list := make([]event.Event, 0, 24*60**yearSees)
	for m := range 24 * 60 {
		for n := range *yearSees {
			list = append(list, s.minute(day.Add(time.Duration(m)*time.Minute), n, m%60 == 59)) // clients are written by the hour
		}
	}
	return s.export(ctx, list, make([]exporters.Outcome, len(list)))
}

// minute is what a sensor saw in one.
func (s *yearStore) minute(start time.Time, n int, clients bool) event.Event {
	part := func() event.Part { return event.Part{Flows: s.r.Uint64N(50), Bytes: s.r.Uint64N(1e6)} }
	name := fmt.Sprintf("sensor-%d", n)
	c := &event.Coverage{Received: s.r.Uint64N(1e6), Dropped: s.r.Uint64N(10), Flows: s.r.Uint64N(500), FlowsReadable: s.r.Uint64N(400), FlowsNamed: s.r.Uint64N(300),
		ECH: s.r.Uint64N(9), EncryptedDNS: s.r.Uint64N(9), BytesWithUser: s.r.Uint64N(1e7), QueueAgeS: 0.5, Undecodable: map[string]uint64{"cut_short": s.r.Uint64N(9), "not_ip": 1},
		Web: event.Sight{Named: part(), ECH: part(), Nameless: part()}, OtherPorts: event.Sight{Relay: part(), EncryptedDNS: part()},
		HiddenBy: map[string]event.Part{"wireguard": part(), "ech": part()}, Sources: map[string]event.Source{"squid": {Read: 900, Used: 30}}}
	for i := range 20 {
		if clients {
			c.Clients = append(c.Clients, event.ClientSight{Source: &event.Endpoint{IP: fmt.Sprintf("10.0.%d.%d", n, i)}, Web: event.Sight{Relay: part()}})
		}
	}
	return event.Event{Timestamp: event.At(start.Add(time.Minute)), ECS: &event.ECS{Version: event.ECSVersion},
		Observer: &event.Observer{ID: "id of " + name, Name: name, Type: "sensor", Version: "1"},
		Event: event.Meta{Dataset: event.DatasetCoverage, Kind: "metric", Start: event.At(start), End: event.At(start.Add(time.Minute)),
			ID: event.KeyID(start.UnixNano(), event.DatasetCoverage, name)},
		Gnomon: &event.Gnomon{Schema: event.SchemaVersion, Site: fmt.Sprintf("site-%d", n), Coverage: c}}
}

// roll begins a new index of activity.
func (s *yearStore) roll(ctx context.Context) error {
	stream := "/" + elasticsearch.Stream(event.DatasetActivity, s.namespace)
	for _, ask := range []struct{ method, path, body string }{{http.MethodPost, stream + "/_rollover", ""}, {http.MethodPut, stream + "/_settings", quiet}} {
		if status, answer, err := s.c.Do(ctx, ask.method, ask.path, []byte(ask.body)); err != nil || status != http.StatusOK {
			return fmt.Errorf("%s: %d %s %w", ask.path, status, answer, err)
		}
	}
	return nil
}

// While a year is stored, indices need not be searched; afterwards they are as setup has them.
const (
	quiet = `{"index":{"refresh_interval":"30s"}}`
	awake = `{"index":{"refresh_interval":null}}`
)

// How long questions of pages and reports take.
func BenchmarkNodeYear(b *testing.B) {
	for name, c := range nodes(b) {
		b.Run(name, func(b *testing.B) {
			namespace := *yearKeep
			if namespace == "" {
				namespace = fmt.Sprintf("year%d", time.Now().UnixNano())
			}
			year := yeartest.Year{Users: *yearUsers, Services: 300, Days: *yearDays, Batch: 2000, Skip: *yearFrom}
			storeYear(b, c, namespace, year)
			r := New(c, namespace, elasticsearch.LayoutStream)
			for _, q := range yearQuestions(year) {
				b.Run(q.name, func(b *testing.B) { askAgain(b, r, q.q) })
			}
		})
	}
}

// storeYear stores what is not there yet.
func storeYear(b *testing.B, c *node, namespace string, year yeartest.Year) {
	ctx := context.Background()
	target, err := setup.Probe(ctx, c, namespace, elasticsearch.LayoutStream)
	if err != nil {
		b.Fatal(err)
	}
	run := setup.Run{Server: c, Config: setup.Default(), Force: true, Tell: func(setup.Step) {}}
	if err := run.Do(ctx, &target); err != nil {
		b.Fatal(err)
	}
	if year.Skip >= year.Days {
		return
	}
	conf := elasticsearch.Default()
	conf.Addresses, conf.Proxy, conf.Namespace = []string{c.address}, "direct", namespace
	e, err := elasticsearch.Open(conf, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	begun := time.Now()
	n, err := year.Make(ctx, &yearStore{Exporter: e, c: c, namespace: namespace, r: rand.New(rand.NewPCG(5, 6))}, func(time.Time) {})
	if err != nil {
		b.Fatal(err)
	}
	stream := "/" + elasticsearch.Stream(event.DatasetActivity, namespace)
	for _, ask := range []struct{ method, path, body string }{{http.MethodPut, stream + "/_settings", awake}, {http.MethodPost, stream + "/_refresh", ""}} {
		if status, answer, err := c.Do(ctx, ask.method, ask.path, []byte(ask.body)); err != nil || status != http.StatusOK {
			b.Fatalf("%s: %d %s %v", ask.path, status, answer, err)
		}
	}
	b.Logf("%d records in %v", n, time.Since(begun).Round(time.Second))
}

type yearQuestion struct {
	name string
	q    query.Request
}

// yearQuestions are what pages and reports ask.
func yearQuestions(y yeartest.Year) []yearQuestion {
	from, to := first(), first().AddDate(0, 0, y.Days)
	by := func(d ...query.Dimension) []query.Dimension { return d }
	last := to.AddDate(0, 0, -7)
	return []yearQuestion{
		{"all, totals", query.Request{From: from, To: to}},
		{"all by month and status", query.Request{From: from, To: to, By: by(query.ByMonth, query.ByStatus)}},
		{"all, top services", query.Request{From: from, To: to, By: by(query.ByService), OrderBy: query.Users, Limit: 20}},
		{"all by department", query.Request{From: from, To: to, By: by(query.ByDepartment), OrderBy: query.Upload}},
		{"all, top users", query.Request{From: from, To: to, By: by(query.ByUser), OrderBy: query.Upload, Limit: 50}},
		{"one user by month and service", query.Request{From: from, To: to, Where: query.Filter{Users: []string{"9e3779b15bd1e995"}}, By: by(query.ByMonth, query.ByService)}},
		{"prohibited by user and service", query.Request{From: from, To: to, Where: query.Filter{Statuses: []string{"prohibited"}}, By: by(query.ByUser, query.ByService), Limit: 100}},
		{"all by day", query.Request{From: from, To: to, By: by(query.ByDay)}},
		{"week by day", query.Request{From: last, To: to, By: by(query.ByDay)}},
		{"week by service", query.Request{From: last, To: to, By: by(query.ByService), OrderBy: query.Visits}},
		{"week by user", query.Request{From: last, To: to, By: by(query.ByUser), OrderBy: query.Upload, Limit: 50}},
		{"day by hour", query.Request{From: last, To: last.AddDate(0, 0, 1), By: by(query.ByHour)}},
	}
}

// askAgain asks again and again, each time for a period that begins an hour later, so that no cache has the answer.
func askAgain(b *testing.B, r *Reader, q query.Request) {
	var times []time.Duration
	for i := range b.N {
		again := q
		again.From = q.From.Add(time.Duration(i%20) * time.Hour)
		begun := time.Now()
		rows, err := r.Sums(context.Background(), again)
		if err != nil || len(rows) == 0 {
			b.Fatal(len(rows), err)
		}
		times = append(times, time.Since(begun))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(times[len(times)*95/100].Milliseconds()), "p95-ms")
}
