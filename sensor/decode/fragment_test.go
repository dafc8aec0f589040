package decode

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// frag4 cuts [from, to) out of a transport datagram.
func frag4(id int, datagram []byte, from, to int) []byte {
	b := v4(UDP, datagram[from:to])
	flags := from / 8
	if to < len(datagram) {
		flags |= 0x2000
	}
	copy(b[4:], cat(be16(id), be16(flags)))
	return b
}

func frag6(id uint32, next int, datagram []byte, from, to int) []byte {
	off := from
	if to < len(datagram) {
		off |= 1
	}
	return v6(protoFragment, cat([]byte{byte(next), 0}, be16(off), be32(id), datagram[from:to]))
}

// feed decodes packets one after the other, a nanosecond apart, and returns the last segment and every reason.
func feed(d *Decoder, packets ...[]byte) (Segment, []Reason) {
	var last Segment
	var reasons []Reason
	for i, p := range packets {
		s, reason := oneOf(d, capture.Frame{Data: p, WireLen: uint32(len(p)), Link: linkRaw, Time: int64(i)})
		reasons = append(reasons, reason)
		if reason == Decoded {
			s.Payload = bytes.Clone(s.Payload)
			last = s
		}
	}
	return last, reasons
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

func TestFragmentsInAnyOrder(t *testing.T) {
	payload := pattern(100)
	whole := udp(5000, 443, payload)
	cuts := []int{0, 24, 48, 80, len(whole)}
	families := []struct {
		name string
		of   func(from, to int) []byte
	}{
		{"IPv4", func(from, to int) []byte { return frag4(7, whole, from, to) }},
		{"IPv6", func(from, to int) []byte { return frag6(7, UDP, whole, from, to) }},
	}
	for _, f := range families {
		for _, order := range permutations(4) {
			t.Run(fmt.Sprint(f.name, order), func(t *testing.T) {
				d := New(testSeed)
				var packets [][]byte
				for _, i := range order {
					packets = append(packets, f.of(cuts[i], cuts[i+1]))
				}
				packets = append(packets[:3:3], packets[0], packets[1], packets[3]) // duplicates
				s, reasons := feed(d, packets...)
				if reasons[5] != Decoded || !bytes.Equal(s.Payload, payload) || s.Len != 100 || !s.Key.HasPort(5000) {
					t.Fatalf("%v, %d bytes", reasons, len(s.Payload))
				}
				for _, r := range reasons[:5] {
					if r != FragmentHeld {
						t.Errorf("%v", reasons)
					}
				}
				if len(d.frags.under) != 0 || d.frags.held != 0 || d.frags.order.Len() != 0 {
					t.Errorf("still held: %d datagrams, %d bytes", len(d.frags.under), d.frags.held)
				}
			})
		}
	}
}

func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, p := range permutations(n - 1) {
		for i := range n {
			all = append(all, append(append(append([]int{}, p[:i]...), n-1), p[i:]...))
		}
	}
	return all
}

