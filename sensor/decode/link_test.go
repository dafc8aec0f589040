package decode

import (
	"bytes"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

func TestLinks(t *testing.T) {
	snap := func(typ int, b []byte) []byte { return cat([]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(typ), b) }
	// wlan is a data frame to the DS: the access point, the client, the destination.
	wlan := func(fc0, fc1 byte, extra, body []byte) []byte {
		return cat([]byte{fc0, fc1, 0, 0}, macB, macA, macB, []byte{0, 0}, extra, body)
	}
	tests := []struct {
		name   string
		link   capture.LinkType
		frame  []byte
		vlan   uint16
		mac    []byte
		tunnel Tunnels
	}{
		{name: "ethernet", link: linkEthernet, frame: eth(etherIPv4, hello4()), mac: macA},
		{name: "ethernet, IPv6", link: linkEthernet, frame: eth(etherIPv6, hello6()), mac: macA},
		{name: "VLAN", link: linkEthernet, frame: eth(etherVLAN, vlan(0x2007, etherIPv4, hello4())), vlan: 8, mac: macA},
		{name: "QinQ", link: linkEthernet, frame: eth(etherQinQ, vlan(100, etherVLAN, vlan(7, etherIPv6, hello6()))), vlan: 101, mac: macA},
		{name: "QinQ before 802.1ad", link: linkEthernet, frame: eth(0x9100, vlan(9, 0x9200, vlan(7, etherIPv4, hello4()))), vlan: 10, mac: macA},
		{name: "five tags", link: linkEthernet, vlan: 2, mac: macA,
			frame: eth(etherVLAN, vlan(1, etherVLAN, vlan(2, etherVLAN, vlan(3, etherVLAN, vlan(4, etherQinQ, vlan(5, etherIPv4, hello4()))))))},
		{name: "priority tag", link: linkEthernet, frame: eth(etherVLAN, vlan(0xe000, etherIPv4, hello4())), vlan: 1, mac: macA},
		{name: "802.3 with SNAP", link: linkEthernet, frame: eth(53, snap(etherIPv4, hello4())), mac: macA},
		{name: "VN-tag", link: linkEthernet, frame: eth(0x8926, cat(be32(0), be16(etherIPv4), hello4())), mac: macA},
		{name: "E-tag", link: linkEthernet, frame: eth(0x893f, cat(be32(0), be16(0), be16(etherIPv4), hello4())), mac: macA},
		{name: "Cisco MetaData", link: linkEthernet, frame: eth(0x8909, cat(be32(0), be16(0), be16(etherIPv4), hello4())), mac: macA},
		{name: "SLL", link: linkSLL, frame: cat(be16(4), be16(1), be16(6), macA, be16(0), be16(etherIPv4), hello4()), mac: macA},
		{name: "SLL with a tag", link: linkSLL, vlan: 6, mac: macA,
			frame: cat(be16(4), be16(1), be16(6), macA, be16(0), be16(etherVLAN), vlan(5, etherIPv4, hello4()))},
		{name: "SLL without an address", link: linkSLL, frame: cat(be16(0), be16(512), be16(0), make([]byte, 8), be16(etherIPv6), hello6())},
		{name: "SLL2", link: linkSLL2, frame: cat(be16(etherIPv4), be16(0), be32(3), be16(1), []byte{4, 6}, macA, be16(0), hello4()), mac: macA},
		{name: "null, little-endian", link: linkNull, frame: cat([]byte{2, 0, 0, 0}, hello4())},
		{name: "null, big-endian, IPv6", link: linkNull, frame: cat([]byte{0, 0, 0, 30}, hello6())},
		{name: "loop", link: linkLoop, frame: cat([]byte{0, 0, 0, 2}, hello4())},
		{name: "raw", link: linkRaw, frame: hello4()},
		{name: "raw, IPv6", link: linkRaw, frame: hello6()},
		{name: "raw, old number", link: linkRawOld, frame: hello4()},
		{name: "raw, BSD's number", link: linkRawBSD, frame: hello6()},
		{name: "IPv4", link: linkIPv4, frame: hello4()},
		{name: "IPv6", link: linkIPv6, frame: hello6()},
		{name: "PPP", link: linkPPP, frame: cat([]byte{0xff, 3, 0, 0x21}, hello4())},
		{name: "PPP, compressed", link: linkPPP, frame: cat([]byte{0x57}, hello6())},
		{name: "PPP without address and control", link: linkPPP, frame: cat([]byte{0, 0x21}, hello4())},
		{name: "PPP in HDLC framing", link: linkPPPHDLC, frame: cat([]byte{0xff, 3, 0, 0x21}, hello4())},
		{name: "Cisco HDLC", link: linkCHDLC, frame: cat([]byte{0x0f, 0}, be16(etherIPv4), hello4())},
		{name: "Cisco HDLC, multicast, IPv6", link: linkCHDLC, frame: cat([]byte{0x8f, 0}, be16(etherIPv6), hello6())},
		{name: "PPPoE", link: linkPPPoE, frame: cat([]byte{0x11, 0, 0, 1, 0, 47, 0, 0x21}, hello4()), tunnel: TunnelPPPoE},
		{name: "NFLOG, little-endian", link: linkNFLOG,
			frame: cat([]byte{2, 0, 0, 5}, []byte{5, 0, 10, 0, 'p', 0, 0, 0}, []byte{byte(4 + len(hello4())), 0, 9, 0}, hello4())},
		{name: "NFLOG, big-endian", link: linkNFLOG,
			frame: cat([]byte{10, 0, 0, 5}, []byte{0, 8, 0, 1, 0, 0, 0, 0}, []byte{0, byte(4 + len(hello6())), 0, 9}, hello6())},
		{name: "802.11", link: link80211, frame: wlan(8, 1, nil, snap(etherIPv4, hello4())), mac: macA, tunnel: TunnelWLAN},
		{name: "802.11, from the DS", link: link80211, frame: wlan(8, 2, nil, snap(etherIPv4, hello4())), mac: macB, tunnel: TunnelWLAN},
		{name: "802.11, QoS", link: link80211, frame: wlan(0x88, 1, []byte{0, 0}, snap(etherIPv4, hello4())), mac: macA, tunnel: TunnelWLAN},
		{name: "802.11, QoS with HT control", link: link80211, mac: macA, tunnel: TunnelWLAN,
			frame: wlan(0x88, 0x81, []byte{0, 0, 1, 2, 3, 4}, snap(etherIPv4, hello4()))},
		{name: "802.11, four addresses", link: link80211, frame: wlan(8, 3, macA, snap(etherIPv6, hello6())), mac: macA, tunnel: TunnelWLAN},
		{name: "802.11, A-MSDU", link: link80211, mac: macA, tunnel: TunnelWLAN,
			frame: wlan(0x88, 1, []byte{0x80, 0}, cat(macB, macA, be16(53), snap(etherIPv4, hello4())))},
		{name: "radiotap", link: linkRadiotap, mac: macA, tunnel: TunnelWLAN,
			frame: cat([]byte{0, 0, 8, 0, 0, 0, 0, 0}, wlan(8, 1, nil, snap(etherIPv4, hello4())))},
		{name: "radiotap, padded after the header", link: linkRadiotap, mac: macA, tunnel: TunnelWLAN,
			frame: cat([]byte{0, 0, 9, 0, 2, 0, 0, 0, 0x20}, wlan(0x88, 1, []byte{0, 0, 0, 0}, snap(etherIPv4, hello4())))},
		{name: "radiotap, two bitmaps and TSFT", link: linkRadiotap, mac: macA, tunnel: TunnelWLAN,
			frame: cat([]byte{0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0}, make([]byte, 12), []byte{0x20},
				wlan(0x88, 1, []byte{0, 0, 0, 0}, snap(etherIPv4, hello4())))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, reason := one(tt.link, tt.frame)
			wantHello(t, &s, reason)
			mac := tt.mac
			if mac == nil {
				mac = make([]byte, 6)
			}
			if s.Link.VLAN != tt.vlan || !bytes.Equal(s.Link.MAC[:], mac) || s.Link.Tunnels != tt.tunnel {
				t.Errorf("link %+v", s.Link)
			}
			mustNotPanicCut(t, tt.link, tt.frame)
		})
	}
}

