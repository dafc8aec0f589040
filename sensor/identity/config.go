package identity

import (
	"fmt"
	"strings"
	"time"
)

// Config says what is known of people before the first packet.
type Config struct {
	// Table is a file of comma-separated values with a header; it is read again at SIGHUP. Columns, in any order: address, network
	// (10.1.0.0/16) or mac, of which a row fills one; user, department, host; shared (yes: a NAT, a terminal server, never one user);
	// from and until (days, both included). A row without address, network and mac gives a user's department. The most specific row
	// wins, column by column: address, then mac, then the smallest network. Default: none.
	Table string `toml:"table"`
	// DefaultDomain is the domain of users whose name comes without one, so that the same person has one name. Default: none.
	DefaultDomain string `toml:"default_domain"`
	// DomainAliases bring the spellings of a domain together: "CORP=corp.example.com" makes CORP\anna and anna@corp.example.com one
	// person. Default: none.
	DomainAliases []string `toml:"domain_aliases"`
	// NotUsers are accounts that are no person's; a star at the end stands for any ending. Computers' accounts, which end in $, never
	// are.
	NotUsers []string `toml:"not_users"`
	// MaxBindings bounds how many addresses' holders, present and past, are remembered; beyond it the ones confirmed longest ago are
	// forgotten. Default 131072; 1024 to 4194304.
	MaxBindings int `toml:"max_bindings"`
	// DHCPDefault is how long an answer binds that names no lease. Default 1h; 1m to 24h.
	DHCPDefault time.Duration `toml:"dhcp_default"`
	// SharedFor is how long an address that answered DNS queries or CONNECT counts as a resolver or proxy after it did so last. Default
	// 24h; 1h to 720h.
	SharedFor time.Duration `toml:"shared_for"`
}

// Default returns every default.
func Default() Config {
	return Config{
		NotUsers: []string{"-", "anonymous", "anonymous logon", "guest", "system", "local service", "network service", "nobody",
			"dwm-*", "umfd-*", "healthmailbox*", "msol_*"},
		MaxBindings: 1 << 17, DHCPDefault: time.Hour, SharedFor: 24 * time.Hour,
	}
}

// Validate names the first key whose value cannot be used. It does not read the table.
func (c *Config) Validate() error {
	if c.MaxBindings < 1024 || c.MaxBindings > 1<<22 {
		return fmt.Errorf("identity.max_bindings = %d is out of range: at least 1024, at most %d", c.MaxBindings, 1<<22)
	}
	for _, d := range [...]struct {
		key              string
		value, low, high time.Duration
	}{{"dhcp_default", c.DHCPDefault, time.Minute, 24 * time.Hour}, {"shared_for", c.SharedFor, time.Hour, 720 * time.Hour}} {
		if d.value < d.low || d.value > d.high {
			return fmt.Errorf("identity.%s = %v is out of range: at least %v, at most %v", d.key, d.value, d.low, d.high)
		}
	}
	return c.validateNames()
}

func (c *Config) validateNames() error {
	if strings.ContainsAny(c.DefaultDomain, `\@ `) || !printable(c.DefaultDomain) {
		return fmt.Errorf("identity.default_domain = %q is no domain; write for example corp.example.com", c.DefaultDomain)
	}
	for _, pattern := range c.NotUsers {
		if start, _ := strings.CutSuffix(pattern, "*"); start == "" || strings.Contains(start, "*") {
			return fmt.Errorf("identity.not_users: %q has a star elsewhere than at its end", pattern)
		}
	}
	_, err := newNames(c)
	return err
}
