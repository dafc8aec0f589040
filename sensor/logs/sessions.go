package logs

import (
	"net/netip"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	// maxSessions bounds how many sessions of AI services are open at once; beyond it the one that began first is forgotten, and its end
	// counts as a flow of its own.
	maxSessions = 1 << 15
	// sessionIdle is how long after its last record a session's number may stand for another one, in log time.
	sessionIdle = 24 * 3600 * second
)

// sessionKey tells sessions apart: firewalls use their numbers again, and each record has both addresses.
type sessionKey struct {
	client, server netip.Addr
	id             string
}

// session is what the records of one session have said.
type session struct {
	key      sessionKey
	flow     string // identifier
	slices   uint32
	host     string
	verdict  classifiers.Verdict
	last     int64
	up, down uint64 // accounted for by earlier records
}

// sessions ties together the records of a session of which one has the name and another the bytes, or of which each has a running total.
// Only those of AI services are held.
type sessions struct {
	byKey map[sessionKey]*session
	order []*session // oldest first; some may be closed
}

func newSessions() sessions { return sessions{byKey: map[sessionKey]*session{}} }

// find returns the session that a record belongs to, nil for none.
func (t *sessions) find(r *Record) *session {
	if len(r.Session) == 0 || len(t.byKey) == 0 {
		return nil
	}
	s := t.byKey[sessionKey{r.Client, r.Server, string(r.Session)}]
	if s == nil || r.Time-s.last > sessionIdle {
		return nil
	}
	return s
}

// open returns the session of a record, a new one if it has none.
func (t *sessions) open(r *Record, s *session, v classifiers.Verdict, flow string) *session {
	if s == nil {
		if len(t.order) >= maxSessions {
			t.forget()
		}
		s = &session{key: sessionKey{r.Client, r.Server, string(r.Session)}, flow: flow}
		t.byKey[s.key] = s
		t.order = append(t.order, s)
	}
	if len(r.Host) > 0 {
		s.host, s.verdict = string(r.Host), v
	}
	s.last = max(s.last, r.Time)
	return s
}

// forget drops the older half.
func (t *sessions) forget() {
	half := len(t.order) / 2
	for _, s := range t.order[:half] {
		if t.byKey[s.key] == s {
			delete(t.byKey, s.key)
		}
	}
	t.order = append(t.order[:0], t.order[half:]...)
}

// settle leaves in a record the bytes that no earlier one has had: none at the start of a session, which its end has again; what came
// since, where the log says so; at the end the rest of the total.
func (t *sessions) settle(ev *event.Event, r *Record, s *session) {
	if r.Phase == PhaseStart {
		ev.Source.Bytes, ev.Destination.Bytes = nil, nil
		return
	}
	if r.Phase == PhaseInterim || r.Kind == KindWeb { // a request has bytes of its own
		s.up, s.down = s.up+r.Up, s.down+r.Down
		return
	}
	ev.Source.Bytes = rest(ev.Source.Bytes, &s.up)
	ev.Destination.Bytes = rest(ev.Destination.Bytes, &s.down)
}

// rest is what a total adds to what was accounted for.
func rest(total, accounted *uint64) *uint64 {
	if total == nil {
		return nil
	}
	n := *total - min(*total, *accounted)
	*accounted = max(*accounted, *total)
	return &n
}
