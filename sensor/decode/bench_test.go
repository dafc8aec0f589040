package decode

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// frameKinds are what the hot path meets, and the tunnels that some links carry all day.
func frameKinds() []struct {
	name string
	b    []byte
} {
	payload := pattern(600)
	quic := append([]byte{0x6a}, pattern(1200)...)
	seg, dgram := tcp(50000, 443, ACK, payload), udp(50000, 443, quic)
	inner := eth(etherIPv4, v4(TCP, seg))
	return []struct {
		name string
		b    []byte
	}{
		{"TCP4", eth(etherIPv4, v4(TCP, seg))},
		{"TCP6", eth(etherIPv6, v6(TCP, seg))},
		{"UDP4", eth(etherIPv4, v4(UDP, dgram))},
		{"UDP6", eth(etherIPv6, v6(UDP, dgram))},
		{"VLAN", eth(etherVLAN, vlan(7, etherIPv4, v4(TCP, seg)))},
		{"QinQ", eth(etherQinQ, vlan(7, etherVLAN, vlan(8, etherIPv6, v6(UDP, dgram))))},
		{"VXLAN", eth(etherIPv4, v4(UDP, udp(50000, 4789, vxlanOf(8, [3]byte{}, inner))))},
		{"GRE", eth(etherIPv4, v4(47, cat(be16(0), be16(etherIPv4), v4(TCP, seg))))},
		{"GTP-U", eth(etherIPv4, v4(UDP, udp(2152, 2152, gtpuOf(0x30, nil, v4(TCP, seg)))))},
		{"MPLS", eth(etherMPLS, cat([]byte{0, 1, 0x21, 64}, v4(TCP, seg)))},
		{"Teredo", eth(etherIPv4, v4(UDP, udp(51111, 52222, teredo6())))},
		{"ARP", eth(0x0806, make([]byte, 46))},
	}
}

func batchOf(b []byte) []capture.Frame {
	frames := make([]capture.Frame, 64)
	for i := range frames {
		frames[i] = capture.Frame{Data: b, WireLen: uint32(len(b)), Link: linkEthernet}
	}
	return frames
}

func TestBatchDoesNotAllocate(t *testing.T) {
	for _, k := range frameKinds() {
		t.Run(k.name, func(t *testing.T) {
			d, frames := New(testSeed), batchOf(k.b)
			segments := make([]Segment, len(frames))
			n := 0
			if got := testing.AllocsPerRun(100, func() { n = d.Batch(segments, frames) }); got != 0 {
				t.Errorf("%v allocations", got)
			}
			if k.name != "ARP" && n != len(frames) {
				t.Errorf("%d segments of %d frames", n, len(frames))
			}
		})
	}
}

func BenchmarkBatch(b *testing.B) {
	for _, k := range frameKinds() {
		b.Run(k.name, func(b *testing.B) {
			d, frames := New(testSeed), batchOf(k.b)
			segments := make([]Segment, len(frames))
			b.ReportAllocs()
			for i := 0; i < b.N; i += len(frames) { // an operation is one frame
				d.Batch(segments, frames)
			}
		})
	}
}

func BenchmarkFragments(b *testing.B) {
	whole := udp(5000, 443, pattern(2800))
	d, segments := New(testSeed), make([]Segment, 2)
	var frames []capture.Frame
	for _, f := range [][]byte{frag4(1, whole, 0, 1480), frag4(1, whole, 1480, len(whole))} {
		frames = append(frames, capture.Frame{Data: f, WireLen: uint32(len(f)), Link: linkRaw})
	}
	b.ReportAllocs()
	for b.Loop() {
		d.Batch(segments, frames)
	}
}
