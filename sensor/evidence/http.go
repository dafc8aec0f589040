package evidence

import (
	"errors"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/http"
)

// beginHTTP reads the requests that start at p. It returns false if none starts there.
func (r *Reader) beginHTTP(f *flow.Flow, seg *decode.Segment, p piece) bool {
	yes, maybe := http.Begins(p.b)
	if yes && r.ahead(f, seg) { // text may begin like a request: see first what it belongs to
		return false
	}
	if maybe && f.Half[seg.Dir].Bytes == 0 && !seg.Cut() && !r.ahead(f, seg) {
		r.hold(f, seg, p, kindHTTP, p.seq)
		return true
	}
	if !yes {
		return false
	}
	return r.requests(f, seg, p)
}

// readHTTP goes on with a head that is being put together. It returns true when the assembly is of no more use.
func (r *Reader) readHTTP(f *flow.Flow, seg *decode.Segment, a *assembly, p piece) bool {
	if yes, maybe := http.Begins(p.b); !yes {
		if maybe {
			return false
		}
		a.kind = kindUnknown // PROXY begins like PROPFIND
		return r.readUnknown(f, seg, a, p)
	}
	n, err := r.request.Parse(p.b)
	if errors.Is(err, http.ErrTruncated) {
		return false
	}
	if err != nil {
		return true
	}
	// What follows the head lies in the same buffer, and may begin another assembly of this direction.
	st := a.owner
	r.shop.detach(a)
	r.tellRequest(f, seg, st)
	r.afterHead(f, seg, st, p.from(n))
	r.leftover(f, seg, st, a)
	r.shop.recycle(a)
	return true
}

// readBody goes on with requests when the bytes before them have come, or never will.
func (r *Reader) readBody(f *flow.Flow, seg *decode.Segment, a *assembly, p piece) bool {
	st := a.owner
	r.shop.detach(a)
	switch {
	case p.seq == st.http.next:
		r.walk(f, seg, st, p)
	case !http.LooksRequest(p.b) || !r.requests(f, seg, p):
		st.http.synced = false
	}
	r.leftover(f, seg, st, a)
	r.shop.recycle(a)
	return true
}

// leftover holds what a detached assembly has behind a further gap.
func (r *Reader) leftover(f *flow.Flow, seg *decode.Segment, st *stream, a *assembly) {
	for _, s := range a.spans[1:] {
		p := piece{a.base + uint32(s.from), a.buf[s.from:s.to]}
		switch next := st.dir[seg.Dir]; {
		case f.State&flow.Settled != 0, st.flight.awaited:
			return
		case next != nil:
			r.shop.add(next, p.seq, p.b)
		case st.http.connect:
			r.hold(f, seg, p, kindUnknown, st.http.next)
		default:
			r.hold(f, seg, p, kindBody, st.http.next)
		}
	}
}

// requests reads heads, one behind the other, from p on. It returns false if there was not even a part of one.
func (r *Reader) requests(f *flow.Flow, seg *decode.Segment, p piece) bool {
	n, err := r.request.Parse(p.b)
	switch {
	case errors.Is(err, http.ErrTruncated):
		if seg.Cut() { // the rest is not in the capture
			return r.request.Host != nil && r.tellRequest(f, seg, r.openStream(f))
		}
		r.hold(f, seg, p, kindHTTP, p.seq)
		return true
	case err != nil:
		return false
	}
	st := r.openStream(f)
	r.tellRequest(f, seg, st)
	r.afterHead(f, seg, st, p.from(n))
	return true
}

// afterHead skips the body of the request that was just read, as far as it is there, and reads the next.
func (r *Reader) afterHead(f *flow.Flow, seg *decode.Segment, st *stream, p piece) {
	if string(r.request.Method) == "CONNECT" {
		st.http.connect, st.http.synced, st.http.next = true, false, p.seq
		if len(p.b) > 0 { // a client that does not wait for the answer
			r.begin(f, seg, p)
		}
		return
	}
	st.http.connect = false
	st.http.sent += st.http.body.Bytes
	st.http.body.Reset(r.request.ContentLength, r.request.Chunked)
	r.walk(f, seg, st, p)
}

