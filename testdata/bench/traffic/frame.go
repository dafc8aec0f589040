// Package traffic makes captures of an office's traffic for measurements, the same each time, with the truth about every flow. It
// imitates no particular client: a hello is what crypto/tls sends, sizes and times are drawn. What it does not make (loss, tunnels,
// fragments) is tested elsewhere.
package traffic

import (
	"encoding/binary"
	"net/netip"
)

// TCP flags (RFC 9293, section 3.1).
const (
	fin = 1
	syn = 2
	psh = 8
	ack = 16
)

const (
	protoTCP = 6
	protoUDP = 17
)

// ends are the two ends of a flow and what lies around its packets.
type ends struct {
	client, server netip.AddrPort
	vlan           uint16 // 0: untagged
	proto          byte
}

// packet is one packet of a flow.
type packet struct {
	up       bool // from the client
	flags    byte
	seq, ack uint32
	id       uint16 // of the IPv4 packet
	payload  []byte
}

// appendFrame appends the Ethernet frame of p. Checksums of the transport are left out: nobody on a tap relies on them, and cards that
// compute them leave them out as well.
func appendFrame(b []byte, e *ends, p *packet) []byte {
	src, dst := e.client, e.server
	if !p.up {
		src, dst = dst, src
	}
	b = append(b, 2, 0, 0, 0, 0, 1+from(p.up), 2, 0, 0, 0, 0, 2-from(p.up))
	if e.vlan != 0 {
		b = append(b, 0x81, 0)
		b = binary.BigEndian.AppendUint16(b, e.vlan)
	}
	length := 8 + len(p.payload)
	if e.proto == protoTCP {
		length = 20 + len(p.payload)
	}
	b = appendIP(b, src.Addr(), dst.Addr(), ipHeader{e.proto, p.id, length})
	b = binary.BigEndian.AppendUint16(b, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	if e.proto == protoTCP {
		b = binary.BigEndian.AppendUint32(b, p.seq)
		b = binary.BigEndian.AppendUint32(b, p.ack)
		b = append(b, 5<<4, p.flags, 0xff, 0xff, 0, 0, 0, 0)
	} else {
		b = binary.BigEndian.AppendUint16(b, uint16(length))
		b = append(b, 0, 0)
	}
	return append(b, p.payload...)
}

func from(up bool) byte {
	if up {
		return 1
	}
	return 0
}

// ipHeader is what differs in the header of an IP packet besides the addresses.
type ipHeader struct {
	proto  byte
	id     uint16
	length int // of what follows
}

// appendIP appends the header of IPv4 or IPv6 with the ethertype before it.
func appendIP(b []byte, src, dst netip.Addr, h ipHeader) []byte {
	if src.Is6() {
		b = append(b, 0x86, 0xdd, 6<<4, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(h.length))
		b = append(b, h.proto, 64)
		return append(append(b, src.AsSlice()...), dst.AsSlice()...)
	}
	b = append(b, 8, 0)
	at := len(b)
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(20+h.length))
	b = binary.BigEndian.AppendUint16(b, h.id)
	b = append(b, 0x40, 0, 64, h.proto, 0, 0)
	b = append(append(b, src.AsSlice()...), dst.AsSlice()...)
	var sum uint32
	for i := at; i < at+20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	sum = sum>>16 + sum&0xffff
	binary.BigEndian.PutUint16(b[at+10:], ^uint16(sum+sum>>16))
	return b
}
