package elasticsearch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config)
		reason string // part of it; "" where it may be
	}{
		{"plain", func(*Config) {}, ""},
		{"nowhere", func(c *Config) { c.Addresses, c.Layout = nil, "odd" }, ""},
		{"behind a path", func(c *Config) { c.Addresses = []string{"https://proxy.example/es/"} }, ""},
		{"no scheme", func(c *Config) { c.Addresses = []string{"es.example:9200"} }, "https://HOST:PORT"},
		{"a query", func(c *Config) { c.Addresses = []string{"https://es.example:9200?a=b"} }, "https://HOST:PORT"},
		{"a password in the address", func(c *Config) { c.Addresses = []string{"https://elastic:canary@es.example:9200"} }, "password_file"},
		{"mixed schemes", func(c *Config) { c.Addresses = []string{"https://a.example", "http://b.example"} }, "either"},
		{"namespace with a hyphen", func(c *Config) { c.Namespace = "a-b" }, "elasticsearch.namespace"},
		{"namespace with a dot first", func(c *Config) { c.Namespace = ".a" }, "elasticsearch.namespace"},
		{"namespace with letters of all kinds", func(c *Config) { c.Namespace = "0a.b_c" }, ""},
		{"no namespace", func(c *Config) { c.Namespace = "" }, "elasticsearch.namespace"},
		{"the longest namespace", func(c *Config) { c.Namespace = strings.Repeat("a", 100) }, ""},
		{"a longer namespace", func(c *Config) { c.Namespace = strings.Repeat("a", 101) }, "elasticsearch.namespace"},
		{"layout", func(c *Config) { c.Layout = "monthly" }, "neither stream nor daily"},
		{"no dataset", func(c *Config) { c.Datasets = nil }, "nothing would be sent"},
		{"dataset", func(c *Config) { c.Datasets = []string{"activities"} }, "none of activity"},
		{"key and user", func(c *Config) { c.APIKeyFile, c.Username = "key", "elastic" }, "choose one"},
		{"password of nobody", func(c *Config) { c.PasswordFile = "file" }, "elasticsearch.username"},
		{"colon in the user", func(c *Config) { c.Username = "a:b" }, "RFC 7617"},
		{"certificate without key", func(c *Config) { c.Cert = "cert" }, "set both or none"},
		{"authority and fingerprint", func(c *Config) { c.CA, c.CAFingerprint = "ca", strings.Repeat("ab", 32) }, "choose one"},
		{"authority without TLS", func(c *Config) { c.Addresses, c.CA = []string{"http://es.example"}, "ca" }, "only https://"},
		{"fingerprint", func(c *Config) { c.CAFingerprint = "abc" }, "64 hexadecimal digits"},
		{"fingerprint with colons", func(c *Config) { c.CAFingerprint = strings.Repeat("AB:", 31) + "AB" }, ""},
		{"proxy", func(c *Config) { c.Proxy = "http://proxy.example:3128" }, ""},
		{"no proxy", func(c *Config) { c.Proxy = "direct" }, ""},
		{"password in the proxy", func(c *Config) { c.Proxy = "http://me:canary@proxy.example:3128" }, "HTTPS_PROXY"},
		{"requests", func(c *Config) { c.Requests = 0 }, "1 to 16"},
		{"batch", func(c *Config) { c.BatchMiB = 65 }, "1 to 64"},
		{"timeout", func(c *Config) { c.Timeout = time.Millisecond }, "1s to 10m"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Default()
			c.Addresses = []string{"https://es.example:9200"}
			tt.change(&c)
			err := c.Validate()
			if (err == nil) != (tt.reason == "") || err != nil && !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("it says %v, want %q", err, tt.reason)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("it tells a password: %v", err)
			}
		})
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"key": "id:secret\n", "encoded": "aWQ6c2VjcmV0", "odd": "?", "empty": " \n", "password": "pass\n",
		apiKeyCredential: "aWQ6Y3JlZA==", passwordCredential: "cred"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	tests := []struct {
		name    string
		config  Config
		environ []string
		want    string
		reason  string
	}{
		{"none", Config{}, nil, "", ""},
		{"key as id:key", Config{APIKeyFile: in("key")}, nil, "ApiKey aWQ6c2VjcmV0", ""},
		{"key as it is encoded", Config{APIKeyFile: in("encoded")}, nil, "ApiKey aWQ6c2VjcmV0", ""},
		{"file before environment", Config{APIKeyFile: in("key")}, []string{apiKeyVariable + "=aWQ6ZW52"}, "ApiKey aWQ6c2VjcmV0", ""},
		{"environment", Config{}, []string{credentialsDir + "=" + dir, apiKeyVariable + "=aWQ6ZW52"}, "ApiKey aWQ6ZW52", ""},
		{"credential", Config{}, []string{credentialsDir + "=" + dir}, "ApiKey aWQ6Y3JlZA==", ""},
		{"another's credentials", Config{}, []string{credentialsDir + "=" + t.TempDir()}, "", ""},
		{"password", Config{Username: "me", PasswordFile: in("password")}, nil, "Basic bWU6cGFzcw==", ""},
		{"password in the environment", Config{Username: "me"}, []string{passwordVariable + "=pass"}, "Basic bWU6cGFzcw==", ""},
		{"password as a credential", Config{Username: "me"}, []string{credentialsDir + "=" + dir}, "Basic bWU6Y3JlZA==", ""},
		{"no password", Config{Username: "me"}, nil, "", "there is none"},
		{"no file", Config{APIKeyFile: in("gone")}, nil, "", "api_key_file"},
		{"an empty file", Config{APIKeyFile: in("empty")}, nil, "", "is empty"},
		{"no key", Config{APIKeyFile: in("odd")}, nil, "", "neither its encoded form"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := newAccess(&tt.config, tt.environ)
			if (err == nil) != (tt.reason == "") || err != nil && !strings.Contains(err.Error(), tt.reason) {
				t.Fatalf("it says %v, want %q", err, tt.reason)
			}
			if got := a.authorization(); got != tt.want {
				t.Errorf("the header is %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	at := event.At(time.Date(2026, 11, 21, 23, 59, 59, 0, time.UTC))
	tests := []struct {
		name, layout, dataset string
		index, targets        string
	}{
		{"activity in a stream", LayoutStream, event.DatasetActivity, "logs-gnomon.activity-berlin", "logs-gnomon.activity-berlin"},
		{"coverage in a stream", LayoutStream, event.DatasetCoverage, "metrics-gnomon.coverage-berlin", "metrics-gnomon.coverage-berlin"},
		{"finding by day", LayoutDaily, event.DatasetFinding, "gnomon-finding-berlin-2026.11.21", "gnomon-finding-berlin-*"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{Namespace: "berlin", Layout: tt.layout}
			if got := string(c.appendIndex(nil, tt.dataset, at)); got != tt.index {
				t.Errorf("the record goes to %s, want %s", got, tt.index)
			}
			if got := Targets(tt.dataset, "berlin", tt.layout); got != tt.targets {
				t.Errorf("it is looked for in %s, want %s", got, tt.targets)
			}
		})
	}
}
