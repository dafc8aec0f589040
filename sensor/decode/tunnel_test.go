package decode

import (
	"bytes"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// Headers of tunnels, as their documents draw them.

func vxlanOf(flags byte, reserved [3]byte, inner []byte) []byte {
	return cat([]byte{flags}, reserved[:], []byte{0, 0, 42, 0}, inner)
}

func gtpuOf(flags byte, more []byte, inner []byte) []byte {
	return cat([]byte{flags, 0xff}, be16(len(more)+len(inner)), be32(77), more, inner)
}

// teredo6 is an IPv6 packet between a Teredo client and a native host.
func teredo6() []byte { return v6At("2001:0:c000:201::1", "2001:db8::2", TCP, web("hello")) }

func TestTunnels(t *testing.T) {
	e4, e6 := eth(etherIPv4, hello4()), eth(etherIPv6, hello6())
	label := func(bottom byte) []byte { return []byte{0, 1, 0x20 | bottom, 64} }
	tests := []struct {
		name   string
		packet []byte // behind an Ethernet header
		typ    int
		want   Tunnels
	}{
		{"MPLS, IPv4", cat(label(0), label(1), hello4()), etherMPLS, TunnelMPLS},
		{"MPLS, IPv6", cat(label(1), hello6()), etherMPLSM, TunnelMPLS},
		{"MPLS, pseudowire", cat(label(1), e4), etherMPLS, TunnelMPLS},
		{"MPLS, pseudowire with control word", cat(label(1), be32(0), e6), etherMPLS, TunnelMPLS},
		{"MPLS, pseudowire to an address that begins like IPv4", cat(label(1), []byte{0x45, 0, 0xf0, 1, 2, 3}, e4[6:]), etherMPLS, TunnelMPLS},
		{"MPLS, pseudowire to an address that begins like IPv6", cat(label(1), []byte{0x60, 0, 1, 1, 0xf2, 3}, e4[6:]), etherMPLS, TunnelMPLS},
		{"PPPoE", cat([]byte{0x11, 0, 0, 1}, be16(2+len(hello6())), []byte{0, 0x57}, hello6()), etherPPPoE, TunnelPPPoE},
		{"PPPoE, MPLS", cat([]byte{0x11, 0, 0, 1}, be16(0), []byte{2, 0x81}, label(1), hello4()), etherPPPoE, TunnelPPPoE | TunnelMPLS},
		{"GRE", v4(47, cat(be16(0), be16(etherIPv4), hello4())), etherIPv4, TunnelGRE},
		{"GRE over IPv6, VLAN inside", v6(47, cat(be16(0), be16(etherTEB), eth(etherVLAN, vlan(3, etherIPv4, hello4())))), etherIPv6, TunnelGRE},
		{"GRE, key", v4(47, cat(be16(0x2000), be16(etherIPv6), be32(9), hello6())), etherIPv4, TunnelGRE},
		{"GRE, sequence", v4(47, cat(be16(0x1000), be16(etherIPv4), be32(9), hello4())), etherIPv4, TunnelGRE},
		{"GRE, checksum", v4(47, cat(be16(0x8000), be16(etherIPv4), be32(0), hello4())), etherIPv4, TunnelGRE},
		{"GRE, all three", v4(47, cat(be16(0xb000), be16(etherIPv4), be32(0), be32(9), be32(8), hello4())), etherIPv4, TunnelGRE},
		{"NVGRE", v4(47, cat(be16(0x2000), be16(etherTEB), be32(0x1234500), e4)), etherIPv4, TunnelGRE},
		{"GRE, MPLS", v4(47, cat(be16(0), be16(etherMPLS), label(1), hello4())), etherIPv4, TunnelGRE | TunnelMPLS},
		{"WCCP", v4(47, cat(be16(0), be16(0x883e), hello4())), etherIPv4, TunnelGRE},
		{"WCCP with a redirect header", v4(47, cat(be16(0), be16(0x883e), be32(0), hello4())), etherIPv4, TunnelGRE},
		{"ERSPAN I", v4(47, cat(be16(0), be16(0x88be), e4)), etherIPv4, TunnelGRE | TunnelERSPAN},
		{"ERSPAN II", v4(47, cat(be16(0x1000), be16(0x88be), be32(5), []byte{0x10, 7, 0, 0, 0, 0, 0, 0}, e4)), etherIPv4, TunnelGRE | TunnelERSPAN},
		{"ERSPAN III", v4(47, cat(be16(0x1000), be16(0x22eb), be32(5), []byte{0x20, 7}, make([]byte, 10), e6)), etherIPv4, TunnelGRE | TunnelERSPAN},
		{"ERSPAN III, platform header", v4(47, cat(be16(0x1000), be16(0x22eb), be32(5), []byte{0x20, 7}, make([]byte, 9), []byte{1}, make([]byte, 8), e4)),
			etherIPv4, TunnelGRE | TunnelERSPAN},
		{"PPTP", v4(47, cat(be16(0x3001), be16(etherPPP), be32(9), be32(1), []byte{0xff, 3, 0, 0x21}, hello4())), etherIPv4, TunnelGRE},
		{"PPTP with acknowledgement", v4(47, cat(be16(0x3081), be16(etherPPP), be32(9), be32(1), be32(1), []byte{0x21}, hello4())), etherIPv4, TunnelGRE},
		{"IPIP", v4(4, hello4()), etherIPv4, TunnelIPIP},
		{"6in6", v6(41, hello6()), etherIPv6, TunnelIPIP},
		{"6in4", v4(41, hello6()), etherIPv4, Tunnel6in4},
		{"4in6", v6(4, hello4()), etherIPv6, Tunnel4in6},
		{"EtherIP", v4(97, cat([]byte{0x30, 0}, e6)), etherIPv4, TunnelEtherIP},
		{"MPLS in IP", v4(137, cat(label(1), hello4())), etherIPv4, TunnelMPLS},
		{"AH over IPv4", v4(51, cat([]byte{TCP, 4, 0, 0}, make([]byte, 20), web("hello"))), etherIPv4, 0},
		{"VXLAN", v4(UDP, udp(40000, 4789, vxlanOf(8, [3]byte{}, e4))), etherIPv4, TunnelVXLAN},
		{"VXLAN over IPv6", v6(UDP, udp(40000, 4789, vxlanOf(8, [3]byte{}, e6))), etherIPv6, TunnelVXLAN},
		{"VXLAN, Linux's old port", v4(UDP, udp(40000, 8472, vxlanOf(8, [3]byte{}, e4))), etherIPv4, TunnelVXLAN},
		{"VXLAN, group policy", v4(UDP, udp(40000, 4789, vxlanOf(0x88, [3]byte{0x40, 1, 2}, e4))), etherIPv4, TunnelVXLAN},
		{"VXLAN-GPE, IPv4", v4(UDP, udp(40000, 4790, vxlanOf(0xc, [3]byte{0, 0, 1}, hello4()))), etherIPv4, TunnelVXLAN},
		{"VXLAN-GPE, IPv6", v4(UDP, udp(40000, 4790, vxlanOf(0xc, [3]byte{0, 0, 2}, hello6()))), etherIPv4, TunnelVXLAN},
		{"VXLAN-GPE, Ethernet", v4(UDP, udp(40000, 4790, vxlanOf(0xc, [3]byte{0, 0, 3}, e4))), etherIPv4, TunnelVXLAN},
		{"GENEVE", v4(UDP, udp(40000, 6081, cat([]byte{0, 0}, be16(etherTEB), be32(0x100), e4))), etherIPv4, TunnelGENEVE},
		{"GENEVE, options", v4(UDP, udp(40000, 6081, cat([]byte{3, 0x40}, be16(etherTEB), be32(0x100), make([]byte, 12), e6))), etherIPv4, TunnelGENEVE},
		{"GENEVE, IPv4", v4(UDP, udp(40000, 6081, cat([]byte{0, 0}, be16(etherIPv4), be32(0x100), hello4()))), etherIPv4, TunnelGENEVE},
		{"GTP-U", v4(UDP, udp(2152, 2152, gtpuOf(0x30, nil, hello4()))), etherIPv4, TunnelGTPU},
		{"GTP-U, sequence number", v4(UDP, udp(2152, 2152, gtpuOf(0x32, []byte{0, 1, 0, 0}, hello6()))), etherIPv4, TunnelGTPU},
		{"GTP-U, two extension headers", v4(UDP, udp(2152, 2152, gtpuOf(0x34, cat([]byte{0, 0, 0, 0x85}, []byte{1, 0x10, 9, 0xc0}, []byte{2, 1, 2, 3, 4, 5, 6, 0}), hello4()))),
			etherIPv4, TunnelGTPU},
		{"Teredo", v4(UDP, udp(3544, 50001, hello6())), etherIPv4, TunnelTeredo},
		{"Teredo, origin", v4(UDP, udp(50001, 3544, cat([]byte{0, 0}, make([]byte, 6), hello6()))), etherIPv4, TunnelTeredo},
		{"Teredo, authentication and origin", v4(UDP, udp(50001, 3544, cat([]byte{0, 1, 2, 3}, make([]byte, 5+9), []byte{0, 0}, make([]byte, 6), hello6()))),
			etherIPv4, TunnelTeredo},
		{"AYIYA", v4(UDP, udp(50001, 5072, cat([]byte{0x44, 0x52, 0x11, 41}, be32(0), make([]byte, 16+20), hello6()))), etherIPv4, TunnelAYIYA},
		{"AYIYA, IPv4", v4(UDP, udp(50001, 5072, cat([]byte{0x44, 0x52, 0x11, 4}, be32(0), make([]byte, 16+20), hello4()))), etherIPv4, TunnelAYIYA},
		{"L2TP", v4(UDP, udp(1701, 1701, cat([]byte{0, 2}, be16(1), be16(2), []byte{0xff, 3, 0, 0x21}, hello4()))), etherIPv4, TunnelL2TP},
		{"L2TP, length, sequence and offset", v4(UDP, udp(1701, 1701, cat([]byte{0x4a, 2}, be16(20+len(hello6())), be16(1), be16(2), be32(0), be16(4), be32(0),
			[]byte{0, 0x57}, hello6()))), etherIPv4, TunnelL2TP},
		{"CAPWAP", v4(UDP, udp(50001, 5247, cat([]byte{0, 0x10, 0, 0}, be32(0), e4))), etherIPv4, TunnelCAPWAP},
		{"CAPWAP, 802.11", v4(UDP, udp(50001, 5247, cat([]byte{0, 0x10, 3, 0}, be32(0), []byte{8, 1, 0, 0}, macB, macA, macB, be16(0),
			[]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(etherIPv4), hello4()))), etherIPv4, TunnelCAPWAP | TunnelWLAN},
		{"CAPWAP, 802.11 with swapped control", v4(UDP, udp(50001, 5247, cat([]byte{0, 0x10, 3, 0}, be32(0), []byte{1, 8, 0, 0}, macB, macA, macB, be16(0),
			[]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(etherIPv4), hello4()))), etherIPv4, TunnelCAPWAP | TunnelWLAN},
		{"GRE in UDP", v4(UDP, udp(50001, 4754, cat(be16(0), be16(etherIPv4), hello4()))), etherIPv4, TunnelGRE},
		{"MPLS in UDP", v4(UDP, udp(50001, 6635, cat(label(1), hello4()))), etherIPv4, TunnelMPLS},
		{"6in4 in VXLAN in GRE", v4(47, cat(be16(0), be16(etherIPv4), v4(UDP, udp(1, 4789, vxlanOf(8, [3]byte{}, eth(etherIPv4, v4(41, hello6()))))))), etherIPv4,
			TunnelGRE | TunnelVXLAN | Tunnel6in4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			frame := eth(tt.typ, tt.packet)
			s, reason := one(linkEthernet, frame)
			wantHello(t, &s, reason)
			if s.Link.Tunnels != tt.want {
				t.Errorf("tunnels %v, want %v", s.Link.Tunnels.Names(), tt.want.Names())
			}
			for n := range frame { // must not panic
				oneOf(New(testSeed), capture.Frame{Data: frame[:n:n], WireLen: uint32(len(frame)), Link: linkEthernet})
				one(linkEthernet, frame[:n:n])
			}
		})
	}
}

