package upload

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

// path plays datagrams to a meter.
type path struct {
	m     *QUIC
	at    int64
	n     uint64
	twice bool
	// silent keeps the server from acknowledging what the client says.
	silent bool
}

// says sends datagrams with short headers of the given sizes.
func (p *path) says(client bool, sizes ...int) {
	p.at += 1e6
	for i, n := range sizes {
		if client && i%10 == 9 && !p.silent {
			p.says(false, 30) // an acknowledgement
		}
		b := make([]byte, n)
		b[0] = 0x40
		p.n++
		binary.LittleEndian.PutUint64(b[n-8:], p.n)
		p.send(client, b)
	}
}

func (p *path) send(client bool, b []byte) {
	seg := decode.Segment{Time: p.at, Payload: b, Len: uint32(len(b))}
	p.m.Add(&seg, client)
	if p.twice {
		p.m.Add(&seg, client)
	}
}

// long is a long header packet of a version 1 handshake with connection IDs of cid bytes, padded to n bytes.
func long(typ byte, cid, n int) []byte {
	b := append([]byte{0xc0 | typ<<4, 0, 0, 0, 1, byte(cid)}, make([]byte, cid)...)
	b = append(append(b, byte(cid)), make([]byte, cid)...)
	if typ == 0 {
		b = append(b, 0)
	}
	rest := n - len(b) - 2
	b = append(b, 0x40|byte(rest>>8), byte(rest))
	b = append(b, make([]byte, rest)...)
	b[n-1] = typ + 1
	return b
}

// body are the datagrams that n bytes of body go out in, from full ones of 1250 bytes with an 8-byte connection ID.
func body(n int) []int {
	const net = 1250 - 1 - 8 - 2 - 16 - 6
	sizes := slices.Repeat([]int{1250}, n/net)
	if n%net > 0 {
		sizes = append(sizes, n%net+1250-net)
	}
	return sizes
}

func TestQUIC(t *testing.T) {
	tests := []struct {
		name string
		play func(p *path)
		want uint64
		most float64 // error, in per cent
	}{
		{"nothing", func(p *path) { p.says(false, 60, 30); p.says(true, 31, 30) }, 0, 0},
		{"a request without body", func(p *path) {
			p.says(true, 500)
			p.says(false, slices.Repeat([]int{1280}, 9)...)
			p.says(true, 30, 30)
		}, 0, 0},
		{"a body behind its head", func(p *path) { p.says(true, slices.Concat([]int{200}, body(300_000))...); p.says(false, 900) }, 300_000, 0.3},
		{"a head and a body in one", func(p *path) { p.says(true, body(300_400)...); p.says(false, 900) }, 300_000, 0.3},
		{"a download", func(p *path) {
			p.says(true, 300)
			for n := range 3000 {
				p.says(false, 1250, 1250)
				p.says(true, 30+n%20)
			}
		}, 0, 0},
		{"a download with losses", func(p *path) {
			p.says(true, 300)
			for n := range 300 {
				p.says(false, 1250, 1250)
				p.says(true, 30+n%90)
			}
		}, 0, 0},
		{"probes of the path", func(p *path) {
			p.says(true, 200)
			for n := range 6 {
				p.says(true, slices.Concat(body(50_000), []int{1300 + 20*n})...)
			}
			p.says(false, 900)
		}, 300_000, 0.5},
		{"every datagram twice", func(p *path) {
			p.twice = true
			p.says(true, slices.Concat([]int{200}, body(300_000))...)
			p.says(false, 900)
		}, 300_000, 0.3},
		{"0-RTT", func(p *path) {
			p.send(true, slices.Concat(long(0, 8, 700), long(1, 8, 550)))
			p.says(false, 900)
		}, 0, 0},
		{"a first request behind the handshake", func(p *path) {
			p.send(true, slices.Concat(long(2, 8, 100), append([]byte{0x40}, make([]byte, 499)...)))
			p.says(true, body(30_000)...)
			p.says(false, 900)
		}, 30_000, 0.5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := NewQUIC(1250)
			p := &path{m: m}
			p.send(false, slices.Concat(long(0, 8, 600), long(2, 8, 600)))
			tt.play(p)
			m.End()
			check(t, m.Total(), tt.want, tt.most)
		})
	}
}

func TestQUICGrows(t *testing.T) {
	m := NewQUIC(1250)
	p := &path{m: m}
	g := growing{t: t, m: m}
	for n := range 200 {
		p.says(true, append(body(n*n), n+20)...)
		g.look()
		p.says(false, n*7+20)
		g.look()
	}
	m.End()
	g.look()
}

func TestQUICDoesNotAllocate(t *testing.T) {
	m := NewQUIC(1250)
	seg := decode.Segment{Payload: make([]byte, 1250), Len: 1250}
	seg.Payload[0] = 0x40
	n := uint64(0)
	if got := testing.AllocsPerRun(100, func() {
		n++
		binary.LittleEndian.PutUint64(seg.Payload[1242:], n)
		m.Add(&seg, true)
	}); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

func BenchmarkQUIC(b *testing.B) {
	m := NewQUIC(1250)
	seg := decode.Segment{Payload: make([]byte, 1250), Len: 1250}
	seg.Payload[0] = 0x40
	n := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		n++
		binary.LittleEndian.PutUint64(seg.Payload[1242:], n)
		m.Add(&seg, true)
	}
}
