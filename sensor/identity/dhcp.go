package identity

import (
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dhcp"
)

const (
	maxPending  = 4096        // questions whose name is remembered for the answer
	pendingFor  = int64(60e9) // in packet time
	infiniteFor = int64(365 * 24 * 3600e9)
)

// DHCP turns the messages of DHCP into bindings. Only an answer of a server that grants an address binds; what a client asks for gives
// the name alone. It may be used from several goroutines at once.
type DHCP struct {
	mu        sync.Mutex
	bindings  *Bindings
	noLease   int64 // nanoseconds
	v4        dhcp.Message
	v6        dhcp.Message6
	pending   map[question]pendingName
	questions [maxPending]question // a ring: the oldest gives way
	next      int
}

// question is a transaction of a client.
type question struct {
	id     uint32
	client string // MAC or DUID
}

type pendingName struct {
	host string
	at   event.Time
}

// newDHCP returns a reader that writes to bindings. noLease is how long an answer without a lease binds.
func newDHCP(bindings *Bindings, noLease time.Duration) *DHCP {
	return &DHCP{bindings: bindings, noLease: int64(noLease), pending: map[question]pendingName{}}
}

// Datagram4 takes the payload of a datagram from or to port 67 or 68, seen at a time. The payload is not kept.
func (d *DHCP) Datagram4(payload []byte, at event.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := &d.v4
	if err := m.Parse(payload); err != nil {
		return err
	}
	if m.Reply {
		if m.Type == dhcp.Ack {
			d.ack(m, at)
		}
		return nil
	}
	switch m.Type {
	case dhcp.Discover, dhcp.Request, dhcp.Inform:
		d.remember(m.ID, string(m.MAC[:]), either(m.HostName, m.FQDN), at)
	case dhcp.Release:
		d.bindings.End(m.Client, m.MAC, at)
	case dhcp.Decline:
		d.bindings.End(m.Wanted, m.MAC, at)
	}
	return nil
}

// ack binds the address that a server grants, or confirms: an answer to an INFORM has no lease, and the address in ciaddr.
func (d *DHCP) ack(m *dhcp.Message, at event.Time) {
	b := Binding{Addr: m.Yours, MAC: m.MAC, Source: SourceDHCP, Confidence: High, From: at, Until: at + event.Time(d.noLease)}
	if !b.Addr.IsValid() {
		b.Addr = m.Client
	}
	if m.HasLease {
		b.Until = leaseEnd(at, m.Lease)
	}
	if b.Host = either(m.HostName, m.FQDN); b.Host == "" {
		b.Host = d.remembered(m.ID, string(m.MAC[:]), at)
	}
	d.bindings.Bind(b)
}

// Datagram6 takes the payload of a datagram from or to port 546 or 547, seen at a time. The payload is not kept.
func (d *DHCP) Datagram6(payload []byte, at event.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := &d.v6
	if err := m.Parse(payload); err != nil {
		return err
	}
	switch m.Type {
	case dhcp.Solicit6, dhcp.Request6, dhcp.Renew6, dhcp.Rebind6:
		d.remember(m.ID, string(m.DUID), hostName(m.FQDN), at)
	case dhcp.Release6, dhcp.Decline6:
		for _, a := range m.Addrs {
			d.bindings.End(a.Addr, m.MAC, at)
		}
	case dhcp.Reply6:
		d.reply(m, at)
	}
	return nil
}

// reply binds the addresses that a server grants. A DUID's link-layer address is that of one of the host's cards, perhaps of one that
// has moved to another host since: it is worth less than what IPv4 says.
func (d *DHCP) reply(m *dhcp.Message6, at event.Time) {
	host := hostName(m.FQDN)
	if host == "" {
		host = d.remembered(m.ID, string(m.DUID), at)
	}
	for _, a := range m.Addrs {
		if a.Lease == 0 {
			d.bindings.End(a.Addr, m.MAC, at)
			continue
		}
		d.bindings.Bind(Binding{Addr: a.Addr, MAC: m.MAC, Host: host, Source: SourceDHCP, Confidence: Medium, From: at,
			Until: leaseEnd(at, a.Lease)})
	}
}

// leaseEnd is when a lease of so many seconds ends. One for ever is believed for a year.
func leaseEnd(at event.Time, seconds uint32) event.Time {
	if seconds == dhcp.Infinite {
		return at + event.Time(infiniteFor)
	}
	return at + event.Time(seconds)*1e9
}

// either is the first that is a host's name.
func either(name, fqdn []byte) string {
	if host := hostName(name); host != "" {
		return host
	}
	return hostName(fqdn)
}

// remember keeps the name in a question for its answer.
func (d *DHCP) remember(id uint32, client, host string, at event.Time) {
	if host == "" {
		return
	}
	q := question{id, client}
	if _, again := d.pending[q]; !again {
		delete(d.pending, d.questions[d.next])
		d.questions[d.next] = q
		d.next = (d.next + 1) % maxPending
	}
	d.pending[q] = pendingName{host, at}
}

// remembered is the name in the question that an answer belongs to.
func (d *DHCP) remembered(id uint32, client string, at event.Time) string {
	p, ok := d.pending[question{id, client}]
	if age := int64(at - p.at); !ok || age > pendingFor || age < -pendingFor {
		return ""
	}
	return p.host
}
