package config

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Logs says how the logs of proxies, firewalls and resolvers are read.
type Logs struct {
	// Formats is a directory of the organisation's own log formats (*.toml); one of the same name takes the place of a built-in one.
	Formats string `toml:"formats"`
	// Timezone is that of times that carry none, as in Europe/Berlin. Default: UTC.
	Timezone string `toml:"timezone"`
	// Sources are read by `gnomon run`.
	Sources []LogSource `toml:"source"`
}

// LogSource is where lines of one log come from: one of Files, Directory and Listen.
type LogSource struct {
	// Name stands in records and figures, and in the identifiers of records.
	Name string `toml:"name"`
	// Files are paths, which mean their rotated files too, and patterns.
	Files []string `toml:"files"`
	// Directory is one that others put files into.
	Directory string `toml:"directory"`
	// Listen is udp://, tcp://, tls://, http:// or https://HOST:PORT.
	Listen string `toml:"listen"`
	// Format is the name of one, or auto, or empty, which is auto.
	Format string `toml:"format"`
	// Timezone is that of times that carry none; empty: that of Logs.
	Timezone string `toml:"timezone"`
	// SkipHistory begins at the end of files that are there at the first start.
	SkipHistory bool `toml:"skip_history"`
	// SilentAfter is when silence is told; 0: findings.source_silent.
	SilentAfter time.Duration `toml:"silent_after"`
	// Cert and Key are for tls and https; CA vouches for clients.
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
	CA   string `toml:"ca"`
	// SecretFile holds what senders over HTTP must show.
	SecretFile string `toml:"secret_file"`
}

// maxSourceName bounds a source's name: it is part of a file's.
const maxSourceName = 64

func (l *Logs) validate() error {
	if _, err := l.Location(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i := range l.Sources {
		s := &l.Sources[i]
		if err := s.validate(); err != nil {
			return err
		}
		if seen[s.Name] {
			return fmt.Errorf("logs.source %q: the name stands there twice; each source needs its own", s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

// Location is the zone of times that carry none.
func (l *Logs) Location() (*time.Location, error) {
	return zone("logs.timezone", l.Timezone)
}

// Location is the zone of the source's times that carry none.
func (s *LogSource) Location(all *Logs) (*time.Location, error) {
	if s.Timezone == "" {
		return all.Location()
	}
	return zone("logs.source "+s.Name+": timezone", s.Timezone)
}

func zone(key, name string) (*time.Location, error) {
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%s = %q is no zone of the time zone database, as Europe/Berlin is: %w", key, name, err)
	}
	return location, nil
}

func (s *LogSource) validate() error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	if s.Name == "" || len(s.Name) > maxSourceName || strings.Trim(s.Name, letters+"._-") != "" || !strings.ContainsAny(s.Name[:1], letters) {
		return fmt.Errorf("logs.source: name = %q; name each source with at most %d letters, digits, dots and dashes, a letter or digit first", s.Name, maxSourceName)
	}
	for _, check := range []func() error{s.validateFrom, s.validateTLS, s.validateSecret} {
		if err := check(); err != nil {
			return fmt.Errorf("logs.source %q: %w", s.Name, err)
		}
	}
	if _, err := s.Location(&Logs{}); err != nil {
		return err
	}
	if s.SilentAfter != 0 {
		return within("logs.source "+s.Name+": silent_after", s.SilentAfter, time.Minute, 2160*time.Hour)
	}
	return nil
}

// validateFrom wants one place where lines come from.
func (s *LogSource) validateFrom() error {
	ways := 0
	for _, set := range []bool{len(s.Files) > 0, s.Directory != "", s.Listen != ""} {
		if set {
			ways++
		}
	}
	if ways != 1 {
		return fmt.Errorf("%d of files, directory and listen are set; set one", ways)
	}
	for _, path := range s.Files {
		if _, err := filepath.Match(path, ""); path == "" || err != nil {
			return fmt.Errorf("files = %q: %q is neither a path nor a pattern", s.Files, path)
		}
	}
	if s.Listen == "" {
		return nil
	}
	if s.SkipHistory {
		return fmt.Errorf("skip_history = true: only files have a history, and listen = %q", s.Listen)
	}
	_, _, err := s.Address()
	return err
}

// Address divides Listen into the protocol and the address.
func (s *LogSource) Address() (protocol, address string, err error) {
	protocol, address, _ = strings.Cut(s.Listen, "://")
	_, port, err := net.SplitHostPort(address)
	if err != nil || port == "" || !slices.Contains([]string{"udp", "tcp", "tls", "http", "https"}, protocol) {
		return "", "", fmt.Errorf("listen = %q: write udp://, tcp://, tls://, http:// or https:// and an address with a port, as in tcp://0.0.0.0:5514", s.Listen)
	}
	return protocol, address, nil
}

// encrypted says whether the source listens with TLS.
func (s *LogSource) encrypted() bool {
	return strings.HasPrefix(s.Listen, "tls://") || strings.HasPrefix(s.Listen, "https://")
}

func (s *LogSource) validateTLS() error {
	switch {
	case !s.encrypted() && s.Cert+s.Key+s.CA != "":
		return fmt.Errorf("cert, key and ca are for tls:// and https://, and listen = %q", s.Listen)
	case s.encrypted() && (s.Cert == "" || s.Key == ""):
		return fmt.Errorf("listen = %q needs cert and key", s.Listen)
	}
	return nil
}

// validateSecret wants to know who sends over HTTP, unless it can only be this machine.
func (s *LogSource) validateSecret() error {
	web := strings.HasPrefix(s.Listen, "http")
	if !web {
		if s.SecretFile != "" {
			return fmt.Errorf("secret_file is for http:// and https://, and listen = %q", s.Listen)
		}
		return nil
	}
	_, address, err := s.Address()
	if err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(address) // it was split before
	addr, err := netip.ParseAddr(host)
	if local := host == "localhost" || err == nil && addr.IsLoopback(); !local && s.SecretFile+s.CA == "" {
		return fmt.Errorf("listen = %q: beyond this machine senders must show who they are; set secret_file, or ca for their certificates", s.Listen)
	}
	return nil
}
