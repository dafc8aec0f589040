package dhcp

import "net/netip"

// Type6 is the kind of a DHCPv6 message (RFC 8415, section 7.3).
type Type6 uint8

// The types of messages of IPv6. Parse looks into the relay's messages itself.
const (
	Solicit6            Type6 = 1
	Advertise6          Type6 = 2
	Request6            Type6 = 3
	Confirm6            Type6 = 4
	Renew6              Type6 = 5
	Rebind6             Type6 = 6
	Reply6              Type6 = 7
	Release6            Type6 = 8
	Decline6            Type6 = 9
	Reconfigure6        Type6 = 10
	InformationRequest6 Type6 = 11

	relayForward Type6 = 12
	relayReply   Type6 = 13
)

// Codes of options (RFC 8415, section 21; 39: RFC 4704; 79: RFC 6939).
const (
	opt6ClientID     = 1
	opt6IANA         = 3
	opt6IATA         = 4
	opt6IAAddr       = 5
	opt6RelayMessage = 9
	opt6Status       = 13
	opt6FQDN         = 39
	opt6LinkLayer    = 79
)

const (
	maxHops  = 8  // HOP_COUNT_LIMIT (RFC 8415, section 7.6)
	maxAddrs = 16 // kept of one message: a client has one or two

	duidLLT = 1 // DUIDs that hold a link-layer address (RFC 8415, section 11)
	duidLL  = 3
)

// Addr6 is an address in an identity association. Lease is its valid lifetime in seconds; zero ends it.
type Addr6 struct {
	Addr  netip.Addr
	Lease uint32
}

// Message6 is a DHCPv6 message, taken out of its relays' envelopes.
type Message6 struct {
	Type Type6
	ID   uint32 // 24 bits
	// MAC is the client's link-layer address as its relay saw it, else as its DUID has it. A DUID's is that of one of the host's
	// cards, not surely of the one it uses.
	MAC MAC
	// DUID is option 1, FQDN the client's name in text; each empty if it is not there.
	DUID, FQDN []byte
	// Addrs are addresses that no status code refuses.
	Addrs []Addr6
}

// Parse reads the payload of a datagram from or to port 546 or 547 (RFC 8415, sections 8 and 9). Where the datagram was cut between two
// options that cannot be seen: nothing in the message tells its length.
func (m *Message6) Parse(datagram []byte) error {
	*m = Message6{DUID: m.DUID[:0], FQDN: m.FQDN[:0], Addrs: m.Addrs[:0]}
	var linkLayer MAC
	for range maxHops + 1 {
		c := cursor{b: datagram}
		m.Type = Type6(c.uint8())
		if m.Type != relayForward && m.Type != relayReply {
			m.ID = uint32(c.uint8())<<16 | uint32(c.uint16())
			if c.short {
				return ErrTruncated
			}
			if m.Type < Solicit6 || m.Type > InformationRequest6 {
				return ErrMalformed
			}
			err := m.options(c.b)
			if !linkLayer.IsZero() {
				m.MAC = linkLayer
			}
			return err
		}
		c.take(1 + 16 + 16) // hop-count, link-address, peer-address
		if c.short {
			return ErrTruncated
		}
		var err error
		if datagram, err = envelope(c.b, &linkLayer); err != nil {
			return err
		}
	}
	return ErrMalformed
}

// envelope finds the message that a relay passes on, and the link-layer address that the relay next to the client adds. That relay's
// envelope is the innermost.
func envelope(options []byte, linkLayer *MAC) (inner []byte, err error) {
	c := cursor{b: options}
	for len(c.b) > 0 {
		code, value := c.option6()
		switch code {
		case opt6RelayMessage:
			inner = value
		case opt6LinkLayer:
			v := cursor{b: value}
			*linkLayer = ethernet(v.uint16(), v.b)
		}
	}
	switch {
	case c.short:
		return nil, ErrTruncated
	case inner == nil:
		return nil, ErrMalformed
	}
	return inner, nil
}

// option6 takes one option (RFC 8415, section 21.1); code is 0 when it runs short.
func (c *cursor) option6() (code int, value []byte) {
	code, value = c.uint16(), c.take(c.uint16())
	if c.short {
		return 0, nil
	}
	return code, value
}

// options reads the options of a client's or server's message.
func (m *Message6) options(b []byte) error {
	c := cursor{b: b}
	for len(c.b) > 0 {
		code, value := c.option6()
		switch code {
		case opt6ClientID:
			m.DUID = appendUpTo(m.DUID[:0], value)
			m.MAC = duidMAC(value)
		case opt6FQDN:
			if len(value) > 1 { // flags (RFC 4704, section 4.1)
				m.FQDN = appendName(m.FQDN[:0], value[1:])
			}
		case opt6IANA:
			v := cursor{b: value}
			v.take(4 + 4 + 4) // IAID, T1, T2 (RFC 8415, section 21.4)
			c.short = c.short || m.association(v)
		case opt6IATA:
			v := cursor{b: value}
			v.take(4) // IAID (RFC 8415, section 21.5)
			c.short = c.short || m.association(v)
		}
	}
	if c.short {
		return ErrTruncated
	}
	return nil
}

// association reads the addresses of an identity association. One that carries a status other than success grants nothing.
func (m *Message6) association(c cursor) (short bool) {
	before := len(m.Addrs)
	refused := false
	for len(c.b) > 0 {
		code, value := c.option6()
		v := cursor{b: value}
		switch code {
		case opt6Status:
			refused = refused || v.uint16() != 0
		case opt6IAAddr:
			c.short = c.short || m.address(v)
		}
	}
	if refused {
		m.Addrs = m.Addrs[:before]
	}
	return c.short
}

// address reads an address of an association (RFC 8415, section 21.6).
func (m *Message6) address(c cursor) (short bool) {
	addr := c.take(16)
	c.take(4) // preferred-lifetime
	lease := c.uint32()
	if c.short {
		return true
	}
	ip := netip.AddrFrom16([16]byte(addr))
	if !addrRefused(c) && !ip.IsUnspecified() && !ip.Is4In6() && len(m.Addrs) < maxAddrs {
		m.Addrs = append(m.Addrs, Addr6{Addr: ip, Lease: lease})
	}
	return false
}

// addrRefused looks for a status code other than success among the options of an address.
func addrRefused(c cursor) bool {
	for len(c.b) > 0 {
		if code, value := c.option6(); code == opt6Status {
			v := cursor{b: value}
			if v.uint16() != 0 {
				return true
			}
		}
	}
	return false
}

// duidMAC is the link-layer address in a DUID, if it holds one (RFC 8415, sections 11.2 and 11.4).
func duidMAC(duid []byte) MAC {
	c := cursor{b: duid}
	kind, hardware := c.uint16(), c.uint16()
	switch kind {
	case duidLLT:
		c.take(4) // time
	case duidLL:
	default:
		return MAC{}
	}
	return ethernet(hardware, c.b)
}
