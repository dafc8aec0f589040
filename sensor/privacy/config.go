package privacy

import (
	"fmt"
	"net/netip"
	"strings"
)

// Config says what of a person is kept. The defaults keep pseudonyms only.
type Config struct {
	// KeyFile holds the 32 random octets that pseudonyms are made with. Sensors that share it give one person one pseudonym; whoever has
	// it can find out whether a pseudonym is that of a name they know. Default: pseudonym.key in the state directory, made at the first
	// start.
	KeyFile string `toml:"key_file"`
	// KeepNames writes user.name and user.domain into records, and the names of hosts. Default false.
	KeepNames bool `toml:"keep_names"`
	// KeepHosts writes host.name without KeepNames: hosts are often called after their people. Default false.
	KeepHosts bool `toml:"keep_hosts"`
	// KeepMACs writes source.mac. Default false.
	KeepMACs bool `toml:"keep_macs"`
	// Exclude are addresses and networks (10.1.2.3, 10.1.9.0/24) whose use leaves no record: a works council's office, a doctor's. How
	// many records were dropped is counted, not whose. Default: none.
	Exclude []string `toml:"exclude"`
	// ExcludeUsers are users, as CORP\anna, anna@corp.example.com or anna (in any domain), whose use leaves no record where they are
	// known by name. What their address asks for without a name is kept: exclude the address as well. Default: none.
	ExcludeUsers []string `toml:"exclude_users"`
}

// Default returns every default.
func Default() Config { return Config{} }

// Validate names the first key whose value cannot be used. It does not read the key.
func (c *Config) Validate() error {
	if _, err := c.networks(); err != nil {
		return err
	}
	for _, user := range c.ExcludeUsers {
		if strings.TrimSpace(user) == "" {
			return fmt.Errorf("privacy.exclude_users: %q is no user", user)
		}
	}
	return nil
}

// networks reads Exclude.
func (c *Config) networks() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range c.Exclude {
		p, err := netip.ParsePrefix(s)
		if addr, addrErr := netip.ParseAddr(s); addrErr == nil && addr.Zone() == "" {
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("privacy.exclude: %q is neither an address nor a network; write for example 10.1.9.0/24", s)
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
