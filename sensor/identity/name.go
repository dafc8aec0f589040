package identity

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Name is a user in canonical form: lower case, divided into account and domain. The same person has one Name, however a proxy, a log
// or a table spells it.
type Name struct{ User, Domain string }

// IsZero says that there is no user.
func (n Name) IsZero() bool { return n.User == "" }

// Key is the name in one string: domain\user, or the user alone where there is no domain.
func (n Name) Key() string {
	if n.Domain == "" {
		return n.User
	}
	return n.Domain + `\` + n.User
}

// Kind says what a name stands for.
type Kind uint8

// The kinds of names.
const (
	Nobody  Kind = iota // empty, or an account that is no one's by its name
	Person              // a user
	Machine             // a computer's own account: Name.User is the host
	Unsafe              // bytes that may stand for several names, or that no name has
)

// maxName bounds an account, a domain and a host in octets: more than any directory allows.
const maxName = 256

// Names brings the spellings of one user together.
type Names struct {
	domain   string
	aliases  map[string]string
	notUsers []string
}

// newNames takes the settings that Config.Validate has checked.
func newNames(c *Config) (*Names, error) {
	n := &Names{aliases: make(map[string]string, len(c.DomainAliases))}
	for _, pair := range c.DomainAliases {
		if err := n.addAlias(pair); err != nil {
			return nil, err
		}
	}
	for from, to := range n.aliases {
		if further, chained := n.aliases[to]; chained && further != to {
			return nil, fmt.Errorf("identity.domain_aliases: %q leads to %q, which leads to %q; name the last at once", from, to, further)
		}
	}
	n.domain = n.alias(fold(c.DefaultDomain))
	for _, pattern := range c.NotUsers {
		n.notUsers = append(n.notUsers, fold(pattern))
	}
	return n, nil
}

func (n *Names) addAlias(pair string) error {
	from, to, ok := strings.Cut(fold(pair), "=")
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	if !ok || from == "" || to == "" {
		return fmt.Errorf("identity.domain_aliases: %q is no pair; write for example \"CORP=corp.example.com\"", pair)
	}
	if other, dup := n.aliases[from]; dup && other != to {
		return fmt.Errorf("identity.domain_aliases: %q stands for both %q and %q; keep one", from, other, to)
	}
	n.aliases[from] = to
	return nil
}

// Canonical reads DOMAIN\user, user@domain or a bare name, which is one of the default domain.
func (n *Names) Canonical(raw string) (Name, Kind) {
	raw = strings.TrimSpace(raw)
	if !printable(raw) {
		return Name{}, Unsafe
	}
	raw = fold(raw)
	if host, ok := strings.CutPrefix(raw, "host/"); ok { // a computer in 802.1X and Kerberos
		return machine(strings.TrimSpace(host))
	}
	user, domain := divide(raw)
	user, domain = strings.TrimSpace(user), strings.TrimSpace(domain)
	if strings.Contains(user, `\`) || len(user) > maxName || len(domain) > maxName {
		return Name{}, Unsafe
	}
	if user == "" || n.noUser(user) {
		return Name{}, Nobody
	}
	if host, ok := strings.CutSuffix(user, "$"); ok {
		return machine(host)
	}
	if domain == "" {
		domain = n.domain
	}
	return Name{User: user, Domain: n.alias(domain)}, Person
}

// machine is a computer's account.
func machine(host string) (Name, Kind) {
	if host == "" || len(host) > maxName {
		return Name{}, Nobody
	}
	return Name{User: host}, Machine
}

// divide takes the domain off: before the first backslash, else behind the last at sign.
func divide(raw string) (user, domain string) {
	if domain, user, ok := strings.Cut(raw, `\`); ok {
		return user, domain
	}
	if at := strings.LastIndexByte(raw, '@'); at >= 0 {
		return raw[:at], strings.TrimRight(raw[at+1:], ". ")
	}
	return raw, ""
}

func (n *Names) alias(domain string) string {
	if to, ok := n.aliases[domain]; ok {
		return to
	}
	return domain
}

// noUser says that an account is nobody's.
func (n *Names) noUser(user string) bool {
	for _, pattern := range n.notUsers {
		if start, ok := strings.CutSuffix(pattern, "*"); ok && strings.HasPrefix(user, start) || user == pattern {
			return true
		}
	}
	return false
}

// fold is lower case; ToLower allocates only if something changes.
func fold(s string) string { return strings.ToLower(s) }

// printable says that a text can be shown and told from others: UTF-8 without control and formatting characters, which may turn the
// direction of what follows, and without the sign that replaced bytes which were not understood.
func printable(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// hostName is a host's name as a client wrote it, in lower case; "" if it is none.
func hostName(b []byte) string {
	name := strings.TrimRight(string(b), "\x00. ")
	if len(name) > maxName || !printable(name) || strings.TrimLeft(name, " ") != name {
		return ""
	}
	name = fold(name)
	if name == "localhost" || strings.HasPrefix(name, "localhost.") {
		return ""
	}
	return name
}
