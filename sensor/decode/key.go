package decode

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Key is a five-tuple in canonical order, the same for both directions: A is the lower endpoint. IPv4 addresses are IPv4-mapped.
// It is a flat comparable value, so that it can stand in a table outside the Go heap.
type Key struct {
	A, B  Address
	Ports uint32 // A's port in the upper half
	Proto uint32
}

// Address is an IP address as two big-endian words.
type Address struct{ Hi, Lo uint64 }

// addresses are the source and destination of an IP packet.
type addresses struct{ src, dst Address }

const mapped = 0xffff << 32 // the lower word of ::ffff:0.0.0.0 (RFC 4291, section 2.5.5.2)

func address4(b []byte) Address { return Address{Lo: mapped | uint64(binary.BigEndian.Uint32(b))} }

func address6(b []byte) Address {
	return Address{Hi: binary.BigEndian.Uint64(b), Lo: binary.BigEndian.Uint64(b[8:])}
}

// AddressOf converts a, whose zone is dropped.
func AddressOf(a netip.Addr) Address {
	b := a.As16()
	return address6(b[:])
}

// Is4 says whether the address is an IPv4 one.
func (a Address) Is4() bool { return a.Hi == 0 && a.Lo>>32 == 0xffff }

// Addr converts to the standard library's form; IPv4 comes out as IPv4.
func (a Address) Addr() netip.Addr {
	if a.Is4() {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(a.Lo))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], a.Hi)
	binary.BigEndian.PutUint64(b[8:], a.Lo)
	return netip.AddrFrom16(b)
}

// less orders addresses; the order has no meaning beyond being one.
func (a Address) less(b Address) bool {
	if a.Hi != b.Hi {
		return a.Hi < b.Hi
	}
	return a.Lo < b.Lo
}

// setKey sets s.Key and s.Dir from a packet's addresses and the first four bytes of its transport header. It stores word by word: a
// composite literal is built elsewhere and copied in wider pieces, which stalls on the narrower stores before it.
func (s *Segment) setKey(ip *addresses, ports uint32, proto uint32) {
	k := &s.Key
	k.Proto = proto
	if ip.dst.less(ip.src) || (ip.dst == ip.src && ports<<16 < ports&0xffff0000) {
		k.A.Hi, k.A.Lo, k.B.Hi, k.B.Lo = ip.dst.Hi, ip.dst.Lo, ip.src.Hi, ip.src.Lo
		k.Ports = bits.RotateLeft32(ports, 16)
		s.Dir = 1
		return
	}
	k.A.Hi, k.A.Lo, k.B.Hi, k.B.Lo = ip.src.Hi, ip.src.Lo, ip.dst.Hi, ip.dst.Lo
	k.Ports = ports
	s.Dir = 0
}

// Endpoint is A's address and port for side 0, B's for side 1: the sender of segments whose Dir is side.
func (k *Key) Endpoint(side uint8) netip.AddrPort {
	return netip.AddrPortFrom(k.Address(side).Addr(), k.Port(side))
}

// Address is A for side 0, B for side 1.
func (k *Key) Address(side uint8) Address {
	if side == 0 {
		return k.A
	}
	return k.B
}

// Port is A's port for side 0, B's for side 1.
func (k *Key) Port(side uint8) uint16 {
	if side == 0 {
		return uint16(k.Ports >> 16)
	}
	return uint16(k.Ports)
}

// HasPort says whether either side uses the port.
func (k *Key) HasPort(port uint16) bool {
	return uint16(k.Ports) == port || uint16(k.Ports>>16) == port
}

// hash mixes the key with secret odd factors: two rounds of folded multiplication over 40 bytes.
func (k *Key) hash(seed *[3]uint64) uint64 {
	h1, l1 := bits.Mul64(k.A.Hi^seed[0], k.A.Lo^seed[1])
	h2, l2 := bits.Mul64(k.B.Hi^seed[1], k.B.Lo^seed[2])
	h3, l3 := bits.Mul64(h1^l1^uint64(k.Ports)<<8^uint64(k.Proto), h2^l2^seed[0])
	return h3 ^ l3
}
