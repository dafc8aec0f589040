package identity

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dhcp"
)

// Options are what Who needs to know from other rooms.
type Options struct {
	// Infrastructure are networks whose addresses are never a user's (networks.infrastructure): resolvers, and proxies whose clients
	// are seen as well. What they do is not counted as use, for it is counted where it comes from.
	Infrastructure []netip.Prefix
	// Location is where the days in the table begin; nil is UTC.
	Location *time.Location
}

// Who adds to a record who was behind its client's address. It may be used from several goroutines at once.
type Who struct {
	names    *Names
	path     string
	location *time.Location
	table    atomic.Pointer[Table]
	bindings *Bindings
	shared   *Shared
	dhcp     *DHCP
	counts   counters
}

type counters struct {
	records, withUser, shared, unsafe, machines atomic.Uint64
}

// Stats count records since the start.
type Stats struct {
	// Records were looked at; WithUser of them got a user.
	Records, WithUser uint64
	// Shared came from addresses that are never a user's.
	Shared uint64
	// Unsafe named a user in bytes that may stand for several; Machines named a computer's account.
	Unsafe, Machines uint64
}

// New returns a Who with the table that the configuration names.
func New(c Config, o Options) (*Who, error) {
	names, err := newNames(&c)
	if err != nil {
		return nil, err
	}
	w := &Who{names: names, path: c.Table, location: o.Location, bindings: NewBindings(c.MaxBindings),
		shared: newShared(o.Infrastructure, c.SharedFor)}
	if w.location == nil {
		w.location = time.UTC
	}
	w.dhcp = newDHCP(w.bindings, c.DHCPDefault)
	empty, err := build(nil, []Name{{}}, []string{""})
	if err != nil {
		return nil, err
	}
	w.table.Store(empty)
	if err := w.Reload(); err != nil {
		return nil, err
	}
	return w, nil
}

// Reload reads the table again. If that fails, the one that was read before stays in use.
func (w *Who) Reload() error {
	if w.path == "" {
		return nil
	}
	file, err := os.Open(w.path)
	if err != nil {
		return fmt.Errorf("reading the identity table; nothing was changed: %w", err)
	}
	defer file.Close()
	t, err := readTable(file, w.names, w.location)
	if err != nil {
		return fmt.Errorf("reading the identity table %s; nothing was changed: %w", w.path, err)
	}
	w.table.Store(t)
	return nil
}

// Table is the table in use.
func (w *Who) Table() *Table { return w.table.Load() }

// Names brings spellings of users together as records have them.
func (w *Who) Names() *Names { return w.names }

// Bindings takes what other sources say of who held an address.
func (w *Who) Bindings() *Bindings { return w.bindings }

// DHCP takes datagrams.
func (w *Who) DHCP() *DHCP { return w.dhcp }

// Shared takes sightings of resolvers and proxies.
func (w *Who) Shared() *Shared { return w.shared }

// Stats counts records so far.
func (w *Who) Stats() Stats {
	c := &w.counts
	return Stats{Records: c.records.Load(), WithUser: c.withUser.Load(), Shared: c.shared.Load(), Unsafe: c.unsafe.Load(), Machines: c.machines.Load()}
}

// client is what a record says of its client, and answer what that tells.
type client struct {
	addr    netip.Addr
	mac     dhcp.MAC
	own     Name   // the record's own user
	source  string // where that comes from
	machine string // the host in its stead
	at      event.Time
}

type answer struct {
	user             Name
	department, host string
	mac              dhcp.MAC // of the device that held the address
	source           string
	confidence       string
	seen             event.Time // when the binding was confirmed last, 0 if it has no time
	shared           bool
	uncounted        bool
}

// Apply fills in user, host and gnomon.attribution of an activity record, as of its start. What the record says of its own user wins, in
// canonical form.
func (w *Who) Apply(ev *event.Event) {
	if ev.Event.Dataset != event.DatasetActivity || ev.Gnomon == nil {
		return
	}
	w.counts.records.Add(1)
	c := w.client(ev)
	a := w.identify(&c)
	if !a.user.IsZero() {
		w.counts.withUser.Add(1)
	}
	if a.shared {
		w.counts.shared.Add(1)
	}
	write(ev, &c, &a)
}

