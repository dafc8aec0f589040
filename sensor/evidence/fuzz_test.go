package evidence

import (
	stdtls "crypto/tls"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dns"
)

// silent is a sink that hears nothing.
type silent struct{}

func (silent) Found(*flow.Flow, *decode.Segment, *Observation) {}

func (silent) Message(*flow.Flow, *decode.Segment, *dns.Message, []byte) {}

func (silent) Nameless(*flow.Flow, int64) {}

// script is a number of segments: each a byte of flags, four of place and two of length, then the payload.
//
//	bit 0: direction   bit 1: UDP   bit 2: SYN   bit 3: RST   bit 4: cut   bit 5: far away   bits 6, 7: which flow
func script(segs ...any) []byte {
	var b []byte
	for i := 0; i < len(segs); i += 3 {
		payload := segs[i+2].([]byte)
		b = append(b, segs[i].(byte))
		b = binary.BigEndian.AppendUint32(b, uint32(segs[i+1].(int)))
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(payload))), payload...)
	}
	return b
}

// next takes one segment off a script. Ports are those that have readers of their own.
func next(b []byte) (seg decode.Segment, rest []byte, ok bool) {
	if len(b) < 7 {
		return seg, nil, false
	}
	what, place := b[0], binary.BigEndian.Uint32(b[1:])
	n := min(int(binary.BigEndian.Uint16(b[5:])), len(b)-7)
	proto := uint32(decode.TCP)
	if what&2 != 0 {
		proto = decode.UDP
	}
	seg = decode.Segment{Key: tuple(40000, []int{443, 53, 3128, 80}[what>>6], proto), Dir: what & 1, Payload: b[7 : 7+n : 7+n], Flags: decode.ACK, Ack: place / 2}
	seg.Len = uint32(n)
	if seg.Seq = place % 70000; what&0x20 != 0 {
		seg.Seq = place
	}
	if what&4 != 0 {
		seg.Flags |= decode.SYN
	}
	if what&8 != 0 {
		seg.Flags |= decode.RST
	}
	if what&0x10 != 0 {
		seg.Len += 1000
	}
	if proto == decode.UDP {
		seg.Seq, seg.Ack, seg.Flags = 0, 0, 0 // as the decoder has it
	}
	return seg, b[7+n:], true
}

// FuzzReader takes any segments into a few flows: no panic, the budget is kept, and what is lent comes back.
func FuzzReader(f *testing.F) {
	hello := helloOf(f, "chat.example.com", false)
	connect := []byte("CONNECT a.example:443 HTTP/1.1\r\n\r\n")
	f.Add(script(byte(4), 0, []byte{}, byte(0), 1, hello[:100], byte(0), 101, hello[100:]))
	f.Add(script(byte(4), 0, []byte{}, byte(0), 101, hello[100:], byte(1), 1, []byte("hm"), byte(0), 1, hello[:100]))
	f.Add(script(byte(0x80), 1, connect, byte(0x80), 1+len(connect), hello))
	f.Add(script(byte(0x80), 1, slices.Concat(connect, hello)))
	f.Add(script(byte(0xc0), 1, []byte(chunked("a.example", trap)[:150]), byte(0xc0), 151, []byte(chunked("a.example", trap)[150:]+get("b.example"))))
	f.Add(script(byte(0xc0), 1, []byte(get("a.example")+"GET / "), byte(0xe0), -1<<31+60, []byte("x"), byte(0xc0), 100, []byte(get("b.example"))))
	f.Add(script(byte(0x40), 1, framed(query(1, "a", "example"))[:9], byte(0x40), 10, framed(query(1, "a", "example"))[9:], byte(0x41), 1, framed(answer(query(1, "a")))))
	f.Add(script(byte(2), 0, initial(f, []byte("first id"), 0, 0, quicHello(f, "chat.example.com"))))
	bare, flight := nameless(f, stdtls.VersionTLS12, selfSigned(f, "", "chat.example.com"))
	f.Add(script(byte(0), 1, bare, byte(1), 0, flight[:300], byte(1), 300, flight[300:]))
	h := newHarness(f, Config{AssemblyBytes: 3000, QUICHandshakes: 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		h.t = t
		r := h.reader
		for {
			seg, rest, ok := next(b)
			if !ok {
				break
			}
			b = rest
			if seg.Key.Proto == decode.UDP {
				r.DNS(&seg)
			}
			h.send(seg)
			if sum, _ := count(&r.shop); sum != r.shop.held || r.shop.held > r.shop.budget+maxAssembly+assemblyCost || r.clients.lent > 2 {
				t.Fatalf("%d bytes are held, %d counted, %d clients lent", sum, r.shop.held, r.clients.lent)
			}
		}
		h.balanced()
		h.found, h.asked, h.client = h.found[:0], h.asked[:0], h.client[:0]
	})
}
