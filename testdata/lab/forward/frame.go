package forward

import (
	"encoding/binary"
	"net/netip"
)

// Numbers of the headers an impairment looks at (IEEE 802 and IANA).
const (
	etherIPv4   = 0x0800
	etherIPv6   = 0x86dd
	protoTCP    = 6
	protoUDP    = 17
	portDNS     = 53
	etherHeader = 14
)

// flow is one direction of a conversation.
type flow struct {
	proto            byte
	src, dst         netip.Addr
	srcPort, dstPort uint16
}

// parse returns the flow and payload of a TCP or UDP frame without IP options; ok is false for all else.
func parse(frame []byte) (f flow, payload []byte, ok bool) {
	if len(frame) < etherHeader {
		return f, nil, false
	}
	var l4 []byte
	switch ip := frame[etherHeader:]; binary.BigEndian.Uint16(frame[12:]) {
	case etherIPv4:
		if len(ip) < 20 || ip[0] != 0x45 {
			return f, nil, false
		}
		if total := int(binary.BigEndian.Uint16(ip[2:])); total >= 20 && total < len(ip) {
			ip = ip[:total] // what follows is padding of a short frame
		}
		f = flow{proto: ip[9], src: netip.AddrFrom4([4]byte(ip[12:16])), dst: netip.AddrFrom4([4]byte(ip[16:20]))}
		l4 = ip[20:]
	case etherIPv6:
		if len(ip) < 40 {
			return f, nil, false
		}
		f = flow{proto: ip[6], src: netip.AddrFrom16([16]byte(ip[8:24])), dst: netip.AddrFrom16([16]byte(ip[24:40]))}
		l4 = ip[40:]
	default:
		return f, nil, false
	}
	header := 8 // of UDP
	if f.proto == protoTCP {
		if len(l4) < 20 {
			return f, nil, false
		}
		header = int(l4[12]>>4) * 4
	}
	if f.proto != protoTCP && f.proto != protoUDP || len(l4) < max(header, 8) {
		return f, nil, false
	}
	f.srcPort, f.dstPort = binary.BigEndian.Uint16(l4), binary.BigEndian.Uint16(l4[2:])
	return f, l4[header:], true
}
