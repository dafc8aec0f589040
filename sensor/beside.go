package sensor

import (
	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// held is what a flow has carried for a service that nobody was seen to use yet: its name is none of use by itself. It waits for as long as
// a visit may pause, and as long as the flow is open.
type held struct {
	slice    flow.Slice // where it begins
	uploaded event.Upload
	known    bool // what was uploaded
}

// noteUse opens the visit of a use as soon as its name is read, so that what lies beside it is known for what it is, whichever record is
// written first. A certificate may yet take back what only the address says.
func (s *Sensor) noteUse(f *flow.Flow, at int64, m *meaning) {
	if s.config.All || !m.verdict.Use() || m.class == classifiers.ClassIPFromDNS {
		return
	}
	who, _ := s.person(f.Key.Address(f.Client()).Addr().String(), m.verdict.Service.ID, at)
	s.config.Visits.Use(s.config.Observer.ID, who, m.verdict.Service.ID, f.First, at)
}

// mayBeBeside says whether a name that is no use by itself is worth keeping. A supporting one may come before the use, as a page's files do. A
// shared one is another product's most of the time (they were 13,000 of 400,000 connections in a made-up storm, and to keep them all cost a
// tenth more), so that it is kept only where the client was seen to use the service before.
func (s *Sensor) mayBeBeside(f *flow.Flow, at int64, v classifiers.Verdict) bool {
	if s.config.All || !v.Shared() {
		return !s.config.All
	}
	who, _ := s.person(f.Key.Address(f.Client()).Addr().String(), v.Service.ID, at)
	_, ok := s.config.Visits.Join(who, v.Service.ID, at, at)
	return ok
}

// yields says that an observation is no use by itself and stands within a CONNECT to a service, which says more.
func (st *story) yields(o *evidence.Observation, v classifiers.Verdict) bool {
	return o.Class == classifiers.ClassSNI && st.method == "CONNECT" && !v.Use() && st.verdict.Use()
}

// beside writes what a flow whose name is no use by itself has carried, if its client uses the service at that time; else it holds it. The
// figures of a name that other products share are not counted: they may be theirs.
func (s *Sensor) beside(f *flow.Flow, side *flow.Side, st *story, end flow.End) {
	slice := side.Slice
	if st.held != nil {
		if f.Last-st.held.slice.Start > visitPause {
			st.drop()
		} else {
			slice = st.held.slice
		}
	}
	service := st.verdict.Service.ID
	who, onward := s.person(f.Key.Address(f.Client()).Addr().String(), service, slice.Start)
	id, ok := s.config.Visits.Join(who, service, slice.Start, f.Last)
	if !ok {
		st.held = &held{slice: slice}
		st.held.uploaded, st.held.known = s.uploaded(f, st)
		return
	}
	st.held = nil
	ev := s.sliceEvent(f, &slice, st, end)
	s.setVerdict(ev, st)
	st.onward = st.onward || onward && ev.Gnomon.Flow.Slice == 0
	s.draft.setVisit(id, !st.onward && !st.verdict.Shared())
	s.offerSliceEvent(ev, f, &slice, st)
}

// lastCall has what a flow still holds looked at when it ends, even if no segment came since the slice before.
func lastCall(f *flow.Flow, side *flow.Side) {
	if side == nil || side.Slice.Pending {
		return
	}
	if st, _ := side.Owner.(*story); st != nil && st.held != nil {
		side.Slice.Pending, side.Slice.Start = true, f.Last
	}
}

// drop gives up what is held: nobody used the service in time, or the flow goes on to another.
func (st *story) drop() {
	if st.held != nil && st.held.known {
		st.delta(st.held.uploaded)
	}
	st.held = nil
}

// pending returns the slice to write: with what was held before the flow showed a name of use.
func (st *story) pending(slice *flow.Slice) *flow.Slice {
	if st.held == nil {
		return slice
	}
	slice = &st.held.slice
	st.held = nil
	return slice
}
