package flow

import (
	"unsafe"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/prefetch"
)

// Group is how many segments Flows looks after at once.
const Group = prefetch.Group

// Buckets asks for the places of the index where segments will be looked up. It is called as soon as they are decoded, Flows some time
// after it.
func (t *Table) Buckets(segments []decode.Segment) {
	for len(segments) > 0 {
		var at [Group]uintptr
		group := segments[:min(len(segments), Group)]
		for i := range at {
			at[i] = uintptr(unsafe.Pointer(&t.index[uint32(group[min(i, len(group)-1)].Hash)&t.mask]))
		}
		prefetch.Lines(&at)
		segments = segments[len(group):]
	}
}

// Flows asks for the flows of the first Group of segments, whose buckets should be there by now, and leaves word where Open will find them.
// It is called while the Group before is dealt with, so that memory and processor work at the same time.
//
// Measured on small packets of 60,000 flows: 0.63 s instead of 0.73 for 4.6 million, against loads of a whole batch at once, which in
// their turn took half of what look-ups one by one take.
func (t *Table) Flows(segments []decode.Segment) {
	if t.used == 0 || len(segments) == 0 {
		return
	}
	var at [Group]uintptr
	group := segments[:min(len(segments), Group)]
	for i := range group {
		s := &group[i]
		at[i] = uintptr(unsafe.Pointer(t.at(t.peek(s))))
	}
	for i := len(group); i < Group; i++ {
		at[i] = at[0]
	}
	prefetch.Lines(&at)
}

// peek returns the slot of the flow that find will most likely look at, any slot if there is none, and notes in the segment where the index says so.
func (t *Table) peek(seg *decode.Segment) uint32 {
	const near = 8 // buckets of a cache line
	tag := uint32(seg.Hash)
	for i := range uint32(near) {
		b := t.index[(tag+i)&t.mask]
		if b.slot == 0 {
			break
		}
		if b.tag == tag {
			seg.Near = tag + i
			return b.slot - 1
		}
	}
	return 0
}
