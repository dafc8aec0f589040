package upload

import (
	"bytes"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/wire/tls"
)

// wire plays a conversation to a meter, as a tap would see it.
type wire struct {
	meter interface {
		Add(seg *decode.Segment, client bool)
	}
	seq [2]uint32
	at  int64
	mss int
	n   int
	// lose says of the n-th segment that it is not captured; cut is the snaplen of the payload, 0 for none; only is the side that is
	// captured, plus 1.
	lose func(n int) bool
	cut  int
	only int
	// twice repeats every segment, late swaps each two segments of a flight.
	twice, late bool
}

const finished = finished256

func record(typ uint8, size int) []byte {
	return append([]byte{typ, 3, 3, byte(size >> 8), byte(size)}, bytes.Repeat([]byte{0xa5}, size)...)
}

// says sends records of application data of the given sizes from a side: 0 is the client.
func (w *wire) says(side int, sizes ...int) {
	var b []byte
	for _, n := range sizes {
		b = append(b, record(tls.ApplicationData, n)...)
	}
	w.send(side, b)
}

func (w *wire) send(side int, b []byte) {
	var flight []decode.Segment
	w.at += 1e6
	for len(b) > 0 {
		n := min(len(b), w.mss)
		flight = append(flight, decode.Segment{Time: w.at, Payload: b[:n], Len: uint32(n), Seq: w.seq[side], Ack: w.seq[1-side], Flags: decode.ACK})
		w.seq[side] += uint32(n)
		b = b[n:]
	}
	for i := range flight {
		at := i
		if w.late && i^1 < len(flight) {
			at = i ^ 1
		}
		w.deliver(side, &flight[at])
	}
	ack := decode.Segment{Time: w.at, Seq: w.seq[1-side], Ack: w.seq[side], Flags: decode.ACK}
	w.deliver(1-side, &ack)
}

func (w *wire) deliver(side int, seg *decode.Segment) {
	w.n++
	if w.only != 0 && w.only != side+1 || w.lose != nil && seg.Len > 0 && w.lose(w.n) {
		return
	}
	if w.cut > 0 && len(seg.Payload) > w.cut {
		seg.Payload = seg.Payload[:w.cut]
	}
	w.meter.Add(seg, side == 0)
	if w.twice {
		w.meter.Add(seg, side == 0)
	}
}

// hands shakes hands as a TLS 1.3 client and server do, from the client's hello on, which is taken for read.
func (w *wire) hands() {
	w.send(1, append(record(tls.Handshake, 122), record(tls.ChangeCipherSpec, 1)...))
	w.says(1, 36, 2000, 97, 53)
	w.send(0, append(record(tls.ChangeCipherSpec, 1), record(tls.ApplicationData, finished)...))
}

// bulk are the sizes of the records in which n bytes of body go out over HTTP/1.1.
func bulk(n int) []int {
	var sizes []int
	for n > 0 {
		k := min(n, tls.MaxPlaintext)
		sizes = append(sizes, k+sealed13)
		n -= k
	}
	return sizes
}
