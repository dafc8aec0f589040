package pcapfile

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// EtherTypes (IEEE 802 numbers) and IP protocol numbers (IANA) the rewriters need.
const (
	etherIPv4    = 0x0800
	etherIPv6    = 0x86dd
	etherVLAN    = 0x8100 // IEEE 802.1Q
	etherService = 0x88a8 // IEEE 802.1ad
	protoUDP     = 17
	protoGRE     = 47

	addrBytes   = 12 // the two MAC addresses in front of an EtherType
	etherHeader = 14
	ipv4Header  = 20
	ipv6Header  = 40
	udpHeader   = 8
	portVXLAN   = 4789 // RFC 7348, section 4.1
)

// Tag returns the frames with an 802.1Q tag of the given VLAN.
func Tag(frames []Frame, vlan uint16) []Frame {
	return insertTag(frames, etherVLAN, vlan)
}

// TagTwice returns the frames with an 802.1ad service tag around an 802.1Q customer tag.
func TagTwice(frames []Frame, service, customer uint16) []Frame {
	return insertTag(insertTag(frames, etherVLAN, customer), etherService, service)
}

func insertTag(frames []Frame, tpid, vlan uint16) []Frame {
	return rewrite(frames, func(data []byte) []byte {
		if len(data) < etherHeader {
			return data
		}
		out := append(make([]byte, 0, len(data)+4), data[:addrBytes]...)
		out = binary.BigEndian.AppendUint16(out, tpid)
		out = binary.BigEndian.AppendUint16(out, vlan)
		return append(out, data[addrBytes:]...)
	})
}

// Tunnel is the outer side of an encapsulation: two routers that carry the laboratory's frames between them.
type Tunnel struct {
	From, To netip.Addr // IPv4
	ID       uint32     // VXLAN network identifier
}

// VXLAN returns the frames inside VXLAN (RFC 7348), whole Ethernet frames over UDP.
func (t Tunnel) VXLAN(frames []Frame) []Frame {
	return rewrite(frames, func(data []byte) []byte {
		inner := binary.BigEndian.AppendUint32(nil, 0x08<<24) // flags: the identifier is valid
		inner = binary.BigEndian.AppendUint32(inner, t.ID<<8)
		inner = append(inner, data...)
		udp := binary.BigEndian.AppendUint16(nil, 49152+uint16(len(data)%2)) // entropy port
		udp = binary.BigEndian.AppendUint16(udp, portVXLAN)
		udp = binary.BigEndian.AppendUint16(udp, uint16(udpHeader+len(inner)))
		udp = append(udp, 0, 0) // RFC 7348 wants a zero checksum over IPv4
		return t.outer(protoUDP, append(udp, inner...))
	})
}

// GRE returns the IP packets of the frames inside GRE without options (RFC 2784, section 2.1); other frames are left out.
func (t Tunnel) GRE(frames []Frame) []Frame {
	frames = slices.DeleteFunc(slices.Clone(frames), func(f Frame) bool {
		return len(f.Data) < etherHeader || !isIP(binary.BigEndian.Uint16(f.Data[addrBytes:]))
	})
	return rewrite(frames, func(data []byte) []byte {
		gre := append([]byte{0, 0}, data[addrBytes:]...) // no flags, then the EtherType and the packet
		return t.outer(protoGRE, gre)
	})
}

func isIP(etherType uint16) bool { return etherType == etherIPv4 || etherType == etherIPv6 }

// outer puts an Ethernet and an IPv4 header in front of a payload.
func (t Tunnel) outer(proto byte, payload []byte) []byte {
	out := []byte{0x02, 0, 0, 0, 0xee, 2, 0x02, 0, 0, 0, 0xee, 1} // locally administered addresses
	out = binary.BigEndian.AppendUint16(out, etherIPv4)
	ip := []byte{0x45, 0}
	ip = binary.BigEndian.AppendUint16(ip, uint16(ipv4Header+len(payload)))
	ip = append(ip, 0, 0, 0x40, 0, 64, proto, 0, 0) // don't fragment, TTL 64, checksum below
	ip = append(ip, t.From.AsSlice()...)
	ip = append(ip, t.To.AsSlice()...)
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	return append(append(out, ip...), payload...)
}

// checksum is the Internet checksum (RFC 1071) of an even number of bytes.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

func rewrite(frames []Frame, change func([]byte) []byte) []Frame {
	out := slices.Clone(frames)
	for i := range out {
		out[i].Data = change(out[i].Data)
	}
	return out
}

// Direct sets the port of each frame: 0 for frames whose source address is in inside, 1 for all others.
func Direct(frames []Frame, inside netip.Prefix) []Frame {
	out := slices.Clone(frames)
	for i := range out {
		out[i].Port = 1
		if src, ok := source(out[i].Data); ok && inside.Contains(src) {
			out[i].Port = 0
		}
	}
	return out
}

// source returns the address a frame comes from: the sender of an IP packet or of an ARP message.
func source(data []byte) (netip.Addr, bool) {
	if len(data) < etherHeader {
		return netip.Addr{}, false
	}
	payload := data[etherHeader:]
	const etherARP = 0x0806
	switch typ := binary.BigEndian.Uint16(data[addrBytes:]); {
	case typ == etherIPv4 && len(payload) >= ipv4Header:
		return netip.AddrFrom4([4]byte(payload[12:16])), true
	case typ == etherIPv6 && len(payload) >= ipv6Header:
		return netip.AddrFrom16([16]byte(payload[8:24])), true
	case typ == etherARP && len(payload) >= 18:
		return netip.AddrFrom4([4]byte(payload[14:18])), true // sender protocol address, RFC 826
	}
	return netip.Addr{}, false
}

// Move says that frames seen from From until just before To happened from At on, Stretch times as slowly.
type Move struct {
	From, To, At time.Time
	Stretch      int
}

// Spread moves frames in time, each by the first move whose span holds it, drops frames in no span, and sorts by time.
func Spread(frames []Frame, moves []Move) []Frame {
	var out []Frame
	for _, f := range frames {
		i := slices.IndexFunc(moves, func(m Move) bool { return !f.Time.Before(m.From) && f.Time.Before(m.To) })
		if i < 0 {
			continue
		}
		f.Time = moves[i].At.Add(f.Time.Sub(moves[i].From) * time.Duration(moves[i].Stretch))
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b Frame) int { return cmp.Compare(a.Time.UnixNano(), b.Time.UnixNano()) })
	return out
}
