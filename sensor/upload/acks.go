package upload

import (
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/wire/tls"
)

// acks is what the captured side of a connection acknowledges of the other, where only one side is captured. Which one that is may not be
// known yet: each side's numbers are its own.
type acks struct {
	begun  [2]bool // by the side whose bytes are acknowledged: client, server
	latest [2]uint32
	owed   uint32 // bytes of the client's handshake that are still to come
	bytes  uint32 // of the client, since the server spoke
	took   bool   // bytes of the client were taken by what acknowledges them: all up to latest
}

// ack follows the acknowledgements of the side that is captured where the other is not.
func (t *TLS) ack(seg *decode.Segment, client bool) {
	if seg.Flags&decode.ACK == 0 {
		return
	}
	a, of := &t.acks, 0
	if client {
		of = 1
	}
	if !a.begun[of] {
		a.begun[of], a.latest[of] = true, seg.Ack
		if !client && t.phase == shaking {
			if seg.Flags&decode.SYN != 0 {
				a.owed = finishedFlight
			} else {
				t.phase = talking // the midst of a connection
			}
		}
		return
	}
	n := seg.Ack - a.latest[of]
	if int32(n) <= 0 || n > maxGap {
		return
	}
	a.latest[of] = seg.Ack
	if client {
		t.unheard(n)
		return
	}
	t.acknowledged(n, seg.Time)
}

// unheard takes n bytes of a server that is not captured.
func (t *TLS) unheard(n uint32) {
	t.spoke = true
	if n >= answerLeast && t.phase == talking { // not only window updates
		t.decide()
		t.answer(uint64(n))
	}
}

// acknowledged takes n bytes of a client that is not captured. Those before the server speaks are its hello.
func (t *TLS) acknowledged(n uint32, at int64) {
	if !t.spoke && t.phase == shaking {
		return
	}
	t.phase, t.acks.took = talking, true
	paid := min(n, t.acks.owed)
	t.acks.owed -= paid
	t.acks.bytes += n - paid
	if t.acks.bytes >= maxForeign {
		t.settle(at)
	}
}

// settle counts what a client that is not captured has sent since the server spoke.
func (t *TLS) settle(at int64) {
	n := t.acks.bytes
	t.acks.bytes = 0
	if n > h2Window+tls.HeaderLen+sealed13 {
		t.unseen(n, at)
	}
}
