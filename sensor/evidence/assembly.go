package evidence

// assembly puts the beginning of one direction of a TCP stream in order: a message that did not fit into one segment. The first copy of
// a byte wins, as in the receiving kernel.
type assembly struct {
	base  uint32 // sequence number of buf[0]
	buf   []byte
	spans []span // what has arrived, sorted and disjoint
	kind  kind
	owner *stream // whose dir[side] points here
	side  uint8
	// The assemblies in use, oldest first.
	older, newer *assembly
}

// kind says what an assembly is expected to hold.
type kind uint8

const (
	kindUnknown kind = iota // something came before the first bytes of the stream
	kindTLS
	kindHTTP
	kindDNS
	kindCertificate // the first flight of a server whose client gave no name
	kindBody        // requests of which some bytes are missing: the end of a body, the next head
)

// span is [from, to) of the buffer.
type span struct{ from, to int }

const (
	// maxAssembly is the longest beginning that is put together: more than any hello that a client sends (RFC 8446 allows 2^24, clients
	// stay below 2^14 even with post-quantum keys).
	maxAssembly = 64 << 10
	// assemblyCost is what an assembly and its stream cost beside the bytes, in the budget's coin.
	assemblyCost = 512
	// maxSpans bounds how many pieces may wait for those before them.
	maxSpans = 64
)

// put adds p at seq. It returns false if it does not fit: too far ahead, before the base, or in too many pieces.
func (a *assembly) put(seq uint32, p []byte) bool {
	at := int(int32(seq - a.base))
	if at < 0 {
		if at <= -len(p) { // not -at: the lowest int32 has no opposite where int has 32 bits
			return true // all of it lies before the base: nothing new
		}
		p, at = p[-at:], 0
	}
	if len(p) > maxAssembly-at || len(a.spans) >= maxSpans { // not at+len(p), which may not fit into 32 bits
		return false
	}
	end := at + len(p)
	if grow := end - len(a.buf); grow > 0 {
		a.buf = append(a.buf, make([]byte, grow)...)
	}
	a.fill(at, p)
	a.note(span{at, end})
	return true
}

// fill copies p to at, but only where nothing has arrived yet.
func (a *assembly) fill(at int, p []byte) {
	from, end := at, at+len(p)
	for _, s := range a.spans {
		if s.to <= from {
			continue
		}
		if s.from >= end {
			break
		}
		if from < s.from {
			copy(a.buf[from:s.from], p[from-at:])
		}
		from = s.to
	}
	if from < end {
		copy(a.buf[from:end], p[from-at:])
	}
}

// note adds n to the spans and joins those that touch.
func (a *assembly) note(n span) {
	i := 0
	for i < len(a.spans) && a.spans[i].to < n.from {
		i++
	}
	j := i
	for j < len(a.spans) && a.spans[j].from <= n.to {
		n.from, n.to = min(n.from, a.spans[j].from), max(n.to, a.spans[j].to)
		j++
	}
	if i == j {
		a.spans = append(a.spans, span{})
		copy(a.spans[i+1:], a.spans[i:])
		a.spans[i] = n
		return
	}
	a.spans[i] = n
	a.spans = append(a.spans[:i+1], a.spans[j:]...)
}

// head is what has arrived without a gap from the base on.
func (a *assembly) head() []byte {
	if len(a.spans) == 0 || a.spans[0].from != 0 {
		return nil
	}
	return a.buf[:a.spans[0].to]
}

// gap is how many bytes are missing before the first that has arrived.
func (a *assembly) gap() int {
	if len(a.spans) == 0 {
		return 0
	}
	return a.spans[0].from
}

// consume takes n bytes off the front, which head returned or gap counted.
func (a *assembly) consume(n int) {
	a.base += uint32(n)
	a.buf = a.buf[:copy(a.buf, a.buf[n:])]
	for i := range a.spans {
		a.spans[i].from, a.spans[i].to = max(a.spans[i].from-n, 0), a.spans[i].to-n
	}
	if len(a.spans) > 0 && a.spans[0].to <= 0 {
		a.spans = append(a.spans[:0], a.spans[1:]...)
	}
}

// shop lends assemblies and bounds what they hold together: a flood of half hellos must not eat the memory.
type shop struct {
	free           []*assembly
	oldest, newest *assembly
	held, budget   int
	givenUp        uint64 // assemblies taken away from flows for want of memory
}

func (s *shop) lend(base uint32, k kind, owner *stream, side uint8) *assembly {
	var a *assembly
	if n := len(s.free); n > 0 {
		a, s.free = s.free[n-1], s.free[:n-1]
	} else {
		a = &assembly{}
	}
	*a = assembly{base: base, kind: k, owner: owner, side: side, buf: a.buf[:0], spans: a.spans[:0]}
	if a.older = s.newest; a.older != nil {
		a.older.newer = a
	} else {
		s.oldest = a
	}
	s.newest = a
	s.held += assemblyCost
	owner.dir[side] = a
	return a
}

// add puts p into a and keeps the budget. It returns false if a was given up.
func (s *shop) add(a *assembly, seq uint32, p []byte) bool {
	before := len(a.buf)
	ok := a.put(seq, p)
	s.held += len(a.buf) - before
	if !ok {
		s.giveBack(a)
		return false
	}
	for s.held > s.budget && s.oldest != a {
		s.givenUp++
		s.giveBack(s.oldest)
	}
	return true
}

// consume takes n bytes off the front of a.
func (s *shop) consume(a *assembly, n int) {
	s.held -= n
	a.consume(n)
}

func (s *shop) giveBack(a *assembly) {
	s.detach(a)
	s.recycle(a)
}

// detach takes a away from its flow. Its buffer may be read until it is recycled, whatever is lent and given up meanwhile.
func (s *shop) detach(a *assembly) {
	s.held -= len(a.buf) + assemblyCost
	a.owner.dir[a.side] = nil
	a.owner = nil
	if a.older != nil {
		a.older.newer = a.newer
	} else {
		s.oldest = a.newer
	}
	if a.newer != nil {
		a.newer.older = a.older
	} else {
		s.newest = a.older
	}
	a.older, a.newer = nil, nil
}

// recycle keeps a detached assembly for the next flow.
func (s *shop) recycle(a *assembly) {
	if cap(a.buf) <= 16<<10 { // as many as were ever in use at once; large buffers go
		s.free = append(s.free, a)
	}
}
