package decode

import "encoding/binary"

// teredoPrefix is 2001::/32, where every Teredo client's address lies (RFC 4380, section 2.6).
const teredoPrefix = 0x20010000

// teredoPacket skips the authentication and origin indications (RFC 4380, section 5.1.1) and returns the IPv6 packet that fills the
// rest of a UDP payload of the given length; nil if something else is there.
func teredoPacket(b []byte, length int) []byte { //nolint:gocyclo // two optional headers and a check, each a condition
	cut := length - len(b)
	if len(b) > 4 && b[0] == 0 && b[1] == 1 { // authentication
		size := 13 + int(b[2]) + int(b[3])
		if len(b) < size {
			return nil
		}
		b = b[size:]
	}
	if len(b) > 8 && b[0] == 0 && b[1] == 0 { // origin
		b = b[8:]
	}
	if len(b) < 40 || b[0]>>4 != 6 || int(binary.BigEndian.Uint16(b[4:]))+40 != len(b)+cut {
		return nil
	}
	return b
}

// mayBeTeredo rules nearly every datagram out by its first byte. It is small enough to be inlined: QUIC's first byte often has a 6, too.
func mayBeTeredo(b []byte, length int) bool {
	return len(b) >= 40 && (b[0]>>4 == 6 && int(b[4])<<8+int(b[5])+40 == length || b[0] == 0 && b[1] <= 1)
}

// isTeredo says whether a UDP payload is an IPv6 packet of a Teredo client, whatever the ports: clients talk to one another on those
// that their NATs gave them. A length and a prefix have to fit, 48 bits in all.
func isTeredo(b []byte, length int) bool {
	b = teredoPacket(b, length)
	return b != nil && (binary.BigEndian.Uint32(b[8:]) == teredoPrefix || binary.BigEndian.Uint32(b[24:]) == teredoPrefix)
}

// teredo goes on inside a Teredo packet.
func (d *Decoder) teredo(s *Segment, b []byte, length int) (Reason, bool) {
	if b = teredoPacket(b, length); b == nil {
		return 0, false
	}
	return d.inside(s, TunnelTeredo, b, (*Decoder).ipv6), true
}
