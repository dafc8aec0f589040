package decode

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// Frames are put together by hand, from the inside out, so that a test shows every header that it is about.

func cat(parts ...[]byte) []byte { return slices.Concat(parts...) }

func be16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }

func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

var (
	macA = []byte{2, 0, 0, 0, 0, 0xa}
	macB = []byte{2, 0, 0, 0, 0, 0xb}
)

func eth(typ int, b []byte) []byte { return cat(macB, macA, be16(typ), b) }

// vlan is a tag and what follows it, to be put behind an ethertype that announces it.
func vlan(id, typ int, b []byte) []byte { return cat(be16(id), be16(typ), b) }

// v4 is an IPv4 packet from 10.0.0.1 to 192.0.2.2.
func v4(proto int, b []byte) []byte { return v4At("10.0.0.1", "192.0.2.2", proto, b) }

func v4At(src, dst string, proto int, b []byte) []byte {
	h := cat([]byte{0x45, 0}, be16(20+len(b)), []byte{0x12, 0x34, 0, 0, 64, byte(proto), 0, 0},
		netip.MustParseAddr(src).AsSlice(), netip.MustParseAddr(dst).AsSlice())
	return append(h, b...)
}

// v6 is an IPv6 packet from 2001:db8::1 to 2001:db8::2.
func v6(next int, b []byte) []byte { return v6At("2001:db8::1", "2001:db8::2", next, b) }

func v6At(src, dst string, next int, b []byte) []byte {
	h := cat([]byte{0x60, 0, 0, 0}, be16(len(b)), []byte{byte(next), 64}, netip.MustParseAddr(src).AsSlice(), netip.MustParseAddr(dst).AsSlice())
	return append(h, b...)
}

func tcp(src, dst int, flags int, payload []byte) []byte {
	return cat(be16(src), be16(dst), be32(1000), be32(2000), []byte{0x50, byte(flags)}, be16(512), be16(0), be16(0), payload)
}

func udp(src, dst int, payload []byte) []byte {
	return cat(be16(src), be16(dst), be16(8+len(payload)), be16(0), payload)
}

// web is a TCP segment from port 50000 to 443.
func web(payload string) []byte { return tcp(50000, 443, ACK|PSH, []byte(payload)) }

// hello4 and hello6 are what most tests wrap.
func hello4() []byte { return v4(TCP, web("hello")) }

func hello6() []byte { return v6(TCP, web("hello")) }

var testSeed = [3]uint64{0x0123456789abcdef, 0xfedcba9876543210, 0x0f1e2d3c4b5a6978}

// one decodes a single whole frame with a decoder of its own.
func one(link capture.LinkType, frame []byte) (Segment, Reason) {
	return oneOf(New(testSeed), capture.Frame{Data: frame, WireLen: uint32(len(frame)), Link: link})
}

// oneOf decodes a frame and says why it left no segment.
func oneOf(d *Decoder, f capture.Frame) (Segment, Reason) {
	var s [1]Segment
	before := d.stats
	if d.Batch(s[:], []capture.Frame{f}) == 1 {
		return s[0], Decoded
	}
	for _, r := range Reasons() {
		if d.stats.Undecoded[r] != before.Undecoded[r] {
			return Segment{}, r
		}
	}
	return Segment{}, reasonCount
}

// wantHello checks the segment that hello4 or hello6 holds.
func wantHello(t *testing.T, s *Segment, reason Reason) {
	t.Helper()
	if reason != Decoded {
		t.Fatalf("not decoded: %s", reason)
	}
	src, dst := "10.0.0.1:50000", "192.0.2.2:443"
	if !s.Key.A.Is4() {
		src, dst = "[2001:db8::1]:50000", "[2001:db8::2]:443"
	}
	if got := s.Key.Endpoint(s.Dir).String(); got != src {
		t.Errorf("source %s, want %s", got, src)
	}
	if got := s.Key.Endpoint(1 - s.Dir).String(); got != dst {
		t.Errorf("destination %s, want %s", got, dst)
	}
	if s.Key.Proto != TCP || s.Seq != 1000 || s.Ack != 2000 || s.Window != 512 || s.Flags != ACK|PSH {
		t.Errorf("header %+v", s)
	}
	if string(s.Payload) != "hello" || s.Len != 5 || s.Cut() {
		t.Errorf("payload %q of %d", s.Payload, s.Len)
	}
}

// newRand is a source of numbers that are the same in every run.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) }
