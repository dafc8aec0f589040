//go:build integration

package elasticsearch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// secured is a configuration for the node with security, for its first user.
func secured(t *testing.T) Config {
	t.Helper()
	certs, password := variable(t, "GNOMON_TEST_ELASTICSEARCH8SECURE_CERTS"), filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(variable(t, "GNOMON_TEST_ELASTICSEARCH8SECURE_PASSWORD")), 0o600); err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.Addresses, c.Proxy = []string{variable(t, "GNOMON_TEST_ELASTICSEARCH8SECURE")}, proxyDirect
	c.CA, c.Cert, c.Key = filepath.Join(certs, "ca.pem"), filepath.Join(certs, "client.pem"), filepath.Join(certs, "client.key")
	c.Username, c.PasswordFile = "elastic", password
	return c
}

// keyOf makes an API key that may add records of a namespace and nothing else, and returns a file with it.
func keyOf(t *testing.T, admin *Client, namespace, expiration string) (file, id string) {
	t.Helper()
	answer := ask(t, admin, http.MethodPost, "/_security/api_key", fmt.Sprintf(`{"name":%q%s,"role_descriptors":{"sensor":{"index":[{
		"names":["*-gnomon.*-%s"],"privileges":["create_doc","auto_configure"]}]}}}`, namespace, expiration, namespace))
	var key struct {
		ID      string `json:"id"`
		Encoded string `json:"encoded"`
	}
	if err := json.Unmarshal(answer, &key); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(key.Encoded+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, key.ID
}

// withKey is a configuration with a key instead of a user.
func withKey(c Config, namespace, file string) func(*Config) {
	return func(to *Config) {
		c.Username, c.PasswordFile, c.APIKeyFile, c.Namespace = "", "", file, namespace
		*to = c
	}
}

// Basic authentication, certificates of both sides, and a pinned authority.
func TestNodeAccess(t *testing.T) {
	certs := variable(t, "GNOMON_TEST_ELASTICSEARCH8SECURE_CERTS")
	tests := []struct {
		name   string
		change func(*Config)
		again  bool
		reason string
	}{
		{"password and certificates", func(*Config) {}, false, ""},
		{"pinned authority", func(c *Config) { c.CA, c.CAFingerprint = "", fingerprintOf(t, filepath.Join(certs, "ca.pem")) }, false, ""},
		{"pinned node", func(c *Config) { c.CA, c.CAFingerprint = "", fingerprintOf(t, filepath.Join(certs, "node.alone.pem")) }, false, ""},
		{"wrong authority", func(c *Config) { c.CA = filepath.Join(certs, "other.pem") }, true, "unknown authority"},
		{"wrong pin", func(c *Config) { c.CA, c.CAFingerprint = "", fingerprintOf(t, filepath.Join(certs, "other.pem")) }, true, "elasticsearch.ca_fingerprint"},
		{"no certificate of ours", func(c *Config) { c.Cert, c.Key = "", "" }, true, "certificate"},
		{"nobody", func(c *Config) { c.Username, c.PasswordFile = "", "" }, true, "missing authentication credentials"},
		{"wrong password", func(c *Config) { c.PasswordFile = c.Cert }, true, "password_file"},
	}
	first := secured(t)
	namespace := prepare(t, clientOf(t, func(to *Config) { *to = first }, first.Addresses...))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := secured(t)
			tt.change(&c)
			e := open(t, c.Addresses[0], func(to *Config) { *to = c })
			e.config.Namespace = namespace
			n, out := try(t, e, some(0, 3))
			if (n.again > 0) != tt.again || !tt.again && n.stored != 3 || !strings.Contains(out[0].Reason, tt.reason) {
				t.Errorf("the outcomes are %+v (%s), want %q", n, out[0].Reason, tt.reason)
			}
		})
	}
}

// fingerprintOf is that of a certificate in a file.
func fingerprintOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fingerprint(t, text)
}

// An API key that may only add records is enough, for its own namespace, until it is taken away; then a new one in the same file is.
func TestNodeKey(t *testing.T) {
	c := secured(t)
	admin := clientOf(t, func(to *Config) { *to = c }, c.Addresses...)
	namespace := prepare(t, admin)
	file, id := keyOf(t, admin, namespace, "")
	e := open(t, c.Addresses[0], withKey(c, namespace, file))
	if n := deliver(t, e, some(0, 3000)); n.stored != 3000 || n.duplicates > 0 {
		t.Errorf("the outcomes are %+v", n)
	}
	if n := deliver(t, e, some(0, 100)); n != (tally{stored: 100, duplicates: 100}) {
		t.Errorf("again the outcomes are %+v", n)
	}
	if s, err := e.client.Server(t.Context()); err != nil || s.Distribution != Elasticsearch {
		t.Errorf("it is %+v (%v)", s, err)
	}
	e.config.Namespace = "elsewhere"
	if n, out := try(t, e, some(0, 3)); n != (tally{again: 3}) || !strings.Contains(out[0].Reason, "security_exception") {
		t.Errorf("in another namespace the outcomes are %+v (%s)", n, out[0].Reason)
	}
	e.config.Namespace = namespace
	ask(t, admin, http.MethodDelete, "/_security/api_key", `{"ids":["`+id+`"]}`)
	if n, out := try(t, e, some(3000, 3003)); n != (tally{again: 3}) || !strings.Contains(out[0].Reason, "401") {
		t.Errorf("without its key the outcomes are %+v (%s)", n, out[0].Reason)
	}
	fresh, _ := keyOf(t, admin, namespace, "")
	if err := os.Rename(fresh, file); err != nil {
		t.Fatal(err)
	}
	if n := deliver(t, e, some(3000, 3003)); n.stored != 3 {
		t.Errorf("with a new key the outcomes are %+v", n)
	}
	if count, _, sum := holds(t, admin, Stream(event.DatasetActivity, namespace)); count != 3003 || sum != sent(some(0, 3003)) {
		t.Errorf("there are %d records with %d bytes", count, sum)
	}
}

// A key whose time is over is refused, and nothing is lost.
func TestNodeExpired(t *testing.T) {
	c := secured(t)
	admin := clientOf(t, func(to *Config) { *to = c }, c.Addresses...)
	namespace := prepare(t, admin)
	file, _ := keyOf(t, admin, namespace, `,"expiration":"1ms"`)
	e := open(t, c.Addresses[0], withKey(c, namespace, file))
	if n, out := try(t, e, some(0, 3)); n != (tally{again: 3}) || !strings.Contains(out[0].Reason, "401") {
		t.Errorf("the outcomes are %+v (%s)", n, out[0].Reason)
	}
}
