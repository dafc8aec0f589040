package sensor

import "github.com/gnomon-sensor/gnomon/sensor/event"

// noteOf is what a restart has to know of a record that was just added, so that lines which come after it, and packets, count as if there had been
// none. A record that reaches the disk takes its note there with it, and one that does not has changed nothing.
func (e *Eyes) noteOf(r *record, v *seen) *event.EyesNote {
	n := &event.EyesNote{Eye: r.eye, Told: r.uploads, Newest: r.newest, Doubted: r.doubted, Visits: []event.SeenVisit{v.visit()}}
	for _, key := range r.keys {
		n.Visits[0].Keys = append(n.Visits[0].Keys, string(key[:]))
	}
	for _, other := range e.passed {
		n.Visits = append(n.Visits, other.visit())
	}
	e.passed = e.passed[:0]
	return n
}

func (v *seen) visit() event.SeenVisit {
	return event.SeenVisit{ID: v.id, First: v.first, Last: v.last, Owner: v.owner, Log: v.log, Packets: v.packets, From: v.from, ByUser: v.byUser}
}

// outcome is what became of a record.
type outcome struct {
	visit   string
	counted bool
}

// maxBeforeRestart bounds how many records of logs are known again, the latest; the lines behind the place up to which logs were read safely are
// those of a second or two.
const maxBeforeRestart = 1 << 17

// again has a record become what it became before the restart, if it was written then: its line is read again, for the place up to which lines were
// read is kept after what came of them. mu is held.
func (e *Eyes) again(ev *event.Event) bool {
	was, ok := e.written[ev.Event.ID]
	if !ok || ev.Log == nil || ev.Log.File == nil {
		return false
	}
	delete(e.written, ev.Event.ID)
	g := ev.Gnomon
	g.Visit.ID, g.Counted = was.visit, &was.counted
	r := e.record(ev)
	g.Visit.Eyes = &event.EyesNote{Eye: r.eye, Told: r.uploads, Newest: r.newest, Doubted: r.doubted}
	return true
}

// Recall makes eyes remember what was written after their state was kept.
type Recall struct {
	eyes *Eyes
	byID map[string]*seen // the visits that the state or a record told of
}

// Add takes a record as it was written, after those before it. One that the state knows of already may be among them, if those after it are.
func (r *Recall) Add(ev *event.Event) {
	if ev.Gnomon == nil || ev.Gnomon.Visit == nil || ev.Gnomon.Visit.Eyes == nil {
		return
	}
	note := ev.Gnomon.Visit.Eyes
	r.eyes.mu.Lock()
	defer r.eyes.mu.Unlock()
	if note.Eye != packetEye {
		r.written(ev)
		is := r.eyes.past[note.Eye]
		is.Told = is.Told || note.Told
		if note.Newest >= is.Newest {
			is.Newest, is.Doubted = note.Newest, note.Doubted
		}
		r.eyes.past[note.Eye] = is
	}
	for i := range note.Visits {
		r.visit(&note.Visits[i])
	}
}

// visit makes a visit what it was then. mu is held.
func (r *Recall) visit(n *event.SeenVisit) {
	v := r.byID[n.ID]
	if v == nil {
		v = &seen{id: n.ID}
		r.byID[n.ID] = v
	}
	v.first, v.last, v.owner, v.log = n.First, n.Last, n.Owner, n.Log
	v.packets, v.from, v.byUser = n.Packets, n.From, n.ByUser
	for _, key := range n.Keys {
		if len(key) == len(eyeKey{}) {
			r.eyes.enter(eyeKey([]byte(key)), v)
		}
	}
}

// written notes what became of a record of a log. mu is held.
func (r *Recall) written(ev *event.Event) {
	e := r.eyes
	if e.written == nil || len(e.written) >= maxBeforeRestart {
		e.written = map[string]outcome{}
	}
	e.written[ev.Event.ID] = outcome{ev.Gnomon.Visit.ID, ev.Gnomon.Counted != nil && *ev.Gnomon.Counted}
}
