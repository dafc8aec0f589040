package decode

import (
	"encoding/binary"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// Link types that are read (https://www.tcpdump.org/linktypes.html).
const (
	linkNull     capture.LinkType = 0
	linkEthernet capture.LinkType = 1
	linkPPP      capture.LinkType = 9
	linkPPPHDLC  capture.LinkType = 50
	linkPPPoE    capture.LinkType = 51
	linkRaw      capture.LinkType = 101
	linkCHDLC    capture.LinkType = 104
	link80211    capture.LinkType = 105
	linkLoop     capture.LinkType = 108
	linkSLL      capture.LinkType = 113
	linkRadiotap capture.LinkType = 127
	linkIPv4     capture.LinkType = 228
	linkIPv6     capture.LinkType = 229
	linkNFLOG    capture.LinkType = 239
	linkSLL2     capture.LinkType = 276
	linkRawOld   capture.LinkType = 12 // LINKTYPE_RAW as some writers number it
	linkRawBSD   capture.LinkType = 14
)

// Ethertypes (IEEE 802 numbers).
const (
	etherIPv4  = 0x0800
	etherTEB   = 0x6558 // transparent Ethernet bridging
	etherVLAN  = 0x8100
	etherQinQ  = 0x88a8
	etherQinQ2 = 0x9100 // QinQ before 802.1ad
	etherQinQ3 = 0x9200
	etherIPv6  = 0x86dd
	etherPPP   = 0x880b
	etherMPLS  = 0x8847
	etherMPLSM = 0x8848
	etherPPPoE = 0x8864
)

// link reads the link-layer header of the given type at b.
func (d *Decoder) link(s *Segment, typ capture.LinkType, b []byte) Reason {
	if typ == linkEthernet { // nearly every frame
		return d.ethernet(s, b)
	}
	switch typ {
	case linkNull, linkLoop:
		return d.loopback(s, b)
	case linkRaw, linkRawOld, linkRawBSD, linkIPv4, linkIPv6:
		return d.ip(s, b)
	case linkSLL:
		return d.cooked(s, b, 16, 14)
	case linkSLL2:
		return d.cooked(s, b, 20, 0)
	}
	return d.rareLink(s, typ, b)
}

func (d *Decoder) ethernet(s *Segment, b []byte) Reason {
	if len(b) < 14 {
		return Short
	}
	s.Link.MAC = [6]byte(b[6:12])
	return d.ether(s, binary.BigEndian.Uint16(b[12:]), b[14:])
}

// ether goes on with what an ethertype announces.
func (d *Decoder) ether(s *Segment, typ uint16, b []byte) Reason {
	for {
		switch typ {
		case etherIPv4:
			return d.ipv4(s, b)
		case etherIPv6:
			return d.ipv6(s, b)
		case etherVLAN, etherQinQ, etherQinQ2, etherQinQ3:
			if len(b) < 4 {
				return Short
			}
			if d.depth++; d.depth > maxDepth {
				return TooDeep
			}
			if s.Link.VLAN == 0 {
				s.Link.VLAN = 1 + binary.BigEndian.Uint16(b)&0x0fff
			}
			typ, b = binary.BigEndian.Uint16(b[2:]), b[4:]
		default:
			return d.rareEther(s, typ, b)
		}
	}
}

// loopback reads the BSD null and loop headers: an address family in the writer's byte order (null) or big-endian (loop).
func (d *Decoder) loopback(s *Segment, b []byte) Reason {
	if len(b) < 4 {
		return Short
	}
	return d.ip(s, b[4:]) // the IP version says more reliably which family it is: its number differs between systems
}

// cooked reads Linux cooked headers, SLL and SLL2, of size bytes with the protocol at offset at.
func (d *Decoder) cooked(s *Segment, b []byte, size, at int) Reason {
	if len(b) < size {
		return Short
	}
	// The sender's address: SLL has its length at 4 and the address at 6; SLL2 at 11 and 12.
	length, mac := b[5], b[6:12]
	if at == 0 {
		length, mac = b[11], b[12:18]
	}
	if length == 6 {
		s.Link.MAC = [6]byte(mac)
	}
	return d.ether(s, binary.BigEndian.Uint16(b[at:]), b[size:])
}
