package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"hash"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/identity"
)

// lower is base32hex (RFC 4648, section 7) in lower case.
const lower = "0123456789abcdefghijklmnopqrstuv"

// pseudonymSize is how many octets of the HMAC a pseudonym keeps: 128 bits, so that two people never meet.
const pseudonymSize = 16

// Filter takes out of records what may not be kept. It may be used from several goroutines at once.
type Filter struct {
	config   Config
	networks []netip.Prefix
	users    map[identity.Name]bool
	anywhere map[string]bool // users of any domain
	encoding *base32.Encoding
	macs     sync.Pool // of hash.Hash, keyed
	dropped  atomic.Uint64
}

// New returns a Filter. names spells the users who are excluded as records have them.
func New(c Config, key Key, names *identity.Names) (*Filter, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	f := &Filter{config: c, users: map[identity.Name]bool{}, anywhere: map[string]bool{},
		encoding: base32.NewEncoding(lower).WithPadding(base32.NoPadding)}
	f.macs.New = func() any { return hmac.New(sha256.New, key[:]) }
	var err error
	if f.networks, err = c.networks(); err != nil {
		return nil, err
	}
	for _, user := range c.ExcludeUsers {
		if err := f.exclude(user, names); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Pseudonym is the user.id of a user: the same for the same name and key, and without the key a riddle. A user without a name has none.
func (f *Filter) Pseudonym(who identity.Name) string {
	if who.IsZero() {
		return ""
	}
	mac := f.macs.Get().(hash.Hash)
	defer f.macs.Put(mac)
	mac.Reset()
	b := make([]byte, 0, 128)
	b = append(b, "user\x00"...)
	b = append(b, who.Key()...)
	_, _ = mac.Write(b) // a hash takes everything
	return f.encoding.EncodeToString(mac.Sum(b[:0])[:pseudonymSize])
}

// Apply gives a record its pseudonym and takes away what may not be kept. If keep is false the record must go no further. Records that
// know no person are kept as they are.
func (f *Filter) Apply(ev *event.Event) (keep bool) {
	if f.excluded(ev) {
		f.dropped.Add(1)
		return false
	}
	if u := ev.User; u != nil {
		u.ID = f.Pseudonym(identity.Name{User: u.Name, Domain: u.Domain})
		if !f.config.KeepNames {
			u.Name, u.Domain = "", ""
		}
	}
	if !f.config.KeepNames && !f.config.KeepHosts {
		ev.Host = nil
	}
	if ev.Source != nil && !f.config.KeepMACs {
		ev.Source.MAC = ""
	}
	return true
}

// Dropped counts the records of those who are excluded.
func (f *Filter) Dropped() uint64 { return f.dropped.Load() }

// Excluded says whether a record would be of somebody who leaves none; unlike Apply it changes and counts nothing.
func (f *Filter) Excluded(ev *event.Event) bool { return f.excluded(ev) }

// excluded says that a record is of somebody who leaves none.
func (f *Filter) excluded(ev *event.Event) bool {
	if len(f.networks) > 0 && ev.Source != nil {
		if addr, err := netip.ParseAddr(ev.Source.IP); err == nil && f.excludedAddr(addr.Unmap().WithZone("")) {
			return true
		}
	}
	u := ev.User
	return u != nil && u.Name != "" && (f.anywhere[u.Name] || f.users[identity.Name{User: u.Name, Domain: u.Domain}])
}

func (f *Filter) excludedAddr(addr netip.Addr) bool {
	return slices.ContainsFunc(f.networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// exclude notes a user. One without a domain is excluded in all of them: to drop too much is the safe mistake here.
func (f *Filter) exclude(user string, names *identity.Names) error {
	name, kind := names.Canonical(user)
	if kind != identity.Person {
		return fmt.Errorf("privacy.exclude_users: %q is no person's account; exclude hosts by address", user)
	}
	if strings.ContainsAny(user, `\@`) {
		f.users[name] = true
	} else {
		f.anywhere[name.User] = true
	}
	return nil
}
