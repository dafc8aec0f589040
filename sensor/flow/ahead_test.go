package flow

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

// Where the index knew a flow a moment ago is a guess: whatever has become of the place, the segment's own flow is found.
func TestNearIsAGuess(t *testing.T) {
	for _, tt := range []struct {
		name   string
		near   func(own, other uint32) uint32
		before func(table *Table, own *Flow, seg *decode.Segment)
		known  bool
	}{
		{name: "right", near: func(own, _ uint32) uint32 { return own }, known: true},
		{name: "another's", near: func(_, other uint32) uint32 { return other }, known: true},
		{name: "empty", near: func(own, _ uint32) uint32 { return own + 100 }, known: true},
		{name: "out of the index", near: func(own, _ uint32) uint32 { return own | 1<<30 }, known: true},
		{name: "ended", near: func(own, _ uint32) uint32 { return own }, before: func(table *Table, own *Flow, _ *decode.Segment) { table.end(own, EndIdle) }},
		{name: "moved", near: func(own, _ uint32) uint32 { return own }, known: true, before: func(table *Table, own *Flow, seg *decode.Segment) {
			table.end(own, EndIdle)
			twin := udpSeg(7, 0, 0, 1)
			twin.Hash = seg.Hash ^ 1<<40
			put(t, table, twin, *seg) // the place goes to another flow first
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table, _ := newTable(t, Default())
			segs := []decode.Segment{udpSeg(1, 0, 0, 100), udpSeg(2, 0, 0, 100)}
			put(t, table, segs...)
			table.Flows(segs)
			own, seg := table.Find(&segs[0]), segs[0]
			seg.Near = tt.near(segs[0].Near, segs[1].Near)
			if tt.before != nil {
				tt.before(table, own, &seg)
			}
			f := table.Find(&seg)
			if (f != nil) != tt.known {
				t.Fatalf("found %v", f)
			}
			if f != nil && (f.Key != seg.Key || f.State&Live == 0) {
				t.Errorf("found %+v", f)
			}
		})
	}
}

// Flows whose hashes are half the same are two, wherever the index is asked first.
func TestHalfTheHash(t *testing.T) {
	table, _ := newTable(t, Default())
	segs := []decode.Segment{udpSeg(1, 0, 0, 100), udpSeg(2, 0, 0, 100), udpSeg(3, 0, 0, 100)}
	segs[1].Hash, segs[2].Hash = segs[0].Hash^1<<32, segs[0].Hash^1<<63
	put(t, table, segs...)
	for _, near := range []uint32{0, 1, 2, 1 << 20} {
		for i := range segs {
			segs[i].Near = uint32(segs[i].Hash) + near
			if f := table.Find(&segs[i]); f == nil || f.Key != segs[i].Key {
				t.Errorf("segment %d: found %+v", i, f)
			}
		}
	}
}

func TestFlowsLeavesWord(t *testing.T) {
	table, _ := newTable(t, Default())
	var none []decode.Segment
	table.Buckets(none)
	table.Flows(none)
	segs := spread(1000, 3*Group+5)
	table.Buckets(segs)
	table.Flows(segs) // there is no flow yet
	put(t, table, segs...)
	for i := 0; i < len(segs); i += Group {
		table.Buckets(segs[i:])
		table.Flows(segs[i:])
	}
	for i := range segs {
		f := table.Find(&segs[i])
		if f == nil {
			t.Fatalf("segment %d: no flow", i)
		}
		if b := table.index[segs[i].Near&table.mask]; b.slot != table.Slot(f)+1 {
			t.Errorf("segment %d: its flow is in slot %d, word was left of %d", i, table.Slot(f), b.slot-1)
		}
	}
}