func TestTeredoOnAnyPort(t *testing.T) {
	indications := cat([]byte{0, 1, 2, 3}, make([]byte, 5+9), []byte{0, 0}, make([]byte, 6))
	back := v6At("2001:db8::2", "2001:0:c000:201::1", TCP, web("hello"))
	linkLocal := v6At("fe80::1", "2001:0:c000:201::1", TCP, web("hello"))
	long := append(bytes.Clone(teredo6()), 0)
	tests := []struct {
		name    string
		payload []byte
		inside  bool
	}{
		{"from a client", teredo6(), true},
		{"to a client", back, true},
		{"from a link-local address", linkLocal, true},
		{"behind an authentication and an origin", cat(indications, teredo6()), true},
		{"behind an origin", cat(indications[18:], teredo6()), true},
		{"other addresses", hello6(), false},
		{"a byte too many", long, false},
		{"a byte too few", teredo6()[:len(teredo6())-1], false},
		{"another version", cat([]byte{0x50}, teredo6()[1:]), false},
		{"an authentication without an end", []byte{0, 1, 200, 200, 0}, false},
		{"a single byte", []byte{0x60}, false},
		{"nothing", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, reason := one(linkRaw, v4(UDP, udp(51111, 52222, tt.payload)))
			if reason != Decoded {
				t.Fatalf("not decoded: %s", reason)
			}
			if inside := s.Key.Proto == TCP; inside != tt.inside {
				t.Fatalf("inside: %v, want %v", inside, tt.inside)
			}
			if tt.inside && (s.Link.Tunnels != TunnelTeredo || string(s.Payload) != "hello") {
				t.Errorf("tunnels %v, payload %q", s.Link.Tunnels.Names(), s.Payload)
			}
			if !tt.inside && (s.Link.Tunnels != 0 || !bytes.Equal(s.Payload, tt.payload)) {
				t.Errorf("tunnels %v, payload %x", s.Link.Tunnels.Names(), s.Payload)
			}
		})
	}
	t.Run("cut by the snaplen", func(t *testing.T) {
		frame := v4(UDP, udp(51111, 52222, teredo6()))
		s, reason := oneOf(New(testSeed), capture.Frame{Data: frame[:len(frame)-3], WireLen: uint32(len(frame)), Link: linkRaw})
		if reason != Decoded || s.Key.Proto != TCP || string(s.Payload) != "he" || s.Len != 5 {
			t.Errorf("%s, %+v", reason, s)
		}
	})
}

