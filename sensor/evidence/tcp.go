package evidence

import (
	"bytes"
	"errors"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dns"
	"github.com/gnomon-sensor/gnomon/sensor/wire/http"
	"github.com/gnomon-sensor/gnomon/sensor/wire/tls"
)

// searchBytes is how far into one direction a hello or a first request is looked for: what comes before it (SOCKS, PROXY, STARTTLS) is
// short, and further in, the bytes of a file could look like one.
const searchBytes = 8 << 10

// stream is Side.Reader of a TCP flow: what is half read of it.
type stream struct {
	dir    [2]*assembly
	http   exchange
	flight flight
}

// exchange follows the requests of an HTTP/1.1 client.
type exchange struct {
	active  bool
	side    uint8  // of the client
	synced  bool   // next is known
	next    uint32 // sequence number that the body, the next request or the tunnel goes on at
	body    http.Body
	sent    int64 // bytes of the bodies before
	connect bool  // a tunnel was asked for: what follows is the tunnelled stream
}

func (r *Reader) drop(st *stream) {
	for _, a := range st.dir {
		if a != nil {
			r.shop.giveBack(a)
		}
	}
}

// streamOf returns the half-read state of f or nil.
func (r *Reader) streamOf(f *flow.Flow) *stream {
	if f.Side == 0 {
		return nil
	}
	st, _ := r.flows.Peek(f).Reader.(*stream)
	return st
}

func (r *Reader) openStream(f *flow.Flow) *stream {
	side := r.flows.SideOf(f)
	st, _ := side.Reader.(*stream)
	if st == nil {
		st = r.newStream()
		side.Reader = st
	}
	return st
}

func (r *Reader) newStream() *stream {
	if n := len(r.streams); n > 0 {
		st := r.streams[n-1]
		r.streams = r.streams[:n-1]
		*st = stream{}
		return st
	}
	return new(stream)
}

// putStream keeps a stream whose assemblies are given back for another flow.
func (r *Reader) putStream(st *stream) { r.streams = append(r.streams, st) }

// piece is a stretch of one direction's stream.
type piece struct {
	seq uint32
	b   []byte
}

func (p piece) from(n int) piece { return piece{p.seq + uint32(n), p.b[n:]} }

func (r *Reader) tcp(f *flow.Flow, seg *decode.Segment) { //nolint:gocyclo // the states of a stream, side by side
	p := piece{seg.Seq, seg.Payload}
	if seg.Flags&decode.SYN != 0 {
		p.seq++
	}
	st := r.streamOf(f)
	if st != nil {
		if st.flight.awaited {
			r.serverFlight(f, seg, st, p)
			return
		}
		if a := st.dir[seg.Dir]; a != nil {
			r.goOn(f, seg, a, p)
			return
		}
		if st.http.active && r.follow(f, seg, st, p) {
			return
		}
	}
	switch {
	case st != nil && st.http.connect:
		r.tunnel(f, seg, st, p)
	case f.Half[seg.Dir].Bytes < searchBytes:
		r.begin(f, seg, p)
	case f.Half[1-seg.Dir].Bytes >= searchBytes && (st == nil || !st.http.active):
		r.sink.Nameless(f, seg.Time)
		r.settle(f)
	}
}

// tunnel looks at what follows a CONNECT: the tunnelled stream, or another request after a refusal.
func (r *Reader) tunnel(f *flow.Flow, seg *decode.Segment, st *stream, p piece) {
	at := int(int32(p.seq - st.http.next))
	switch {
	case at >= searchBytes:
		r.settle(f)
	case at >= 0:
		r.begin(f, seg, p)
	case at > -len(p.b): // the CONNECT again, and more
		r.begin(f, seg, p.from(-at))
	}
}