func TestFragmentsRefused(t *testing.T) {
	whole := udp(5000, 443, pattern(100))
	other := udp(5000, 443, pattern(92))
	zero := frag4(7, whole, 24, 24)
	long := frag4(7, make([]byte, 70000), 65000, 65400)
	odd := frag4(7, whole, 0, 20)
	tests := []struct {
		name    string
		packets [][]byte
		want    Reason // of the last
	}{
		{"overlap", [][]byte{frag4(7, whole, 0, 48), frag4(7, whole, 40, 108)}, FragmentBad},
		{"overlap, the later part first", [][]byte{frag4(7, whole, 40, 108), frag4(7, whole, 0, 48)}, FragmentBad},
		{"overlap, IPv6", [][]byte{frag6(7, UDP, whole, 0, 48), frag6(7, UDP, whole, 40, 108)}, FragmentBad},
		{"one around another", [][]byte{frag4(7, whole, 24, 48), frag4(7, whole, 0, 80)}, FragmentBad},
		{"two ends", [][]byte{frag4(7, whole, 80, 108), frag4(7, other, 80, 100)}, FragmentBad},
		{"behind the end", [][]byte{frag4(7, other, 80, 100), frag4(7, whole, 96, 104)}, FragmentBad},
		{"an end before what has come", [][]byte{frag4(7, whole, 40, 80), frag4(7, whole[:32], 24, 32)}, FragmentBad},
		{"no length", [][]byte{zero}, Malformed},
		{"beyond 65535", [][]byte{cat(long[:6], []byte{0x3f, 0xff}, long[8:])}, Malformed},
		{"a length that is no multiple of 8", [][]byte{odd}, Malformed},
		{"a length that is no multiple of 8, IPv6", [][]byte{frag6(7, UDP, whole, 0, 20)}, Malformed},
		{"contained in what has come", [][]byte{frag4(7, whole, 0, 80), frag4(7, whole, 24, 48)}, FragmentHeld},
		{"another identification", [][]byte{frag4(7, whole, 0, 80), frag4(8, whole, 80, 108)}, FragmentHeld},
		{"another address", [][]byte{frag4(7, whole, 0, 80), cat(frag4(7, whole, 80, 108)[:12], []byte{10, 0, 0, 9}, frag4(7, whole, 80, 108)[16:])}, FragmentHeld},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := New(testSeed)
			if _, reasons := feed(d, tt.packets...); reasons[len(reasons)-1] != tt.want {
				t.Fatalf("%v, want %s at the end", reasons, tt.want)
			}
			if tt.want == FragmentBad && (d.frags.held != 0 || len(d.frags.under) != 0) {
				t.Errorf("still held: %d bytes", d.frags.held)
			}
		})
	}
	t.Run("cut by the snaplen", func(t *testing.T) {
		f := frag4(7, whole, 0, 80)
		if _, got := oneOf(New(testSeed), capture.Frame{Data: f[:60], WireLen: uint32(len(f)), Link: linkRaw}); got != Short {
			t.Errorf("%s, want %s", got, Short)
		}
	})
	t.Run("too many pieces", func(t *testing.T) {
		d, big := New(testSeed), make([]byte, 8000)
		var packets [][]byte
		for i := range maxPieces + 1 {
			packets = append(packets, frag4(7, big, i*16, i*16+8))
		}
		if _, reasons := feed(d, packets...); reasons[maxPieces-1] != FragmentHeld || reasons[maxPieces] != FragmentBad {
			t.Errorf("%v", reasons)
		}
	})
}

func TestFragmentsLargest(t *testing.T) {
	whole := udp(5000, 443, pattern(65535-20-8))
	d := New(testSeed)
	var packets [][]byte
	for at := 0; at < len(whole); at += 1480 {
		packets = append(packets, frag4(7, whole, at, min(at+1480, len(whole))))
	}
	s, _ := feed(d, packets...)
	if !bytes.Equal(s.Payload, whole[8:]) {
		t.Errorf("%d bytes of %d", len(s.Payload), len(whole)-8)
	}
}

// What follows the fragment header may be more extension headers, or a tunnel.
func TestFragmentsOfMore(t *testing.T) {
	tests := []struct {
		name string
		next int
		b    []byte
	}{
		{"destination options", protoDestOpts, cat([]byte{TCP, 0}, make([]byte, 6), web("hello"))},
		{"AH", protoAH, cat([]byte{TCP, 4}, make([]byte, 22), web("hello"))},
		{"6in6", protoIPv6, hello6()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, reasons := feed(New(testSeed), frag6(1, tt.next, tt.b, 0, 16), frag6(1, tt.next, tt.b, 16, len(tt.b)))
			wantHello(t, &s, reasons[1])
		})
	}
	t.Run("fragments in VXLAN in fragments", func(t *testing.T) {
		d := New(testSeed)
		inner := udp(5000, 443, pattern(40))
		var packets [][]byte
		for _, f := range [][]byte{frag4(1, inner, 24, 48), frag4(1, inner, 0, 24)} {
			outer := udp(1, 4789, vxlanOf(8, [3]byte{}, eth(etherIPv4, f)))
			id := 10 + len(packets)
			packets = append(packets, frag4(id, outer, 32, len(outer)), frag4(id, outer, 0, 32))
		}
		s, reasons := feed(d, packets...)
		if reasons[3] != Decoded || !bytes.Equal(s.Payload, pattern(40)) || s.Link.Tunnels != TunnelVXLAN {
			t.Errorf("%v, %x", reasons, s.Payload)
		}
	})
	t.Run("atomic", func(t *testing.T) {
		s, reason := one(linkRaw, v6(protoFragment, cat([]byte{TCP, 0, 0, 0}, be32(5), web("hello"))))
		wantHello(t, &s, reason)
	})
}

