package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// tuple is a flow: a is the lower of its two ends.
type tuple struct {
	a, b  netip.AddrPort
	proto layers.IPProtocol
}

// sums are of the two directions of a flow.
type sums struct{ packets, bytes [2]uint64 }

// layersOf are the layers that the loop decodes, each over and over into the same place.
type layersOf struct {
	ethernet layers.Ethernet
	tags     layers.Dot1Q
	ip4      layers.IPv4
	ip6      layers.IPv6
	tcp      layers.TCP
	udp      layers.UDP
	payload  gopacket.Payload
}

// loop is what a plain program over gopacket does: decode every frame, and count packets and bytes by five-tuple in a map. It reads no
// names and follows no streams.
func loop(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening a capture: %w", err)
	}
	defer file.Close()
	reader, err := pcapgo.NewReader(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return fmt.Errorf("reading a capture: %w", err)
	}
	var l layersOf
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &l.ethernet, &l.tags, &l.ip4, &l.ip6, &l.tcp, &l.udp, &l.payload)
	parser.IgnoreUnsupported = true
	var decoded []gopacket.LayerType
	flows := map[tuple]*sums{}
	for {
		frame, _, err := reader.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading a capture: %w", err)
		}
		if parser.DecodeLayers(frame, &decoded) != nil {
			continue
		}
		t, n := l.tuple(decoded)
		dir := 0
		if t.a.Compare(t.b) > 0 {
			t.a, t.b, dir = t.b, t.a, 1
		}
		s := flows[t]
		if s == nil {
			s = &sums{}
			flows[t] = s
		}
		s.packets[dir]++
		s.bytes[dir] += uint64(n)
	}
	fmt.Println(len(flows), "flows")
	return nil
}

// tuple is the source and the destination of what was decoded, in this order, and the length of its payload.
func (l *layersOf) tuple(decoded []gopacket.LayerType) (t tuple, payload int) {
	var src, dst netip.Addr
	for _, typ := range decoded {
		switch typ {
		case layers.LayerTypeIPv4:
			src, _ = netip.AddrFromSlice(l.ip4.SrcIP)
			dst, _ = netip.AddrFromSlice(l.ip4.DstIP)
			t.proto = l.ip4.Protocol
		case layers.LayerTypeIPv6:
			src, _ = netip.AddrFromSlice(l.ip6.SrcIP)
			dst, _ = netip.AddrFromSlice(l.ip6.DstIP)
			t.proto = l.ip6.NextHeader
		case layers.LayerTypeTCP:
			t.a, t.b = netip.AddrPortFrom(src, uint16(l.tcp.SrcPort)), netip.AddrPortFrom(dst, uint16(l.tcp.DstPort))
			payload = len(l.tcp.LayerPayload())
		case layers.LayerTypeUDP:
			t.a, t.b = netip.AddrPortFrom(src, uint16(l.udp.SrcPort)), netip.AddrPortFrom(dst, uint16(l.udp.DstPort))
			payload = len(l.udp.LayerPayload())
		}
	}
	return t, payload
}
