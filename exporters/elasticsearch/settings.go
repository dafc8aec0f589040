package elasticsearch

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Config is the table elasticsearch of gnomon.toml. Secrets do not stand in it: see secret.go.
type Config struct {
	// Addresses are the nodes, as https://HOST:PORT, with a path where a proxy wants one. None: nothing is sent.
	Addresses []string `toml:"addresses"`
	// Namespace ends the names of data streams. Default "default".
	Namespace string `toml:"namespace"`
	// Layout is stream (a data stream for each kind of record) or daily (an index for each kind and day). Default stream.
	Layout string `toml:"layout"`
	// Datasets are the records that are sent: activity, finding, coverage, candidate, audit. Default all.
	Datasets []string `toml:"datasets"`

	// APIKeyFile holds an API key: as Elasticsearch gives it (encoded), or as id:key.
	APIKeyFile string `toml:"api_key_file"`
	// Username and PasswordFile are for basic authentication.
	Username     string `toml:"username"`
	PasswordFile string `toml:"password_file"`
	// CA is a PEM file of the authorities that may vouch for the nodes; empty: the system's.
	CA string `toml:"ca"`
	// CAFingerprint is the SHA-256 of the one certificate that is trusted, in hexadecimal: an authority's that the nodes send along, or a
	// node's own.
	CAFingerprint string `toml:"ca_fingerprint"`
	// Cert and Key are PEM files with which this side shows who it is, where the nodes ask for it.
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
	// Proxy is http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT; "direct" is none, empty what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say.
	Proxy string `toml:"proxy"`

	// Requests is how many are under way at once. Default 2; 1 to 16.
	Requests int `toml:"requests"`
	// BatchMiB bounds a request, before compression. Default 4; 1 to 64.
	BatchMiB int `toml:"batch_mib"`
	// Compress sends gzip. Default true.
	Compress bool `toml:"compress"`
	// Timeout bounds a request. Default 60s; 1s to 10m.
	Timeout time.Duration `toml:"timeout"`
}

// Forms of Config.Layout.
const (
	LayoutStream = "stream"
	LayoutDaily  = "daily"
)

// proxyDirect is the Config.Proxy that asks for none.
const proxyDirect = "direct"

// Default returns every default.
func Default() Config {
	return Config{Namespace: "default", Layout: LayoutStream, Datasets: []string{"activity", "finding", "coverage", "candidate", "audit"},
		Requests: 2, BatchMiB: 4, Compress: true, Timeout: time.Minute}
}

// datasets are the names in Config.Datasets.
var datasets = map[string]string{"activity": event.DatasetActivity, "finding": event.DatasetFinding, "coverage": event.DatasetCoverage,
	"candidate": event.DatasetCandidate, "audit": event.DatasetAudit}

// validNamespace says whether s may stand at the end of a data stream's name; a hyphen parts it from the dataset.
func validNamespace(s string) bool {
	const first = "abcdefghijklmnopqrstuvwxyz0123456789"
	return s != "" && len(s) <= 100 && strings.IndexByte(first, s[0]) >= 0 && strings.Trim(s, first+"_.") == ""
}

// Validate names the first setting that cannot be, and what it may be.
func (c *Config) Validate() error {
	if len(c.Addresses) == 0 {
		return nil
	}
	for _, check := range []func() error{c.validateAddresses, c.validateRecords, c.validateAccess, c.validateTLS, c.validateProxy, c.validateValues} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) validateAddresses() error {
	secure := 0
	for i := range c.Addresses {
		u, err := parseAddress(c.Addresses[i])
		if err != nil {
			return fmt.Errorf("checking elasticsearch.addresses: number %d %w", i+1, err) // without what it says: it may hold a password
		}
		if u.Scheme == "https" {
			secure++
		}
	}
	if secure != 0 && secure != len(c.Addresses) {
		return errors.New("checking elasticsearch.addresses: some are https:// and some http://; nodes of one cluster are either")
	}
	return nil
}

// parseAddress reads an address of a node.
func parseAddress(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("is no address: write https://HOST:PORT")
	}
	if u.User != nil {
		return nil, errors.New("has a user in it: use elasticsearch.username and elasticsearch.password_file")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

func (c *Config) validateRecords() error {
	switch {
	case !validNamespace(c.Namespace):
		return fmt.Errorf("checking elasticsearch.namespace = %q: at most 100 characters of a-z, 0-9, dot and underscore", c.Namespace)
	case c.Layout != LayoutStream && c.Layout != LayoutDaily:
		return fmt.Errorf("checking elasticsearch.layout = %q: it is neither %s nor %s", c.Layout, LayoutStream, LayoutDaily)
	case len(c.Datasets) == 0:
		return errors.New("checking elasticsearch.datasets: nothing would be sent; name some, or leave elasticsearch.addresses empty")
	}
	for _, d := range c.Datasets {
		if datasets[d] == "" {
			return fmt.Errorf("checking elasticsearch.datasets: %q is none of activity, finding, coverage, candidate, audit", d)
		}
	}
	return nil
}

func (c *Config) validateAccess() error {
	switch {
	case c.APIKeyFile != "" && c.Username != "":
		return errors.New("checking elasticsearch.api_key_file and elasticsearch.username: choose one")
	case c.PasswordFile != "" && c.Username == "":
		return errors.New("checking elasticsearch.password_file: it wants elasticsearch.username")
	case strings.Contains(c.Username, ":"):
		return errors.New("checking elasticsearch.username: a colon cannot be in it (RFC 7617, section 2)")
	}
	return nil
}

func (c *Config) validateTLS() error {
	if (c.Cert == "") != (c.Key == "") {
		return errors.New("checking elasticsearch.cert and elasticsearch.key: one is of no use without the other; set both or none")
	}
	if c.CA != "" && c.CAFingerprint != "" {
		return errors.New("checking elasticsearch.ca and elasticsearch.ca_fingerprint: choose one")
	}
	if (c.CA != "" || c.CAFingerprint != "" || c.Cert != "") && !strings.HasPrefix(strings.ToLower(c.Addresses[0]), "https:") {
		return errors.New("checking elasticsearch.ca, ca_fingerprint, cert and key: only https:// uses them, and elasticsearch.addresses are http://")
	}
	if _, err := parseFingerprint(c.CAFingerprint); err != nil {
		return fmt.Errorf("checking elasticsearch.ca_fingerprint: %w", err)
	}
	return nil
}

func (c *Config) validateValues() error {
	switch {
	case c.Requests < 1 || c.Requests > 16:
		return fmt.Errorf("checking elasticsearch.requests = %d: it is out of range: 1 to 16", c.Requests)
	case c.BatchMiB < 1 || c.BatchMiB > 64:
		return fmt.Errorf("checking elasticsearch.batch_mib = %d: it is out of range: 1 to 64", c.BatchMiB)
	case c.Timeout < time.Second || c.Timeout > 10*time.Minute:
		return fmt.Errorf("checking elasticsearch.timeout = %v: it is out of range: 1s to 10m", c.Timeout)
	}
	return nil
}

func (c *Config) validateProxy() error {
	if c.Proxy == "" || c.Proxy == proxyDirect {
		return nil
	}
	u, err := url.Parse(c.Proxy)
	if err != nil || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme) || u.Hostname() == "" || u.User != nil {
		return errors.New("checking elasticsearch.proxy: write http://HOST:PORT, https://HOST:PORT, socks5://HOST:PORT or direct; " +
			"one that wants a password is set by the environment variable HTTPS_PROXY")
	}
	return nil
}
