package evidence

import (
	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/quic"
)

// maxLooked is how many datagrams of a flow are asked whether they are QUIC Initials: a client repeats its first flight a few times,
// and what has begun with something else is not QUIC.
const maxLooked = 64

// Servers' ports of DHCP (RFC 2131, section 4.1; RFC 8415, section 7.2).
const (
	portBOOTPS = 67
	portDHCPv6 = 547
)

// udp looks for a QUIC client's first flight.
func (r *Reader) udp(f *flow.Flow, seg *decode.Segment) {
	if seg.Key.HasPort(portBOOTPS) || seg.Key.HasPort(portDHCPv6) {
		return // never settled: others read on in it
	}
	looked := &f.Acked[0] // see renewed.go
	if *looked++; *looked > maxLooked {
		r.sink.Nameless(f, seg.Time)
		*looked = 0
		r.settle(f)
		return
	}
	if !quic.LooksInitial(seg.Payload) {
		return
	}
	client := r.client(f, seg.Dir)
	if client == nil {
		return
	}
	hello, err := client.Add(seg.Payload)
	if err != nil || hello == nil {
		return
	}
	if r.tellHello(f, seg, classifiers.ClassQUICSNI, hello) {
		*looked = 0
		remember(f, seg, hello)
		r.settle(f)
	}
}

// client returns the state of the QUIC client that a side of f may be, or nil if there is no room for another.
func (r *Reader) client(f *flow.Flow, side uint8) *quic.Client {
	s := r.flows.SideOf(f)
	h, _ := s.Reader.(*handshake)
	if h == nil {
		h = r.clients.pair()
		s.Reader = h
	}
	if h.client[side] == nil {
		h.client[side] = r.clients.lend()
	}
	return h.client[side]
}
