package elasticsearch

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
)

// clientOf is a client of servers.
func clientOf(t *testing.T, change func(*Config), addresses ...string) *Client {
	t.Helper()
	c := Default()
	c.Addresses, c.Proxy = addresses, proxyDirect
	if change != nil {
		change(&c)
	}
	client, err := NewClient(&c, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestServer(t *testing.T) {
	type answer struct {
		status int
		body   string
	}
	tests := []struct {
		name    string
		elastic bool
		answers map[string]answer
		want    Server
		reason  string
	}{
		{"elasticsearch", true, map[string]answer{"/": {200, `{"version":{"number":"8.19.8"}}`}}, Server{Elasticsearch, "8.19.8"}, ""},
		{"opensearch", false, map[string]answer{"/": {200, `{"version":{"number":"2.19.3","distribution":"opensearch"}}`}}, Server{OpenSearch, "2.19.3"}, ""},
		{"without the root handler", true, map[string]answer{"/": {405, `{"error":"Incorrect HTTP method"}`},
			"/_nodes/http": {200, `{"nodes":{"a":{"version":"10.0.0"},"b":{"version":"9.2.0"}}}`}}, Server{Elasticsearch, "9.2.0"}, ""},
		{"may not ask", true, map[string]answer{"/": {403, `{"error":{"type":"security_exception"}}`}}, Server{Elasticsearch, ""}, ""},
		{"may not ask opensearch", false, map[string]answer{"/": {403, `{"error":{"type":"security_exception"}}`}}, Server{OpenSearch, ""}, ""},
		{"is not let in", true, map[string]answer{"/": {401, `{"error":{"type":"security_exception","reason":"missing"}}`}}, Server{}, "missing"},
		{"a portal", false, map[string]answer{"/": {200, `<html>Please log in`}}, Server{}, "neither"},
		{"a redirect", false, map[string]answer{"/": {302, ``}}, Server{}, "neither"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if tt.elastic {
					w.Header().Set(productHeader, "Elasticsearch")
				}
				a, ok := tt.answers[r.URL.Path]
				if !ok {
					a = answer{404, "{}"}
				}
				w.WriteHeader(a.status)
				_, _ = w.Write([]byte(a.body))
			}))
			defer s.Close()
			got, err := clientOf(t, nil, s.URL).Server(context.Background())
			if (err == nil) != (tt.reason == "") || err != nil && !strings.Contains(err.Error(), tt.reason) || got != tt.want {
				t.Errorf("it is %+v (%v), want %+v (%q)", got, err, tt.want, tt.reason)
			}
		})
	}
}

func TestAtLeast(t *testing.T) {
	tests := []struct {
		name, version string
		major, minor  int
		want          bool
	}{
		{"the same", "8.11.0", 8, 11, true}, {"later", "9.0.0", 8, 11, true}, {"before", "8.9.2", 8, 11, false}, {"unknown", "", 0, 0, false},
		{"a snapshot", "9.1.0-SNAPSHOT", 9, 1, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Server{Version: tt.version}
			if got := s.AtLeast(tt.major, tt.minor); got != tt.want {
				t.Errorf("AtLeast(%d, %d) of %s is %v", tt.major, tt.minor, tt.version, got)
			}
		})
	}
}

// A node behind a path is asked there; the request says what it is, and who asks.
func TestDo(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	write := func(text string) {
		if err := os.WriteFile(key, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("aWQ6b2xk")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "ApiKey aWQ6bmV3" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if types := r.Header["Content-Type"]; r.URL.Path != "/es/_x" || r.URL.RawQuery != "a=b" || len(types) != 1 || types[0] != "application/json" {
			t.Errorf("asked for %s as %q", r.URL, types)
		}
		_, _ = w.Write([]byte(`{"ok":true}`))
	}))
	defer s.Close()
	c := clientOf(t, func(c *Config) { c.APIKeyFile = key }, s.URL+"/es/")
	write("aWQ6bmV3") // replaced after the start
	for i, want := range []int{http.StatusUnauthorized, http.StatusOK} {
		status, _, err := c.Do(context.Background(), http.MethodPost, "/_x?a=b", []byte("{}"))
		if err != nil || status != want {
			t.Errorf("try %d: %d %v, want %d", i, status, err, want)
		}
	}
}

// What is longer than anyone should answer is not read into memory.
func TestBounded(t *testing.T) {
	if _, err := readBounded(strings.NewReader(strings.Repeat("x", 11)), 10, nil); err == nil {
		t.Error("11 bytes are read where 10 are the bound")
	}
	b, err := readBounded(strings.NewReader("0123456789"), 10, nil)
	if err != nil || len(b) != 10 {
		t.Errorf("%q %v", b, err)
	}
}

// The nodes take turns; one that fails is left alone for longer and longer, unless all do.
func TestNodes(t *testing.T) {
	var conns []*elastictransport.Connection
	for _, host := range []string{"a", "b", "c"} {
		conns = append(conns, &elastictransport.Connection{URL: &url.URL{Host: host}})
	}
	now := time.Unix(0, 0)
	n := newNodes(conns, func() time.Time { return now })
	taken := func(count int) string {
		var hosts strings.Builder
		for range count {
			c, err := n.Next()
			if err != nil {
				t.Fatal(err)
			}
			hosts.WriteString(c.URL.Host)
		}
		return hosts.String()
	}
	steps := []struct {
		name string
		do   func()
		want string
	}{
		{"in turn", func() {}, "abca"},
		{"b fails", func() { _ = n.OnFailure(conns[1]) }, "caca"},
		{"c is away, says its proxy", func() { n.answered("c", http.StatusBadGateway) }, "aaaa"},
		{"a second has passed", func() { now = now.Add(restLeast) }, "bcab"},
		{"b fails again, for longer", func() { _ = n.OnFailure(conns[1]); now = now.Add(restLeast) }, "caca"},
		{"and is well", func() { now = now.Add(restLeast); n.answered("b", http.StatusOK) }, "bcab"},
		{"it fails once more, for as long as at first", func() { _ = n.OnFailure(conns[1]); now = now.Add(restLeast) }, "cabc"},
		{"all fail", func() {
			for i := range conns {
				now = now.Add(time.Millisecond)
				_ = n.OnFailure(conns[i])
			}
		}, "aaaa"},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			step.do()
			if got := taken(4); got != step.want {
				t.Errorf("the nodes are taken as %s, want %s", got, step.want)
			}
		})
	}
}

// A request goes to one node; the next one to another if that is away.
func TestNodeAway(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	c := clientOf(t, nil, "http://127.0.0.1:1", s.URL) // nobody has that port, and nobody is given it
	now := time.Now()
	c.nodes.now = func() time.Time { return now } // however long three requests take here, it is left alone
	if _, _, err := c.Do(context.Background(), http.MethodGet, "/", nil); err == nil {
		t.Error("a node that is away answers")
	}
	for range 3 {
		if status, _, err := c.Do(context.Background(), http.MethodGet, "/", nil); err != nil || status != http.StatusOK {
			t.Errorf("%d %v", status, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := c.Do(ctx, http.MethodGet, "/", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled, and it says %v", err)
	}
}