// mustNotPanicCut cuts the frame at every length: with all of it said to be on the wire, and as if it were all.
func mustNotPanicCut(t *testing.T, link capture.LinkType, frame []byte) {
	t.Helper()
	payload := len("hello")
	for n := range frame {
		for _, wire := range []int{len(frame), n} {
			s, reason := oneOf(New(testSeed), capture.Frame{Data: frame[:n:n], WireLen: uint32(wire), Link: link})
			switch {
			case n < len(frame)-payload-20 && reason == Decoded:
				t.Errorf("cut to %d of %d: a transport header that is not there was read: %+v", n, len(frame), s)
			case n >= len(frame)-payload && wire == len(frame) && reason != Decoded:
				t.Errorf("cut to %d of %d: %s", n, len(frame), reason)
			case reason == Decoded && int(s.Len) < len(s.Payload):
				t.Errorf("cut to %d of %d: %d bytes of %d", n, len(frame), len(s.Payload), s.Len)
			}
		}
	}
}

func TestKernelTag(t *testing.T) {
	frame := eth(etherIPv4, hello4())
	s, reason := oneOf(New(testSeed), capture.Frame{Data: frame, WireLen: uint32(len(frame)), Link: linkEthernet, VLAN: 0xa005, VLANProto: 0x8100, VLANValid: true, Interface: 3, Time: 7})
	wantHello(t, &s, reason)
	if s.Link.VLAN != 6 || s.Link.Interface != 3 || s.Time != 7 {
		t.Errorf("link %+v, time %d; want VLAN 6 (identifier 5), interface 3, time 7", s.Link, s.Time)
	}
}

