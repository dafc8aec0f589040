//go:build integration

package search

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/exporters/report"
)

var yearRounds = flag.Int("yearrounds", 3, "how often each page and report is asked for, cold and warm")

// whole is a page or a report.
type whole struct {
	name string
	ask  func(*testing.B)
}

// How long whole pages and reports take over the records that BenchmarkNodeYear has kept (-yearkeep), which end with yesterday (-yearweeks): cold,
// with the caches of the cluster cleared, and warm, asked again.
func BenchmarkNodeWholes(b *testing.B) {
	for name, c := range nodes(b) {
		b.Run(name, func(b *testing.B) {
			r := New(c, *yearKeep, elasticsearch.LayoutStream)
			if err := r.Exists(context.Background()); err != nil {
				b.Fatal("store a year first, with BenchmarkNodeYear and -yearkeep: ", err)
			}
			for _, w := range slices.Concat(wholePages(b, r), wholeReports(r)) {
				b.Run(w.name, func(b *testing.B) {
					var cold, warm []time.Duration
					for range *yearRounds {
						if status, answer, err := c.Do(context.Background(), http.MethodPost, "/_cache/clear", nil); err != nil || status != http.StatusOK {
							b.Fatalf("%d %s %v", status, answer, err)
						}
						cold, warm = append(cold, took(b, w.ask)), append(warm, took(b, w.ask))
					}
					for kind, times := range map[string][]time.Duration{"cold": cold, "warm": warm} {
						slices.Sort(times)
						b.ReportMetric(float64(times[len(times)/2].Milliseconds()), kind+"-p50-ms")
						b.ReportMetric(float64(times[len(times)-1].Milliseconds()), kind+"-max-ms")
					}
				})
			}
		})
	}
}

func took(b *testing.B, ask func(*testing.B)) time.Duration {
	begun := time.Now()
	ask(b)
	return time.Since(begun)
}

// wholePages are the pages, as an analyst and a viewer see them.
func wholePages(b *testing.B, r *Reader) []whole {
	c := dashboard.Default()
	c.Proxy.From, c.Proxy.Analysts, c.Proxy.Viewers = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, []string{"analysts"}, []string{"viewers"}
	pages, err := dashboard.New(c, dashboard.Parts{Query: r, About: func() dashboard.About { return dashboard.About{} }})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(pages)
	b.Cleanup(server.Close)
	var all []whole
	for _, role := range []string{"analysts", "viewers"} {
		for _, path := range []string{"/", "/?measure=users", "/services", "/services/service-001", "/departments", "/departments/department%2007", "/users",
			"/users/9e3779b15bd1e995", "/records", "/findings", "/coverage", "/?status=prohibited"} {
			if role == "viewers" && (strings.HasPrefix(path, "/users") || path == "/records") {
				continue
			}
			for _, p := range []string{"7d", "30d", "12w"} {
				at := server.URL + path + map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "p=" + p
				all = append(all, whole{role + path + " " + p, func(b *testing.B) { look(b, at, role) }})
			}
		}
	}
	return all
}

// look fetches a page.
func look(b *testing.B, address, group string) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("X-Forwarded-User", "somebody")
	r.Header.Set("X-Forwarded-Groups", group)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		b.Errorf("%s: %d %.500s %v", address, answer.StatusCode, text, err)
	}
}

// wholeReports are the reports of a month and of all.
func wholeReports(r *Reader) []whole {
	var all []whole
	to := first().AddDate(0, 0, *yearDays)
	for _, audience := range []report.Audience{report.Management, report.DLP} {
		for name, from := range map[string]time.Time{"month": to.AddDate(0, -1, 0), "all": first()} {
			all = append(all, whole{fmt.Sprint(audience, " ", name), func(b *testing.B) {
				doc, err := report.Build(context.Background(), r, report.Request{Audience: audience, From: from, To: to, Now: to.Add(time.Hour), Location: time.UTC, MinDepartment: 5})
				if err != nil {
					b.Fatal(err)
				}
				if err := doc.WriteText(io.Discard); err != nil {
					b.Fatal(err)
				}
			}})
		}
	}
	return append(all, whole{"findings", func(b *testing.B) {
		if _, err := r.Records(context.Background(), query.RecordRequest{Dataset: "gnomon.finding", From: first(), To: to, Limit: 100}); err != nil {
			b.Fatal(err)
		}
	}})
}
