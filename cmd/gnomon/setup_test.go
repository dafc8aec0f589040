package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// aCluster answers as a bare Elasticsearch does, and keeps what it is asked.
func aCluster(t *testing.T) (address string, asked func() string) {
	t.Helper()
	var mu sync.Mutex
	var log strings.Builder
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		log.WriteString(r.Method + " " + r.URL.Path + "\n")
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		answer, status := `{}`, http.StatusOK
		switch {
		case r.URL.Path == "/":
			answer = `{"version":{"number":"8.19.8"}}`
		case strings.HasSuffix(r.URL.Path, "/_search"):
			answer = `{"_shards":{"failed":0},"hits":{"hits":[]}}`
		case r.URL.Path == "/_security/api_key":
			answer = `{"id":"i","encoded":"c2VjcmV0"}`
		case r.Method == http.MethodGet:
			answer, status = `{"error":{"type":"resource_not_found_exception","reason":"x"}}`, http.StatusNotFound
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	return server.URL, func() string {
		mu.Lock()
		defer mu.Unlock()
		return log.String()
	}
}

// What setup does, and what it refuses to.
func TestSetup(t *testing.T) {
	address, asked := aCluster(t)
	key := filepath.Join(t.TempDir(), "sensor.key")
	environ := []string{"GNOMON_ELASTICSEARCH_ADDRESSES=" + address, "GNOMON_ELASTICSEARCH_PROXY=direct", "HOME=" + t.TempDir()}
	for _, c := range []struct {
		name   string
		args   string
		status int
		out    string // part of what is printed
		sent   string // part of what the cluster was asked
	}{
		{"dry, without asking", "--dry-run --lifecycle ism", statusDone, "PUT /_plugins/_ism/policies/gnomon-records", ""},
		{"dry", "--dry-run", statusDone, "PUT /_ilm/policy/gnomon-findings", "GET /_ilm/status"},
		{"all", "", statusDone, "index template gnomon-audit", "PUT /_security/role/gnomon-sensor"},
		{"a key", "--key berlin-1 --key-file " + key, statusDone, "Made the API key berlin-1", "POST /_security/api_key"},
		{"no lifecycle of that name", "--dry-run --lifecycle x", statusUsage, "ilm, dsl, ism or none", ""},
		{"flags of a key", "--reader", statusUsage, "go with --key", ""},
		{"kibana", "--kibana nowhere", statusUsage, "setup.kibana", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			p := program{stdin: strings.NewReader(""), stdout: &out, stderr: &out, environ: environ}
			status := p.main(t.Context(), append([]string{"setup", "elasticsearch"}, strings.Fields(c.args)...))
			if status != c.status || !strings.Contains(out.String(), c.out) || !strings.Contains(asked(), c.sent) {
				t.Errorf("status %d\n%s\nasked: %s", status, out.String(), asked())
			}
		})
	}
	text, err := os.ReadFile(key)
	if err != nil || string(text) != "c2VjcmV0\n" {
		t.Errorf("the key's file: %q, %v", text, err)
	}
	if strings.Contains(asked(), "DELETE") {
		t.Errorf("setup deletes: %s", asked())
	}
}

// Reports, findings and pages read from Elasticsearch where they are told to.
func TestFromElasticsearch(t *testing.T) {
	address, asked := aCluster(t)
	environ := []string{"GNOMON_ELASTICSEARCH_ADDRESSES=" + address, "GNOMON_ELASTICSEARCH_PROXY=direct", "HOME=" + t.TempDir()}
	for _, c := range []struct {
		name, args string
		status     int
		out, sent  string
	}{
		{"findings", "findings --from elasticsearch --from 2026-01-01", statusDone, "No findings", "POST /logs-gnomon.finding-default/_search"},
		{"report", "report --from elasticsearch --audience dlp", statusDone, "", "POST /logs-gnomon.activity-default/_search"},
		{"elsewhere", "findings --from the-moon", statusUsage, "2026-01-31, or elasticsearch", ""},
		{"pages elsewhere", "dashboard --from the-moon", statusUsage, "store or elasticsearch", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			p := program{stdin: strings.NewReader(""), stdout: &out, stderr: &out, environ: environ}
			if status := p.main(t.Context(), strings.Fields(c.args)); status != c.status || !strings.Contains(out.String(), c.out) || !strings.Contains(asked(), c.sent) {
				t.Errorf("status %d\n%s\nasked: %s", status, out.String(), asked())
			}
		})
	}
}
