package main

import (
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// maxVisitMarks bounds the visits that are remembered in each half of visitMarks, about 25 bytes each: as many as can be open (sensor.Visits).
const maxVisitMarks = 1 << 18

// visitMarks marks the counted records with which visits came to be known, and use in them. It remembers visits in two halves: when the younger
// one is full, the elder, which no record has touched for as long, goes. A visit that goes on after that, or after a restart, would be marked
// again.
type visitMarks struct{ young, old map[uint64]bool } // by a hash of their identifiers, whether there was use

// mark marks a record if it is the first of its visit, or the first of use.
func (v *visitMarks) mark(ev *event.Event) {
	if !marksVisit(ev) {
		return
	}
	visit, quiet := ev.Gnomon.Visit, ev.Gnomon.Use == query.UseBackground
	used, known := v.touch(hashOf(visit.ID), !quiet)
	visit.First = !quiet && !used
	visit.Background = quiet && !known || visit.First && known
}

// touch notes a visit, and whether there is use in it now; it returns whether there was before, and whether the visit was known.
func (v *visitMarks) touch(id uint64, use bool) (used, known bool) {
	used, known = v.young[id]
	if known {
		v.young[id] = used || use
		return used, true
	}
	used, known = v.old[id]
	if v.young == nil || len(v.young) >= maxVisitMarks {
		v.young, v.old = map[uint64]bool{}, v.young
	}
	v.young[id] = used || use
	return used, known
}

// known says whether a visit is remembered, and whether with use.
func (v *visitMarks) known(id uint64) (used, known bool) {
	if used, known = v.young[id]; known {
		return used, true
	}
	used, known = v.old[id]
	return used, known
}

// recall remembers what mark did to a record before a restart.
func (v *visitMarks) recall(ev *event.Event) {
	if marksVisit(ev) {
		v.touch(hashOf(ev.Gnomon.Visit.ID), ev.Gnomon.Use != query.UseBackground)
	}
}

// marksVisit says whether a record is one of those of which a visit consists.
func marksVisit(ev *event.Event) bool {
	return ev.Gnomon != nil && ev.Gnomon.Visit != nil && ev.Gnomon.Counted != nil && *ev.Gnomon.Counted
}
