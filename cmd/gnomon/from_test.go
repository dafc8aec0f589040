package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A namespace that does not exist is said, with those that do; an empty one is none the worse.
func TestNoNamespace(t *testing.T) {
	for _, c := range []struct {
		name, streams string
		args          []string
		status        int
		says          []string
	}{
		{"report", "berlin", []string{"report", "--from", "elasticsearch", "--last", "month"}, statusFailed, []string{"logs-gnomon.activity-default", "berlin"}},
		{"findings", "berlin", []string{"findings", "--from", "elasticsearch"}, statusFailed, []string{"logs-gnomon.activity-default", "berlin"}},
		{"dashboard", "berlin", []string{"dashboard", "--from", "elasticsearch", "--listen", "127.0.0.1:0"}, statusFailed, []string{"logs-gnomon.activity-default", "berlin"}},
		{"fleet", "berlin", []string{"doctor", "--fleet"}, statusFailed, []string{"logs-gnomon.activity-default", "berlin"}},
		{"empty", "default", []string{"findings", "--from", "elasticsearch"}, statusDone, []string{"No findings in this period."}},
		{"empty fleet", "default", []string{"doctor", "--fleet"}, statusDone, []string{"No sensor"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Elastic-Product", "Elasticsearch")
				switch {
				case strings.HasPrefix(r.URL.Path, "/_resolve/"):
					fmt.Fprintf(w, `{"indices":[],"aliases":[],"data_streams":[{"name":"logs-gnomon.activity-%s"}]}`, c.streams)
				case strings.HasSuffix(r.URL.Path, "/_search"):
					fmt.Fprint(w, `{"_shards":{"total":1,"successful":1,"failed":0},"hits":{"hits":[]}}`)
				default:
					fmt.Fprint(w, `{"has_all_requested":true}`)
				}
			}))
			defer server.Close()
			var out strings.Builder
			p := program{stdin: strings.NewReader(""), stdout: &out, stderr: &out,
				environ: []string{"GNOMON_ELASTICSEARCH_ADDRESSES=" + server.URL, "GNOMON_ELASTICSEARCH_PROXY=direct", "HOME=" + t.TempDir()}}
			status := p.main(t.Context(), c.args)
			for _, want := range c.says {
				if status != c.status || !strings.Contains(out.String(), want) {
					t.Errorf("status %d, want %q in\n%s", status, want, out.String())
				}
			}
		})
	}
}
