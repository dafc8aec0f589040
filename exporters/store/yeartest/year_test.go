package yeartest

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/exporters/store"
)

// yearStore names a directory for the full year: it is made there once, which takes half an hour, and stays. Without it a small
// organisation is measured, in a temporary directory.
var yearStore = flag.String("yearstore", "", "directory of the store with the full year; it is made if it is not there")

// makeYear opens the year, and makes it first if need be.
func makeYear(b *testing.B) (*store.Reader, Year) {
	year, dir := Year{Users: 200, Services: 60, Days: 60, Batch: 5000}, b.TempDir()
	if *yearStore != "" {
		year, dir = Full(), *yearStore
	}
	path := filepath.Join(dir, "gnomon.db")
	if _, err := os.Stat(path + ".made"); err != nil {
		var now atomic.Int64
		config := store.Default(path)
		config.Every = -1
		config.Now = func() time.Time { return time.Unix(now.Load(), 0) }
		s, err := store.Open(config)
		if err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		n, err := year.Make(context.Background(), s, func(t time.Time) { now.Store(t.Unix()) })
		if err != nil {
			b.Fatal(err)
		}
		b.Logf("%d records in %v: %.0f a second", n, time.Since(begun).Round(time.Second), float64(n)/time.Since(begun).Seconds())
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path+".made", nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("the store has %d MB", info.Size()>>20)
	r, err := store.OpenReader(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := r.Close(); err != nil {
			b.Error(err)
		}
	})
	return r, year
}

// The year is the same each time, and all of it is in the sums.
func TestYear(t *testing.T) {
	var made [2]query.Row
	for i := range made {
		config := store.Default(filepath.Join(t.TempDir(), "gnomon.db"))
		var now atomic.Int64
		config.Every = -1
		config.Now = func() time.Time { return time.Unix(now.Load(), 0) }
		s, err := store.Open(config)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		n, err := Year{Users: 30, Services: 20, Days: 9, Batch: 500}.Make(context.Background(), s, func(t time.Time) { now.Store(t.Unix()) })
		if err != nil {
			t.Fatal(err)
		}
		rows, err := s.Sums(context.Background(), query.Request{})
		if err != nil {
			t.Fatal(err)
		}
		made[i] = rows[0]
		if rows[0].Users != 30 || rows[0].Flows != uint64(n) || n < 1000 {
			t.Errorf("%d records, and the sums are %+v", n, rows[0])
		}
	}
	if !reflect.DeepEqual(made[0], made[1]) {
		t.Errorf("once %+v, then %+v", made[0], made[1])
	}
}

// questions are what pages and reports ask.
func questions(y Year) []struct {
	name string
	q    query.Request
} {
	from, to := First(), First().AddDate(0, 0, y.Days)
	month := First().AddDate(0, 0, y.Days/2)
	month = time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, time.UTC)
	next := month.AddDate(0, 1, 0)
	berlin := time.FixedZone("UTC+1", 3600)
	by := func(d ...query.Dimension) []query.Dimension { return d }
	someone := query.Filter{Users: []string{"9e3779b15bd1e995"}}
	return []struct {
		name string
		q    query.Request
	}{
		{"year, totals", query.Request{From: from, To: to}},
		{"year by month and status", query.Request{From: from, To: to, By: by(query.ByMonth, query.ByStatus)}},
		{"year, top services", query.Request{From: from, To: to, By: by(query.ByService), OrderBy: query.Users, Limit: 20}},
		{"year by department", query.Request{From: from, To: to, By: by(query.ByDepartment), OrderBy: query.Upload}},
		{"year by department and service", query.Request{From: from, To: to, By: by(query.ByDepartment, query.ByService), OrderBy: query.Upload, Limit: 100}},
		{"year, top users", query.Request{From: from, To: to, By: by(query.ByUser), OrderBy: query.Upload, Limit: 50}},
		{"year of one user by month and service", query.Request{From: from, To: to, Where: someone, By: by(query.ByMonth, query.ByService)}},
		{"year of one service by department", query.Request{From: from, To: to, Where: query.Filter{Services: []string{"service-007"}},
			By: by(query.ByDepartment)}},
		{"prohibited, year by user and service", query.Request{From: from, To: to, Where: query.Filter{Statuses: []string{"prohibited"}},
			By: by(query.ByUser, query.ByService), OrderBy: query.Upload, Limit: 100}},
		{"year by week", query.Request{From: from, To: to, By: by(query.ByWeek)}},
		{"year by day", query.Request{From: from, To: to, By: by(query.ByDay)}},
		{"year from the middle of a month, top services", query.Request{From: from.Add(9*24*time.Hour + 7*time.Hour), To: to.Add(-9*24*time.Hour - 5*time.Hour),
			By: by(query.ByService), OrderBy: query.Users, Limit: 20}},
		{"month by day", query.Request{From: month, To: next, By: by(query.ByDay)}},
		{"month by day in another zone", query.Request{From: month, To: next, By: by(query.ByDay), Location: berlin}},
		{"month by day and service", query.Request{From: month, To: next, By: by(query.ByDay, query.ByService)}},
		{"30 days by service", query.Request{From: to.AddDate(0, 0, -30), To: to, By: by(query.ByService), OrderBy: query.Visits}},
		{"day by hour", query.Request{From: month.AddDate(0, 0, 9), To: month.AddDate(0, 0, 10), By: by(query.ByHour)}},
	}
}

// How long questions over a year take: the first time, with nothing in memory but the file system's cache, and again.
func BenchmarkYear(b *testing.B) {
	r, year := makeYear(b)
	for _, c := range questions(year) {
		b.Run(c.name, func(b *testing.B) {
			var times []time.Duration
			for range b.N {
				begun := time.Now()
				rows, err := r.Sums(context.Background(), c.q)
				if err != nil {
					b.Fatal(err)
				}
				if len(rows) == 0 {
					b.Fatal("there is nothing")
				}
				times = append(times, time.Since(begun))
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}
