package sensor_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// answerHTTPS is an answer to a question for the HTTPS record of a name, with an address as a hint (RFC 9460, section 7.3).
func answerHTTPS(id uint16, name string, hint netip.Addr) []byte {
	b := question(id, name)
	b[2], b[3], b[7] = 0x81, 0x80, 1
	b[len(b)-3] = 65
	v4 := hint.As4()
	data := append([]byte{0, 1, 0, 0, 4, 0, 4}, v4[:]...) // priority, the name itself, ipv4hint
	b = binary.BigEndian.AppendUint32(append(b, 0xc0, 12, 0, 65, 0, 1), 300)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
}

// answerChain is an answer whose address belongs to another name, which the name asked for leads to.
func answerChain(id uint16, name, target string, addr netip.Addr) []byte {
	b := question(id, name)
	b[2], b[3], b[7] = 0x81, 0x80, 2
	to := appendName(nil, target)
	b = binary.BigEndian.AppendUint32(append(b, 0xc0, 12, 0, 5, 0, 1), 300)
	at := len(b) + 2
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(to))), to...)
	b = binary.BigEndian.AppendUint32(append(b, 0xc0|byte(at>>8), byte(at), 0, 1, 0, 1), 300)
	v4 := addr.As4()
	return append(append(b, 0, 4), v4[:]...)
}

// A flow that shows no name has the one that its address was looked up for: by its client, or else by anyone if it is the only one.
func TestNamesOfAddresses(t *testing.T) {
	neighbour := netip.MustParseAddrPort("10.0.0.8:50000")
	mdns := netip.MustParseAddrPort("224.0.0.251:5353")
	llmnr := netip.MustParseAddrPort("224.0.0.252:5355")
	tests := []struct {
		name    string
		look    func(p *tape)
		domain  string
		service string
	}{
		{"by the client", func(p *tape) { p.lookup(client, 1, "claude.ai", server.Addr()) }, "claude.ai", "claude"},
		{"by another", func(p *tape) { p.lookup(neighbour, 1, "claude.ai", server.Addr()) }, "claude.ai", "claude"},
		{"by the client, among others", func(p *tape) {
			p.lookup(client, 1, "claude.ai", server.Addr())
			p.lookup(neighbour, 1, "shop.example.com", server.Addr())
		}, "claude.ai", "claude"},
		{"by others, for several", func(p *tape) {
			p.lookup(neighbour, 1, "claude.ai", server.Addr())
			p.lookup(neighbour, 2, "shop.example.com", server.Addr())
		}, "", ""},
		{"by the client, for several: no service", func(p *tape) {
			p.lookup(client, 1, "shop.example.com", server.Addr())
			p.lookup(client, 2, "claude.ai", server.Addr())
		}, "claude.ai", ""},
		{"for too long ago", func(p *tape) { p.lookup(client, 1, "claude.ai", server.Addr()); p.now += 3600e9 }, "", ""},
		{"by nobody", func(*tape) {}, "", ""},
		{"a hint", func(p *tape) {
			q := question(1, "claude.ai")
			q[len(q)-3] = 65
			p.udp(client, resolver, q)
			p.udp(resolver, client, answerHTTPS(1, "claude.ai", server.Addr()))
		}, "claude.ai", "claude"},
		{"a chain", func(p *tape) {
			p.udp(client, resolver, question(1, "claude.ai"))
			p.udp(resolver, client, answerChain(1, "claude.ai", "edge.example.net", server.Addr()))
		}, "claude.ai", "claude"},
		{"over TCP", func(p *tape) {
			frame := func(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }
			c := p.dial(client, resolver, 1)
			c.say(frame(question(1, "claude.ai")))
			c.hear(frame(answerA(1, "claude.ai", 300, server.Addr())))
		}, "claude.ai", "claude"},
		{"mDNS", func(p *tape) { p.udp(mdns, client, answerA(0, "claude.ai", 300, server.Addr())) }, "", ""},
		{"LLMNR", func(p *tape) { p.udp(llmnr, client, answerA(0, "claude.ai", 300, server.Addr())) }, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTape()
			tt.look(p)
			p.dial(client, server, 1).say([]byte("something else"))
			for _, ev := range flowsOf(inspected(t, p)) {
				if *ev.Destination.Port != server.Port() {
					continue
				}
				if ev.Destination.Domain != tt.domain || ev.Network.Application != tt.service {
					t.Errorf("domain %q, service %q; want %q, %q", ev.Destination.Domain, ev.Network.Application, tt.domain, tt.service)
				}
				if e := ev.Gnomon.Evidence; e != nil && (e.Class != "ip-from-dns" || e.Confidence != "low") {
					t.Errorf("evidence %+v", e)
				}
			}
		})
	}
}
