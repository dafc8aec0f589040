package upload

import (
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/wire/tls"
)

const (
	// sealed13 is what a TLS 1.3 record holds beside its content: the content type and a 16-byte tag (RFC 8446, section 5.2; the tag of
	// every cipher suite in use, RFC 5116, section 5).
	sealed13 = 17
	// finishedLen is a TLS 1.2 Finished message (RFC 5246, section 7.4.9); what its record is longer is what every record is longer.
	finishedLen = 16
	// finished256 and finished384 are TLS 1.3 records with a Finished message of a SHA-256 or SHA-384 suite (RFC 8446, section 4.4.4).
	finished256, finished384 = 4 + 32 + sealed13, 4 + 48 + sealed13
	// endOfEarlyData is the record that ends 0-RTT data (RFC 8446, section 4.5).
	endOfEarlyData = 4 + sealed13
	// finishedFlight is change_cipher_spec and a Finished of either size: what a TLS 1.3 client sends before its first request.
	finishedFlight = tls.HeaderLen + 1 + tls.HeaderLen + (finished256+finished384)/2
	finishedLeast  = tls.HeaderLen + finished256
	// recordMost and recordLeast are how much of the stream a record takes at most, and at least in bulk: stacks that begin with small
	// records fill one segment of the smallest usual path (1280 bytes, RFC 8200, section 5) with each.
	recordMost, recordLeast = tls.MaxPlaintext + tls.HeaderLen + sealed13, 1200
	// maxGap is how many bytes in a row are believed to have been missed by the capture: more than any window in flight.
	maxGap = 64 << 20
)

// HTTP/2 (RFC 9113).
const (
	h2Frame    = 9                // header of a frame (section 4.1)
	h2Window   = h2Frame + 4      // WINDOW_UPDATE (section 6.9), RST_STREAM (section 6.4)
	h2Ping     = h2Frame + 8      // PING (section 6.7), GOAWAY without debug data (section 6.8)
	h2MaxData  = tls.MaxPlaintext // the largest frame that needs no permission (section 4.2)
	h2Preface  = 24 + h2Frame     // preface and an empty SETTINGS (section 3.4)
	h2Settings = h2Preface + 6*6 + h2Window
	// h2Head is below which size a piece in the midst of small ones is taken for another request's head: repeated heads are compressed
	// against a table (RFC 7541), which leaves 15 to 90 bytes.
	h2Head = 120
)

// phase is how far a connection has come.
type phase uint8

const (
	shaking phase = iota // the client's Finished is still to come
	talking
)

// TLS follows one TLS connection over TCP.
type TLS struct {
	tally
	dir      [2]direction // client, server
	phase    phase
	sealed   uint32 // what a record of the client holds beside content
	h2       bool   // HTTP/2 was offered, or shows
	offered  bool   // the hello was read: what it did not offer is not spoken
	early    bool   // 0-RTT data was offered
	ccs      bool   // the client has changed its cipher
	spoke    bool   // the server has
	first    bool   // the next record is the client's first of application data
	known    bool   // it is TLS
	held     [2]uint32
	holding  uint8  // of held: records between the server's flight and the client's Finished
	previous uint32 // content of the client's record before
	slack    uint64 // overhead that may lie in what is being counted beside what was taken off
	spare    uint64 // overhead that was taken off and may be none
	heard    uint32 // where the server's stream was when it answered last
	got      uint32 // how far the client's segment acknowledges it
	opaque   bool   // stretches without a header in sight were counted
	acks     acks
	empty    uint32 // bytes in which nothing looked like TLS
	before   uint32 // of them, the client's
}

// direction is one side's stream.
type direction struct {
	records tls.Records
	next    uint32 // sequence number walked up to
	begun   bool
}

// maxForeign is after how many bytes a connection that has shown no record is not TLS.
const maxForeign = 64 << 10

// Hello is what the client's hello tells of what will follow.
type Hello struct {
	HTTP2 bool // among the protocols offered
	Early bool // 0-RTT data follows
}

// NewTLS returns a meter of a connection whose client has just finished its hello: its next byte has the sequence number next.
func NewTLS(h Hello, next uint32) *TLS {
	t := &TLS{sealed: sealed13, h2: h.HTTP2, offered: true, early: h.Early, first: true, known: true}
	t.dir[0].begun, t.dir[0].next = true, next
	return t
}

