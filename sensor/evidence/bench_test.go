package evidence

import (
	"bytes"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

func BenchmarkFrom(b *testing.B) {
	hello, short := helloOf(b, "chat.example.com", true), helloOf(b, "chat.example.com", false)
	tcp := func(port int, seq int, payload []byte) decode.Segment {
		return decode.Segment{Key: tuple(1, port, decode.TCP), Seq: uint32(seq), Payload: payload, Len: uint32(len(payload)), Flags: decode.ACK}
	}
	quicWhole := decode.Segment{Key: tuple(1, 443, decode.UDP), Payload: initial(b, []byte("first id"), 0, 0, quicHello(b, "chat.example.com")), Len: 1200}
	for _, bm := range []struct {
		name string
		segs []decode.Segment
	}{
		{"nothing", []decode.Segment{tcp(9000, 1, bytes.Repeat([]byte("data "), 250))}},
		{"application data", []decode.Segment{tcp(443, 1, append([]byte{23, 3, 3, 5, 0}, make([]byte, 1280)...))}},
		{"hello", []decode.Segment{tcp(443, 1, short)}},
		{"hello in two", []decode.Segment{tcp(443, 1, hello[:1400]), tcp(443, 1401, hello[1400:])}},
		{"request", []decode.Segment{tcp(80, 1, []byte(get("a.example")))}},
		{"QUIC", []decode.Segment{quicWhole}},
	} {
		b.Run(bm.name, func(b *testing.B) { // an operation is a whole flow
			h := newHarness(b, Default())
			r := New(Default(), h.flows, silent{})
			h.reader = r
			b.ReportAllocs()
			for b.Loop() {
				for i := range bm.segs {
					f, err := h.flows.Open(&bm.segs[i])
					if err != nil {
						b.Fatal(err)
					}
					r.From(f, &bm.segs[i])
				}
				h.flows.Finish()
			}
		})
	}
}