// walk takes p through the body and reads what begins behind it.
func (r *Reader) walk(f *flow.Flow, seg *decode.Segment, st *stream, p piece) {
	x := &st.http
	rest, done := x.body.Advance(p.b)
	p = p.from(len(p.b) - len(rest))
	x.synced, x.next = !x.body.Lost(), p.seq
	if !done || len(p.b) == 0 {
		return
	}
	if yes, maybe := http.Begins(p.b); yes || maybe && !seg.Cut() {
		if maybe {
			r.hold(f, seg, p, kindHTTP, p.seq)
			return
		}
		if r.requests(f, seg, p) {
			return
		}
	}
	x.synced = false
}

// follow goes on with a client whose requests were read before. It returns false if the segment is not its business.
func (r *Reader) follow(f *flow.Flow, seg *decode.Segment, st *stream, p piece) bool { //nolint:gocyclo // the ways in which a segment may lie to the ones before, side by side
	x := &st.http
	if seg.Dir != x.side {
		return true
	}
	if x.connect {
		return false // the tunnel's own stream, or another request after a refusal
	}
	ahead := int(int32(p.seq - x.next))
	switch {
	case !x.synced || seg.Cut():
	case ahead <= 0 && ahead > -len(p.b): // goes on where the one before ended, or repeats a part of it
		r.walk(f, seg, st, p.from(-ahead))
		return true
	case ahead > 0 && x.skip(ahead): // the body goes on behind bytes that are missing so far
		r.walk(f, seg, st, p)
		return true
	case ahead > 0 && ahead < searchBytes && !acknowledged(f, seg.Dir, p.seq): // the next head may lie in them
		r.hold(f, seg, p, kindBody, x.next)
		return true
	}
	switch {
	case int32(p.seq-f.Half[seg.Dir].Next) < 0: // seen before, or late: a body, for all that is known
	case http.LooksRequest(p.b):
		r.requests(f, seg, p)
	case ahead >= 0:
		x.synced = false // bytes are missing: the next request is recognised by its first line again
	}
	return true
}

// skip takes the body over n bytes that are missing, if it does not end in them.
func (x *exchange) skip(n int) bool {
	body := x.body
	if !body.Skip(int64(n)) {
		return false
	}
	x.body = body
	return true
}

// tellRequest tells the sink of the request that was just parsed.
func (r *Reader) tellRequest(f *flow.Flow, seg *decode.Segment, st *stream) bool {
	x := &st.http
	x.active, x.side = true, seg.Dir
	f.SetClient(seg.Dir)
	f.State |= flow.HTTP
	class := classifiers.ClassHTTPHost
	if string(r.request.Method) == "CONNECT" {
		class = classifiers.ClassConnect
	}
	if len(r.request.Host) > 0 {
		f.State |= flow.Named
	}
	r.seen = Observation{Class: class, Name: r.request.Host, Request: &r.request}
	r.sink.Found(f, seg, &r.seen)
	return true
}

// endStream uses a head whose end never came, if its host is there, and lets go of the rest.
func (r *Reader) endStream(f *flow.Flow, st *stream) {
	for side, a := range st.dir {
		if a == nil {
			continue
		}
		seg := &decode.Segment{Key: f.Key, Time: f.Last, Dir: uint8(side)}
		switch a.kind {
		case kindHTTP:
			if _, err := r.request.Parse(a.head()); http.LooksRequest(a.head()) && errors.Is(err, http.ErrTruncated) && r.request.Host != nil {
				r.tellRequest(f, seg, st)
			}
		case kindUnknown:
			r.shop.consume(a, a.gap())
			r.readUnknown(f, seg, a, piece{a.base, a.head()})
		case kindBody: // nobody acknowledged it within sight of the capture, but here it is
			r.shop.consume(a, a.gap())
			r.readBody(f, seg, a, piece{a.base, a.head()})
		}
	}
	r.drop(st)
	r.stopWaiting(st)
}

// Body is how many bytes of request bodies f's client has sent over HTTP/1; known is false if it speaks something else, or if bytes are
// missing so that it is not known where a body ended; bytes are then the least that was sent.
func (r *Reader) Body(f *flow.Flow) (bytes int64, known bool) {
	st := r.streamOf(f)
	if st == nil || !st.http.active || st.http.connect {
		return 0, false
	}
	return st.http.sent + st.http.body.Bytes, st.http.synced
}
