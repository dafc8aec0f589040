package decode

import "container/list"

const (
	// defaultFragmentBytes bounds what incomplete datagrams may hold together.
	defaultFragmentBytes = 4 << 20
	// fragmentLife is how long the other parts are waited for, in packet time: Linux waits 30 s (ipfrag_time).
	fragmentLife = int64(30e9)
	maxDatagram  = 65535
	// datagramCost is what a datagram costs beside its bytes, in the budget's coin: a flood of tiny fragments is paid for too.
	datagramCost = 512
	maxPieces    = 128 // of one datagram: a 64 KiB datagram at the smallest sensible MTU needs fewer
)

// piece is one IP fragment.
type piece struct {
	ip     addresses
	id     uint32
	proto  uint8
	v6     bool
	more   bool
	offset int
	data   []byte
	length int // by the IP header
}

// fragmentKey says which datagram a fragment belongs to (RFC 791, section 3.2; RFC 8200, section 4.5).
type fragmentKey struct {
	ip    addresses
	id    uint32
	proto uint8
	v6    bool
}

// run is a part of a datagram that has arrived: [from, to).
type run struct{ from, to int }

// datagram is being put together.
type datagram struct {
	key   fragmentKey
	proto uint8 // of the first fragment: IPv6 names the next header there
	born  int64
	buf   []byte
	runs  []run // sorted, disjoint
	total int   // -1 until the last fragment has come
	spot  *list.Element
}

// reassembly holds the datagrams under way, oldest first, within a budget of bytes.
type reassembly struct {
	under   map[fragmentKey]*datagram
	order   list.List
	held    int
	budget  int
	evicted uint64
	expired uint64
	// ready is the last datagram that was completed: segments alias it until the next frame batch, see recycle.
	ready []*datagram
	spare []*datagram
}

func newReassembly(budget int) *reassembly {
	return &reassembly{under: map[fragmentKey]*datagram{}, budget: budget}
}

// fragment adds p to its datagram and, when that is whole, goes on with it.
func (d *Decoder) fragment(s *Segment, p *piece) Reason {
	if p.offset+p.length > maxDatagram || p.length <= 0 || (p.more && p.length%8 != 0) {
		return Malformed
	}
	if len(p.data) < p.length {
		return Short // cut by the snaplen: the datagram can never be whole
	}
	r := d.frags
	g, reason := r.add(p, s.Time)
	if g == nil {
		return reason
	}
	r.ready = append(r.ready, g)
	d.rest = 0 // nothing is cut off a datagram that is whole
	if p.v6 {  // more extension headers may have been fragmented with it (RFC 8200, section 4.5)
		return d.extensions(s, g.proto, g.buf[:g.total], g.total, &p.ip)
	}
	return d.transport(s, g.proto, g.buf[:g.total], g.total, &p.ip)
}

// recycle lets go of the datagrams that the last batch's segments alias.
func (r *reassembly) recycle() {
	for _, g := range r.ready {
		if len(r.spare) < 16 {
			r.spare = append(r.spare, g)
		}
	}
	r.ready = r.ready[:0]
}

// add returns the datagram if p completed it.
func (r *reassembly) add(p *piece, now int64) (*datagram, Reason) {
	r.expire(now)
	g := r.datagram(p, now)
	if !g.ends(p) {
		r.drop(g)
		return nil, FragmentBad
	}
	switch g.insert(run{p.offset, p.offset + p.length}) {
	case overlap:
		r.drop(g) // as Linux does for both families since 4.19, and RFC 5722 demands for IPv6
		return nil, FragmentBad
	case duplicate:
		return nil, FragmentHeld
	}
	if grow := p.offset + p.length - len(g.buf); grow > 0 {
		g.buf = append(g.buf, make([]byte, grow)...)
		r.held += grow
	}
	copy(g.buf[p.offset:], p.data[:p.length])
	if g.whole() {
		r.remove(g)
		return g, Decoded
	}
	for r.held > r.budget && r.order.Len() > 0 {
		r.evicted++
		r.drop(r.order.Front().Value.(*datagram))
	}
	return nil, FragmentHeld
}

// datagram returns the one that p belongs to, a new one if need be.
func (r *reassembly) datagram(p *piece, now int64) *datagram {
	key := fragmentKey{ip: p.ip, id: p.id, v6: p.v6}
	if !p.v6 {
		key.proto = p.proto
	}
	g := r.under[key]
	if g == nil {
		g = r.open(key, now)
	}
	if p.offset == 0 {
		g.proto = p.proto
	}
	return g
}

// ends notes the datagram's length if p is its last fragment. It returns false if that contradicts what has come before.
func (g *datagram) ends(p *piece) bool {
	if p.more {
		return true
	}
	end := p.offset + p.length
	if g.total >= 0 && g.total != end || len(g.runs) > 0 && g.runs[len(g.runs)-1].to > end {
		return false
	}
	g.total = end
	return true
}

// whole says whether every byte has come.
func (g *datagram) whole() bool {
	return g.total >= 0 && len(g.runs) == 1 && g.runs[0] == run{0, g.total}
}

// open starts a datagram.
func (r *reassembly) open(key fragmentKey, now int64) *datagram {
	g := &datagram{}
	if n := len(r.spare); n > 0 {
		g, r.spare = r.spare[n-1], r.spare[:n-1]
	}
	*g = datagram{key: key, born: now, total: -1, buf: g.buf[:0], runs: g.runs[:0]}
	g.spot = r.order.PushBack(g)
	r.under[key] = g
	r.held += datagramCost
	return g
}

// remove takes g out of the table without losing its bytes.
func (r *reassembly) remove(g *datagram) {
	delete(r.under, g.key)
	r.order.Remove(g.spot)
	r.held -= len(g.buf) + datagramCost
}

func (r *reassembly) drop(g *datagram) {
	r.remove(g)
	r.ready = append(r.ready, g)
}

// expire gives up datagrams whose other parts did not come in time.
func (r *reassembly) expire(now int64) {
	for e := r.order.Front(); e != nil; e = r.order.Front() {
		g := e.Value.(*datagram)
		if now-g.born < fragmentLife {
			return
		}
		r.expired++
		r.drop(g)
	}
}

// What insert found.
type inserted int

const (
	fresh inserted = iota
	duplicate
	overlap
)

// insert notes that [n.from, n.to) has come.
func (g *datagram) insert(n run) inserted {
	if g.total >= 0 && n.to > g.total {
		return overlap
	}
	i := 0
	for ; i < len(g.runs) && g.runs[i].from < n.to; i++ {
		if r := g.runs[i]; n.from < r.to { // they share bytes
			if n.from >= r.from && n.to <= r.to {
				return duplicate
			}
			return overlap
		}
	}
	if len(g.runs) >= maxPieces {
		return overlap
	}
	g.runs = append(g.runs, run{})
	copy(g.runs[i+1:], g.runs[i:])
	g.runs[i] = n
	g.merge()
	return fresh
}

// merge joins runs that touch.
func (g *datagram) merge() {
	out := g.runs[:1]
	for _, r := range g.runs[1:] {
		if last := &out[len(out)-1]; r.from <= last.to {
			last.to = max(last.to, r.to)
			continue
		}
		out = append(out, r)
	}
	g.runs = out
}
