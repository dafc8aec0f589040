package flow

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

const second = int64(1e9)

// newRand is a source of numbers that are the same in every run.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) }

// keyOf makes a five-tuple: the client is side A and has port 40000 or higher, the server is side B with port 443.
func keyOf(n int, proto uint32) decode.Key {
	v4 := uint64(0xffff) << 32
	return decode.Key{A: decode.Address{Lo: v4 | 0x0a000000 | uint64(n>>12)}, B: decode.Address{Lo: v4 | 0xc0000201},
		Ports: uint32(40000+n&0xfff)<<16 | 443, Proto: proto}
}

// hashOf stands for the decoder's, which is seeded.
func hashOf(k decode.Key) uint64 {
	h := (k.A.Lo ^ uint64(k.Ports)<<20 ^ uint64(k.Proto)) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

func tcpSeg(n int, time int64, dir uint8, seq uint32, length int, flags uint8) decode.Segment {
	k := keyOf(n, decode.TCP)
	return decode.Segment{Key: k, Hash: hashOf(k), Time: time, Dir: dir, Seq: seq, Len: uint32(length), Flags: flags, Payload: make([]byte, length)}
}

func udpSeg(n int, time int64, dir uint8, length int) decode.Segment {
	k := keyOf(n, decode.UDP)
	return decode.Segment{Key: k, Hash: hashOf(k), Time: time, Dir: dir, Len: uint32(length), Payload: make([]byte, length)}
}

// emitted is what a recorder keeps of a slice or an end.
type emitted struct {
	key         decode.Key
	matched     bool
	number      uint32
	start, last int64
	bytes       [2]uint64 // of the slice; totals of flows that are not matched
	packets     [2]uint32
	end         End
	state       State
}

// recorder is a table's owner that keeps everything.
type recorder struct {
	t       testing.TB
	emitted []emitted
	ending  int
}

func (r *recorder) Soon(*Flow) {}

func (r *recorder) Ending(f *Flow, _ *Side) { r.ending++ }

func (r *recorder) Emit(f *Flow, side *Side, end End) {
	e := emitted{key: f.Key, start: f.First, last: f.Last, end: end, state: f.State}
	if f.Has(Matched) {
		e.matched, e.start, e.number = true, side.Slice.Start, side.Slice.Number
	}
	for d := range f.Half {
		e.bytes[d], e.packets[d] = f.Half[d].Bytes, f.Half[d].Packets
		if e.matched {
			e.bytes[d] -= side.Slice.Bytes[d]
			e.packets[d] -= side.Slice.Packets[d]
		}
	}
	r.emitted = append(r.emitted, e)
}

// sorted is the set of what was emitted, in an order of its own.
func (r *recorder) sorted() []emitted {
	all := slices.Clone(r.emitted)
	slices.SortFunc(all, func(a, b emitted) int {
		return cmp.Or(cmp.Compare(a.key.Ports, b.key.Ports), cmp.Compare(a.key.A.Lo, b.key.A.Lo), cmp.Compare(a.key.Proto, b.key.Proto),
			cmp.Compare(a.start, b.start), cmp.Compare(a.last, b.last), cmp.Compare(a.number, b.number), cmp.Compare(a.end, b.end),
			cmp.Compare(a.packets[0]+a.packets[1], b.packets[0]+b.packets[1]))
	})
	return all
}

// total sums the bytes of every slice.
func (r *recorder) total() (bytes [2]uint64) {
	for _, e := range r.emitted {
		bytes[0] += e.bytes[0]
		bytes[1] += e.bytes[1]
	}
	return bytes
}

func newTable(t testing.TB, config Config) (*Table, *recorder) {
	t.Helper()
	r := &recorder{t: t}
	table, err := New(config, r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(table.Close)
	return table, r
}

// put opens and counts segments, and returns the flow of the last.
func put(t testing.TB, table *Table, segs ...decode.Segment) *Flow {
	t.Helper()
	var f *Flow
	for i := range segs {
		var err error
		if f, err = table.Open(&segs[i]); err != nil {
			t.Fatal(err)
		}
		table.Add(f, &segs[i])
	}
	return f
}
