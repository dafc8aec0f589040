// Package dhcp reads the messages by which hosts get their addresses: DHCP for IPv4 (RFC 2131, options of RFC 2132, 3396 and 4702) and
// DHCPv6 (RFC 8415, options of RFC 4704 and 6939). It keeps what says who holds which address for how long and skips the rest. It does
// not pair questions with answers, remembers nothing and does not decide what a binding means (see identity).
//
// Everything here is bytes in, struct out. Names are copied into memory that the struct keeps, so a struct that is reused does not
// allocate; what Parse left in it is valid until its next Parse. Names are what a client or server wrote: any bytes.
package dhcp

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

var (
	// ErrTruncated says that the input ends before the message does. What was read up to there is in the struct.
	ErrTruncated = errors.New("reading DHCP message: it ends early; capture whole frames (snaplen 0)")
	// ErrMalformed says that the bytes are no DHCP message.
	ErrMalformed = errors.New("reading DHCP message: it contradicts RFC 2131 or RFC 8415; treat the datagram as something else")
)

// MAC is a 48-bit link-layer address.
type MAC [6]byte

// IsZero says that the address is not known: all zeros is nobody's.
func (m MAC) IsZero() bool { return m == MAC{} }

// hardwareEthernet is the hardware type of 48-bit addresses (RFC 1700, "Address Resolution Protocol").
const hardwareEthernet = 1

// ethernet returns the address if it is one that a network card has: neither a group's nor nobody's.
func ethernet(hardware int, addr []byte) (m MAC) {
	if hardware == hardwareEthernet && len(addr) == len(m) && addr[0]&1 == 0 {
		copy(m[:], addr)
	}
	return m
}

// addr4 reads an IPv4 address; 0.0.0.0 is none.
func addr4(b []byte) netip.Addr {
	if len(b) != 4 || binary.BigEndian.Uint32(b) == 0 {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(b))
}

// maxName is the length of the longest domain name in text (RFC 1035, section 2.3.4).
const maxName = 253

// appendName appends a name in DNS form (RFC 1035, section 3.1) as text with dots. A name may lack its end, as DHCP allows for the
// first labels alone (RFC 4702, section 2.3.1; RFC 4704, section 4.2), but not use compression. A broken name gives to as it was.
func appendName(to, wire []byte) []byte {
	name := to
	for len(wire) > 0 && wire[0] != 0 {
		n := int(wire[0])
		if n > 63 || n >= len(wire) || len(name)-len(to)+1+n > maxName {
			return to
		}
		if len(name) > len(to) {
			name = append(name, '.')
		}
		name = append(name, wire[1:1+n]...)
		wire = wire[1+n:]
	}
	return name
}

// cursor walks over a byte slice. Once it runs short it stays short and yields zeros, so one check at the end is enough.
type cursor struct {
	b     []byte
	short bool
}

func (c *cursor) take(n int) []byte {
	if uint(n) > uint(len(c.b)) {
		c.b, c.short = nil, true
		return nil
	}
	head := c.b[:n]
	c.b = c.b[n:]
	return head
}

func (c *cursor) uint8() int {
	b := c.take(1)
	if len(b) < 1 {
		return 0
	}
	return int(b[0])
}

func (c *cursor) uint16() int {
	b := c.take(2)
	if len(b) < 2 {
		return 0
	}
	return int(binary.BigEndian.Uint16(b))
}

func (c *cursor) uint32() uint32 {
	b := c.take(4)
	if len(b) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

func (c *cursor) addr4() netip.Addr { return addr4(c.take(4)) }
