package upload

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/wire/tls"
)

// midst plays the server's side of a connection that is under way to a new meter: a record, and acknowledgements of the client's body, which
// begins at from.
func midst(from uint32, body int, before ...*decode.Segment) *TLS {
	m := NewTCP()
	for _, seg := range before {
		m.Add(seg, true)
	}
	answer := record(tls.ApplicationData, 60)
	m.Add(&decode.Segment{Seq: 9000, Ack: from, Flags: decode.ACK, Payload: answer, Len: uint32(len(answer))}, false)
	for n := 0; n <= body; n += 1448 {
		m.Add(&decode.Segment{Time: int64(n), Seq: 9000 + uint32(len(answer)), Ack: from + uint32(n), Flags: decode.ACK}, false)
	}
	return m
}

// What a client acknowledges before the server's first segment is the server's: its numbers have nothing to do with those of its own bytes.
func TestAcksOfBothSides(t *testing.T) {
	const body = 1448 * 700 // of the stream
	const content = body - (body/recordMost+1)*(tls.HeaderLen+sealed13)
	for _, from := range []uint32{5000, 1 << 20, 3 << 30} {
		m := midst(from, body, &decode.Segment{Seq: from, Ack: 9000, Flags: decode.ACK})
		m.End()
		check(t, m.Total(), content, 0.5)
		if m.Method() != "tls-acks" {
			t.Errorf("method %q", m.Method())
		}
	}
}

// Bytes of a client that come into view after they were acknowledged count once.
func TestAcknowledgedBefore(t *testing.T) {
	const body, from = 1448 * 700, 3 << 30
	for _, back := range []uint32{0, 1448, 300_000} {
		m := midst(from, body)
		bulk := make([]byte, 1448)
		for seq := from + uint32(body) - back; int32(seq-from-2*body) < 0; seq += 1448 {
			m.Add(&decode.Segment{Time: int64(seq - from), Seq: seq, Ack: 100_000, Flags: decode.ACK, Payload: bulk, Len: 1448}, true)
		}
		m.End()
		if got := m.Total(); got.Bytes > 2*body || got.Bytes < 2*body-2*body/100 {
			t.Errorf("%d bytes back: %d, want %d", back, got.Bytes, 2*body)
		}
	}
}