// NewTCP returns a meter of a connection of which no hello was seen: it may be TLS.
func NewTCP() *TLS {
	return &TLS{sealed: sealed13}
}

// Method says how the estimate was got; it is empty while it cannot be known whether the connection is TLS.
func (t *TLS) Method() string {
	switch {
	case !t.known:
		return ""
	case !t.dir[0].begun && t.acks.begun[0]:
		return "tls-acks"
	case !t.dir[0].begun:
		return ""
	case t.opaque:
		return "tls-payload"
	}
	return "tls-records"
}

// Add follows a segment of the client or of the server.
func (t *TLS) Add(seg *decode.Segment, client bool) {
	side := 1
	if client {
		side = 0
	}
	d := &t.dir[side]
	if d.next == seg.Seq && d.begun && seg.Len > 0 && d.records.Inside(seg.Len) {
		d.next += seg.Len
		if !t.dir[1-side].begun {
			t.ack(seg, client)
		}
		return
	}
	t.walk(seg, side)
}

// walk takes a segment that is not in the midst of a record.
func (t *TLS) walk(seg *decode.Segment, side int) {
	if seg.Flags&decode.RST != 0 || t.empty > maxForeign {
		return
	}
	if !t.dir[1-side].begun {
		t.ack(seg, side == 0)
	}
	if seg.Len == 0 {
		return
	}
	d := &t.dir[side]
	b := t.fresh(d, side, seg)
	d.next += uint32(len(b))
	if side == 0 {
		t.got = seg.Ack
	}
	for len(b) > 0 {
		var rec tls.Record
		if rec, b = d.records.Next(b); rec.Len > 0 {
			t.record(side, rec, seg.Time)
		}
	}
	if cut := seg.Seq + seg.Len - d.next; int32(cut) > 0 {
		t.skip(side, cut, seg.Time)
	}
}

// fresh returns what of a segment's payload was not seen before, and steps over what is missing before it.
func (t *TLS) fresh(d *direction, side int, seg *decode.Segment) []byte {
	seq, b := seg.Seq, seg.Payload
	if seg.Flags&decode.SYN != 0 {
		seq++
	}
	if !d.begun {
		t.start(d, seq, b)
		if taken := t.acks.latest[0]; side == 0 && t.acks.took && int32(taken-seq) > 0 { // counted by what acknowledged it
			d.next = taken
			d.records.Blind()
		}
	}
	switch ahead := int32(seq - d.next); {
	case int32(seq+seg.Len-d.next) <= 0:
		return nil
	case ahead < 0:
		return b[min(len(b), int(-ahead)):]
	case ahead > maxGap:
		d.records.Blind()
		d.next = seq
	case ahead > 0:
		t.skip(side, uint32(ahead), seg.Time)
	}
	return b
}

// start begins a direction at its first captured bytes.
func (t *TLS) start(d *direction, seq uint32, b []byte) {
	d.begun, d.next = true, seq
	if len(b) == 0 || !beginsRecord(b) {
		d.records.Blind()
	}
}

// beginsRecord says whether b may begin with a record.
func beginsRecord(b []byte) bool {
	return b[0] >= tls.ChangeCipherSpec && b[0] <= tls.ApplicationData && (len(b) < 2 || b[1] == 3)
}

// skip steps over bytes that were not captured.
func (t *TLS) skip(side int, n uint32, at int64) {
	d := &t.dir[side]
	d.next += n
	if rec := d.records.Skip(n); rec.Len > 0 {
		t.record(side, rec, at)
	}
}

// record takes a record, or a stretch without a header in sight, of either side.
func (t *TLS) record(side int, rec tls.Record, at int64) {
	switch {
	case rec.Unseen && !t.known:
		t.empty += rec.Len
		if side == 0 {
			t.before += rec.Len
		}
	case side == 1:
		t.server(rec)
	case rec.Unseen:
		t.unseen(rec.Len, at)
	default:
		t.client(rec, at)
	}
}

