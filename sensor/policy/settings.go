package policy

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The actions of findings, as in event.action.
const (
	FirstUse      = "first-use"
	ProhibitedUse = "prohibited-use"
	UploadLimit   = "upload-limit"
	BlindSpot     = "blind-spot"
	SilentSource  = "silent-source"
)

// FindingsConfig says what wants a person's eyes.
type FindingsConfig struct {
	// FirstUse tells of a service that nobody at the site has used before. Default true.
	FirstUse bool `toml:"first_use"`
	// FirstUseDepartment tells of a service that is known at the site, but new to a department. Default true.
	FirstUseDepartment bool `toml:"first_use_department"`
	// Learning is how long from the first record on what is used only becomes known, without findings of first use: a new sensor would
	// report everything as new. Default 24h; 0 to 2160h.
	Learning time.Duration `toml:"learning"`
	// LearnUntil is the last day of learning, instead of Learning. Default: none.
	LearnUntil Date `toml:"learn_until"`
	// ProhibitedUse tells of every user who uses a prohibited service, once per service and day. Default true.
	ProhibitedUse bool `toml:"prohibited_use"`
	// UploadDayMiB tells of a user who sends this much to all services together within a day, by the estimate (gnomon.upload.bytes).
	// Default 100; 0 is off.
	UploadDayMiB uint64 `toml:"upload_day_mib"`
	// Uploads are limits of their own for some services.
	Uploads []UploadRule `toml:"upload"`
	// BlindAfter is how long in a row minutes must be bad, by the next four settings, before it is told. Default 5m; 1m to 24h.
	BlindAfter time.Duration `toml:"blind_after"`
	// DroppedPercent is the share of frames lost that makes a minute bad. Default 1; 0 is off.
	DroppedPercent float64 `toml:"dropped_percent"`
	// ReadablePercent is the share of flows with a name, among those that should have one (port 443, TLS, QUIC, HTTP), below which a
	// minute is bad. Default 50; 0 is off.
	ReadablePercent float64 `toml:"readable_percent"`
	// EncryptedDNSPercent is the share of flows to resolvers over HTTPS, TLS or QUIC, among those to port 443 and to such resolvers, above
	// which a minute is bad: look-ups that are not seen name nothing. Default 2; 0 is off.
	EncryptedDNSPercent float64 `toml:"encrypted_dns_percent"`
	// RelayPercent is the share of bytes into relays, VPNs and other tunnels, among those to port 443 and into tunnels, above which a minute
	// is bad: services behind them are not seen. Default 5; 0 is off.
	RelayPercent float64 `toml:"relay_percent"`
	// NoTraffic tells of a sensor that captures and has received nothing for this long. Default 10m; 0 is off.
	NoTraffic time.Duration `toml:"no_traffic"`
	// SourceSilent tells of a source of logs that has delivered nothing for this long. Default 24h; 0 is off.
	SourceSilent time.Duration `toml:"source_silent"`
}

// UploadRule limits what a user sends to some services, added up, within a day.
type UploadRule struct {
	// Services are ids of the catalogue.
	Services []string `toml:"services"`
	// DayMiB is the limit.
	DayMiB uint64 `toml:"day_mib"`
}

// DefaultFindings returns every default.
func DefaultFindings() FindingsConfig {
	return FindingsConfig{FirstUse: true, FirstUseDepartment: true, Learning: 24 * time.Hour, ProhibitedUse: true, UploadDayMiB: 100,
		BlindAfter: 5 * time.Minute, DroppedPercent: 1, ReadablePercent: 50, EncryptedDNSPercent: 2, RelayPercent: 5, NoTraffic: 10 * time.Minute, SourceSilent: 24 * time.Hour}
}

// maxMiB is the largest limit of uploads: a pebibyte.
const maxMiB = 1 << 30

// Validate names the first key whose value is out of range, with the value and the range.
func (c *FindingsConfig) Validate() error {
	return errors.Join(c.validateTimes(), c.validateShares(), c.validateUploads())
}

func (c *FindingsConfig) validateTimes() error {
	for _, d := range [...]struct {
		key              string
		value, low, high time.Duration
		off              bool // 0 is
	}{
		{"learning", c.Learning, 0, 2160 * time.Hour, true}, {"blind_after", c.BlindAfter, time.Minute, 24 * time.Hour, false},
		{"no_traffic", c.NoTraffic, time.Minute, 24 * time.Hour, true}, {"source_silent", c.SourceSilent, time.Minute, 2160 * time.Hour, true},
	} {
		if (d.value < d.low || d.value > d.high) && !(d.off && d.value == 0) {
			return fmt.Errorf("findings.%s = %v is out of range: at least %v, at most %v", d.key, d.value, d.low, d.high)
		}
	}
	return nil
}

func (c *FindingsConfig) validateShares() error {
	for _, share := range [...]struct {
		key   string
		value float64
	}{{"dropped_percent", c.DroppedPercent}, {"readable_percent", c.ReadablePercent}, {"encrypted_dns_percent", c.EncryptedDNSPercent},
		{"relay_percent", c.RelayPercent}} {
		if !(share.value >= 0 && share.value <= 100) {
			return fmt.Errorf("findings.%s = %v is out of range: at least 0, at most 100", share.key, share.value)
		}
	}
	return nil
}

func (c *FindingsConfig) validateUploads() error {
	if c.UploadDayMiB > maxMiB {
		return fmt.Errorf("findings.upload_day_mib = %d is out of range: at most %d", c.UploadDayMiB, maxMiB)
	}
	for i, u := range c.Uploads {
		if len(u.Services) == 0 {
			return fmt.Errorf("findings.upload %d: services is empty; name those that the limit is for, or use findings.upload_day_mib", i+1)
		}
		if u.DayMiB == 0 || u.DayMiB > maxMiB {
			return fmt.Errorf("findings.upload %d (%s): day_mib = %d is out of range: at least 1, at most %d", i+1, strings.Join(u.Services, ", "), u.DayMiB, maxMiB)
		}
	}
	return nil
}
