package dhcp

import "net/netip"

// Type is the kind of a DHCP message (RFC 2132, section 9.6).
type Type uint8

// The types of messages of IPv4.
const (
	Discover Type = 1
	Offer    Type = 2
	Request  Type = 3
	Decline  Type = 4
	Ack      Type = 5
	Nak      Type = 6
	Release  Type = 7
	Inform   Type = 8
)

// Codes of options (RFC 2132; 81: RFC 4702).
const (
	optPad         = 0
	optHostName    = 12
	optRequestedIP = 50
	optLease       = 51
	optOverload    = 52
	optType        = 53
	optServerID    = 54
	optClientID    = 61
	optFQDN        = 81
	optEnd         = 255
)

const (
	opRequest = 1 // BOOTREQUEST, from a client (RFC 2131, section 2)
	opReply   = 2 // BOOTREPLY, from a server

	magicCookie = 0x63825363 // RFC 2131, section 3

	hardwareLen = 16  // of the field chaddr
	serverLen   = 64  // of the field sname
	fileLen     = 128 // of the field file

	overloadFile   = 1 // bits of option 52: the field holds options instead (RFC 2132, section 9.3)
	overloadServer = 2

	fqdnWireForm = 4 // bit E of option 81: the name is in DNS form, not in ASCII (RFC 4702, section 2.1)
	fqdnHeader   = 3 // flags and two response codes, before the name
)

// Infinite is the lease that does not end (RFC 2131, section 3.3; RFC 8415, section 7.7).
const Infinite = 1<<32 - 1

// Message is a DHCP message of IPv4. An address that is 0.0.0.0 in the message is not valid here, a MAC that is not that of an Ethernet
// card is zero.
type Message struct {
	Type     Type
	Reply    bool // from a server
	ID       uint32
	MAC      MAC        // chaddr
	Client   netip.Addr // ciaddr: the client has it already
	Yours    netip.Addr // yiaddr: the server gives it
	Relay    netip.Addr // giaddr
	Wanted   netip.Addr // option 50: the client asks for it
	Server   netip.Addr // option 54
	Lease    uint32     // option 51, in seconds
	HasLease bool
	// HostName is option 12, FQDN the name in option 81 as text, ClientID option 61; each empty if it is not there.
	HostName, FQDN, ClientID []byte

	fqdnRaw []byte // option 81, put together
}

// Parse reads the payload of a datagram from or to port 67 or 68 (RFC 2131, section 2).
func (m *Message) Parse(datagram []byte) error {
	*m = Message{HostName: m.HostName[:0], FQDN: m.FQDN[:0], ClientID: m.ClientID[:0], fqdnRaw: m.fqdnRaw[:0]}
	c := cursor{b: datagram}
	op, hardware, length := c.uint8(), c.uint8(), c.uint8()
	c.take(1) // hops
	m.ID = c.uint32()
	c.take(2 + 2) // secs, flags
	m.Client, m.Yours = c.addr4(), c.addr4()
	c.take(4) // siaddr: where to boot from
	m.Relay = c.addr4()
	chaddr := c.take(hardwareLen)
	server, file := c.take(serverLen), c.take(fileLen)
	magic := c.uint32()
	if c.short {
		return ErrTruncated
	}
	if op != opRequest && op != opReply || length > hardwareLen || magic != magicCookie {
		return ErrMalformed
	}
	m.Reply = op == opReply
	m.MAC = ethernet(hardware, chaddr[:length])
	err := m.fields(c.b, file, server)
	m.FQDN = appendFQDN(m.FQDN, m.fqdnRaw)
	if err == nil && m.Type == 0 {
		return ErrMalformed // BOOTP, which grants nothing for a time
	}
	return err
}

// fields reads the field of options and those that are overloaded with further ones, in this order (RFC 3396, section 5).
func (m *Message) fields(options, file, server []byte) error {
	overload, err := m.options(options)
	if err == nil && overload&overloadFile != 0 {
		_, err = m.options(file)
	}
	if err == nil && overload&overloadServer != 0 {
		_, err = m.options(server)
	}
	return err
}

// options reads a field of options up to its end mark (RFC 2132, section 2).
func (m *Message) options(field []byte) (overload int, err error) {
	c := cursor{b: field}
	for {
		code := c.uint8()
		if c.short {
			return overload, ErrTruncated
		}
		if code == optEnd {
			return overload, nil
		}
		if code == optPad {
			continue
		}
		value := c.take(c.uint8())
		if c.short {
			return overload, ErrTruncated
		}
		if code == optOverload && len(value) == 1 {
			overload = int(value[0])
			continue
		}
		m.option(code, value)
	}
}

// option takes one option. A name may come in pieces (RFC 3396); what is longer than any name is cut off.
func (m *Message) option(code int, value []byte) {
	switch code {
	case optType:
		if len(value) == 1 {
			m.Type = Type(value[0])
		}
	case optRequestedIP:
		m.Wanted = addr4(value)
	case optServerID:
		m.Server = addr4(value)
	case optLease:
		if len(value) == 4 {
			c := cursor{b: value}
			m.Lease, m.HasLease = c.uint32(), true
		}
	case optHostName:
		m.HostName = appendUpTo(m.HostName, value)
	case optFQDN:
		m.fqdnRaw = appendUpTo(m.fqdnRaw, value)
	case optClientID:
		m.ClientID = appendUpTo(m.ClientID, value)
	}
}

// maxOption bounds what is kept of an option that comes in pieces: a name in DNS form and what stands before it.
const maxOption = maxName + 2 + fqdnHeader

func appendUpTo(to, value []byte) []byte {
	return append(to, value[:min(len(value), maxOption-len(to))]...)
}

// appendFQDN appends the name of option 81 in text. Windows still writes the form in ASCII that RFC 4702 deprecates.
func appendFQDN(to, option []byte) []byte {
	if len(option) <= fqdnHeader {
		return to
	}
	name := option[fqdnHeader:]
	if option[0]&fqdnWireForm != 0 {
		return appendName(to, name)
	}
	return append(to, name...)
}
