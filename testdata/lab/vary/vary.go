// Package vary makes captures of what a tap in a worse place would have seen of a conversation that was recorded whole: one direction, a
// part, a copy. What was sent stays the same, so the truth beside the recording holds for all of them. It reads no captures and runs no
// sensors (see pcapfile and score).
package vary

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/packet"
	"github.com/gnomon-sensor/gnomon/testdata/lab/pcapfile"
)

// A Variant is one way to look at a conversation.
type Variant struct {
	Name string
	Why  string
	// Apply returns the frames that are captured. It does not change those it is given.
	Apply func(frames []pcapfile.Frame) []pcapfile.Frame
	// Part says that the capture misses a part of what the client sent for good, so that the truth is that of the rest.
	Part bool
	// Cooked says that the capture is one of Linux's pseudo-device "any".
	Cooked bool
}

// Variants returns them all, the whole conversation first.
func Variants() []Variant {
	tunnel := pcapfile.Tunnel{From: netip.MustParseAddr("192.0.2.1"), To: netip.MustParseAddr("192.0.2.2"), ID: 77}
	return []Variant{
		{Name: "whole", Why: "as it was recorded", Apply: slices.Clone[[]pcapfile.Frame]},
		{Name: "client alone", Why: "a tap on one direction: what the client sends", Apply: from(true)},
		{Name: "server alone", Why: "a tap on the other direction", Apply: from(false)},
		{Name: "from the middle", Why: "the capture begins when the connection has sent two fifths", Apply: middle, Part: true},
		{Name: "loss", Why: "one frame in a hundred is missing from the capture", Apply: lose},
		{Name: "out of order", Why: "frames overtake each other", Apply: shuffle},
		{Name: "twice", Why: "a mirror of both ports shows every frame twice", Apply: twice},
		{Name: "snaplen 128", Why: "frames are cut", Apply: cut},
		{Name: "MTU 1280", Why: "TCP segments are small", Apply: split},
		{Name: "VLAN", Why: "frames are tagged", Apply: func(f []pcapfile.Frame) []pcapfile.Frame { return pcapfile.Tag(f, 12) }},
		{Name: "VXLAN", Why: "frames lie in a tunnel", Apply: tunnel.VXLAN},
		{Name: "any", Why: "the pseudo-device shows frames as they come in and again as they go out", Apply: twice, Cooked: true},
		{Name: "pause", Why: "two minutes of silence amid the upload", Apply: pause},
	}
}

// client says whether a packet is the client's: servers of the laboratory have the well-known ports.
func client(p packet.Packet) bool { return p.Src.Port() >= 1024 }

// keep returns the frames for which yes holds.
func keep(frames []pcapfile.Frame, yes func(i int, p packet.Packet) bool) []pcapfile.Frame {
	var out []pcapfile.Frame
	for i, f := range frames {
		if p, ok := packet.Parse(f.Data); ok && yes(i, p) {
			out = append(out, f)
		}
	}
	return out
}

// from keeps one direction.
func from(side bool) func([]pcapfile.Frame) []pcapfile.Frame {
	return func(frames []pcapfile.Frame) []pcapfile.Frame {
		return keep(frames, func(_ int, p packet.Packet) bool { return client(p) == side })
	}
}

// sent sums what each conversation's client sent, by its flow.
func sent(frames []pcapfile.Frame) map[packet.Flow]int {
	total := map[packet.Flow]int{}
	for _, f := range frames {
		if p, ok := packet.Parse(f.Data); ok && client(p) {
			total[p.Flow] += len(p.Payload)
		}
	}
	return total
}

// reverse is the other direction.
func reverse(f packet.Flow) packet.Flow { return packet.Flow{Proto: f.Proto, Src: f.Dst, Dst: f.Src} }

// middle leaves each conversation out until its client has sent two fifths.
func middle(frames []pcapfile.Frame) []pcapfile.Frame {
	total, so := sent(frames), map[packet.Flow]int{}
	return keep(frames, func(_ int, p packet.Packet) bool {
		key := p.Flow
		if client(p) {
			so[key] += len(p.Payload)
		} else {
			key = reverse(key)
		}
		return so[key]*5 > total[key]*2
	})
}

func lose(frames []pcapfile.Frame) []pcapfile.Frame {
	dice := rand.New(rand.NewPCG(1, 2))
	return keep(frames, func(int, packet.Packet) bool { return dice.IntN(100) > 0 })
}

// shuffle moves one frame in fifty up to three places back.
func shuffle(frames []pcapfile.Frame) []pcapfile.Frame {
	dice := rand.New(rand.NewPCG(3, 4))
	out := slices.Clone(frames)
	for i := range out {
		if j := i + 1 + dice.IntN(3); dice.IntN(50) == 0 && j < len(out) {
			out[i].Data, out[j].Data = out[j].Data, out[i].Data // the times stay in order
		}
	}
	return out
}

// twice shows each frame again a little later.
func twice(frames []pcapfile.Frame) []pcapfile.Frame {
	out := make([]pcapfile.Frame, 0, 2*len(frames))
	for _, f := range frames {
		again := f
		again.Time = f.Time.Add(2 * time.Microsecond)
		out = append(out, f, again)
	}
	return out
}

func cut(frames []pcapfile.Frame) []pcapfile.Frame {
	const snaplen = 128
	out := slices.Clone(frames)
	for i, f := range out {
		if len(f.Data) > snaplen {
			out[i].Wire, out[i].Data = len(f.Data), f.Data[:snaplen]
		}
	}
	return out
}

// pause lets two minutes pass when half of what the clients send has gone by.
func pause(frames []pcapfile.Frame) []pcapfile.Frame {
	all := 0
	for _, n := range sent(frames) {
		all += n
	}
	out, so := slices.Clone(frames), 0
	for i, f := range out {
		if p, ok := packet.Parse(f.Data); ok && client(p) {
			so += len(p.Payload)
		}
		if 2*so > all {
			out[i].Time = f.Time.Add(2 * time.Minute)
		}
	}
	return out
}

// Offsets in an Ethernet frame of an IPv4 packet.
const (
	ethernet   = 14
	totalAt    = ethernet + 2
	protocolAt = ethernet + 9
	tcpAt      = ethernet + 20
)

// split cuts TCP segments over IPv4 to what a path of 1280 bytes takes. Checksums are left as they were: nobody who taps a network card
// may trust them.
func split(frames []pcapfile.Frame) []pcapfile.Frame {
	var out []pcapfile.Frame
	for _, f := range frames {
		p, ok := packet.Parse(f.Data)
		if !ok || f.Data[ethernet] != 0x45 || f.Data[protocolAt] != packet.TCP {
			out = append(out, f)
			continue
		}
		headers := tcpAt + int(f.Data[tcpAt+12]>>4)*4
		most := ethernet + 1280 - headers
		for at := 0; at == 0 || at < len(p.Payload); at += most {
			part := p.Payload[at:min(at+most, len(p.Payload))]
			data := append(slices.Clone(f.Data[:headers]), part...)
			binary.BigEndian.PutUint16(data[totalAt:], uint16(len(data)-ethernet))
			binary.BigEndian.PutUint32(data[tcpAt+4:], p.Seq+uint32(at))
			out = append(out, pcapfile.Frame{Time: f.Time, Data: data, Port: f.Port})
		}
	}
	return out
}
