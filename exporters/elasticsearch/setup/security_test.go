//go:build integration

package setup

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

// secured opens the node with security; change says how it is different from an administrator's client.
func secured(t *testing.T, change func(*elasticsearch.Config), environ ...string) *elasticsearch.Client {
	t.Helper()
	address, certs := os.Getenv("GNOMON_TEST_ELASTICSEARCH8SECURE"), os.Getenv("GNOMON_TEST_ELASTICSEARCH8SECURE_CERTS")
	if address == "" {
		t.Fatal("no cluster with security to test against: start it with make elasticsearch-up")
	}
	conf := elasticsearch.Default()
	conf.Addresses, conf.Proxy, conf.CA = []string{address}, "direct", filepath.Join(certs, "ca.pem")
	conf.Cert, conf.Key = filepath.Join(certs, "client.pem"), filepath.Join(certs, "client.key") // the node asks for one
	change(&conf)
	c, err := elasticsearch.NewClient(&conf, environ)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// On a node with security: roles are made, and the keys made of them can do what they are for and nothing else.
func TestNodeKeys(t *testing.T) {
	ctx := context.Background()
	admin := secured(t, func(c *elasticsearch.Config) { c.Username = "elastic" },
		"GNOMON_ELASTICSEARCH_PASSWORD="+os.Getenv("GNOMON_TEST_ELASTICSEARCH8SECURE_PASSWORD"))
	namespace := fmt.Sprintf("keys%d", time.Now().UnixNano())
	target, err := Probe(ctx, admin, namespace, elasticsearch.LayoutStream)
	if err != nil || !target.Roles {
		t.Fatalf("%+v, %v", target, err)
	}
	run := Run{Server: admin, Config: Default(), Force: true, Tell: func(Step) {}}
	if err := run.Do(ctx, &target); err != nil {
		t.Fatal(err)
	}
	run.Force = false
	if err := run.Do(ctx, &target); err != nil {
		t.Fatalf("the second run: %v", err)
	}
	clients := map[string]*elasticsearch.Client{"admin": admin}
	for name, reader := range map[string]bool{"sensor": false, "reader": true} {
		key, err := run.MakeKey(ctx, namespace+"-"+name, reader, 1)
		if err != nil {
			t.Fatal(err)
		}
		clients[name] = secured(t, func(*elasticsearch.Config) {}, "GNOMON_ELASTICSEARCH_API_KEY="+key.Encoded)
	}
	stream := "/" + elasticsearch.Stream(datasets[0], namespace)
	daily := "/" + elasticsearch.Daily(datasets[0], namespace) + "2026.11.21"
	record := `{"@timestamp":"2026-11-21T10:00:00Z"}`
	for _, c := range []struct {
		name, who, method, path, body string
		want                          int
	}{
		{"a sensor adds", "sensor", http.MethodPut, stream + "/_create/1", record, http.StatusCreated},
		{"a sensor adds to a daily index", "sensor", http.MethodPut, daily + "/_create/1", record, http.StatusCreated},
		{"a sensor refreshes", "sensor", http.MethodPost, stream + "/_refresh", "", http.StatusOK},
		{"a sensor looks ids up", "sensor", http.MethodPost, stream + "/_search", `{"query":{"ids":{"values":["1"]}}}`, http.StatusOK},
		{"a sensor asks the time", "sensor", http.MethodGet, "/_nodes/stats/os", "", http.StatusOK},
		{"a sensor changes nothing", "sensor", http.MethodPut, daily + "/_doc/1", record, http.StatusForbidden},
		{"a sensor deletes nothing", "sensor", http.MethodDelete, daily + "/_doc/1", "", http.StatusForbidden},
		{"a sensor deletes no index", "sensor", http.MethodDelete, daily, "", http.StatusForbidden},
		{"a sensor writes nowhere else", "sensor", http.MethodPut, "/elsewhere/_create/1", record, http.StatusForbidden},
		{"a sensor makes no keys", "sensor", http.MethodPost, "/_security/api_key", `{"name":"x"}`, http.StatusForbidden},
		{"a reader reads", "reader", http.MethodPost, stream + "/_search", `{"size":0}`, http.StatusOK},
		{"a reader adds nothing", "reader", http.MethodPut, stream + "/_create/2", record, http.StatusForbidden},
		{"an administrator tidies up", "admin", http.MethodDelete, daily, "", http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			var body []byte
			if c.body != "" {
				body = []byte(c.body)
			}
			status, answer, err := clients[c.who].Do(ctx, c.method, c.path, body)
			if err != nil || status != c.want {
				t.Errorf("%d %.300s %v, want %d", status, answer, err, c.want)
			}
		})
	}
	weak := Run{Server: clients["sensor"], Config: Default(), Tell: func(Step) {}}
	if _, err := Probe(ctx, weak.Server, namespace, elasticsearch.LayoutStream); err == nil || !strings.Contains(err.Error(), "setup wants") {
		t.Errorf("setup with a sensor's key: %v", err)
	}
}
