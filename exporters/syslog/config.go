package syslog

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Config is the table syslog of gnomon.toml.
type Config struct {
	// Address is where messages go: udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT; empty: nowhere.
	Address string `toml:"address"`
	// Datasets are the records that are sent: activity, finding, coverage, candidate, audit. Default activity, finding, audit.
	Datasets []string `toml:"datasets"`
	// Facility of the messages (RFC 5424, table 1). Default 16, local0; 0 to 23.
	Facility int `toml:"facility"`
	// Framing of TCP and TLS: octets (RFC 6587, section 3.4.1; RFC 5425) or newline (section 3.4.2). Default octets.
	Framing string `toml:"framing"`
	// Timeout bounds connecting, and handing over a batch. Default 10s; 1s to 5m.
	Timeout time.Duration `toml:"timeout"`
	// CA is a PEM file of the authorities that may vouch for the server; empty: the system's.
	CA string `toml:"ca"`
	// Cert and Key are PEM files with which this side shows who it is, where the server asks for it.
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
}

// Ways of carrying messages, as they stand in Config.Address.
const (
	overUDP = "udp"
	overTCP = "tcp"
	overTLS = "tls"
)

// Forms of Config.Framing.
const (
	framingOctets  = "octets"
	framingNewline = "newline"
)

// Default returns every default.
func Default() Config {
	return Config{Datasets: []string{"activity", "finding", "audit"}, Facility: 16, Framing: framingOctets, Timeout: 10 * time.Second}
}

// datasets are the names in Config.Datasets.
var datasets = map[string]string{"activity": event.DatasetActivity, "finding": event.DatasetFinding, "coverage": event.DatasetCoverage,
	"candidate": event.DatasetCandidate, "audit": event.DatasetAudit}

// Validate names the first setting that cannot be, and what it may be.
func (c *Config) Validate() error {
	if c.Address == "" {
		return nil
	}
	if _, _, err := c.target(); err != nil {
		return err
	}
	if err := c.validateDatasets(); err != nil {
		return err
	}
	if err := c.validateTLS(); err != nil {
		return err
	}
	return c.validateValues()
}

// validateValues checks the settings that stand for themselves.
func (c *Config) validateValues() error {
	switch {
	case c.Facility < 0 || c.Facility > 23:
		return fmt.Errorf("checking syslog.facility = %d: it is out of range: 0 to 23", c.Facility)
	case c.Framing != framingOctets && c.Framing != framingNewline:
		return fmt.Errorf("checking syslog.framing = %q: it is neither %s nor %s", c.Framing, framingOctets, framingNewline)
	case c.Timeout < time.Second || c.Timeout > 5*time.Minute:
		return fmt.Errorf("checking syslog.timeout = %v: it is out of range: 1s to 5m", c.Timeout)
	}
	return nil
}

func (c *Config) validateDatasets() error {
	for _, d := range c.Datasets {
		if datasets[d] == "" {
			return fmt.Errorf("checking syslog.datasets: %q is none of activity, finding, coverage, candidate, audit", d)
		}
	}
	if len(c.Datasets) == 0 {
		return errors.New("checking syslog.datasets: nothing would be sent; name some, or leave syslog.address empty")
	}
	return nil
}

func (c *Config) validateTLS() error {
	if (c.Cert == "") != (c.Key == "") {
		return errors.New("checking syslog.cert and syslog.key: one is of no use without the other; set both or none")
	}
	if (c.CA != "" || c.Cert != "") && !strings.HasPrefix(c.Address, overTLS+":") {
		return fmt.Errorf("checking syslog.ca, syslog.cert and syslog.key: only tls:// uses them, and syslog.address is %s", c.Address)
	}
	return nil
}

// target is how and where messages go.
func (c *Config) target() (over, hostPort string, err error) {
	u, err := url.Parse(c.Address)
	if err != nil || !slices.Contains([]string{overUDP, overTCP, overTLS}, u.Scheme) || u.Hostname() == "" || u.Port() == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", "", fmt.Errorf("checking syslog.address = %q: write udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT", c.Address)
	}
	return u.Scheme, net.JoinHostPort(u.Hostname(), u.Port()), nil
}

// tlsConfig reads the files that the settings name.
func (c *Config) tlsConfig() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		text, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("reading syslog.ca: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("reading syslog.ca: %s holds no certificate in PEM form", c.CA)
		}
	}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("reading syslog.cert and syslog.key: %w", err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return conf, nil
}
