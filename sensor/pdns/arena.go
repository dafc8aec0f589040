package pdns

import "bytes"

// maxName is the longest name that is kept (RFC 1035, section 3.1).
const maxName = 255

// ref is a name in an arena: how many bytes were written to the arena before it, times 256, plus its length. 0 is no name.
type ref uint64

func (r ref) len() int   { return int(r & 0xff) }
func (r ref) at() uint64 { return uint64(r >> 8) }

// arena keeps names in a ring: new ones write over the oldest. A ref whose place was written over is known by its distance from the end.
type arena struct {
	ring   []byte
	end    uint64 // bytes written so far
	recent [1 << 10]lately
}

// lately is a name that was put a short while ago.
type lately struct {
	name ref
	sum  uint32
}

func (a *arena) init(size int) { a.ring = make([]byte, size) }

// put keeps name, or finds it again if it was put lately.
func (a *arena) put(name []byte, sum uint32) ref {
	was := &a.recent[sum>>8&(1<<10-1)]
	if was.sum == sum && was.name.len() == len(name) && a.holds(was.name) && bytes.Equal(a.bytes(was.name), name) {
		return was.name
	}
	if left := len(a.ring) - int(a.end%uint64(len(a.ring))); left < len(name) {
		a.end += uint64(left) // a name lies in one piece
	}
	r := ref(a.end<<8 | uint64(len(name)))
	*was = lately{r, sum}
	copy(a.bytes(r), name)
	a.end += uint64(len(name))
	return r
}

// holds says whether the name has not been written over.
func (a *arena) holds(r ref) bool { return r.len() > 0 && a.end-r.at() <= uint64(len(a.ring)) }

func (a *arena) bytes(r ref) []byte {
	at := int(r.at() % uint64(len(a.ring)))
	return a.ring[at : at+r.len()]
}

// get appends the name to buf.
func (a *arena) get(r ref, buf []byte) ([]byte, bool) {
	if !a.holds(r) {
		return buf, false
	}
	return append(buf, a.bytes(r)...), true
}
