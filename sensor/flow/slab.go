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
	// chunkFlows is how many flows one piece of the slab holds: 2 MiB, one huge page.
	chunkFlows = 2 << 20 / 128
	chunkShift = 14
	// stretchFlows is how many flows' memory is asked for at once where there are no huge pages.
	stretchFlows = 64 << 10 / 128
	memoryFor    = "the flow table (flow.max_flows)"
)

func (t *Table) at(slot uint32) *Flow {
	return &t.chunks[slot>>chunkShift][slot&(chunkFlows-1)]
}

// slot hands out a place in the slab.
func (t *Table) slot() (uint32, error) {
	if n := len(t.free); n > 0 {
		s := t.free[n-1]
		t.free = t.free[:n-1]
		return s, nil
	}
	if int(t.used) == len(t.chunks)*chunkFlows {
		chunk, err := hugepage.Make[Flow](chunkFlows, memoryFor, t.config.Lasting || len(t.chunks) > 0) // few flows need no huge page
		if err != nil {
			return 0, err
		}
		t.chunks = append(t.chunks, chunk)
	}
	if t.used < chunkFlows && t.used%stretchFlows == 0 && !t.config.Lasting {
		hugepage.Touch(t.chunks[0][t.used:][:stretchFlows])
	}
	t.used++
	return t.used - 1, nil
}

func (t *Table) find(seg *decode.Segment) *Flow {
	if seg.Near < t.used {
		if f := t.at(seg.Near); f.State&Live != 0 && f.Key.Same(&seg.Key) {
			return f
		}
	}
	return t.search(seg)
}

func (t *Table) search(seg *decode.Segment) *Flow {
	tag := uint32(seg.Hash)
	for i := tag & t.mask; ; i = (i + 1) & t.mask {
		b := t.index[i]
		if b.slot == 0 {
			return nil
		}
		if b.tag == tag {
			if f := t.at(b.slot - 1); f.Key.Same(&seg.Key) {
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
	i := f.tag & t.mask
	for t.index[i].slot != f.slot+1 {
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
	index, err := hugepage.Make[bucket](n, memoryFor, t.config.Lasting || n*bucketSize >= chunkFlows*flowSize)
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
