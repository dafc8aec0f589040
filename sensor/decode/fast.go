package decode

import (
	"encoding/binary"
	"math/bits"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// fast decodes what nearly every frame is, whole, in one piece: Ethernet, at most two VLAN tags, IPv4 without options or IPv6 without
// extensions, TCP, or UDP that is no tunnel. What else it may be it leaves to the readers of each layer, having changed nothing that
// they do not set themselves; it returns false then. Measured: 13 to 14 ns a frame instead of 20 to 23.
//
//nolint:gocyclo,gocognit,cyclop,funlen // all the layers of the usual frame, side by side: that they are not calls is what it is for
func (d *Decoder) fast(s *Segment, f *capture.Frame) bool {
	b := f.Data
	if f.Link != linkEthernet || len(b) < 14+20+8 {
		return false
	}
	vlan := s.Link.VLAN
	typ := binary.BigEndian.Uint16(b[12:])
	at := 14
	for range 2 {
		if typ != etherVLAN && typ != etherQinQ {
			break
		}
		if vlan == 0 {
			vlan = 1 + binary.BigEndian.Uint16(b[at:])&0x0fff
		}
		typ = binary.BigEndian.Uint16(b[at+2:])
		at += 4
	}
	var src, dst Address
	var proto uint8
	h := b[at:]
	switch {
	case typ == etherIPv4 && len(h) >= 28 && h[0] == 0x45 && (h[6]&0x3f|h[7]) == 0:
		total := int(binary.BigEndian.Uint16(h[2:]))
		if total < 28 || total > len(h) {
			return false
		}
		proto, src, dst, s.ID = h[9], address4(h[12:]), address4(h[16:]), binary.BigEndian.Uint16(h[4:])
		h = h[20:total]
	case typ == etherIPv6 && len(h) >= 48 && h[0]>>4 == 6:
		length := int(binary.BigEndian.Uint16(h[4:]))
		if length < 8 || length > len(h)-40 {
			return false
		}
		proto, src, dst, s.ID = h[6], address6(h[8:]), address6(h[24:]), 0
		h = h[40 : 40+length]
	default:
		return false
	}
	ports := binary.BigEndian.Uint32(h)
	switch proto {
	case TCP:
		if len(h) < 20 {
			return false
		}
		off := int(h[12]>>4) * 4
		if off < 20 || off > len(h) {
			return false
		}
		s.Seq, s.Ack = binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:])
		s.Window, s.Flags, s.Lead = binary.BigEndian.Uint16(h[14:]), h[13], 0
		if s.ID == 0 {
			s.ID = binary.BigEndian.Uint16(h[16:])
		}
		s.Payload = h[off:]
		s.Len = uint32(len(h) - off)
	case UDP:
		if int(binary.BigEndian.Uint16(h[4:])) != len(h) || tunnelPort(ports) || mayBeTeredo(h[8:], len(h)-8) {
			return false
		}
		s.Seq, s.Ack, s.Window, s.Flags = 0, 0, 0, 0
		s.Payload = h[8:]
		s.Len, s.Lead = uint32(len(h)-8), 0
		if len(h) > 8 {
			s.Lead = h[8]
		}
	default:
		return false
	}
	s.Link.VLAN = vlan
	s.Link.MAC = [6]byte(b[6:12])
	k := &s.Key
	k.Proto = uint32(proto)
	// The lower endpoint becomes A. Which one it is nobody can guess: without a branch it takes the processor no wrong guesses.
	_, swap := bits.Sub64(dst.Lo, src.Lo, 0)
	_, swap = bits.Sub64(dst.Hi, src.Hi, swap)
	if dst == src && ports<<16 < ports&0xffff0000 {
		swap = 1
	}
	hi, lo := (src.Hi^dst.Hi)&-swap, (src.Lo^dst.Lo)&-swap
	src.Hi, src.Lo, dst.Hi, dst.Lo = src.Hi^hi, src.Lo^lo, dst.Hi^hi, dst.Lo^lo
	ports = bits.RotateLeft32(ports, int(swap)*16)
	s.Dir = uint8(swap)
	k.A.Hi, k.A.Lo, k.B.Hi, k.B.Lo, k.Ports = src.Hi, src.Lo, dst.Hi, dst.Lo, ports
	h1, l1 := bits.Mul64(src.Hi^d.seed[0], src.Lo^d.seed[1])
	h2, l2 := bits.Mul64(dst.Hi^d.seed[1], dst.Lo^d.seed[2])
	h3, l3 := bits.Mul64(h1^l1^uint64(ports)<<8^uint64(proto), h2^l2^d.seed[0])
	s.Hash = h3 ^ l3
	return true
}
