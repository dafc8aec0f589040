package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/search"
)

// What is said of a sensor, the gravest alone.
func TestJudgeSensor(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		s       search.Sensor
		verdict verdict
		says    string
	}{
		{"well", search.Sensor{Last: now.Add(-time.Minute), Received: 1e9, Dropped: 10}, fine, ""},
		{"a little ahead", search.Sensor{Last: now.Add(4 * time.Second)}, fine, ""},
		{"ahead", search.Sensor{Last: now.Add(time.Minute)}, blind, "its clock is 1m0s ahead"},
		{"silent", search.Sensor{Last: now.Add(-time.Hour), Evicted: 3}, blind, "silent"},
		{"loss", search.Sensor{Last: now, Received: 98, Dropped: 2}, warn, "loses frames"},
		{"evictions", search.Sensor{Last: now, Evicted: 3}, warn, "3 flows"},
		{"queue", search.Sensor{Last: now, QueueS: 3600}, warn, "1h0m0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if m := judgeSensor(&c.s, now, 10*time.Millisecond); m.Verdict != c.verdict || !strings.Contains(m.Says, c.says) {
				t.Errorf("got %s: %s", m.Verdict, m.Says)
			}
		})
	}
}

// The list is made of what the cluster says, by its clock, and one silent sensor makes the exit status 1.
func TestFleet(t *testing.T) {
	for _, c := range []struct {
		name   string
		ago    time.Duration
		status int
		says   string
	}{{"alive", 30 * time.Second, statusDone, "0.50%"}, {"silent", 2 * time.Hour, statusFailed, "it is silent"}} {
		t.Run(c.name, func(t *testing.T) {
			ahead := time.Hour // of the cluster's clock
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Elastic-Product", "Elasticsearch")
				now := time.Now().Add(ahead)
				switch {
				case strings.HasPrefix(r.URL.Path, "/_nodes"):
					fmt.Fprintf(w, `{"nodes":{"a":{"timestamp":%d}}}`, now.UnixMilli())
				case strings.HasPrefix(r.URL.Path, "/metrics-gnomon.coverage"):
					fmt.Fprintf(w, `{"_shards":{"failed":0},"aggregations":{"sensors":{"buckets":[{"key":{"d0":"i1"},"newest":{"hits":{"hits":[{"_source":{"@timestamp":%q,
						"observer":{"name":"berlin-1","version":"1.2.3"},"gnomon":{"schema":1,"site":"berlin"}}}]}},
						"loss":{"doc_count":1440,"received":{"value":1990.0},"dropped":{"value":10.0},"evicted":{"value":0.0},"queue":{"value":1.5}}}]}}}`,
						now.Add(-c.ago).UTC().Format(time.RFC3339Nano))
				default:
					fmt.Fprint(w, `{"_shards":{"failed":0},"aggregations":{"sensors":{"buckets":[{"key":"i1","newest":{"hits":{"hits":[{"_source":{"rule":{"ruleset":"catalogue 2026.11.2"}}}]}}}]}}}`)
				}
			}))
			defer server.Close()
			var out strings.Builder
			p := program{stdin: strings.NewReader(""), stdout: &out, stderr: &out,
				environ: []string{"GNOMON_ELASTICSEARCH_ADDRESSES=" + server.URL, "GNOMON_ELASTICSEARCH_PROXY=direct", "HOME=" + t.TempDir()}}
			status := p.main(t.Context(), []string{"doctor", "--fleet"})
			for _, want := range []string{"berlin-1", "1.2.3", "2026.11.2", c.says} {
				if status != c.status || !strings.Contains(out.String(), want) {
					t.Errorf("status %d, want %q in\n%s", status, want, out.String())
				}
			}
		})
	}
}
