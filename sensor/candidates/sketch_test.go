package candidates

import (
	"math"
	"testing"
)

// The sketch counts a few clients exactly and many within its error, in whichever order and however often they come.
func TestSketch(t *testing.T) {
	for _, c := range []struct {
		clients int
		within  float64 // of the number
	}{{0, 0}, {1, 0}, {2, 0.5}, {5, 0.25}, {20, 0.25}, {100, 0.35}, {1000, 0.4}, {20_000, 0.4}} {
		table := New(Config{Key: [2]uint64{1, 2}})
		var s Sketch
		for range 3 {
			for i := range c.clients {
				s.add(split(table.sketch(client(i * 7))))
			}
		}
		if got := float64(s.Count()); math.Abs(got-float64(c.clients)) > c.within*float64(c.clients) {
			t.Errorf("%d clients count as %v", c.clients, got)
		}
	}
}

// Two days with the same key have the same clients in common; with another key nobody can tell.
func TestSketchMerge(t *testing.T) {
	table := New(Config{Key: [2]uint64{1, 2}})
	var a, b Sketch
	for i := range 10 {
		a.add(split(table.sketch(client(i))))
		b.add(split(table.sketch(client(i + 5))))
	}
	a.Merge(&b)
	if got := a.Count(); got < 12 || got > 18 {
		t.Errorf("15 clients of two days count as %d", got)
	}
	if other := New(Config{Key: [2]uint64{3, 4}}); other.sketch(client(1)) == table.sketch(client(1)) {
		t.Error("the key changes nothing")
	}
}
