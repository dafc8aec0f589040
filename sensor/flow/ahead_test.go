package flow

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

// Where a flow was a moment ago is a guess: whatever has become of the place, the segment's own flow is found.
func TestNearIsAGuess(t *testing.T) {
	for _, tt := range []struct {
		name   string
		near   func(own uint32) uint32
		before func(table *Table, own *Flow, seg *decode.Segment)
		known  bool
	}{
		{name: "right", near: func(own uint32) uint32 { return own }, known: true},
		{name: "another's", near: func(own uint32) uint32 { return own + 1 }, known: true},
		{name: "out of the table", near: func(uint32) uint32 { return 1 << 30 }, known: true},
		{name: "not handed out yet", near: func(uint32) uint32 { return 5 }, known: true},
		{name: "ended", near: func(own uint32) uint32 { return own }, before: func(table *Table, own *Flow, _ *decode.Segment) { table.end(own, EndIdle) }},
		{name: "moved", near: func(own uint32) uint32 { return own }, known: true, before: func(table *Table, own *Flow, seg *decode.Segment) {
			table.end(own, EndIdle)
			put(t, table, udpSeg(7, 0, 0, 1), *seg) // the place goes to another flow first
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table, _ := newTable(t, Default())
			seg := udpSeg(1, 0, 0, 100)
			own := put(t, table, seg)
			put(t, table, udpSeg(2, 0, 0, 100))
			seg.Near = tt.near(own.Slot())
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
		if f := table.Find(&segs[i]); f == nil || f.Slot() != segs[i].Near {
			t.Errorf("segment %d: its flow is %+v, word was left of %d", i, f, segs[i].Near)
		}
	}
}
