package main

import (
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// maxVisitMarks bounds the visits that are remembered in each half of visitMarks, about 60 bytes each.
const maxVisitMarks = 1 << 17

// visitMarks marks the counted records with which visits came to be known, and use in them. It remembers visits in two halves: when the younger
// one is full, the elder, which no record has touched for as long, goes. A visit that goes on after that, or after a restart, would be marked
// again.
type visitMarks struct{ young, old map[string]bool } // whether there was use

// mark marks a record if it is the first of its visit, or the first of use.
func (v *visitMarks) mark(ev *event.Event) {
	if ev.Gnomon == nil || ev.Gnomon.Visit == nil || ev.Gnomon.Counted == nil || !*ev.Gnomon.Counted {
		return
	}
	visit, quiet := ev.Gnomon.Visit, ev.Gnomon.Use == query.UseBackground
	used, young := v.young[visit.ID]
	known := young
	if !young {
		used, known = v.old[visit.ID]
	}
	visit.First = !quiet && !used
	visit.Background = quiet && !known || visit.First && known
	if young && (used || quiet) {
		return
	}
	if v.young == nil || !young && len(v.young) >= maxVisitMarks {
		v.young, v.old = map[string]bool{}, v.young
	}
	v.young[visit.ID] = used || !quiet
}
