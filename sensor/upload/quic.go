package upload

import (
	"encoding/binary"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/wire/quic"
)

const (
	quicLong = 0x80 // header form bit (RFC 9000, section 17.2)
	quicTag  = 16   // AEAD tag (RFC 9001, section 5.3)
	// A packet number takes 1 to 4 bytes, 2 while up to 2^15 packets are in flight (RFC 9000, section 17.1).
	numberTypical, numberLeast, numberMost = 2, 1, 4
	// A STREAM frame takes its type, a stream ID of 1 or 2 bytes, an offset of up to 4 (below 1 GiB) and, where it does not fill its packet,
	// a length of 2 (RFC 9000, section 19.8). Offsets take 4 bytes from 16 KiB on.
	streamTypical, streamLeast, streamMost = 1 + 1 + 4, 1 + 1 + 2, 1 + 2 + 4 + 2
	// quicControl is what a packet without STREAM frames holds at most, if nothing was lost: ACK with two ranges (RFC 9000, section 19.3)
	// and an update of a limit (sections 19.9 and 19.10).
	quicControl = 24
	// quicHead is the smallest packet that may carry a request.
	quicHead = 40
	// quicAnswer is what a server's datagram has to hold to be more than acknowledgements and limits; amid an upload they may list many
	// ranges.
	quicAnswer, quicAnswerBulk = 60, 200
	// bulkPackets is after how many full packets a burst is a bulk upload.
	bulkPackets = 16
	// h3Share is what HTTP/3 adds to a body: a DATA frame's type and length, 3 to 5 bytes (RFC 9114, section 7.2.1) to each write, which
	// are of 8 to 16 KiB.
	h3Share = 4096
)

// QUIC follows one QUIC connection.
type QUIC struct {
	tally
	dir     [2]datagrams // client, server
	cid     uint32       // length of the client's destination connection IDs
	seen    bool         // the client was captured
	ready   bool         // it is done with the handshake
	resent  resent
	tail    bool   // the datagram before was part of a body
	pending uint64 // content of the burst before its first full packet
	lone    uint32 // content of its first full packet until something follows it; 0: something did
}

// datagrams is one side's stream of datagrams.
type datagrams struct {
	largest uint32 // size of datagrams that carry data
	probe   uint32 // a larger size that was seen once: a probe of the path (RFC 9000, section 14.4)
	recent  [8]uint64
	at      uint8
}

// NewQUIC returns a meter of a connection whose client's first flight is under way; largest is the size of its datagrams.
func NewQUIC(largest uint32) *QUIC {
	q := &QUIC{cid: 8}
	q.dir[0].largest = largest
	return q
}

// Method says how the estimate was got; it is empty where only the server was captured, whose acknowledgements are encrypted.
func (q *QUIC) Method() string {
	if !q.seen {
		return ""
	}
	return "quic-datagrams"
}

// Add follows a datagram of the client or of the server.
func (q *QUIC) Add(seg *decode.Segment, client bool) {
	b := seg.Payload
	side := 1
	if client {
		side, q.seen = 0, true
	}
	d := &q.dir[side]
	if len(b) < 2 || d.repeated(b) {
		return
	}
	if b[0]&quicLong != 0 {
		q.long(seg, client)
		return
	}
	if d.probed(seg.Len) {
		if !client {
			q.resent.silent = false
		}
		return
	}
	if client {
		q.ready = true
		q.said(seg.Len, seg.Time)
	} else {
		q.heard(seg.Len)
	}
}

// repeated says whether the same datagram was seen just before: a mirror may show each twice. No two packets are equal, for they are
// encrypted under different packet numbers.
func (d *datagrams) repeated(b []byte) bool {
	var mark uint64
	if len(b) >= 16 {
		mark = binary.LittleEndian.Uint64(b[len(b)-8:])
	}
	for _, p := range d.recent {
		if p == mark && mark != 0 {
			return true
		}
	}
	d.recent[d.at%uint8(len(d.recent))] = mark
	d.at++
	return false
}