// server follows what the server says.
func (t *TLS) server(rec tls.Record) {
	t.known = t.known || !rec.Unseen
	t.spoke = true
	if t.phase == shaking || !rec.Unseen && rec.Type != tls.ApplicationData {
		return
	}
	content := less(uint64(rec.Len), uint64(t.sealed))
	t.guess(uint32(content))
	if t.aside(content) {
		return
	}
	t.settle(t.rhythm.last)
	if t.amid() {
		return
	}
	t.decide()
	t.heard = t.dir[1].next
	t.answer(content)
}

// aside says whether n bytes of the server are no answer: an alert, window updates in any number, an acknowledgement.
func (t *TLS) aside(n uint64) bool {
	return n <= alertLen || t.h2 && (n%h2Window == 0 || n == h2Frame || n == h2Ping)
}

// amid says whether the client is in the middle of a record, so that the server's words are no answer to it: session tickets (RFC 8446,
// section 4.6.1), settings, answers of other streams.
func (t *TLS) amid() bool {
	rec := t.dir[0].records.Pending()
	return t.open && rec.Len > 0 && !rec.Unseen && rec.Type == tls.ApplicationData
}

// goesOn says whether a record of n bytes goes on with what the client said before the server's words: it had not received them, or both
// records are as long as a record may be, as what is written in one piece is cut. Over HTTP/2 what follows a short record may as well be
// another request.
func (t *TLS) goesOn(n uint32) bool {
	crossed := t.dir[0].begun && t.dir[1].begun && int32(t.got-t.heard) < 0 && (!t.h2 || t.previous > t.headMost())
	return t.answered && (crossed || n == tls.MaxPlaintext && t.previous == tls.MaxPlaintext)
}

// client follows the client's records.
func (t *TLS) client(rec tls.Record, at int64) {
	t.known = true
	if n := t.before; n > 0 { // the rest of a record whose beginning was not captured
		t.before = 0
		t.unseen(n, at)
	}
	switch rec.Type {
	case tls.ChangeCipherSpec:
		t.ccs = true
	case tls.Handshake:
		t.first = t.phase == shaking
		if t.ccs && rec.Len >= finishedLen && rec.Len <= finishedMost { // TLS 1.2: Finished, encrypted
			t.sealed = rec.Len - finishedLen
			t.phase = talking
		}
	case tls.ApplicationData:
		if t.phase == shaking && t.flight(rec.Len, at) {
			return
		}
		t.data(uint32(less(uint64(rec.Len), uint64(t.sealed))), at)
	}
}

// finishedMost is a TLS 1.2 Finished under the bulkiest cipher: explicit IV, HMAC-SHA-384 and padding (RFC 5246, section 6.2.3.2).
const finishedMost = finishedLen + 16 + 48 + 16

// flight takes the encrypted rest of a TLS 1.3 client's handshake, which looks like application data: a certificate if one was asked for,
// and Finished. It returns false if the record is data.
func (t *TLS) flight(size uint32, at int64) bool {
	switch {
	case size == finished256 || size == finished384:
		t.phase = talking
	case t.early && !t.spoke:
		return false
	case t.early && size == endOfEarlyData:
	case !t.first: // no hello was seen: this is the midst of a connection
		t.phase = talking
		return false
	case int(t.holding) < len(t.held):
		t.held[t.holding] = size
		t.holding++
	default: // no Finished of its own: the first record was the whole flight
		t.phase = talking
		t.data(t.held[1]-min(t.held[1], t.sealed), at)
		return false
	}
	return true
}

// unseen takes n bytes of the client's stream in which no header was in sight.
func (t *TLS) unseen(n uint32, at int64) {
	if t.phase == shaking {
		if n < finishedLeast && t.first {
			return // a part of the handshake
		}
		t.phase = talking // Finished was among it, and a certificate if one was asked for
		if n -= min(n, finishedFlight); t.first && n < h2Settings {
			return
		}
	}
	t.opaque = true
	const frame = tls.HeaderLen + sealed13
	few, usual, many := n/recordMost*frame, (n/recordMost+1)*frame, (n/recordLeast+1)*frame
	t.slack, t.spare = uint64(many-usual), uint64(usual-few)+headLeast // no head may be in it
	if n >= maxForeign {                                               // one of several stretches, without a beginning or an end of its own
		usual = uint32(uint64(n) * frame / recordMost)
	}
	t.data(n-min(n, usual), at)
	t.slack, t.spare = 0, 0
}
