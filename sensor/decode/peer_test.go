package decode

import (
	"bytes"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// peer is gopacket's decoder for plain frames: the second opinion.
type peer struct {
	eth     layers.Ethernet
	tag     layers.Dot1Q
	ip4     layers.IPv4
	ip6     layers.IPv6
	tcp     layers.TCP
	udp     layers.UDP
	payload gopacket.Payload
	parser  *gopacket.DecodingLayerParser
	found   []gopacket.LayerType
}

func newPeer() *peer {
	p := &peer{}
	p.parser = gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &p.eth, &p.tag, &p.ip4, &p.ip6, &p.tcp, &p.udp, &p.payload)
	return p
}

// opinion is what the peer makes of a frame; ok is false unless it found TCP or UDP to the end.
func (p *peer) opinion(frame []byte) (src, dst net.IP, sp, dp uint16, payload []byte, ok bool) {
	if p.parser.DecodeLayers(frame, &p.found) != nil || p.parser.Truncated {
		return nil, nil, 0, 0, nil, false
	}
	for _, typ := range p.found {
		switch typ {
		case layers.LayerTypeIPv4:
			src, dst = p.ip4.SrcIP, p.ip4.DstIP
			if p.ip4.Flags&layers.IPv4MoreFragments != 0 || p.ip4.FragOffset != 0 {
				return nil, nil, 0, 0, nil, false
			}
		case layers.LayerTypeIPv6:
			src, dst = p.ip6.SrcIP, p.ip6.DstIP
		case layers.LayerTypeTCP:
			sp, dp, payload, ok = uint16(p.tcp.SrcPort), uint16(p.tcp.DstPort), p.tcp.Payload, true
		case layers.LayerTypeUDP:
			sp, dp, payload, ok = uint16(p.udp.SrcPort), uint16(p.udp.DstPort), p.udp.Payload, true
		}
	}
	return src, dst, sp, dp, payload, ok
}

// agree fails where the two see different five-tuples or payloads. Frames that only one of them reads are left to the tables.
func agree(t *testing.T, p *peer, frame []byte) bool {
	t.Helper()
	src, dst, sp, dp, payload, ok := p.opinion(frame)
	if !ok || tunnelPort(uint32(sp)<<16|uint32(dp)) {
		return false
	}
	s, reason := oneOf(New(testSeed), capture.Frame{Data: frame, WireLen: uint32(len(frame)), Link: linkEthernet})
	if reason != Decoded {
		return false
	}
	from, to := s.Key.Endpoint(s.Dir), s.Key.Endpoint(1-s.Dir)
	if s.Link.Tunnels != 0 { // Teredo, which the peer does not look for
		return false
	}
	if !src.Equal(from.Addr().AsSlice()) || !dst.Equal(to.Addr().AsSlice()) || from.Port() != sp || to.Port() != dp {
		t.Fatalf("%s → %s, the peer says %s:%d → %s:%d\n%x", from, to, src, sp, dst, dp, frame)
	}
	if !bytes.Equal(payload, s.Payload) {
		t.Fatalf("payload %x, the peer says %x\n%x", s.Payload, payload, frame)
	}
	return true
}

// plain is a random frame as gopacket writes it.
func plain(t *testing.T, r interface{ IntN(int) int }) []byte {
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
		return b
	}
	stack := []gopacket.SerializableLayer{}
	ethernet := &layers.Ethernet{SrcMAC: macA, DstMAC: macB}
	stack = append(stack, ethernet)
	typ := &ethernet.EthernetType
	for range r.IntN(3) {
		*typ = layers.EthernetTypeDot1Q
		tag := &layers.Dot1Q{VLANIdentifier: uint16(r.IntN(4096)), Priority: uint8(r.IntN(8))}
		stack, typ = append(stack, tag), &tag.Type
	}
	proto := layers.IPProtocolTCP
	if r.IntN(2) == 0 {
		proto = layers.IPProtocolUDP
	}
	if r.IntN(2) == 0 {
		*typ = layers.EthernetTypeIPv4
		stack = append(stack, &layers.IPv4{Version: 4, TTL: 64, Protocol: proto, SrcIP: random(4), DstIP: random(4)})
	} else {
		*typ = layers.EthernetTypeIPv6
		stack = append(stack, &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: proto, SrcIP: random(16), DstIP: random(16)})
	}
	sp, dp := uint16(1+r.IntN(65535)), uint16(1+r.IntN(65535))
	if proto == layers.IPProtocolTCP {
		tcp := &layers.TCP{SrcPort: layers.TCPPort(sp), DstPort: layers.TCPPort(dp), Seq: uint32(r.IntN(1 << 30)), ACK: true}
		for range r.IntN(3) {
			tcp.Options = append(tcp.Options, layers.TCPOption{OptionType: layers.TCPOptionKindTimestamps, OptionLength: 10, OptionData: random(8)})
		}
		stack = append(stack, tcp)
	} else {
		stack = append(stack, &layers.UDP{SrcPort: layers.UDPPort(sp), DstPort: layers.UDPPort(dp)})
	}
	stack = append(stack, gopacket.Payload(random(r.IntN(60))))
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, stack...); err != nil {
		t.Fatal(err)
	}
	return append(bytes.Clone(buf.Bytes()), make([]byte, max(0, 60-len(buf.Bytes())))...) // as a card pads it
}

func TestAgreesWithPeer(t *testing.T) {
	r, p := newRand(5), newPeer()
	agreed := 0
	for range 5000 {
		if agree(t, p, plain(t, r)) {
			agreed++
		}
	}
	if agreed < 4980 { // but for tunnel ports, every frame counts
		t.Errorf("only %d of 5000 were compared", agreed)
	}
}

// Damaged frames: whatever both still read, they read alike.
func TestAgreesWithPeerOnDamage(t *testing.T) {
	r, p := newRand(6), newPeer()
	agreed := 0
	for range 20000 {
		frame := plain(t, r)
		for range 1 + r.IntN(2) {
			frame[r.IntN(min(len(frame), 60))] ^= 1 << r.IntN(8)
		}
		if agree(t, p, frame) {
			agreed++
		}
	}
	if agreed < 10000 {
		t.Errorf("only %d of 20000 were compared", agreed)
	}
}