// What only uses a tunnel's port is a flow like any other.
func TestTunnelPortWithSomethingElse(t *testing.T) {
	ports := []int{portL2TP, portGTPU, portTeredo, portVXLAN, portGPE, portAYIYA, portCAPWAP, portGENEVE, portMPLS, portGREUDP, portVXLAN0}
	dns := []byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01")
	payloads := []struct {
		name string
		b    []byte
	}{
		{"DNS query", dns},
		{"DNS query, number 0x0802", cat([]byte{8, 2}, dns[2:])},
		{"DNS query, number 0x0002", cat([]byte{0, 2}, dns[2:])},
		{"DNS query, number 0x30ff", cat([]byte{0x30, 0xff}, dns[2:])},
		{"DNS query, number 0x0110", cat([]byte{1, 0x10}, dns[2:])},
		{"QUIC, short header", bytes.Repeat([]byte{0x4a, 0x9b, 0xf1}, 30)},
		{"QUIC, short header with nibble 6", bytes.Repeat([]byte{0x6a, 0x9b, 0xf1}, 30)},
		{"QUIC, long header", cat([]byte{0xc3, 0, 0, 0, 1, 8}, bytes.Repeat([]byte{0xd7}, 100))},
		{"text", bytes.Repeat([]byte("hello "), 12)},
		{"one byte", []byte{1}},
		{"nothing", nil},
	}
	for _, p := range payloads {
		t.Run(p.name, func(t *testing.T) {
			for _, port := range ports {
				for _, b := range [][]byte{v4(UDP, udp(port, 50001, p.b)), v4(UDP, udp(50001, port, p.b))} {
					s, reason := one(linkRaw, b)
					if reason != Decoded || s.Key.Proto != UDP || !s.Key.HasPort(uint16(port)) || !bytes.Equal(s.Payload, p.b) || s.Link.Tunnels != 0 {
						t.Errorf("port %d: %s, %+v", port, reason, s)
					}
				}
			}
		})
	}
}