// begin looks at the start of a segment for something that says a name.
func (r *Reader) begin(f *flow.Flow, seg *decode.Segment, p piece) {
	switch {
	case seg.Key.HasPort(portDNS) && r.beginDNS(f, seg, p):
	case r.beginTLS(f, seg, p):
	case r.beginHTTP(f, seg, p):
	case r.ahead(f, seg):
		r.hold(f, seg, p, kindUnknown, f.Half[seg.Dir].Next)
	default:
		if off, ok := tls.Find(p.b); ok {
			r.beginTLS(f, seg, p.from(off))
		}
	}
}

// ahead says whether bytes before the segment, from the start of the stream on, are still to come.
func (r *Reader) ahead(f *flow.Flow, seg *decode.Segment) bool {
	h := &f.Half[seg.Dir]
	if f.State&(flow.SeenA<<seg.Dir) == 0 || h.Bytes > 0 && f.State&(flow.SynA<<seg.Dir) == 0 {
		return false
	}
	gap := int32(seg.Seq - h.Next)
	return gap > 0 && gap < searchBytes
}

// hold begins an assembly at base with p.
func (r *Reader) hold(f *flow.Flow, seg *decode.Segment, p piece, k kind, base uint32) {
	st := r.openStream(f)
	a := r.shop.lend(base, k, st, seg.Dir)
	r.shop.add(a, p.seq, p.b)
}

// goOn adds p to what is being put together and looks again.
func (r *Reader) goOn(f *flow.Flow, seg *decode.Segment, a *assembly, p piece) {
	st, before := a.owner, len(a.head())
	if !r.shop.add(a, p.seq, p.b) {
		r.tidy(f, st)
		return
	}
	if lost := a.gap(); lost > 0 && acknowledged(f, seg.Dir, a.base+uint32(lost)) {
		r.shop.consume(a, lost) // it was received, but not captured: it will not come
	}
	head := a.head()
	if len(head) == before || a.kind == kindHTTP && !mayEnd(head, before) {
		return
	}
	if r.read(f, seg, a, piece{a.base, head}) && a.owner != nil {
		r.shop.giveBack(a)
		r.tidy(f, st)
	}
}

// read looks at what was put together. It returns true when the assembly is of no more use.
func (r *Reader) read(f *flow.Flow, seg *decode.Segment, a *assembly, p piece) bool {
	switch a.kind {
	case kindTLS:
		return r.readTLS(f, seg, p)
	case kindHTTP:
		return r.readHTTP(f, seg, a, p)
	case kindDNS:
		return r.readDNS(f, seg, a)
	case kindBody:
		return r.readBody(f, seg, a, p)
	case kindCertificate:
		return r.readCertificate(f, seg, p)
	}
	return r.readUnknown(f, seg, a, p)
}

// tidy lets go of a stream in which nothing is under way.
func (r *Reader) tidy(f *flow.Flow, st *stream) {
	if side := r.flows.Peek(f); side != nil && side.Reader == st && st.dir[0] == nil && st.dir[1] == nil && !st.http.active && !st.flight.awaited {
		side.Reader = nil
		r.flows.Forget(f)
	}
}

// acknowledged says whether the other side has received everything before seq.
func acknowledged(f *flow.Flow, dir uint8, seq uint32) bool {
	return f.State&(flow.AckA<<(1-dir)) != 0 && int32(f.Acked[1-dir]-seq) >= 0
}

// mayEnd says whether a head that was cut at before may have become whole, so that a head that comes byte by byte is not read from its
// start each time.
func mayEnd(head []byte, before int) bool {
	const often = 512 // up to here a look costs little, and tells early what is no request
	tail := head[max(before-3, 0):]
	return before < often || len(head) >= http.MaxHead || bytes.Contains(tail, []byte("\n\r\n")) || bytes.Contains(tail, []byte("\n\n"))
}

