package decode

import "encoding/binary"

// IP protocol numbers (IANA) that lead further in.
const (
	protoHopByHop = 0
	protoIPIP     = 4
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoAH       = 51
	protoNoNext   = 59
	protoDestOpts = 60
	protoEtherIP  = 97
	protoL2TP     = 115
	protoMobility = 135
	protoMPLSinIP = 137
	protoHIP      = 139
	protoShim6    = 140
)

// ip goes by the version field alone, for links that name no protocol.
func (d *Decoder) ip(s *Segment, b []byte) Reason {
	if len(b) == 0 {
		return Short
	}
	switch b[0] >> 4 {
	case 4:
		return d.ipv4(s, b)
	case 6:
		return d.ipv6(s, b)
	}
	return NotIP
}

func (d *Decoder) ipv4(s *Segment, b []byte) Reason {
	if len(b) < 20 {
		return Short
	}
	header := int(b[0]&15) * 4
	if b[0]>>4 != 4 || header < 20 {
		return Malformed
	}
	total := int(binary.BigEndian.Uint16(b[2:]))
	if total < header {
		if total != 0 {
			return Malformed
		}
		total = len(b) + d.rest // segmentation offload: the card would have filled it in
	}
	if len(b) < header {
		return Short
	}
	if len(b) > total {
		b = b[:total] // Ethernet padding
	}
	s.ID = binary.BigEndian.Uint16(b[4:])
	ip := addresses{src: address4(b[12:]), dst: address4(b[16:])}
	if frag := binary.BigEndian.Uint16(b[6:]); frag&0x3fff != 0 { // MF or an offset (RFC 791, section 3.1)
		return d.fragment(s, &piece{ip: ip, id: uint32(s.ID), proto: b[9], v6: false,
			offset: int(frag&0x1fff) * 8, more: frag&0x2000 != 0, data: b[header:], length: total - header})
	}
	return d.transport(s, b[9], b[header:], total-header, &ip)
}

func (d *Decoder) ipv6(s *Segment, b []byte) Reason {
	if len(b) < 40 {
		return Short
	}
	if b[0]>>4 != 6 {
		return Malformed
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	if length == 0 { // jumbogram (RFC 2675) or offload
		length = len(b) - 40 + d.rest
	}
	s.ID = 0
	ip := addresses{src: address6(b[8:]), dst: address6(b[24:])}
	next := b[6]
	b = b[40:]
	if len(b) > length {
		b = b[:length]
	}
	if next == TCP || next == UDP {
		return d.transport(s, next, b, length, &ip)
	}
	return d.extensions(s, next, b, length, &ip)
}

// extensions walks IPv6 extension headers (RFC 8200, section 4).
func (d *Decoder) extensions(s *Segment, next uint8, b []byte, length int, ip *addresses) Reason {
	for {
		if d.depth++; d.depth > maxDepth {
			return TooDeep
		}
		if !isExtension(next) {
			return d.transport(s, next, b, length, ip)
		}
		if len(b) < 8 {
			return Short
		}
		size := 8 // the fragment header is always that long
		switch next {
		case protoAH:
			size += int(b[1]) * 4 // in 4-byte units minus 2 (RFC 4302, section 2.2)
		case protoFragment:
			if off := binary.BigEndian.Uint16(b[2:]); off&0xfff9 != 0 { // 0: an atomic fragment (RFC 6946)
				return d.fragment(s, &piece{ip: *ip, id: binary.BigEndian.Uint32(b[4:]), proto: b[0], v6: true,
					offset: int(off &^ 7), more: off&1 != 0, data: b[8:], length: length - 8})
			}
		default:
			size += int(b[1]) * 8
		}
		if size > length {
			return Malformed
		}
		if size > len(b) {
			return Short
		}
		next, b, length = b[0], b[size:], length-size
	}
}

// isExtension says whether another header follows the one of this number.
func isExtension(next uint8) bool {
	switch next {
	case protoHopByHop, protoRouting, protoDestOpts, protoMobility, protoHIP, protoShim6, protoAH, protoFragment:
		return true
	}
	return false
}
