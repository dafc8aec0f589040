package evidence

import (
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/quic"
)

// What a UDP flow remembers of its QUIC connection, in the fields that only TCP uses:
//
//	client's side   Low    the connection id that it last sent a hello to
//	                Next   its hello
//	                Acked  how often its packets were tried in vain
//	server's side   Low    the connection id that it chose, or negotiated
//
// Until it is settled, the first of Acked counts the datagrams that were looked at, whoever sent them.

// negotiated stands for the id of a server that asked for another version: the client says its hello again, to a new id.
const negotiated = 2

// maxFutile bounds how many datagrams of a settled flow are tried with keys of their own: what cannot be opened costs as much as what can.
const maxFutile = 16

// Renewed says whether a datagram of a settled UDP flow begins another QUIC connection on its five-tuple: a client that uses its port
// again, or another one behind the same address translation. It costs a few nanoseconds for long headers, which end with a connection's
// handshake, and takes keys only where the connection id is neither the client's first nor the server's.
func (r *Reader) Renewed(f *flow.Flow, seg *decode.Segment) bool {
	var long quic.Long
	if !long.Parse(seg.Payload) {
		return false
	}
	mine, other := &f.Low[seg.Dir], &f.Low[1-seg.Dir]
	if f.State&flow.ByName != 0 && seg.Dir != f.Client() {
		switch {
		case !long.Negotiation:
			*mine = tag(long.Source)
		case *mine == 0:
			*mine = negotiated
		}
		return false
	}
	id := tag(long.Destination)
	if !long.Opens || id == *mine || id == *other || f.Acked[seg.Dir] >= maxFutile {
		return false
	}
	return r.anotherHello(f, seg, id)
}

// anotherHello tries to open a datagram with keys of its own connection id, which only a client's first packets have (RFC 9001, section
// 5.2), and compares the hello.
func (r *Reader) anotherHello(f *flow.Flow, seg *decode.Segment, id uint32) bool {
	client := r.clients.lend()
	if client == nil {
		return false
	}
	defer r.clients.put(client)
	hello, err := client.Add(seg.Payload)
	mine, other, last := &f.Low[seg.Dir], &f.Low[1-seg.Dir], &f.Half[seg.Dir].Next
	switch {
	case err != nil: // an id that the server chose, in packets that were not captured
		f.Acked[seg.Dir]++
		if *other == 0 {
			*other = id
		}
		return false
	case hello == nil:
		return true
	case nonce(hello) == *last: // again, after a Retry that was not captured
		*mine = id
		return false
	case *other == negotiated:
		*mine, *last, *other = id, nonce(hello), 0
		return false
	}
	return true
}

// remember notes the QUIC connection whose hello was read.
func remember(f *flow.Flow, seg *decode.Segment, hello []byte) {
	var long quic.Long
	if long.Parse(seg.Payload) {
		f.Low[seg.Dir] = tag(long.Destination)
	}
	f.Half[seg.Dir].Next = nonce(hello)
}

// nonce tells one hello from another by its random (RFC 8446, section 4.1.2).
func nonce(hello []byte) uint32 { return tag(hello[:min(len(hello), 4+2+32)]) }

// tag is a short hash, never 0 or negotiated (FNV-1a).
func tag(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return h | 1
}