// readUnknown looks at the stream's start once it is there. It returns true when the assembly is of no more use.
func (r *Reader) readUnknown(f *flow.Flow, seg *decode.Segment, a *assembly, p piece) bool {
	if _, need, err := tls.Unwrap(r.message[:0], p.b); need > 0 || err == nil {
		a.kind = kindTLS
		return r.readTLS(f, seg, p)
	}
	if yes, _ := http.Begins(p.b); yes {
		a.kind = kindHTTP
		return r.readHTTP(f, seg, a, p)
	}
	if off, ok := tls.Find(p.b); ok {
		r.shop.consume(a, off)
		a.kind = kindTLS
		return r.readTLS(f, seg, piece{a.base, a.head()})
	}
	return len(p.b) >= searchBytes || len(a.spans) == 1
}

// beginTLS reads a ClientHello that starts at p, now or when the rest of it has come. It returns false if none starts there.
func (r *Reader) beginTLS(f *flow.Flow, seg *decode.Segment, p piece) bool {
	if !tls.MayBegin(p.b) {
		return false
	}
	msg, need, err := tls.Unwrap(r.message[:0], p.b)
	switch {
	case need > 0:
		if p.b[0] != 0x16 || seg.Cut() || r.ahead(f, seg) { // a byte of what comes later, for all that is known
			return false
		}
		r.hold(f, seg, p, kindTLS, p.seq)
		return true
	case err == nil:
		return r.helloAt(f, seg, msg)
	case f.Half[seg.Dir].Bytes == 0 && errors.Is(err, tls.ErrSSLv2):
		f.SetClient(seg.Dir)
		r.settle(f)
		return true
	}
	return false
}

// readTLS returns true when nothing more is to be put together.
func (r *Reader) readTLS(f *flow.Flow, seg *decode.Segment, p piece) bool {
	msg, need, err := tls.Unwrap(r.message[:0], p.b)
	if need > 0 {
		return false
	}
	if err == nil {
		r.helloAt(f, seg, msg)
	}
	return true
}

func (r *Reader) helloAt(f *flow.Flow, seg *decode.Segment, msg []byte) bool {
	if !r.tellHello(f, seg, classifiers.ClassSNI, msg) {
		return false
	}
	if st := r.streamOf(f); st == nil || !st.flight.awaited {
		r.settle(f)
	}
	return true
}

// beginDNS follows the messages of a DNS connection (RFC 7766). It returns false if p does not begin with one.
func (r *Reader) beginDNS(f *flow.Flow, seg *decode.Segment, p piece) bool {
	if r.ahead(f, seg) {
		r.hold(f, seg, p, kindDNS, f.Half[seg.Dir].Next)
		return true
	}
	if !mayBeDNS(p.b) {
		return false
	}
	r.hold(f, seg, p, kindDNS, p.seq)
	if a := r.openStream(f).dir[seg.Dir]; a != nil && r.readDNS(f, seg, a) {
		r.shop.giveBack(a)
	}
	return true
}

// mayBeDNS says whether a stream may begin with a DNS message, as far as it is there.
func mayBeDNS(b []byte) bool {
	const enough = 2 + 12 + 5 // length, header, the shortest question
	switch msg, _, need := dns.NextTCP(b); {
	case need == 0:
		return dns.Plausible(msg)
	case len(b) >= enough:
		return dns.Plausible(b[2:])
	}
	return len(b) < 2 || b[0] <= 0x40 // longer ones are not sent
}

// readDNS tells every whole message and keeps the rest for later.
func (r *Reader) readDNS(f *flow.Flow, seg *decode.Segment, a *assembly) bool {
	head := a.head()
	used := 0
	for {
		msg, rest, need := dns.NextTCP(head[used:])
		switch {
		case need > 0 && mayBeDNS(head[used:]):
			r.shop.consume(a, used)
			return false
		case need == 0 && r.tellMessage(f, seg, msg):
		case used == 0: // something else on this port
			a.kind = kindUnknown
			return r.readUnknown(f, seg, a, piece{a.base, head})
		default:
			return true
		}
		used = len(head) - len(rest)
	}
}