// Random payloads on a tunnel's port are hardly ever lost.
func TestTunnelPortWithRandomPayload(t *testing.T) {
	r := newRand(1)
	b := make([]byte, 200)
	for _, port := range []int{portL2TP, portGTPU, portTeredo, portVXLAN, portGPE, portAYIYA, portCAPWAP, portGENEVE, portMPLS, portGREUDP, portVXLAN0} {
		lost := 0
		for range 5000 {
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			if s, reason := one(linkRaw, v4(UDP, udp(50001, port, b))); reason != Decoded || s.Key.Proto != UDP {
				lost++
			}
		}
		if lost > 5 {
			t.Errorf("port %d: %d of 5000 lost", port, lost)
		}
	}
}

func TestTunnelControl(t *testing.T) {
	tests := []struct {
		name   string
		packet []byte
		want   Reason
	}{
		{"L2TP control", udp(1701, 1701, cat([]byte{0xc8, 2}, be16(12), be32(0), be32(0))), NotIP},
		{"CAPWAP, DTLS", udp(50001, 5247, cat([]byte{1, 0, 0, 0, 23, 0xfe, 0xfd}, make([]byte, 40))), Encrypted},
		{"CAPWAP, later fragment", udp(50001, 5247, cat([]byte{0, 0x10, 0, 0x80}, []byte{0, 1, 0, 8}, make([]byte, 40))), FragmentHeld},
		{"VXLAN with ARP", udp(50001, 4789, vxlanOf(8, [3]byte{}, eth(0x0806, make([]byte, 28)))), NotIP},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, got := one(linkRaw, v4(UDP, tt.packet)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
	t.Run("PPTP acknowledgement alone", func(t *testing.T) {
		if _, got := one(linkRaw, v4(47, cat(be16(0x2081), be16(etherPPP), be32(9), be32(1)))); got != OtherIP {
			t.Errorf("%s", got)
		}
	})
	t.Run("GRE with source routes", func(t *testing.T) {
		if _, got := one(linkRaw, v4(47, cat(be16(0x4000), be16(etherIPv4), be32(0), hello4()))); got != Malformed {
			t.Errorf("%s", got)
		}
	})
}

func TestNestingEnds(t *testing.T) {
	wrap := func(b []byte, n int, f func([]byte) []byte) []byte {
		for range n {
			b = f(b)
		}
		return b
	}
	bombs := []struct {
		name string
		link capture.LinkType
		b    []byte
	}{
		{"IPIP", linkRaw, wrap(hello4(), 40, func(b []byte) []byte { return v4(4, b) })},
		{"6in6", linkRaw, wrap(hello6(), 40, func(b []byte) []byte { return v6(41, b) })},
		{"GRE", linkRaw, wrap(hello4(), 40, func(b []byte) []byte { return v4(47, cat(be16(0), be16(etherIPv4), b)) })},
		{"VXLAN", linkRaw, wrap(hello4(), 40, func(b []byte) []byte { return v4(UDP, udp(1, 4789, vxlanOf(8, [3]byte{}, eth(etherIPv4, b)))) })},
		{"tags", linkEthernet, eth(etherVLAN, wrap(vlan(1, etherIPv4, hello4()), 200, func(b []byte) []byte { return vlan(1, etherVLAN, b) }))},
		{"E-tags", linkEthernet, eth(0x893f, wrap(cat(make([]byte, 6), be16(etherIPv4), hello4()), 200, func(b []byte) []byte { return cat(make([]byte, 6), be16(0x893f), b) }))},
		{"labels", linkEthernet, eth(etherMPLS, cat(make([]byte, 400), []byte{0, 0, 1, 0}, hello4()))},
		{"bridged Ethernet", linkEthernet, wrap(eth(etherIPv4, hello4()), 60, func(b []byte) []byte { return eth(etherTEB, b) })},
		{"pseudowires", linkEthernet, wrap(eth(etherIPv4, hello4()), 60, func(b []byte) []byte { return eth(etherMPLS, cat([]byte{0, 0, 1, 0}, b)) })},
		{"PPP and MPLS", linkPPP, wrap(cat([]byte{0, 0x21}, hello4()), 60, func(b []byte) []byte {
			return cat([]byte{2, 0x81, 0, 0, 1, 0}, eth(etherPPP, b))
		})},
		{"SNAP", linkEthernet, wrap(eth(etherIPv4, hello4()), 60, func(b []byte) []byte {
			return eth(100, cat([]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(etherTEB), b))
		})},
		{"extension headers", linkRaw, v6(60, cat(bytes.Repeat([]byte{60, 0, 0, 0, 0, 0, 0, 0}, 100), []byte{TCP, 0, 0, 0, 0, 0, 0, 0}, web("hello")))},
		{"GTP-U extension headers", linkRaw, v4(UDP, udp(2152, 2152, gtpuOf(0x34, cat([]byte{0, 0, 0, 1}, bytes.Repeat([]byte{1, 0, 0, 1}, 100)), hello4())))},
		{"fragments in fragments", linkRaw, wrap(hello6(), 40, func(b []byte) []byte {
			return v6(44, cat([]byte{41, 0, 0, 0}, be32(1), b))
		})},
	}
	for _, tt := range bombs {
		t.Run(tt.name, func(t *testing.T) {
			if _, got := one(tt.link, tt.b); got != TooDeep {
				t.Errorf("%s, want %s", got, TooDeep)
			}
		})
	}
	t.Run("what is real is read", func(t *testing.T) {
		s, reason := one(linkRaw, wrap(hello4(), 8, func(b []byte) []byte { return v4(4, b) }))
		wantHello(t, &s, reason)
	})
}

func TestTunnelNames(t *testing.T) {
	if got := (TunnelGRE | TunnelWLAN).Names(); len(got) != 2 || got[0] != "gre" || got[1] != "wlan" {
		t.Errorf("%q", got)
	}
	if got := Tunnels(0).Names(); got != nil {
		t.Errorf("%q", got)
	}
	if TunnelWLAN != 1<<(len(tunnelNames)-1) {
		t.Error("a tunnel has no name, or a name no tunnel")
	}
}
