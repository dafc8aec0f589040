package pdns

import (
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/hugepage"
	"github.com/gnomon-sensor/gnomon/sensor/prefetch"
)

// batch is how many addresses of an answer are learned at once.
const batch = 16

// late is the answer that was learned last in a table of one worker. Its places are on their way to the cache, and it goes into them when the next
// one comes or something is looked up: answers fall anywhere in a table of many megabytes, and waiting for the places of each was a quarter of the
// processor time of DNS traffic.
type late struct {
	known  int // addresses
	keys   [2 * batch]uint64
	expiry [batch]uint32
	now    uint32
	sum    uint32
	length int
	name   [maxName]byte
}

// postpone settles the answer before and keeps this one.
func (t *Table) postpone(client decode.Address, n *answer, told []Told) {
	t.settle()
	l, s := &t.late, &t.shard[0]
	l.known, l.now, l.sum, l.length = len(told), n.now, n.sum, copy(l.name[:], n.name)
	for i := range told {
		place := t.place(told[i].Addr)
		l.keys[2*i], l.keys[2*i+1] = t.key(place, client), t.key(place, everyone)
		l.expiry[i] = n.expires(&told[i])
	}
	for _, key := range l.keys[:2*len(told)] {
		t.touch(s, key)
		set := t.set(s, key)
		prefetch.At(&set[0])
		prefetch.At(&set[ways/2]) // two lines
	}
}

// settle puts the answer that is kept where it belongs.
func (t *Table) settle() {
	l, s := &t.late, &t.shard[0]
	n := answer{name: l.name[:l.length], sum: l.sum, now: l.now}
	for i := range l.known {
		n.expiry = l.expiry[i]
		for _, key := range l.keys[2*i : 2*i+2] {
			s.learn(t.set(s, key), key, &n)
		}
	}
	l.known = 0
}

// stretch is how many entries' memory is asked for at once: 64 KiB.
const stretch = 64 << 10 / entrySize

// touch has the memory of a key's set there, and what lies around it: answers fall anywhere in the table, and page by page it was 4,096 faults
// that way instead of 128.
func (t *Table) touch(s *shard, key uint64) {
	n := int(key>>8&t.mask*ways) / stretch
	if t.there[n] {
		return
	}
	t.there[n] = true
	hugepage.Touch(s.slots[n*stretch : min((n+1)*stretch, len(s.slots))])
}
