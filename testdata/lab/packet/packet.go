// Package packet reads just enough of a frame for the laboratory: addresses, ports, and payload of TCP and UDP without IP
// options, tags or tunnels. The product's decoder is sensor/decode.
package packet

import (
	"encoding/binary"
	"net/netip"
)

// Protocols (IANA protocol numbers).
const (
	TCP = 6
	UDP = 17
)

// Numbers and lengths of headers (IEEE 802 and IANA).
const (
	etherIPv4   = 0x0800
	etherIPv6   = 0x86dd
	etherHeader = 14
	ipv4Header  = 20
	ipv6Header  = 40
	udpHeader   = 8
	tcpHeader   = 20
)

// Flow is one direction of a conversation.
type Flow struct {
	Proto    byte
	Src, Dst netip.AddrPort
}

// Packet is a TCP segment or a UDP datagram. Payload is part of the frame.
type Packet struct {
	Flow
	Seq     uint32 // TCP only
	Payload []byte
}

// Parse reads a frame; ok is false for one that is not such a packet.
func Parse(frame []byte) (p Packet, ok bool) {
	src, dst, proto, l4, ok := network(frame)
	header := udpHeader
	switch {
	case !ok || proto != TCP && proto != UDP:
		return p, false
	case proto == TCP && len(l4) < tcpHeader:
		return p, false
	case proto == TCP:
		p.Seq = binary.BigEndian.Uint32(l4[4:])
		header = int(l4[12]>>4) * 4
	}
	if len(l4) < max(header, udpHeader) {
		return p, false
	}
	p.Proto = proto
	p.Src = netip.AddrPortFrom(src, binary.BigEndian.Uint16(l4))
	p.Dst = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(l4[2:]))
	p.Payload = l4[header:]
	return p, true
}

// network reads the IP header and returns what follows it.
func network(frame []byte) (src, dst netip.Addr, proto byte, rest []byte, ok bool) {
	if len(frame) < etherHeader {
		return src, dst, 0, nil, false
	}
	switch ip := frame[etherHeader:]; binary.BigEndian.Uint16(frame[12:]) {
	case etherIPv4:
		if len(ip) < ipv4Header || ip[0] != 0x45 {
			return src, dst, 0, nil, false
		}
		if total := int(binary.BigEndian.Uint16(ip[2:])); total >= ipv4Header && total < len(ip) {
			ip = ip[:total] // what follows is padding of a short frame
		}
		return netip.AddrFrom4([4]byte(ip[12:16])), netip.AddrFrom4([4]byte(ip[16:20])), ip[9], ip[ipv4Header:], true
	case etherIPv6:
		if len(ip) < ipv6Header {
			return src, dst, 0, nil, false
		}
		return netip.AddrFrom16([16]byte(ip[8:24])), netip.AddrFrom16([16]byte(ip[24:40])), ip[6], ip[ipv6Header:], true
	}
	return src, dst, 0, nil, false
}
