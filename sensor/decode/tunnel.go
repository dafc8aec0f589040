package decode

import "encoding/binary"

// Tunnels is a set of the encapsulations that lay around a segment.
type Tunnels uint32

// The encapsulations.
const (
	TunnelMPLS Tunnels = 1 << iota
	TunnelPPPoE
	TunnelGRE
	TunnelERSPAN
	TunnelVXLAN
	TunnelGENEVE
	TunnelGTPU
	TunnelIPIP
	Tunnel6in4
	Tunnel4in6
	TunnelTeredo
	TunnelAYIYA
	TunnelL2TP
	TunnelCAPWAP
	TunnelEtherIP
	TunnelWLAN
)

var tunnelNames = [...]string{"mpls", "pppoe", "gre", "erspan", "vxlan", "geneve", "gtp-u", "ipip", "6in4", "4in6", "teredo",
	"ayiya", "l2tp", "capwap", "etherip", "wlan"}

// Names lists the set, outermost kinds first where the order is known; nil if it is empty.
func (t Tunnels) Names() []string {
	var names []string
	for i, name := range tunnelNames {
		if t&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// enter notes a tunnel and bounds the nesting.
func (d *Decoder) enter(s *Segment, t Tunnels) bool {
	d.depth += 2
	s.Link.Tunnels |= t
	return d.depth <= maxDepth
}

// encapsulated goes on with an IP protocol that is not a transport.
func (d *Decoder) encapsulated(s *Segment, proto uint8, b []byte, length int, ip *addresses) Reason { //nolint:gocyclo // one case for each protocol number
	switch proto {
	case protoIPIP:
		if ip.src.Is4() {
			return d.inside(s, TunnelIPIP, b, (*Decoder).ipv4)
		}
		return d.inside(s, Tunnel4in6, b, (*Decoder).ipv4)
	case protoIPv6:
		if ip.src.Is4() {
			return d.inside(s, Tunnel6in4, b, (*Decoder).ipv6)
		}
		return d.inside(s, TunnelIPIP, b, (*Decoder).ipv6)
	case protoAH: // after an IPv4 header, too
		return d.extensions(s, proto, b, length, ip)
	case protoGRE:
		return d.gre(s, b)
	case protoMPLSinIP:
		return d.mpls(s, b)
	case protoEtherIP: // RFC 3378: 2 bytes, version 3
		if len(b) < 2 {
			return Short
		}
		return d.inside(s, TunnelEtherIP, b[2:], (*Decoder).ethernet)
	case protoHopByHop, protoRouting, protoDestOpts:
		return Malformed // only after an IPv6 header
	}
	return OtherIP
}

func (d *Decoder) inside(s *Segment, t Tunnels, b []byte, next func(*Decoder, *Segment, []byte) Reason) Reason {
	if !d.enter(s, t) {
		return TooDeep
	}
	return next(d, s, b)
}

// gre reads RFC 2784 and 2890 headers, and version 1 of PPTP (RFC 2637).
func (d *Decoder) gre(s *Segment, b []byte) Reason { //nolint:gocyclo // a header read bit by bit, and one case for each payload
	if len(b) < 4 {
		return Short
	}
	flags, typ := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	size := greSize(flags)
	if flags&0x4000 != 0 || flags&7 > 1 {
		return Malformed // source routes were never used (RFC 2784, section 2.3)
	}
	if len(b) < size {
		return Short
	}
	if !d.enter(s, TunnelGRE) {
		return TooDeep
	}
	b = b[size:]
	if flags&7 == 1 && flags&0x1000 == 0 {
		return OtherIP // PPTP's acknowledgement alone: no payload (RFC 2637, section 4.1)
	}
	switch typ {
	case 0x88be: // ERSPAN I has no header and no sequence number; II has 8 bytes
		if flags&0x1000 == 0 {
			return d.erspan(s, b, 0)
		}
		return d.erspan(s, b, 8)
	case 0x22eb: // ERSPAN III: 12 bytes, and 8 more if the O bit is set
		if len(b) >= 12 && b[11]&1 != 0 {
			return d.erspan(s, b, 20)
		}
		return d.erspan(s, b, 12)
	case 0x883e: // WCCP version 2 may put a 4-byte redirect header before the IP one
		if len(b) > 4 && b[0]>>4 != 4 {
			b = b[4:]
		}
		return d.ip(s, b)
	}
	return d.ether(s, typ, b)
}

// greSize is the length of the header, by its flags.
func greSize(flags uint16) int {
	size := 4
	if flags&0xc000 != 0 { // checksum or routing present: both fields are there
		size += 4
	}
	if flags&0x2000 != 0 { // key
		size += 4
	}
	if flags&0x1000 != 0 { // sequence number
		size += 4
	}
	if flags&7 == 1 && flags&0x0080 != 0 { // acknowledgement number, version 1
		size += 4
	}
	return size
}

func (d *Decoder) erspan(s *Segment, b []byte, size int) Reason {
	if len(b) < size {
		return Short
	}
	return d.inside(s, TunnelERSPAN, b[size:], (*Decoder).ethernet)
}

// mpls pops the label stack (RFC 3032) and guesses what lies below, since no field says it: IP by its version, else a
// pseudowire's Ethernet frame with or without a control word (RFC 4385, RFC 4448).
func (d *Decoder) mpls(s *Segment, b []byte) Reason {
	if !d.enter(s, TunnelMPLS) {
		return TooDeep
	}
	for {
		if len(b) < 4 {
			return Short
		}
		if d.depth++; d.depth > maxDepth {
			return TooDeep
		}
		bottom := b[2]&1 != 0
		b = b[4:]
		if bottom {
			break
		}
	}
	if len(b) < 4 {
		return Short
	}
	switch {
	case b[0]>>4 == 0 && looksEthernet(b[4:]):
		return d.ethernet(s, b[4:])
	case d.fitsIP(b):
		return d.ip(s, b)
	}
	return d.ethernet(s, b)
}

// looksEthernet tells a frame behind a control word from a frame whose destination begins with 0, as most do.
func looksEthernet(b []byte) bool {
	if len(b) < 15 {
		return false
	}
	switch binary.BigEndian.Uint16(b[12:]) {
	case etherIPv4:
		return b[14]>>4 == 4
	case etherIPv6:
		return b[14]>>4 == 6
	case etherVLAN, etherQinQ, etherQinQ2, etherQinQ3, etherMPLS, etherPPPoE:
		return true
	}
	return false
}

// fitsIP says whether b can be an IP packet by its version and length. An Ethernet frame whose destination begins with 4 or 6 hardly
// ever is (RFC 4928, section 3).
func (d *Decoder) fitsIP(b []byte) bool {
	there := len(b) + d.rest
	switch b[0] >> 4 {
	case 4:
		return b[0]&15 >= 5 && int(binary.BigEndian.Uint16(b[2:])) <= there
	case 6:
		return len(b) >= 40 && 40+int(binary.BigEndian.Uint16(b[4:])) <= there
	}
	return false
}

// ppp reads a PPP frame (RFC 1661, RFC 1662): address and control if they are there, then a protocol of one byte or two.
func (d *Decoder) ppp(s *Segment, b []byte) Reason {
	if len(b) >= 2 && b[0] == 0xff && b[1] == 0x03 {
		b = b[2:]
	}
	if len(b) < 2 {
		return Short
	}
	proto := uint16(b[0])
	if proto&1 != 0 { // compressed protocol field
		b = b[1:]
	} else {
		proto, b = binary.BigEndian.Uint16(b), b[2:]
	}
	switch proto {
	case 0x0021:
		return d.ipv4(s, b)
	case 0x0057:
		return d.ipv6(s, b)
	case 0x0281:
		return d.mpls(s, b)
	}
	return NotIP
}

// pppoe reads a PPPoE session header (RFC 2516).
func (d *Decoder) pppoe(s *Segment, b []byte) Reason {
	if len(b) < 6 {
		return Short
	}
	if b[0] != 0x11 || b[1] != 0 {
		return NotIP
	}
	return d.inside(s, TunnelPPPoE, b[6:], (*Decoder).ppp)
}