// probed says whether a datagram of n bytes is a probe: the first that is larger than all before it.
func (d *datagrams) probed(n uint32) bool {
	switch {
	case n <= d.largest:
		return false
	case d.probe == n:
		d.largest = n
		return false
	}
	d.probe = n
	return true
}

// long follows the handshake's packets.
func (q *QUIC) long(seg *decode.Segment, client bool) {
	if client {
		q.dir[0].largest = max(q.dir[0].largest, seg.Len)
		if n, ok := quic.DestinationCID(seg.Payload); ok {
			q.cid = uint32(n)
		}
		n, unsure := quic.ApplicationLen(seg.Payload, int(seg.Len))
		if n > 0 {
			q.said(uint32(n), seg.Time)
		}
		q.doubt(uint64(unsure))
		return
	}
	q.dir[1].largest = max(q.dir[1].largest, seg.Len)
	if n, ok := quic.SourceCID(seg.Payload); ok {
		q.cid = uint32(n)
	}
}

// heard takes a server's datagram of n bytes.
func (q *QUIC) heard(n uint32) {
	q.resent.heard(n, q.dir[0].largest)
	least := uint32(quicAnswer)
	if q.resent.full >= bulkPackets {
		least = quicAnswerBulk
	}
	if n >= least {
		q.decide()
		q.answer(uint64(n - min(n, quicAnswer/2)))
	}
}

// said takes a client's datagram of n bytes.
func (q *QUIC) said(n uint32, at int64) {
	frame := 1 + q.cid + quicTag
	content := n - min(n, frame+numberTypical)
	if content <= quicControl {
		return
	}
	if !q.open || q.answered {
		q.finish()
		q.begin(at)
	}
	switch full := q.dir[0].largest; {
	case n+quicControl >= full:
		if q.resent.sent(at); q.resent.full == 1 {
			q.lone = content
		} else {
			q.opening()
			q.body(n, content)
		}
		q.tail = true
	case q.tail && content > quicHead:
		q.opening()
		q.body(n, content)
		q.tail = false
	case q.resent.full == 0:
		q.pending += uint64(content)
	default:
		q.doubt(uint64(content))
	}
}

// opening counts the first full packet of a burst: behind a head, or with one in it.
func (q *QUIC) opening() {
	content := uint64(q.lone)
	if content == 0 {
		return
	}
	q.lone = 0
	n := less(content, streamTypical)
	if q.pending > quicHead {
		q.doubt(q.pending)
		q.add(n, less(n, headMost), content)
		q.learned = uint32(min(q.pending, headAlone))
		q.pending = 0
		return
	}
	q.doubt(q.pending)
	q.pending = 0
	q.mixed(n, headMost)
}

// body takes a datagram of n bytes in the midst of a body.
func (q *QUIC) body(n, content uint32) {
	bytes := less(uint64(content), streamTypical)
	bytes -= bytes / h3Share
	low := less(uint64(n), uint64(1+q.cid+quicTag+numberMost+streamMost))
	high := less(uint64(n), uint64(1+q.cid+quicTag+numberLeast+streamLeast))
	bytes, low = q.resent.take(bytes, low)
	q.add(bytes, low, high)
}

// finish ends the current burst.
func (q *QUIC) finish() {
	q.decide()
	q.resent.full, q.tail = 0, false
	q.end()
}

// decide counts what the current burst began with, if nothing that fills a packet followed.
func (q *QUIC) decide() {
	q.opening()
	if q.pending > 0 {
		if q.pending <= headAlone {
			q.learned = uint32(q.pending)
		}
		q.doubt(q.pending)
	}
	q.pending = 0
}

// End decides what is left open. A full packet that came alone behind an answer, and was not answered, is no request but a packet sent
// again that had crossed the answer on its way.
func (q *QUIC) End() {
	if q.lone > 0 && q.Bursts > 1 && q.resent.hears && q.pending == 0 {
		q.doubt(uint64(q.lone))
		q.lone = 0
	}
	q.finish()
}

// Total is the estimate so far.
func (q *QUIC) Total() Estimate { return q.Estimate }
