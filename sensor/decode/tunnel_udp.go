package decode

import "encoding/binary"

// UDP ports of encapsulations (IANA).
const (
	portL2TP   = 1701
	portGTPU   = 2152
	portTeredo = 3544
	portVXLAN  = 4789
	portGPE    = 4790
	portAYIYA  = 5072
	portCAPWAP = 5247
	portGENEVE = 6081
	portMPLS   = 6635
	portGREUDP = 4754
	portVXLAN0 = 8472 // Linux's before IANA assigned one
)

// tunnelPort says whether either port announces an encapsulation.
func tunnelPort(ports uint32) bool {
	return isTunnelPort(uint16(ports)) || isTunnelPort(uint16(ports>>16))
}

func isTunnelPort(p uint16) bool {
	switch p {
	case portL2TP, portGTPU, portTeredo, portVXLAN, portGPE, portAYIYA, portCAPWAP, portGENEVE, portMPLS, portGREUDP, portVXLAN0:
		return true
	}
	return false
}

// tryTunnel is udpTunnel, and takes everything back if what lies inside contradicts itself: the port was somebody's ephemeral one.
func (d *Decoder) tryTunnel(s *Segment, ports uint32, b []byte, length int) (Reason, bool) {
	link := s.Link
	reason, ok := d.udpTunnel(s, ports, b, length)
	if !ok || reason == Malformed {
		s.Link = link
		return 0, false
	}
	return reason, true
}

// udpTunnel goes on inside a UDP payload if its header is that of the encapsulation which either port announces; ok is false if it
// is not, since any port may be somebody's ephemeral one.
func (d *Decoder) udpTunnel(s *Segment, ports uint32, b []byte, length int) (Reason, bool) { //nolint:gocyclo // one case for each port
	port := uint16(ports) // the destination, else the source
	if !isTunnelPort(port) {
		port = uint16(ports >> 16)
	}
	switch port {
	case portVXLAN, portVXLAN0:
		return d.vxlan(s, b)
	case portGPE:
		return d.vxlanGPE(s, b)
	case portGENEVE:
		return d.geneve(s, b)
	case portGTPU:
		return d.gtpu(s, b, length)
	case portAYIYA:
		return d.ayiya(s, b)
	case portL2TP:
		return d.l2tp(s, b, length)
	case portCAPWAP:
		return d.capwap(s, b)
	case portGREUDP:
		if len(b) < 8 || b[0]&0x4f != 0 || b[1] != 0 {
			return 0, false
		}
		return d.gre(s, b), true
	case portMPLS:
		if len(b) < 24 {
			return 0, false
		}
		reason := d.mpls(s, b)
		return reason, reason != NotIP // nothing in a label says that it is one
	}
	return d.teredo(s, b, length)
}

// vxlan reads RFC 7348: the I flag alone, reserved bits zero; or with a group policy (draft-smith-vxlan-group-policy), whose flag G
// fills three bytes that are reserved otherwise.
func (d *Decoder) vxlan(s *Segment, b []byte) (Reason, bool) {
	if len(b) < 8+14 || b[0]&0x08 == 0 || b[0]&0x77 != 0 || b[7] != 0 {
		return 0, false
	}
	if b[0]&0x80 == 0 && b[1]|b[2]|b[3] != 0 || b[1]&^0x48 != 0 {
		return 0, false
	}
	return d.inside(s, TunnelVXLAN, b[8:], (*Decoder).ethernet), true
}

// vxlanGPE reads the generic protocol extension (draft-ietf-nvo3-vxlan-gpe): the P flag and a next protocol.
func (d *Decoder) vxlanGPE(s *Segment, b []byte) (Reason, bool) {
	if len(b) < 8+14 || b[0]&0x0c != 0x0c {
		return 0, false
	}
	switch b[3] {
	case 1:
		return d.inside(s, TunnelVXLAN, b[8:], (*Decoder).ipv4), true
	case 2:
		return d.inside(s, TunnelVXLAN, b[8:], (*Decoder).ipv6), true
	case 3:
		return d.inside(s, TunnelVXLAN, b[8:], (*Decoder).ethernet), true
	}
	return 0, false
}

// geneve reads RFC 8926.
func (d *Decoder) geneve(s *Segment, b []byte) (Reason, bool) {
	if len(b) < 8 || b[0]>>6 != 0 || b[1]&0x3f != 0 || b[7] != 0 {
		return 0, false
	}
	size := 8 + int(b[0]&0x3f)*4
	typ := binary.BigEndian.Uint16(b[2:])
	if len(b) < size || (typ != etherTEB && typ != etherIPv4 && typ != etherIPv6) {
		return 0, false
	}
	if !d.enter(s, TunnelGENEVE) {
		return TooDeep, true
	}
	return d.ether(s, typ, b[size:]), true
}

