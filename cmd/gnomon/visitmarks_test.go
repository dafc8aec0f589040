package main

import (
	"fmt"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// One counted record of each visit is marked, the first of use, as long as the visit is remembered; background before it is, too.
func TestVisitMarks(t *testing.T) {
	of := func(id string, counted bool, use string) *event.Event {
		return &event.Event{Gnomon: &event.Gnomon{Visit: &event.Visit{ID: id}, Counted: &counted, Use: use}}
	}
	record := func(id string, counted bool) *event.Event { return of(id, counted, "interactive") }
	var v visitMarks
	for i, c := range []struct {
		name string
		ev   *event.Event
		want bool
		calm bool
	}{
		{"not counted", record("a", false), false, false}, {"first", record("a", true), true, false}, {"second", record("a", true), false, false},
		{"another visit", record("b", true), true, false}, {"first again", record("a", true), false, false},
		{"background after use", of("a", true, "background"), false, false}, {"background", of("c", true, "background"), false, true},
		{"more of it", of("c", true, "background"), false, false}, {"use after all", of("c", true, "unknown"), true, true},
		{"more use", record("c", true), false, false}, {"background again", of("c", true, "background"), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if v.mark(c.ev); c.ev.Gnomon.Visit.First != c.want || c.ev.Gnomon.Visit.Background != c.calm {
				t.Errorf("record %d: marked %+v", i, c.ev.Gnomon.Visit)
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
