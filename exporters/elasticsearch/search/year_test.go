//go:build integration

package search

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/setup"
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/exporters/store/yeartest"
)

// What the benchmark is measured on: with 10,000 users a day has 74,000 records. Records are stored from one day to another, so that many can be
// stored in several runs.
var (
	yearUsers = flag.Int("yearusers", 300, "users")
	yearDays  = flag.Int("yeardays", 20, "days")
	yearFrom  = flag.Int("yearfrom", 0, "the first day that is stored: those before are there")
	yearKeep  = flag.String("yearkeep", "", "the namespace in which they are kept, and looked for; default: one of this run")
)

// yearStore stores a year through the exporter.
type yearStore struct{ *elasticsearch.Exporter }

// Maintain implements yeartest.Store.
func (yearStore) Maintain(context.Context) error { return nil }

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
	n, err := year.Make(ctx, yearStore{e}, func(time.Time) {})
	if err != nil {
		b.Fatal(err)
	}
	if status, answer, err := c.Do(ctx, http.MethodPost, "/logs-gnomon.activity-"+namespace+"/_refresh", nil); err != nil || status != http.StatusOK {
		b.Fatalf("%d %s %v", status, answer, err)
	}
	b.Logf("%d records in %v", n, time.Since(begun).Round(time.Second))
}

type yearQuestion struct {
	name string
	q    query.Request
}

// yearQuestions are what pages and reports ask.
func yearQuestions(y yeartest.Year) []yearQuestion {
	from, to := yeartest.First(), yeartest.First().AddDate(0, 0, y.Days)
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
