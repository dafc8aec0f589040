package main

import "github.com/gnomon-sensor/gnomon/sensor/event"

// maxVisitMarks bounds the visits that are remembered in each half of visitMarks, about 60 bytes each.
const maxVisitMarks = 1 << 17

// visitMarks marks the first counted record of each visit. It remembers visits in two halves: when the younger one is full, the elder, which no
// record has touched for as long, goes. A visit that goes on after that, or after a restart, would be marked again.
type visitMarks struct{ young, old map[string]struct{} }

// mark marks a record if it is the first of its visit.
func (v *visitMarks) mark(ev *event.Event) {
	if ev.Gnomon == nil || ev.Gnomon.Visit == nil || ev.Gnomon.Counted == nil || !*ev.Gnomon.Counted {
		return
	}
	id := ev.Gnomon.Visit.ID
	if _, known := v.young[id]; known {
		return
	}
	_, known := v.old[id]
	if v.young == nil || len(v.young) >= maxVisitMarks {
		v.young, v.old = map[string]struct{}{}, v.young
	}
	v.young[id] = struct{}{}
	ev.Gnomon.Visit.First = !known
}
