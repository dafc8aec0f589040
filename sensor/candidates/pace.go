package candidates

// What an answer at a token's pace looks like on the wire: after a request of some size the server sends many small segments, one after
// the other with pauses between them, for seconds, and the client says nothing but acknowledgements. Times are nanoseconds.
const (
	leastTick, mostTick = int64(4e6), int64(2e9) // pause before a token: 250 a second to one in two seconds
	leastTicks          = 16
	leastRun, mostRun   = int64(800e6), int64(300e9)
	meanPause           = int64(600e6) // an answer slower than that is no stream of words
	// small is the most a segment with a few tokens has: below what fills a frame. A segment that fills one is bulk.
	small = 1100
	// idle is the most that a segment has which only opens a window or pings (RFC 9113, sections 6.7 and 6.9). A request whose headers are
	// all known already is as short, so of such segments an answer has one for so many ticks at most.
	idle, ticksPerIdle = 64, 4
	// acks is the most that a datagram has which holds an ACK frame alone (RFC 9000, section 19.3). They come as often as ticks do.
	acks = 52
	// request is the least that a request with a prompt has, headers and all.
	request = 150
	// meanSize is the most that the segments of an answer have on average: words with their wrapping, not video or audio.
	meanSize = 700
)

// Pace watches the segments of one flow for answers at a token's pace. It is a small machine without a history: a request arms it, small
// segments from the server are ticks, and a long pause or the next request ends a run of ticks, which is an answer or is not.
type Pace struct {
	last    int64 // time of the server's last segment
	began   int64 // of the run
	bytes   uint32
	bulk    uint32 // of them in segments that fill a frame
	burst   uint32 // bytes of the client since the server's last segment
	ticks   uint16
	segs    uint16
	idles   uint16
	answers uint16
	armed   bool
}

// Up takes a segment of the client, with the length of its payload. datagram says that it is one of QUIC.
func (p *Pace) Up(length uint32, datagram bool) {
	switch {
	case length == 0 || datagram && length <= acks:
		return
	case !datagram && length <= idle:
		p.idles++
		return
	}
	p.close()
	p.burst += length
	if p.burst >= request {
		p.armed = true
	}
}

// Down takes a segment of the server.
func (p *Pace) Down(at int64, length uint32) {
	if length == 0 {
		return
	}
	pause := at - p.last
	p.last, p.burst = at, 0
	if !p.armed {
		return
	}
	if pause > mostTick {
		p.close()
	}
	if p.segs == 0 {
		p.began = at
	}
	if p.segs < 1<<16-1 {
		p.segs++
		p.bytes += length
	}
	switch {
	case length > small:
		p.bulk += length
	case pause >= leastTick && pause <= mostTick && p.ticks < 1<<16-1:
		p.ticks++
	}
}

// close ends a run of ticks. An answer disarms: what comes after it without another request is no second one.
func (p *Pace) close() {
	run := p.last - p.began
	answer := p.ticks >= leastTicks && run >= leastRun && run <= mostRun && run <= int64(p.ticks)*meanPause &&
		p.idles <= p.ticks/ticksPerIdle && p.bulk <= p.bytes/4 && p.bytes/uint32(max(1, p.segs)) <= meanSize && p.segs < 1<<16-1
	if answer {
		p.armed = false
		p.answers = max(p.answers, p.answers+1) // it stays at the most that it can hold
	}
	p.bytes, p.bulk, p.ticks, p.segs, p.idles = 0, 0, 0, 0, 0
}

// Answers ends the run and counts the answers since the last call.
func (p *Pace) Answers() uint32 {
	p.close()
	n := p.answers
	p.answers = 0
	return uint32(n)
}
