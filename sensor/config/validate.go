package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Validate names the first key whose value is out of range, with the value and the range.
func (c *Config) Validate() error {
	for _, check := range []func() error{c.Observer.validate, c.Capture.validate, c.Flow.validate, c.Catalogue.validate, c.Logs.validate, c.Visit.validate, c.File.validate, c.Log.validate} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// IDOfMachine is the observer.id that is made of the machine's own identity.
const IDOfMachine = "machine"

func (o *Observer) validate() error {
	if o.ID == "" || o.ID == IDOfMachine || ValidUUID(o.ID) {
		return nil
	}
	return fmt.Errorf(`observer.id = %.60q: write a UUID in lower case, as in 0b5c6a1e-6a55-4c4f-9f3c-1f1f0b6f2a11, or "machine", or leave it empty`, o.ID)
}

// ValidUUID says whether a text is a UUID in lower case (RFC 9562, section 4).
func ValidUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdef", rune(c)) {
			return false
		}
	}
	return true
}

func (c *Capture) validate() error {
	seen := map[string]string{}
	for _, name := range c.Interfaces {
		seen[name] = "capture.interfaces"
	}
	for _, tap := range c.Taps {
		if len(tap.Interfaces) < 2 {
			return fmt.Errorf("capture.tap.interfaces = %q: a tap has at least two interfaces; a single one belongs into capture.interfaces", tap.Interfaces)
		}
		for _, name := range tap.Interfaces {
			if where, dup := seen[name]; dup {
				return fmt.Errorf("capture.tap.interfaces: %s stands in %s too; its frames would count twice", name, where)
			}
			seen[name] = "capture.tap.interfaces"
		}
	}
	if err := within("capture.workers", c.Workers, 1, 64); err != nil {
		return err
	}
	if err := within("capture.ring", c.Ring, 4<<20, 4<<30-1); err != nil {
		return err
	}
	if c.Snaplen != 0 {
		return within("capture.snaplen", c.Snaplen, 64, 262144)
	}
	return nil
}

func (f *Flow) validate() error {
	if err := within("flow.tcp_idle", f.TCPIdle, time.Minute, 24*time.Hour); err != nil {
		return err
	}
	if err := within("flow.udp_idle", f.UDPIdle, 10*time.Second, 24*time.Hour); err != nil {
		return err
	}
	if err := within("flow.first_slice", f.FirstSlice, time.Second, time.Minute); err != nil {
		return err
	}
	if err := within("flow.slice", f.Slice, 5*time.Second, time.Minute); err != nil {
		return err
	}
	return within("flow.max_flows", f.MaxFlows, 1000, 50_000_000)
}

func (c *Catalogue) validate() error {
	if scheme, _, ok := strings.Cut(c.Update, "://"); ok && scheme != "https" && scheme != "http" {
		return fmt.Errorf("catalogue.update = %q is neither a file nor an address beginning with https://", c.Update)
	}
	return within("catalogue.update_every", c.UpdateEvery, 10*time.Minute, 720*time.Hour)
}

func (v *Visit) validate() error {
	if v.Prefer != PreferLogs && v.Prefer != PreferPackets {
		return fmt.Errorf("visit.prefer = %q is none of %s, %s", v.Prefer, PreferLogs, PreferPackets)
	}
	return within("visit.patience", v.Patience, time.Minute, 48*time.Hour)
}

func (f *File) validate() error {
	if err := within("file.max_bytes", f.MaxBytes, 1<<16, 1<<40); err != nil {
		return err
	}
	return within("file.keep", f.Keep, 1, 10_000)
}

func (l *Log) validate() error {
	if err := oneOf("log.level", l.Level, "debug", "info", "warn", "error"); err != nil {
		return err
	}
	return oneOf("log.format", l.Format, "text", "json")
}

func within[T interface {
	~int | ~int64
}](key string, value, low, high T) error {
	if value < low || value > high {
		return fmt.Errorf("%s = %v is out of range: at least %v, at most %v", key, value, low, high)
	}
	return nil
}

func oneOf(key, value string, allowed ...string) error {
	if !slices.Contains(allowed, value) {
		return fmt.Errorf("%s = %q is none of %q", key, value, allowed)
	}
	return nil
}
