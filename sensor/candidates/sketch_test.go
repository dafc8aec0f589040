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

// What a table knows of a name's clients is all of them, also those that it noted last.
func TestSketchOfTable(t *testing.T) {
	for _, clients := range []int{1, 3, 5, 6, 12, 13, 14, 300} {
		table := New(Config{Key: [2]uint64{1, 2}})
		var all Sketch
		for i := range clients {
			table.See([]byte("chat.example"), client(i), at(0))
			table.See([]byte("also.example"), client(i%7), at(0))
			all.add(split(table.sketch(client(i))))
		}
		for range 2 { // a look takes nothing away
			if got := find(t, table.Open()[0], "chat.example").Clients; got != all {
				t.Errorf("of %d clients the table has %v, want %v", clients, got, all)
			}
		}
	}
}
