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
	if f.Key.HasPort(portBOOTPS) || f.Key.HasPort(portDHCPv6) {
		return // never settled: others read on in it
	}
	if f.Looked++; f.Looked > maxLooked {
		r.settle(f)
		return
	}
	if !quic.LooksInitial(seg.Payload) {
		return
	}
	side := r.flows.SideOf(f)
	h, _ := side.Reader.(*handshake)
	if h == nil {
		h = r.clients.pair()
		side.Reader = h
	}
	if h.client[seg.Dir] == nil {
		if h.client[seg.Dir] = r.clients.lend(); h.client[seg.Dir] == nil {
			return
		}
	}
	hello, err := h.client[seg.Dir].Add(seg.Payload)
	if err != nil || hello == nil {
		return
	}
	if r.tellHello(f, seg, classifiers.ClassQUICSNI, hello) {
		r.settle(f)
	}
}
