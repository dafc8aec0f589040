//go:build integration

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

// secure is the node with security, and a namespace on it that setup has made.
type secure struct {
	environ   []string // for an administrator, without what says who it is
	password  string
	admin     *elasticsearch.Client
	namespace string
}

func newSecure(t *testing.T) *secure {
	t.Helper()
	address, certs := os.Getenv("GNOMON_TEST_ELASTICSEARCH8SECURE"), os.Getenv("GNOMON_TEST_ELASTICSEARCH8SECURE_CERTS")
	if address == "" {
		t.Fatal("no cluster with security to test against: start it with make elasticsearch-up")
	}
	s := &secure{password: "GNOMON_ELASTICSEARCH_PASSWORD=" + os.Getenv("GNOMON_TEST_ELASTICSEARCH8SECURE_PASSWORD"), namespace: fmt.Sprintf("read%d", time.Now().UnixNano())}
	conf := elasticsearch.Default()
	conf.Addresses, conf.Proxy, conf.Username = []string{address}, "direct", "elastic"
	conf.CA, conf.Cert, conf.Key = filepath.Join(certs, "ca.pem"), filepath.Join(certs, "client.pem"), filepath.Join(certs, "client.key")
	s.environ = []string{"GNOMON_ELASTICSEARCH_ADDRESSES=" + address, "GNOMON_ELASTICSEARCH_PROXY=direct", "GNOMON_ELASTICSEARCH_NAMESPACE=" + s.namespace,
		"GNOMON_ELASTICSEARCH_CA=" + conf.CA, "GNOMON_ELASTICSEARCH_CERT=" + conf.Cert, "GNOMON_ELASTICSEARCH_KEY=" + conf.Key, "HOME=" + t.TempDir()}
	var err error
	if s.admin, err = elasticsearch.NewClient(&conf, []string{s.password}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.admin.Close)
	return s
}

// gnomon runs a command for somebody.
func (s *secure) gnomon(t *testing.T, who []string, args ...string) (status int, out string) {
	t.Helper()
	var b strings.Builder
	p := program{stdin: strings.NewReader(""), stdout: &b, stderr: &b, environ: append(who, s.environ...)}
	status = p.main(t.Context(), args)
	return status, b.String()
}

// key makes an API key by hand.
func (s *secure) key(t *testing.T, more string) string {
	t.Helper()
	status, answer, err := s.admin.Do(t.Context(), http.MethodPost, "/_security/api_key", fmt.Appendf(nil, `{"name":%q%s}`, s.namespace, more))
	var key struct{ Encoded string }
	if err != nil || status != http.StatusOK || json.Unmarshal(answer, &key) != nil {
		t.Fatalf("%d %s %v", status, answer, err)
	}
	return key.Encoded
}

// With the key that setup makes for readers everything can be read. With another it is said why not, and what to do.
func TestNodeReadersKeys(t *testing.T) {
	s := newSecure(t)
	admin := []string{"GNOMON_ELASTICSEARCH_USERNAME=elastic", s.password}
	if status, out := s.gnomon(t, admin, "setup", "elasticsearch", "--force"); status != statusDone {
		t.Fatalf("status %d: %s", status, out)
	}
	record := fmt.Appendf(nil, `{"@timestamp":%q,"gnomon":{"schema":1,"counted":true}}`, time.Now().UTC().Format(time.RFC3339))
	if status, answer, err := s.admin.Do(t.Context(), http.MethodPut, "/logs-gnomon.activity-"+s.namespace+"/_create/1?refresh=true", record); err != nil || status != http.StatusCreated {
		t.Fatalf("%d %s %v", status, answer, err)
	}
	file := filepath.Join(t.TempDir(), "reader.key")
	if status, out := s.gnomon(t, admin, "setup", "elasticsearch", "--key", s.namespace, "--reader", "--key-file", file); status != statusDone {
		t.Fatalf("status %d: %s", status, out)
	}
	const add = `,"role_descriptors":{"s":{"index":[{"names":["logs-gnomon.*","metrics-gnomon.*"],"privileges":["create_doc","auto_configure"]}]}}`
	commands := [][]string{{"report", "--from", "elasticsearch", "--last", "month"}, {"findings", "--from", "elasticsearch"}, {"dashboard", "--from", "elasticsearch", "--listen", "127.0.0.1:0"},
		{"doctor", "--fleet"}}
	for _, c := range []struct {
		name, who string
		status    int
		says      []string
	}{
		{"reader", "GNOMON_ELASTICSEARCH_API_KEY_FILE=" + file, statusDone, nil},
		{"no read", "GNOMON_ELASTICSEARCH_API_KEY=" + s.key(t, add), statusFailed, []string{"may", "gnomon-reader"}},
		{"wrong key", "GNOMON_ELASTICSEARCH_API_KEY=d3Jvbmc6a2V5", statusFailed, []string{"401", "elasticsearch.api_key_file"}},
		{"expired", "GNOMON_ELASTICSEARCH_API_KEY=" + s.key(t, add+`,"expiration":"1ms"`), statusFailed, []string{"401", "expired", "elasticsearch.api_key_file"}},
	} {
		for _, args := range commands {
			if c.status == statusDone && args[0] == "dashboard" {
				continue // it would serve until it is ended
			}
			t.Run(c.name+"/"+args[0], func(t *testing.T) {
				status, out := s.gnomon(t, []string{c.who}, args...)
				t.Log(out)
				if status != c.status {
					t.Errorf("status %d", status)
				}
				for _, says := range c.says {
					if !strings.Contains(out, says) {
						t.Errorf("it does not say %q", says)
					}
				}
			})
		}
	}
	s.environ = append(s.environ, "GNOMON_ELASTICSEARCH_NAMESPACE="+s.namespace+"x")
	for _, args := range commands {
		status, out := s.gnomon(t, []string{"GNOMON_ELASTICSEARCH_API_KEY_FILE=" + file}, args...)
		if status != statusFailed || !strings.Contains(out, "logs-gnomon.activity-"+s.namespace+"x") {
			t.Errorf("%s in a namespace that is not there: status %d: %s", args[0], status, out)
		}
	}
}
