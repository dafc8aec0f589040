package setup

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Config is the table setup of gnomon.toml: what `gnomon setup elasticsearch` makes.
type Config struct {
	// Records is how long activity and candidates are kept. Default 9600h; at least 24h.
	Records time.Duration `toml:"records"`
	// Findings is how long findings, coverage and the audit log are kept. Default 9600h; at least 24h.
	Findings time.Duration `toml:"findings"`
	// Shards is how many primary shards an index has. Default 1; 1 to 64.
	Shards int `toml:"shards"`
	// Replicas is how many copies there are of each, as in 1, or 0-1: as many as there are nodes for. Default 0-1.
	Replicas string `toml:"replicas"`
	// Kibana is where Kibana answers, as https://HOST:PORT; its pages are put there. Empty: nowhere.
	Kibana string `toml:"kibana"`
}

// Default returns every default. 400 days are 13 months and a little.
func Default() Config {
	return Config{Records: 400 * 24 * time.Hour, Findings: 400 * 24 * time.Hour, Shards: 1, Replicas: "0-1"}
}

// Validate names the first setting that cannot be, and what it may be.
func (c *Config) Validate() error {
	switch {
	case c.Records < 24*time.Hour:
		return fmt.Errorf("checking setup.records = %v: it is out of range: at least 24h", c.Records)
	case c.Findings < 24*time.Hour:
		return fmt.Errorf("checking setup.findings = %v: it is out of range: at least 24h", c.Findings)
	case c.Shards < 1 || c.Shards > 64:
		return fmt.Errorf("checking setup.shards = %d: it is out of range: 1 to 64", c.Shards)
	case !validNumber(c.Replicas) && !validExpand(c.Replicas):
		return fmt.Errorf("checking setup.replicas = %q: write a number, or a range as in 0-1", c.Replicas)
	}
	if c.Kibana == "" {
		return nil
	}
	return checkAddress(c.Kibana)
}

// checkAddress says whether Kibana can be there.
func checkAddress(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("checking setup.kibana: write https://HOST:PORT, with a path if Kibana has one, and without a password")
	}
	return nil
}

// validExpand says whether replicas are a range.
func validExpand(s string) bool {
	low, high, ok := strings.Cut(s, "-")
	return ok && validNumber(low) && (high == "all" || validNumber(high))
}

// validNumber says whether replicas are a number.
func validNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// kept is a time as Elasticsearch writes it: in whole days, rounded up.
func kept(d time.Duration) string {
	const day = 24 * time.Hour
	return fmt.Sprintf("%dd", (d+day-1)/day)
}
