package dashboard

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/dashboard/login"
)

// Config is the table dashboard of gnomon.toml. On loopback, without users and without a proxy, whoever uses this machine sees what an
// analyst sees, and the pages say so. Anywhere else the pages want TLS, and users or a proxy that knows them.
type Config struct {
	// Listen is the address and port of the pages; "" serves none. Default 127.0.0.1:8686.
	Listen string `toml:"listen"`
	// TLSCert and TLSKey are PEM files of a certificate (with its chain) and its key. A renewed one is taken up within a minute.
	TLSCert string `toml:"tls_cert"`
	TLSKey  string `toml:"tls_key"`
	// Hosts are the names under which browsers reach the pages; a request that names another is refused. The address in listen, and on
	// loopback localhost, are always among them.
	Hosts []string `toml:"hosts"`
	// Session is how long a login lasts. Default 8h; 5m to 168h.
	Session time.Duration `toml:"session"`
	// SmallestGroup is how many users a department must have in a period for a viewer to see it. Default 5; 3 to 1000.
	SmallestGroup int `toml:"smallest_group"`
	// UsersFile holds users beside those below, a line name:role:hash for each; only its owner and group should read it.
	UsersFile string `toml:"users_file"`
	// Users may log in.
	Users []login.User `toml:"user"`
	// Proxy is a reverse proxy that has already asked who it is.
	Proxy Proxy `toml:"proxy"`
}

// Proxy trusts headers of a reverse proxy. It must remove the same headers from what its own clients send.
type Proxy struct {
	// From are the addresses the proxy connects from; headers from elsewhere are not looked at. Empty: there is no proxy. Whatever runs at
	// such an address can say that it is anyone.
	From []netip.Prefix `toml:"from"`
	// UserHeader names the user. Default X-Forwarded-User.
	UserHeader string `toml:"user_header"`
	// GroupHeader names their groups. Default X-Forwarded-Groups.
	GroupHeader string `toml:"group_header"`
	// GroupSeparator stands between two groups. Default ",".
	GroupSeparator string `toml:"group_separator"`
	// Viewers and Analysts are the groups of each role; who is in none of them sees nothing.
	Viewers  []string `toml:"viewers"`
	Analysts []string `toml:"analysts"`
}

// enabled says whether there is a proxy.
func (p *Proxy) enabled() bool { return len(p.From) > 0 }

// Default returns every default.
func Default() Config {
	return Config{
		Listen: "127.0.0.1:8686", Session: 8 * time.Hour, SmallestGroup: 5,
		Proxy: Proxy{UserHeader: "X-Forwarded-User", GroupHeader: "X-Forwarded-Groups", GroupSeparator: ","},
	}
}

// Validate names the first setting that cannot be, and what it may be.
func (c *Config) Validate() error {
	if c.Listen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("checking dashboard.listen = %q: write an address and a port, as in 127.0.0.1:8686", c.Listen)
	}
	if err := c.validateValues(); err != nil {
		return err
	}
	if err := c.validateHosts(host); err != nil {
		return err
	}
	if err := c.Proxy.validate(); err != nil {
		return err
	}
	if _, err := login.NewUsers(c.Users); err != nil {
		return fmt.Errorf("checking dashboard.user: %w", err)
	}
	if !loopbackName(host) {
		return c.open(c.Listen)
	}
	return nil
}

// validateValues checks the settings that stand for themselves.
func (c *Config) validateValues() error {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("checking dashboard.tls_cert and dashboard.tls_key: one is of no use without the other; set both or none")
	case c.Session < 5*time.Minute || c.Session > 168*time.Hour:
		return fmt.Errorf("checking dashboard.session = %v: it is out of range: 5m to 168h", c.Session)
	case c.SmallestGroup < 3 || c.SmallestGroup > 1000:
		return fmt.Errorf("checking dashboard.smallest_group = %d: it is out of range: 3 to 1000", c.SmallestGroup)
	}
	return nil
}

func (c *Config) validateHosts(listen string) error {
	for _, name := range c.Hosts {
		if name == "" || strings.ContainsAny(name, "/:@* \t") && !isAddr(name) {
			return fmt.Errorf("checking dashboard.hosts: %q is no host name; write it without scheme, port and path", name)
		}
	}
	if addr, err := netip.ParseAddr(listen); len(c.Hosts) == 0 && (listen == "" || err == nil && addr.IsUnspecified()) {
		return fmt.Errorf("checking dashboard.hosts: with dashboard.listen = %q browsers may come under any name; list those that are right", c.Listen)
	}
	return nil
}

func (p *Proxy) validate() error {
	if !p.enabled() {
		return nil
	}
	for _, from := range p.From {
		if !from.IsValid() || from.Bits() == 0 {
			return fmt.Errorf("checking dashboard.proxy.from: %v is everyone; state the proxy's own address", from)
		}
	}
	for _, header := range []string{p.UserHeader, p.GroupHeader} {
		if !headerName(header) {
			return fmt.Errorf("checking dashboard.proxy: %q is no name of a header", header)
		}
	}
	if p.GroupSeparator == "" {
		return errors.New("checking dashboard.proxy.group_separator: it is empty; say what stands between two groups, as in \",\"")
	}
	if len(p.Viewers)+len(p.Analysts) == 0 {
		return errors.New("checking dashboard.proxy: nobody could see anything; list groups in viewers or analysts")
	}
	return nil
}

// headerName says whether s may be the name of a header.
func headerName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' })
}

// open says what is missing before the pages may be reached from other machines.
func (c *Config) open(address string) error {
	if c.TLSCert == "" {
		return fmt.Errorf("checking dashboard.listen = %q: beyond this machine the pages are served over TLS alone; set dashboard.tls_cert and "+
			"dashboard.tls_key, or listen on 127.0.0.1", address)
	}
	if len(c.Users) == 0 && c.UsersFile == "" && !c.Proxy.enabled() {
		return fmt.Errorf("checking dashboard.listen = %q: beyond this machine the pages ask who it is; set dashboard.user, dashboard.users_file "+
			"or dashboard.proxy, or listen on 127.0.0.1", address)
	}
	return nil
}

// users returns those of the configuration and of the users file.
func (c *Config) users() ([]login.User, error) {
	if c.UsersFile == "" {
		return c.Users, nil
	}
	f, err := os.Open(c.UsersFile)
	if err != nil {
		return nil, fmt.Errorf("opening dashboard.users_file: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("reading dashboard.users_file %s: everyone on this machine can, mode %v; chmod 640 it", c.UsersFile, info.Mode().Perm())
	}
	more, err := login.ReadUsers(f)
	if err != nil {
		return nil, fmt.Errorf("reading dashboard.users_file %s: %w", c.UsersFile, err)
	}
	return append(append([]login.User{}, c.Users...), more...), nil
}

func isAddr(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// loopbackName says whether what listens on the host is reached from this machine alone.
func loopbackName(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// HashPassword makes the hash that stands in the configuration for a password.
func HashPassword(password string) (string, error) { return login.HashPassword(password) }
