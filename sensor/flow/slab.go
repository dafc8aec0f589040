package flow

import (
	"unsafe"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/hugepage"
)

// bucket is one place of the index: the lower half of the key's hash, which also says where in the index it belongs, and a slot of the
// slab plus one (0: empty). With the hash beside it, a bucket can be moved without a look at its flow.
type bucket struct {
	tag  uint32
	slot uint32
}

const (
	flowSize   = int(unsafe.Sizeof(Flow{}))
	bucketSize = int(unsafe.Sizeof(bucket{}))
	// maxLoad is how many of eight buckets may be in use. Where a second one has to be looked at, the processor has guessed wrong: with six of eight, as
	// tables often have them, bulk took 5 % longer and small packets 7 %; two of eight are no better.
	maxLoad = 3
	// chunkShift is by how much slots are counted in a piece of the slab: one piece is all that there may be, but where addresses have 32 bits. There it
	// is fewFlows.
	chunkShift = 14 + 18*(^uint(0)>>63)
	// fewFlows is how many need no huge pages: 2 MiB, one of them.
	fewFlows = 1 << 14
	// stretchFlows is how many flows' memory is asked for at once where there are no huge pages.
	stretchFlows = 64 << 10 / 128
	memoryFor    = "the flow table (flow.max_flows)"
)

func (t *Table) at(slot uint32) *Flow {
	if chunkShift == 32 {
		return &t.first[slot] // 1 % of bulk less than to look which
	}
	return &t.chunks[uint64(slot)>>chunkShift][uint64(slot)&(1<<chunkShift-1)]
}

// Slot is a small number that no other flow of the table has until this one has ended.
func (t *Table) Slot(f *Flow) uint32 {
	for i, chunk := range t.chunks {
		if at := (uintptr(unsafe.Pointer(f)) - uintptr(unsafe.Pointer(unsafe.SliceData(chunk)))) / uintptr(flowSize); at < uintptr(len(chunk)) {
			return uint32(uint64(i)<<chunkShift + uint64(at))
		}
	}
	return 0 // it is no flow of the table
}

// lay adds a piece to the slab. Memory for its flows is there when they are.
func (t *Table) lay() error {
	flows := max(t.config.MaxFlows, 1)
	if chunkShift < 32 {
		flows = fewFlows
	}
	chunk, err := hugepage.Make[Flow](flows, memoryFor, t.config.Lasting || len(t.chunks) > 0)
	if err != nil {
		return err
	}
	if flows > fewFlows && !t.config.Lasting {
		hugepage.Advise(chunk[fewFlows:])
	}
	t.chunks, t.room = append(t.chunks, chunk), t.room+flows
	t.first = t.chunks[0]
	return nil
}

// slot hands out a place in the slab.
func (t *Table) slot() (uint32, error) {
	if n := len(t.free); n > 0 {
		s := t.free[n-1]
		t.free = t.free[:n-1]
		return s, nil
	}
	if int(t.used) == t.room {
		if err := t.lay(); err != nil {
			return 0, err
		}
	}
	if t.used < fewFlows && t.used%stretchFlows == 0 && !t.config.Lasting {
		hugepage.Touch(t.chunks[0][t.used:min(int(t.used)+stretchFlows, len(t.chunks[0]))])
	}
	t.used++
	return t.used - 1, nil
}

// find returns the flow of a segment, or nil. A flow is known by the 64 bits of its key's hash, which hangs on a secret of the process: of the key,
// which lies in the other cache line, nothing is read. With 10,000 new flows a second among 400,000, two would be taken for one in 150 years once.
func (t *Table) find(seg *decode.Segment) *Flow {
	if b := t.index[seg.Near&t.mask]; b.slot != 0 && b.tag == uint32(seg.Hash) {
		if f := t.at(b.slot - 1); f.mark == uint32(seg.Hash>>32) {
			return f
		}
	}
	return t.search(seg)
}

func (t *Table) search(seg *decode.Segment) *Flow {
	tag, mark := uint32(seg.Hash), uint32(seg.Hash>>32)
	for i := tag & t.mask; ; i = (i + 1) & t.mask {
		b := t.index[i]
		if b.slot == 0 {
			return nil
		}
		if b.tag == tag {
			if f := t.at(b.slot - 1); f.mark == mark {
				return f
			}
		}
	}
}

func (t *Table) insert(tag, slot uint32) {
	i := tag & t.mask
	for t.index[i].slot != 0 {
		i = (i + 1) & t.mask
	}
	t.index[i] = bucket{tag: tag, slot: slot + 1}
}

// unlink takes f out of the index and closes the gap behind it (Knuth, volume 3, section 6.4, algorithm R).
func (t *Table) unlink(f *Flow) {
	i, slot := f.tag&t.mask, t.Slot(f)
	for t.index[i].slot != slot+1 {
		i = (i + 1) & t.mask
	}
	for j := (i + 1) & t.mask; t.index[j].slot != 0; j = (j + 1) & t.mask {
		if home := t.index[j].tag & t.mask; (j-home)&t.mask >= (j-i)&t.mask {
			t.index[i] = t.index[j]
			i = j
		}
	}
	t.index[i] = bucket{}
}

// resize makes an index of n buckets, a power of two.
func (t *Table) resize(n int) error {
	index, err := hugepage.Make[bucket](n, memoryFor, t.config.Lasting || n*bucketSize >= 2<<20)
	if err != nil {
		return err
	}
	hugepage.Touch(index) // it is a third full at once, all over
	old := t.index
	t.index, t.mask = index, uint32(n-1)
	for _, b := range old {
		if b.slot != 0 {
			t.insert(b.tag, b.slot-1)
		}
	}
	hugepage.Free(old)
	return nil
}
