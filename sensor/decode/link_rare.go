package decode

import (
	"encoding/binary"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// rareLink reads the link types that few captures have.
func (d *Decoder) rareLink(s *Segment, typ capture.LinkType, b []byte) Reason {
	switch typ {
	case linkPPP:
		return d.ppp(s, b)
	case linkPPPHDLC, linkCHDLC:
		return d.hdlc(s, b)
	case linkPPPoE:
		return d.pppoe(s, b)
	case link80211:
		return d.wlan(s, b)
	case linkRadiotap:
		return d.radiotap(s, b)
	case linkNFLOG:
		return d.nflog(s, b)
	}
	return LinkUnknown
}

// rareEther reads the ethertypes that few frames have.
func (d *Decoder) rareEther(s *Segment, typ uint16, b []byte) Reason { //nolint:gocyclo // one case for each ethertype
	switch typ {
	case etherMPLS, etherMPLSM:
		return d.mpls(s, b)
	case etherPPPoE:
		return d.pppoe(s, b)
	case etherTEB:
		return d.inside(s, 0, b, (*Decoder).ethernet)
	case etherPPP:
		return d.ppp(s, b)
	case 0x8926: // VN-tag, 4 bytes
		return d.tag(s, b, 4)
	case 0x893f: // E-tag (802.1BR), 6 bytes
		return d.tag(s, b, 6)
	case 0x8909: // Cisco MetaData, 6 bytes
		return d.tag(s, b, 6)
	}
	if typ <= 1500 && len(b) >= 8 && b[0] == 0xaa && b[1] == 0xaa && b[2] == 3 { // 802.3 with LLC and SNAP
		return d.snap(s, b)
	}
	return NotIP
}

// tag skips a tag of size bytes that is followed by the next ethertype.
func (d *Decoder) tag(s *Segment, b []byte, size int) Reason {
	if len(b) < size+2 {
		return Short
	}
	if d.depth++; d.depth > maxDepth {
		return TooDeep
	}
	return d.ether(s, binary.BigEndian.Uint16(b[size:]), b[size+2:])
}

// snap reads an LLC header with SNAP (RFC 1042).
func (d *Decoder) snap(s *Segment, b []byte) Reason {
	if d.depth++; d.depth > maxDepth {
		return TooDeep
	}
	if b[3] != 0 || b[4] != 0 || (b[5] != 0 && b[5] != 0xf8) {
		return NotIP
	}
	return d.ether(s, binary.BigEndian.Uint16(b[6:]), b[8:])
}

// hdlc reads Cisco HDLC (RFC 1547, section 4.3.1) or PPP in HDLC framing (RFC 1662).
func (d *Decoder) hdlc(s *Segment, b []byte) Reason {
	if len(b) < 4 {
		return Short
	}
	if b[0] == 0x0f || b[0] == 0x8f {
		return d.ether(s, binary.BigEndian.Uint16(b[2:]), b[4:])
	}
	return d.ppp(s, b)
}

// nflog reads Linux's netfilter log header and its TLVs, whose numbers are in the writer's byte order; type 9 is the packet.
func (d *Decoder) nflog(s *Segment, b []byte) Reason {
	if len(b) < 4 {
		return Short
	}
	b = b[4:]
	for len(b) >= 4 {
		size, typ := int(binary.LittleEndian.Uint16(b)), binary.LittleEndian.Uint16(b[2:])
		if typ > 0xff { // the writer was big-endian
			size, typ = int(binary.BigEndian.Uint16(b)), binary.BigEndian.Uint16(b[2:])
		}
		if size < 4 {
			return Malformed
		}
		if typ == 9 {
			return d.ip(s, b[4:min(size, len(b))])
		}
		if size = (size + 3) &^ 3; size > len(b) {
			return Short
		}
		b = b[size:]
	}
	return NotIP
}

// radiotap skips the header (https://www.radiotap.org); of its fields only the flags matter, for padding after the MAC header.
func (d *Decoder) radiotap(s *Segment, b []byte) Reason {
	if len(b) < 8 {
		return Short
	}
	size := int(binary.LittleEndian.Uint16(b[2:]))
	if b[0] != 0 || size < 8 || size > len(b) {
		return Malformed
	}
	present := binary.LittleEndian.Uint32(b[4:])
	at := 8
	for p := present; p&(1<<31) != 0; at += 4 { // more words of the bitmap follow
		if at+4 > size {
			return Malformed
		}
		p = binary.LittleEndian.Uint32(b[at:])
	}
	if present&1 != 0 { // TSFT, aligned to 8
		at = (at+7)&^7 + 8
	}
	padded := present&2 != 0 && at < size && b[at]&0x20 != 0
	return d.wlanFrame(s, b[size:], binary.LittleEndian.Uint16, padded)
}

func (d *Decoder) wlan(s *Segment, b []byte) Reason {
	return d.wlanFrame(s, b, binary.LittleEndian.Uint16, false)
}

// wlanSwapped reads frames whose frame control has its bytes swapped, as some access points send them inside CAPWAP; plain ones too.
func (d *Decoder) wlanSwapped(s *Segment, b []byte) Reason {
	if len(b) >= 2 && b[0]&0x0f != 0x08 && b[1]&0x0f == 0x08 {
		return d.wlanFrame(s, b, binary.BigEndian.Uint16, false)
	}
	return d.wlan(s, b)
}

// wlanFrame reads an 802.11 data frame (IEEE 802.11-2020, section 9.3.2).
func (d *Decoder) wlanFrame(s *Segment, b []byte, control func([]byte) uint16, padded bool) Reason {
	if len(b) < 24 {
		return Short
	}
	fc := control(b)
	typ, subtype := fc>>2&3, fc>>4&15
	if typ != 2 || subtype&4 != 0 { // not data, or data without a body
		return NotIP
	}
	if fc&0x4000 != 0 {
		return Encrypted
	}
	size := wlanSize(b, fc, padded)
	if len(b) < size+8 {
		return Short
	}
	if fc&0x0300 == 0x0200 { // from DS: the source is the third address
		s.Link.MAC = [6]byte(b[16:22])
	} else {
		s.Link.MAC = [6]byte(b[10:16])
	}
	s.Link.Tunnels |= TunnelWLAN
	if b = b[size:]; b[0] == 0xaa && b[1] == 0xaa && b[2] == 3 {
		return d.snap(s, b)
	}
	return NotIP
}

// wlanSize is the length of a data frame's header, with that of the first subframe where frames are aggregated in it (A-MSDU).
func wlanSize(b []byte, fc uint16, padded bool) int {
	size, subframe := 24, 0
	if fc&0x0300 == 0x0300 { // to and from DS: four addresses
		size += 6
	}
	if fc>>4&8 != 0 { // quality of service
		if len(b) > size && b[size]&0x80 != 0 {
			subframe = 14 // two addresses and a length
		}
		size += 2
		if fc&0x8000 != 0 { // HT control
			size += 4
		}
	}
	if padded {
		size = (size + 3) &^ 3
	}
	return size + subframe
}
