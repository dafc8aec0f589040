package sensor

import (
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// What a client sends beside request bodies, where nothing closer is known. The figures are protocol facts; the bounds below allow for
// what differs between clients.
const (
	// tlsFinish is change_cipher_spec (6 bytes), Finished (up to 53) and its record and tag (22): RFC 8446, sections 4.4.4 and 5.2.
	tlsFinish = 81
	// tlsRecord is the header, tag and content type of one record (RFC 8446, section 5.2), which holds up to 2^14 bytes.
	tlsRecord, tlsRecordMax = 22, 1 << 14
	// requestHead is a typical request's header section; headMost is what one with cookies and a token may take.
	requestHead, headMost = 700, 8192
	// quicPacket is the least that a short-header packet adds: flags, an 8-byte connection id, packet number and tag (RFC 9000, section
	// 17.3.1). quicAcked is what a packet with an ACK and no data takes in all (RFC 9000, section 19.3).
	quicPacket, quicAcked = 27, 45
)

// uploads turns a flow's counts into the estimate of application bytes, slice by slice.
type uploads struct {
	handshake uint64 // client bytes up to the end of the hello
	packets   uint64 // client packets up to then
	before    event.Upload
}

// total estimates what the flow has uploaded so far; ok is false if it cannot be known.
func (u *uploads) total(f *flow.Flow, protocol string, body int64, bodyKnown bool) (up event.Upload, ok bool) {
	h := f.Up()
	switch protocol {
	case "tls":
		return u.tls(h), true
	case "quic":
		return u.quic(h), true
	case "http":
		if bodyKnown {
			return event.Upload{Bytes: uint64(body), Low: uint64(body), High: uint64(body), Method: "http-body"}, true
		}
	}
	return event.Upload{}, false
}

func (u *uploads) tls(h *flow.Half) event.Upload {
	sent := less(h.Bytes, u.handshake)
	high := less(sent, tlsRecord)
	net := less(sent, tlsFinish)
	net = less(net, net/(tlsRecordMax+tlsRecord)*tlsRecord+tlsRecord)
	return event.Upload{Bytes: less(net, requestHead), Low: less(net, headMost+net/50), High: high, Method: "tls-payload"}
}

func (u *uploads) quic(h *flow.Half) event.Upload {
	sent, packets := less(h.Bytes, u.handshake), less(uint64(h.Packets), u.packets)
	net := less(sent, packets*quicAcked)
	return event.Upload{Bytes: less(net, requestHead), Low: less(net, headMost+net/20), High: less(sent, packets*quicPacket),
		Method: "quic-payload"}
}

// delta returns what was added since the last call. Totals only grow, so no delta is negative.
func (u *uploads) delta(total event.Upload) *event.Upload {
	d := event.Upload{Bytes: less(total.Bytes, u.before.Bytes), Low: less(total.Low, u.before.Low), High: less(total.High, u.before.High),
		Method: total.Method}
	u.before = total
	return &d
}

// less is a-b, and 0 where that would be negative.
func less(a, b uint64) uint64 {
	if a < b {
		return 0
	}
	return a - b
}
