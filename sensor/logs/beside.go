package logs

import (
	"slices"
	"strings"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	// maxHeld bounds how many records wait for use of their service; beyond it the oldest are given up.
	maxHeld = 1 << 12
	// holdFor is how long they wait, in log time: as long as a visit may pause.
	holdFor = 30 * 60 * second
)

// holder is one client's use of one service.
type holder struct{ client, service string }

// held are records of names that are no use by themselves, until their client is seen to use the service: a page's files may be logged before
// the page, and a tunnel when it ends.
type held struct {
	by    map[holder][]*event.Event
	order []holder // of all that wait, oldest first; some may be released
	n     int
}

func newHeld() held { return held{by: map[holder][]*event.Event{}} }

// beside offers a record whose name is no use by itself if its client uses the service at that time, else it holds it, and says whether it
// was offered. A name that other products share is written only after such use, and not counted: it may be theirs.
func (a *Activities) beside(ev *event.Event, v classifiers.Verdict) bool {
	if v.Shared() {
		counted := false
		ev.Gnomon.Counted = &counted
	}
	if a.joins(ev) {
		return true
	}
	if !v.Shared() && *ev.Gnomon.Counted {
		a.held.add(ev)
	}
	return false
}

// joins offers a record within the visit that it lies in, if there is one.
func (a *Activities) joins(ev *event.Event) bool {
	id, ok := a.config.Visits.Join(client(ev), ev.Gnomon.Service.ID, int64(ev.Event.Start), int64(ev.Event.End))
	if ok {
		ev.Gnomon.Visit = &event.Visit{ID: id}
		a.sink.Offer(ev)
	}
	return ok
}

// release offers what waited for the use that ev is.
func (a *Activities) release(ev *event.Event) {
	if a.held.n == 0 {
		return
	}
	key := holder{client(ev), ev.Gnomon.Service.ID}
	waiting := a.held.by[key]
	if len(waiting) == 0 {
		return
	}
	delete(a.held.by, key)
	a.held.n -= len(waiting)
	for _, other := range waiting {
		if !a.joins(other) && int64(ev.Timestamp-other.Timestamp) < holdFor {
			a.held.add(other)
		}
	}
}

// add holds a record, and gives up those that have waited for too long.
func (h *held) add(ev *event.Event) {
	key := holder{client(ev), ev.Gnomon.Service.ID}
	h.by[key] = append(h.by[key], ev)
	h.order = append(h.order, key)
	h.n++
	for len(h.order) > 0 {
		oldest := h.by[h.order[0]]
		if h.n <= maxHeld && len(h.order) <= 2*maxHeld && len(oldest) > 0 && int64(ev.Timestamp-oldest[0].Timestamp) <= holdFor {
			return
		}
		if len(oldest) > 1 {
			h.by[h.order[0]] = oldest[1:]
		} else {
			delete(h.by, h.order[0])
		}
		h.n -= min(len(oldest), 1)
		h.order = h.order[1:]
	}
}

// list returns the records that wait, those of the oldest lines first.
func (h *held) list() []*event.Event {
	var all []*event.Event
	for _, waiting := range h.by {
		all = append(all, waiting...)
	}
	slices.SortFunc(all, func(a, b *event.Event) int { return strings.Compare(a.Event.ID, b.Event.ID) })
	return all
}
