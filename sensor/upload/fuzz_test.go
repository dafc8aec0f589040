package upload

import (
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/wire/tls"
)

// FuzzTLS plays arbitrary segments: whatever comes, nothing is taken back, and no more is counted than was sent.
func FuzzTLS(f *testing.F) {
	f.Add(slices.Concat([]byte{0, 0, 0, 40, 0}, record(tls.ApplicationData, 200)), true)
	f.Add(slices.Concat([]byte{1, 9, 0, 80, 3}, record(tls.Handshake, 90), []byte{0, 0, 0, 200, 1}, record(tls.ApplicationData, 300)), false)
	f.Fuzz(func(t *testing.T, script []byte, hello bool) {
		m := NewTCP()
		if hello {
			m = NewTLS(Hello{HTTP2: true, Early: len(script)%2 == 0}, 0)
		}
		g := growing{t: t, m: m}
		var lowest, highest [2]uint32
		for at := int64(1); len(script) >= 5; at++ {
			head := script[:5]
			script = script[5:]
			n := min(int(head[3]), len(script))
			side := int(head[0] & 1)
			seg := decode.Segment{Time: at, Payload: script[:n], Len: uint32(n) + uint32(head[4]), Seq: uint32(head[1])<<8 | uint32(head[2]),
				Ack: uint32(head[2])<<8 | uint32(head[1]), Flags: head[0] >> 1}
			script = script[n:]
			g.Add(&seg, side == 0)
			lowest[side], highest[side] = min(lowest[side], seg.Seq), max(highest[side], seg.Seq+seg.Len+1)
			highest[1-side] = max(highest[1-side], seg.Ack)
		}
		m.End()
		g.look()
		if got, most := m.Total(), uint64(highest[0]-lowest[0]); got.Bytes > most {
			t.Errorf("%+v of at most %d bytes", got, most)
		}
	})
}

// FuzzQUIC plays arbitrary datagrams.
func FuzzQUIC(f *testing.F) {
	f.Add(slices.Concat([]byte{0, 200}, long(0, 8, 200)))
	f.Add(slices.Concat([]byte{0, 255}, make([]byte, 255), []byte{1, 60}, make([]byte, 60)))
	f.Fuzz(func(t *testing.T, script []byte) {
		m := NewQUIC(1200)
		g := growing{t: t, m: m}
		sent := uint64(0)
		for at := int64(1); len(script) >= 2; at++ {
			head := script[:2]
			script = script[2:]
			n := min(int(head[1])*8, len(script))
			g.Add(&decode.Segment{Time: at, Payload: script[:n], Len: uint32(n)}, head[0]&1 == 0)
			sent += uint64(n)
			script = script[n:]
		}
		m.End()
		g.look()
		if got := m.Total(); got.High > sent {
			t.Errorf("%+v of %d bytes", got, sent)
		}
	})
}