// gtpu reads a G-PDU (3GPP TS 29.281, section 5.1).
func (d *Decoder) gtpu(s *Segment, b []byte, length int) (Reason, bool) {
	if len(b) < 8 || b[0]&0xf8 != 0x30 || b[1] != 0xff || int(binary.BigEndian.Uint16(b[2:]))+8 > length {
		return 0, false
	}
	next, size := uint8(0), 8
	if b[0]&7 != 0 { // sequence number, N-PDU number and next extension: there together or not at all
		if size = 12; len(b) < size {
			return Short, true
		}
		if b[0]&4 != 0 {
			next = b[11]
		}
	}
	b = b[size:]
	return d.gtpuExtensions(s, next, b), true
}

// gtpuExtensions walks the extension headers (3GPP TS 29.281, section 5.2.1) to the packet.
func (d *Decoder) gtpuExtensions(s *Segment, next uint8, b []byte) Reason {
	for next != 0 {
		if d.depth++; d.depth > maxDepth {
			return TooDeep
		}
		if len(b) < 4 || b[0] == 0 || len(b) < int(b[0])*4 {
			return Short
		}
		size := int(b[0]) * 4
		next, b = b[size-1], b[size:]
	}
	return d.inside(s, TunnelGTPU, b, (*Decoder).ip)
}

// ayiya reads draft-massar-v6ops-ayiya-02: opcode 1 forwards what the next header says.
func (d *Decoder) ayiya(s *Segment, b []byte) (Reason, bool) {
	if len(b) < 8 || b[2]&0x0f != 1 || b[0]>>4 > 6 { // an identity has up to 2^6 bytes: no client's is longer
		return 0, false
	}
	size := 8 + 1<<(b[0]>>4) + int(b[1]>>4)*4
	if len(b) < size {
		return 0, false
	}
	switch b[3] {
	case protoIPv6:
		return d.inside(s, TunnelAYIYA, b[size:], (*Decoder).ipv6), true
	case protoIPIP:
		return d.inside(s, TunnelAYIYA, b[size:], (*Decoder).ipv4), true
	}
	return 0, false
}

// l2tp reads a data message of version 2 (RFC 2661, section 3.1), which carries PPP.
func (d *Decoder) l2tp(s *Segment, b []byte, length int) (Reason, bool) { //nolint:gocyclo // a header read bit by bit: every optional field is a condition
	if len(b) < 8 || b[0]&0x34 != 0 || b[1] != 2 { // reserved bits
		return 0, false
	}
	size := 6
	if b[0]&0x40 != 0 { // length
		if int(binary.BigEndian.Uint16(b[2:])) > length {
			return 0, false
		}
		size += 2
	}
	if b[0]&0x80 != 0 { // control message: with a length and sequence numbers, without an offset
		return NotIP, b[0]&0x4a == 0x48
	}
	if b[0]&0x08 != 0 { // Ns and Nr
		size += 4
	}
	if len(b) < size+2 {
		return Short, true
	}
	if b[0]&0x02 != 0 { // offset size and padding
		size += 2 + int(binary.BigEndian.Uint16(b[size:]))
	}
	if len(b) < size {
		return Short, true
	}
	reason := d.inside(s, TunnelL2TP, b[size:], (*Decoder).ppp)
	return reason, reason != NotIP // little in the header says that it is one
}

// capwap reads a data header (RFC 5415, section 4.3): an 802.3 frame, or an 802.11 one if the T bit is set.
func (d *Decoder) capwap(s *Segment, b []byte) (Reason, bool) { //nolint:gocyclo // a header read bit by bit: every field that may rule it out is a condition
	if len(b) < 8 {
		return 0, false
	}
	if b[0] == 1 && b[1]|b[2]|b[3] == 0 { // DTLS (RFC 5415, section 4.2), whose content types are 20 to 63
		return Encrypted, b[4] >= 20 && b[4] < 64
	}
	size := int(b[1]>>3) * 4
	if b[0] != 0 || size < 8 || len(b) < size || b[2]>>1&31 > 3 || b[3]&7 != 0 { // binding identifier, reserved bits
		return 0, false
	}
	native, fragment := b[2]&1 != 0, b[3]&0x80 != 0
	if fragment && binary.BigEndian.Uint16(b[6:])>>3 != 0 {
		return FragmentHeld, true // CAPWAP's own fragments are not put together
	}
	if native {
		return d.inside(s, TunnelCAPWAP, b[size:], (*Decoder).wlanSwapped), true
	}
	return d.inside(s, TunnelCAPWAP, b[size:], (*Decoder).ethernet), true
}
