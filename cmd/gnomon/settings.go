package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/setup"
	"github.com/gnomon-sensor/gnomon/exporters/spool"
	"github.com/gnomon-sensor/gnomon/exporters/store"
	"github.com/gnomon-sensor/gnomon/exporters/syslog"
	"github.com/gnomon-sensor/gnomon/sensor/config"
	"github.com/gnomon-sensor/gnomon/sensor/identity"
	"github.com/gnomon-sensor/gnomon/sensor/policy"
	"github.com/gnomon-sensor/gnomon/sensor/privacy"
)

// settings is gnomon.toml as a whole: the sensor's tables and those of the rooms that only this command knows.
type settings struct {
	config.Config
	Identity  identity.Config       `toml:"identity"`
	Privacy   privacy.Config        `toml:"privacy"`
	Policy    policy.Config         `toml:"policy"`
	Findings  policy.FindingsConfig `toml:"findings"`
	Spool     spoolSettings         `toml:"spool"`
	Store     storeSettings         `toml:"store"`
	Report    reportSettings        `toml:"report"`
	Dashboard dashboard.Config      `toml:"dashboard"`
	Metrics   metricsSettings       `toml:"metrics"`
	Syslog    syslog.Config         `toml:"syslog"`
	Elastic   elasticsearch.Config  `toml:"elasticsearch"`
	Setup     setup.Config          `toml:"setup"`
}

// spoolSettings is the table spool: records on their way to the store and to other systems.
type spoolSettings struct {
	// Dir is where records wait; empty: spool in the state directory.
	Dir string `toml:"dir"`
	// MaxBytes bounds what waits on the disk.
	MaxBytes config.Bytes `toml:"max_bytes"`
	// MaxAge is how long a record waits.
	MaxAge time.Duration `toml:"max_age"`
	// Sync is how long a record may be in memory only.
	Sync time.Duration `toml:"sync"`
	// Memory bounds what waits in memory while the disk takes nothing.
	Memory config.Bytes `toml:"memory"`
	// DeadLetters bounds what was refused for good.
	DeadLetters config.Bytes `toml:"dead_letters"`
}

// storeSettings is the table store: the embedded store in the state directory.
type storeSettings struct {
	// Enabled keeps records in the embedded store, which the pages and reports read.
	Enabled bool `toml:"enabled"`
	// RawRetention is how long records are kept, from the moment they were taken in.
	RawRetention time.Duration `toml:"raw_retention"`
	// RollupMonths is how many months sums and findings are kept.
	RollupMonths int `toml:"rollup_months"`
	// MaxBytes bounds the store: beyond it the oldest records go early; sums stay.
	MaxBytes config.Bytes `toml:"max_bytes"`
}

// reportSettings is the table report: what pages and documents have in common.
type reportSettings struct {
	// Timezone is where days begin, as in Europe/Berlin; empty: the host's.
	Timezone string `toml:"timezone"`
	// Organisation stands in the titles of documents.
	Organisation string `toml:"organisation"`
}

func defaultSettings() settings {
	s, q := store.Default(""), spool.Default("")
	return settings{
		Config:   config.Default(),
		Identity: identity.Default(),
		Privacy:  privacy.Default(),
		Policy:   policy.Default(),
		Findings: policy.DefaultFindings(),
		Spool: spoolSettings{MaxBytes: config.Bytes(q.MaxBytes), MaxAge: q.MaxAge, Sync: q.Sync, Memory: config.Bytes(q.Memory),
			DeadLetters: config.Bytes(q.DeadBytes)},
		Store:     storeSettings{Enabled: true, RawRetention: s.RawRetention, RollupMonths: s.RollupMonths, MaxBytes: config.Bytes(s.MaxBytes)},
		Dashboard: dashboard.Default(),
		Metrics:   metricsSettings{Enabled: true},
		Syslog:    syslog.Default(),
		Elastic:   elasticsearch.Default(),
		Setup:     setup.Default(),
	}
}

// Validate implements config.Settings.
func (s *settings) Validate() error {
	for _, check := range []func() error{s.Config.Validate, s.Identity.Validate, s.Privacy.Validate, s.Policy.Validate, s.Findings.Validate, s.Spool.validate, s.Store.validate, s.Report.validate, s.Dashboard.Validate, s.Metrics.validate, s.Syslog.Validate, s.Elastic.Validate, s.Setup.Validate, s.validateKeys} {
		if err := check(); err != nil {
			return err
		}
	}
	if s.Dashboard.Listen != "" && !s.Store.Enabled {
		return errors.New(`store.enabled = false leaves the pages nothing to show; set dashboard.listen = "" too`)
	}
	return nil
}

func (s *spoolSettings) validate() error {
	switch {
	case s.MaxBytes < 16<<20:
		return fmt.Errorf("spool.max_bytes = %v is out of range: at least 16MiB", s.MaxBytes)
	case s.MaxAge != 0 && s.MaxAge < time.Hour:
		return fmt.Errorf("spool.max_age = %v is out of range: 0 (no bound) or at least 1h", s.MaxAge)
	case s.Sync < 10*time.Millisecond || s.Sync > 10*time.Second:
		return fmt.Errorf("spool.sync = %v is out of range: at least 10ms, at most 10s", s.Sync)
	case s.Memory < 1<<20 || s.Memory > 1<<30:
		return fmt.Errorf("spool.memory = %v is out of range: at least 1MiB, at most 1GiB", s.Memory)
	case s.DeadLetters < 1<<20:
		return fmt.Errorf("spool.dead_letters = %v is out of range: at least 1MiB", s.DeadLetters)
	}
	return nil
}

func (s *storeSettings) validate() error {
	switch {
	case s.RawRetention < 24*time.Hour || s.RawRetention > 10*365*24*time.Hour:
		return fmt.Errorf("store.raw_retention = %v is out of range: at least 24h, at most 87600h", s.RawRetention)
	case s.RollupMonths < 1 || s.RollupMonths > 120:
		return fmt.Errorf("store.rollup_months = %d is out of range: at least 1, at most 120", s.RollupMonths)
	case s.MaxBytes != 0 && s.MaxBytes < 64<<20:
		return fmt.Errorf("store.max_bytes = %v is out of range: 0 (no bound) or at least 64MiB", s.MaxBytes)
	}
	return nil
}

// validateKeys reads the keys of catalogue.keys.
func (s *settings) validateKeys() error {
	_, err := s.trustedKeys()
	return err
}

func (s *reportSettings) validate() error {
	_, err := s.location()
	return err
}

// location is where days begin.
func (s *reportSettings) location() (*time.Location, error) {
	if s.Timezone == "" {
		return time.Local, nil
	}
	l, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return nil, fmt.Errorf("report.timezone = %q is no zone of the time zone database, as Europe/Berlin is: %w", s.Timezone, err)
	}
	return l, nil
}

// storePath is where the embedded store lies.
func (s *settings) storePath(environ []string) string {
	return filepath.Join(stateDir(&s.Config, environ), "store.db")
}