// client reads a record.
func (w *Who) client(ev *event.Event) client {
	c := client{at: ev.Event.Start}
	if c.at == 0 {
		c.at = ev.Timestamp
	}
	if ev.Source != nil {
		c.addr, _ = netip.ParseAddr(ev.Source.IP) // an invalid one is unknown
		c.mac, _ = parseMAC(ev.Source.MAC)
	}
	if ev.User == nil || ev.User.Name == "" {
		return c
	}
	raw := ev.User.Name
	if ev.User.Domain != "" && !strings.ContainsAny(raw, `\@`) {
		raw = ev.User.Domain + `\` + raw
	}
	name, kind := w.names.Canonical(raw)
	switch kind {
	case Person:
		c.own, c.source = name, sourceOf(ev)
	case Machine:
		w.counts.machines.Add(1)
		c.machine, c.source = name.User, sourceOf(ev)
	case Unsafe:
		w.counts.unsafe.Add(1)
	}
	return c
}

// sourceOf says where a record's own user comes from.
func sourceOf(ev *event.Event) string {
	switch {
	case ev.Gnomon.Attribution != nil && ev.Gnomon.Attribution.Source != "":
		return ev.Gnomon.Attribution.Source
	case ev.Log != nil:
		return SourceLog
	}
	return SourceProxy
}

// identify finds out who a client was.
func (w *Who) identify(c *client) (a answer) {
	table := w.table.Load()
	device, held := w.bindings.Lookup(c.addr, c.at)
	mac := c.mac
	if mac.IsZero() {
		mac = device.MAC
	}
	entry := table.Lookup(c.addr, mac, c.at)
	if role := w.shared.Role(c.addr, c.at); role != NoRole {
		a.shared = true
		a.uncounted = role != Proxy && c.own.IsZero() // a load balancer's clients may be known by the record itself
		if entry.HostBy == ByAddress {
			a.host, a.source, a.confidence = entry.Host, SourceStatic, High
		}
		a.own(c)
		a.department = table.Department(a.user, c.at)
		return a
	}
	a.device(&entry, &device)
	a.shared = entry.Shared
	if !entry.Shared {
		a.person(&entry, &held, &device, c.mac.IsZero())
	}
	a.own(c)
	if a.department = table.Department(a.user, c.at); a.department == "" && (a.user == entry.User || entry.User.IsZero()) {
		a.department = entry.Department
		a.rest(SourceStatic, Medium)
	}
	return a
}

// device takes the host: the table's, else the one that DHCP saw. The client chose that one itself.
func (a *answer) device(entry *Entry, device *Binding) {
	a.mac = device.MAC
	switch {
	case entry.Host != "":
		a.host, a.source, a.confidence = entry.Host, SourceStatic, High
	case device.Host != "":
		a.host, a.source, a.confidence, a.seen = device.Host, device.Source, Medium, device.Seen
	}
}

// person takes the user: the one who is bound to the address for now, else the table's. A row for a MAC rests on the binding that joins
// it to the address, unless the record itself has the MAC.
func (a *answer) person(entry *Entry, held, device *Binding, joined bool) {
	switch {
	case !held.User.IsZero():
		a.user, a.source, a.confidence, a.seen = held.User, held.Source, held.Confidence, held.Seen
	case entry.User.IsZero():
	case entry.UserBy == ByMAC && joined:
		a.user, a.source, a.confidence, a.seen = entry.User, SourceStatic, device.Confidence, device.Seen
	case entry.UserBy == ByNetwork:
		a.user, a.source, a.confidence, a.seen = entry.User, SourceStatic, Medium, 0
	default:
		a.user, a.source, a.confidence, a.seen = entry.User, SourceStatic, High, 0
	}
}

// own takes what the record says itself. That needs no address, so it holds on shared ones too.
func (a *answer) own(c *client) {
	switch {
	case !c.own.IsZero():
		a.user, a.source, a.confidence, a.seen = c.own, c.source, High, c.at
	case c.machine != "" && !a.shared:
		a.host = c.machine
		a.rest(c.source, High)
	}
}

// rest says what an answer rests on, unless something else does already.
func (a *answer) rest(source, confidence string) {
	if a.source == "" && (a.host != "" || a.department != "") {
		a.source, a.confidence = source, confidence
	}
}

// write puts an answer into a record.
func write(ev *event.Event, c *client, a *answer) {
	ev.User = a.eventUser(ev.User)
	if a.host != "" && ev.Host == nil {
		ev.Host = &event.Host{Name: a.host}
	}
	if !a.mac.IsZero() && c.mac.IsZero() {
		ev.Source.MAC = formatMAC(a.mac)
	}
	ev.Gnomon.Attribution = nil
	if a.source != "" || a.shared {
		ev.Gnomon.Attribution = &event.Attribution{Source: a.source, Confidence: a.confidence, AgeS: age(c.at, a.seen), Shared: a.shared}
	}
	if a.uncounted {
		counted := false
		ev.Gnomon.Counted = &counted
	}
}

// eventUser is the user to write, nil if nothing is known. The department that a log names stays where the table has none.
func (a *answer) eventUser(before *event.User) *event.User {
	user := &event.User{Name: a.user.User, Domain: a.user.Domain}
	switch {
	case a.department != "":
		user.Group = &event.Group{Name: a.department}
	case before != nil:
		user.Group = before.Group
	}
	if user.Name == "" && user.Group == nil {
		return nil
	}
	return user
}

// age is how old a confirmation was, in seconds; nil if there is none.
func age(at, seen event.Time) *int64 {
	if seen == 0 {
		return nil
	}
	s := max(0, int64(at-seen)/1e9)
	return &s
}