func TestNotRead(t *testing.T) {
	long := make([]byte, 64)
	tests := []struct {
		name  string
		link  capture.LinkType
		frame []byte
		want  Reason
	}{
		{"empty", linkEthernet, nil, Short},
		{"ARP", linkEthernet, eth(0x0806, long), NotIP},
		{"LLDP", linkEthernet, eth(0x88cc, long), NotIP},
		{"spanning tree", linkEthernet, eth(38, cat([]byte{0x42, 0x42, 3}, long)), NotIP},
		{"unknown link", 147, long, LinkUnknown},
		{"ICMP", linkEthernet, eth(etherIPv4, v4(1, long)), OtherIP},
		{"ICMPv6", linkEthernet, eth(etherIPv6, v6(58, long)), OtherIP},
		{"ESP", linkEthernet, eth(etherIPv4, v4(50, long)), OtherIP},
		{"no next header", linkEthernet, eth(etherIPv6, v6(59, long)), OtherIP},
		{"IPv4 of version 5", linkEthernet, eth(etherIPv4, cat([]byte{0x55}, long)), Malformed},
		{"IPv4 header of 16 bytes", linkEthernet, eth(etherIPv4, cat([]byte{0x44, 0, 0, 40}, long)), Malformed},
		{"IPv4 shorter than its header", linkEthernet, eth(etherIPv4, cat([]byte{0x45, 0, 0, 10}, long)), Malformed},
		{"IPv6 of version 4", linkEthernet, eth(etherIPv6, cat([]byte{0x40}, long)), Malformed},
		{"raw of version 0", linkRaw, long, NotIP},
		{"TCP header of 16 bytes", linkRaw, v4(TCP, cat(make([]byte, 12), []byte{0x40}, long)), Malformed},
		{"TCP header longer than the packet", linkRaw, v4(TCP, cat(make([]byte, 12), []byte{0xf0}, make([]byte, 10))), Malformed},
		{"IPv6 options after IPv4", linkRaw, v4(60, long), Malformed},
		{"protected 802.11", link80211, cat([]byte{8, 0x41}, long), Encrypted},
		{"802.11 beacon", link80211, cat([]byte{0x80, 0}, long), NotIP},
		{"802.11 QoS null", link80211, cat([]byte{0xc8, 1}, long), NotIP},
		{"radiotap longer than the frame", linkRadiotap, cat([]byte{0, 0, 200, 0}, long), Malformed},
		{"radiotap bitmap without end", linkRadiotap, cat([]byte{0, 0, 12, 0}, bytes.Repeat([]byte{0xff}, 64)), Malformed},
		{"NFLOG with a field of no length", linkNFLOG, cat(be32(0), []byte{0, 0, 1, 0}, long), Malformed},
		{"NFLOG without a packet", linkNFLOG, cat(be32(0), []byte{8, 0, 1, 0, 0, 0, 0, 0}), NotIP},
		{"PPP LCP", linkPPP, cat([]byte{0xff, 3, 0xc0, 0x21}, long), NotIP},
		{"PPPoE discovery code", linkPPPoE, cat([]byte{0x11, 9}, long), NotIP},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, got := one(tt.link, tt.frame); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestReasonNames(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Reasons() {
		if r.String() == "" || seen[r.String()] {
			t.Errorf("reason %d is called %q", r, r.String())
		}
		seen[r.String()] = true
	}
	if len(seen) != int(reasonCount)-1 || reasonCount.String() != "" {
		t.Errorf("%d reasons have names", len(seen))
	}
}

func TestStats(t *testing.T) {
	d := New(testSeed)
	for _, b := range [][]byte{eth(etherIPv4, hello4()), eth(0x0806, make([]byte, 28)), {1}, eth(etherIPv4, v4(1, nil))} {
		oneOf(d, capture.Frame{Data: b, WireLen: uint32(len(b)), Link: linkEthernet})
	}
	s := d.Stats()
	if s.Frames != 4 || s.Segments != 1 || s.Undecoded[NotIP] != 1 || s.Undecoded[Short] != 1 || s.Undecoded[OtherIP] != 1 {
		t.Errorf("%+v", s)
	}
	if s.Lost() != 1 {
		t.Errorf("%d frames lost, want 1: what is no IP is no loss", s.Lost())
	}
}