func TestFragmentsExpire(t *testing.T) {
	whole := udp(5000, 443, pattern(100))
	d := New(testSeed)
	at := func(time int64, p []byte) Reason {
		_, r := oneOf(d, capture.Frame{Data: p, WireLen: uint32(len(p)), Link: linkRaw, Time: time})
		return r
	}
	at(0, frag4(7, whole, 0, 80))
	at(fragmentLife-1, frag4(8, whole, 0, 80))
	if got := at(fragmentLife-1, frag4(7, whole, 80, 108)); got != Decoded {
		t.Errorf("within the time: %s", got)
	}
	if got := at(2*fragmentLife, frag4(8, whole, 80, 108)); got != FragmentHeld {
		t.Errorf("after the time: %s", got)
	}
	if s := d.Stats(); s.FragmentsExpired != 1 || s.FragmentsEvicted != 0 {
		t.Errorf("%+v", s)
	}
}

func TestFragmentsStayWithinBudget(t *testing.T) {
	d := New(testSeed)
	big := make([]byte, 65000)
	r := newRand(2)
	for i := range 40000 {
		from := r.IntN(len(big)/8-2) * 8
		oneOf(d, capture.Frame{Data: frag4(i, big, from, from+8), WireLen: 28, Link: linkRaw, Time: int64(i)})
		if d.frags.held > d.frags.budget || len(d.frags.under)*datagramCost > d.frags.budget {
			t.Fatalf("after %d: %d bytes in %d datagrams, budget %d", i, d.frags.held, len(d.frags.under), d.frags.budget)
		}
		if len(d.frags.under) != d.frags.order.Len() {
			t.Fatalf("%d datagrams, %d in order", len(d.frags.under), d.frags.order.Len())
		}
	}
	if d.Stats().FragmentsEvicted == 0 || len(d.frags.spare) > 16 || len(d.frags.ready) > 100 {
		t.Errorf("%d evicted, %d spare, %d ready", d.Stats().FragmentsEvicted, len(d.frags.spare), len(d.frags.ready))
	}
}

// A segment's bytes stay as they are while later frames of the same batch fill further datagrams.
func TestFragmentsOfOneBatch(t *testing.T) {
	d := New(testSeed)
	for range 3 {
		var frames []capture.Frame
		for i := range 20 {
			whole := udp(5000, 1000+i, bytes.Repeat([]byte{byte(i)}, 100))
			for _, f := range [][]byte{frag4(i, whole, 0, 80), frag4(i, whole, 80, 108)} {
				frames = append(frames, capture.Frame{Data: f, WireLen: uint32(len(f)), Link: linkRaw})
			}
		}
		segments := make([]Segment, len(frames))
		n := d.Batch(segments, frames)
		if n != 20 {
			t.Fatalf("%d segments", n)
		}
		for i, s := range segments[:n] {
			if !bytes.Equal(s.Payload, bytes.Repeat([]byte{byte(i)}, 100)) {
				t.Errorf("segment %d: %x", i, s.Payload)
			}
		}
	}
}

// Random pieces, repeated and overlapping, never yield bytes that were not sent.
func TestFragmentsAtRandom(t *testing.T) {
	r := newRand(3)
	whole := udp(5000, 443, pattern(400))
	got := 0
	for range 3000 {
		d := New(testSeed)
		for range 12 {
			from := r.IntN(4) * 104
			to := min(from+104+8*(r.IntN(12)/11), len(whole)) // now and then too long by 8 bytes
			if s, reasons := feed(d, frag4(7, whole, from, to)); reasons[0] == Decoded {
				got++
				if !bytes.Equal(s.Payload, whole[8:]) {
					t.Fatalf("%x", s.Payload)
				}
			}
		}
	}
	if got == 0 {
		t.Error("nothing was put together")
	}
}
