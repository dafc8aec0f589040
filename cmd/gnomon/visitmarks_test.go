package main

import (
	"fmt"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// One counted record of each visit is marked, the first, as long as the visit is remembered.
func TestVisitMarks(t *testing.T) {
	record := func(id string, counted bool) *event.Event {
		return &event.Event{Gnomon: &event.Gnomon{Visit: &event.Visit{ID: id}, Counted: &counted}}
	}
	var v visitMarks
	for i, c := range []struct {
		name string
		ev   *event.Event
		want bool
	}{
		{"not counted", record("a", false), false}, {"first", record("a", true), true}, {"second", record("a", true), false},
		{"another visit", record("b", true), true}, {"first again", record("a", true), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if v.mark(c.ev); c.ev.Gnomon.Visit.First != c.want {
				t.Errorf("record %d: marked %v", i, c.ev.Gnomon.Visit.First)
			}
		})
	}
	for i := range 3 * maxVisitMarks {
		v.mark(record(fmt.Sprint(i), true))
		if i%maxVisitMarks == 7 { // goes on all the time
			again := record("a", true)
			if v.mark(again); again.Gnomon.Visit.First {
				t.Fatalf("a visit that goes on was marked again after %d others", i)
			}
		}
	}
	if n := len(v.young) + len(v.old); n > 2*maxVisitMarks {
		t.Errorf("%d visits are remembered", n)
	}
	v.mark(&event.Event{})
}
