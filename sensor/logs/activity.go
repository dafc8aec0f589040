package logs

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Config says how the records of one source become events.
type Config struct {
	Observer event.Observer
	Site     string
	// Source names where the lines come from, in identifiers and in log.file.path: the same name every time that they are read.
	Source string
	// Ruleset names the catalogue that the classifier uses, as in rule.ruleset.
	Ruleset func() string
	// Written is about when the lines were written, in nanoseconds since 1970-01-01 UTC: the time of activities whose lines have none.
	Written int64
	// Visits is shared by all that one sensor sees.
	Visits *sensor.Visits
	// Eye is told of the time of every record; nil: nobody asks whether the log still speaks.
	Eye *sensor.LogEye
	// Unlisted counts the names that the classifier knows nothing of.
	Unlisted Unlisted
}

// Activities turns the records of one source into events: which service it was, which session it belongs to, what of it counts. It is
// used from one goroutine at a time, as the source's Format is.
type Activities struct {
	config   Config
	classify classifiers.Classifier
	sink     sensor.Sink
	sessions sessions
	repeats  repeats
	held     held
	asked    classifiers.Evidence // here because what an interface is given would be allocated
	listed   bool                 // whether the catalogue knows the name that was judged last
	lower    [candidates.MaxName + 1]byte
}

// NewActivities offers what it makes to sink.
func NewActivities(c Config, classify classifiers.Classifier, sink sensor.Sink) *Activities {
	return &Activities{config: c, classify: classify, sink: sink, sessions: newSessions(), repeats: newRepeats(), held: newHeld()}
}

// Written says about when the lines that come next were written, as Config.Written does.
func (a *Activities) Written(at int64) { a.config.Written = at }

// See says which eye the lines that come next belong to, as Config.Eye does.
func (a *Activities) See(eye *sensor.LogEye) { a.config.Eye = eye }

// Document offers what a line says, AI or not, as it stands: before sessions, counting and identity.
func (a *Activities) Document(r *Record, line []byte) {
	ev := a.document(r, line)
	if v, ok := a.judge(r.Host, r); ok && v.Use() {
		a.service(ev, v, r.Kind)
	}
	a.sink.Offer(ev)
}

// Add offers an activity if the record shows an AI service, and says whether it does.
//
// A look-up, an attempt that was denied and one that was asked to log in are written and not counted. Records of one session are slices of
// one flow: it counts once, and its bytes once, whether they are told at its end or now and then. A name that is no use by itself is written
// beside use of its service by the same client.
func (a *Activities) Add(r *Record, line []byte) bool {
	if a.config.Eye != nil && r.Time != 0 {
		a.config.Eye.Beat(r.Time)
	}
	s := a.sessions.find(r)
	host := r.Host
	var v classifiers.Verdict
	var ok bool
	switch {
	case len(host) > 0:
		v, ok = a.judge(host, r)
	case s != nil:
		v, ok, host = s.verdict, true, []byte(s.host)
	}
	if !ok || r.Kind == KindLookup && !v.Use() {
		if len(host) > 0 {
			a.unlisted(r)
		}
		return false
	}
	ev := a.activity(r, line, host)
	a.service(ev, v, r.Kind)
	a.flow(ev, r, s, v)
	if !v.Use() {
		return a.beside(ev, v)
	}
	a.use(ev)
	return true
}

// activity is the record of a line before it is judged.
func (a *Activities) activity(r *Record, line, host []byte) *event.Event {
	ev := a.document(r, line)
	a.name(ev, r.Kind, host)
	if r.Nobody {
		ev.User = nil
	}
	if r.Time == 0 {
		ev.Timestamp = event.Time(a.config.Written)
		ev.Event.Start, ev.Event.End = ev.Timestamp, ev.Timestamp
	}
	return ev
}

// judge asks the classifier.
func (a *Activities) judge(host []byte, r *Record) (classifiers.Verdict, bool) {
	if len(host) == 0 {
		return classifiers.Verdict{}, false
	}
	a.asked = classifiers.Evidence{Class: classifiers.ClassLog, Time: r.Time, Name: host, Path: r.Path, Agent: r.Agent}
	if r.Kind == KindLookup {
		a.asked = classifiers.Evidence{Class: classifiers.ClassDNS, Time: r.Time, Name: host}
	}
	v, ok := a.classify.Classify(&a.asked)
	a.listed = ok
	return v, ok
}

// service writes which one it was.
func (a *Activities) service(ev *event.Event, v classifiers.Verdict, k Kind) {
	s := v.Service
	ev.Network.Application = s.ID
	ev.Rule = &event.Rule{ID: s.ID, Name: s.Name, Category: s.Category, Ruleset: a.config.Ruleset()}
	ev.Gnomon.Service = &event.Service{ID: s.ID, Vendor: s.Vendor, Category: s.Category, Kind: s.Kind}
	ev.Gnomon.Evidence = &event.Evidence{Class: classifiers.ClassLog.String(), Confidence: v.Confidence.String()}
	if !v.Use() {
		ev.Gnomon.Evidence.Role = v.Role.String()
	}
	if v.Also != classifiers.ClassNone {
		ev.Gnomon.Evidence.Also = []string{v.Also.String()}
	}
	if k == KindLookup {
		ev.Gnomon.Evidence.Also = []string{classifiers.ClassDNS.String()}
	}
}

// flow says what of the record counts, and as part of what.
func (a *Activities) flow(ev *event.Event, r *Record, s *session, v classifiers.Verdict) {
	counted := r.Kind != KindLookup && r.Action != ActionDenied && r.Action != ActionChallenged
	ev.Gnomon.Flow = &event.Flow{ID: ev.Event.ID}
	switch {
	case len(r.Session) > 0 && counted:
		s = a.sessions.open(r, s, v, ev.Event.ID)
		ev.Gnomon.Flow.ID, ev.Gnomon.Flow.Slice = s.flow, s.slices
		s.slices++
		a.sessions.settle(ev, r, s)
	case r.Phase == PhaseStart: // the end has the same bytes again, and nothing ties them together
		counted = false
	}
	ev.Gnomon.Counted = &counted
	if counted {
		ev.Gnomon.Upload = upload(r, ev.Source.Bytes)
	}
}

// use offers a record of use, and what waited for it. What was denied opens no visit that others may join.
func (a *Activities) use(ev *event.Event) {
	visit := a.config.Visits.ID
	if *ev.Gnomon.Counted {
		visit = a.config.Visits.Use
	}
	ev.Gnomon.Visit = &event.Visit{ID: visit(a.config.Observer.ID, client(ev), ev.Gnomon.Service.ID, int64(ev.Event.Start), int64(ev.Event.End))}
	a.sink.Offer(ev)
	if *ev.Gnomon.Counted {
		a.release(ev)
	}
}

// maxClient bounds what a visit remembers of a name, in octets: no directory allows longer ones.
const maxClient = 256

// client is what a visit knows its client by.
func client(ev *event.Event) string {
	if ev.Source.IP == "" && ev.User != nil {
		return ev.User.Name[:min(len(ev.User.Name), maxClient)]
	}
	return ev.Source.IP
}

// upload estimates the bodies that left. The bytes of a request are exact and hold its headers; those of a tunnel hold TLS and the
// headers of all requests in it.
func upload(r *Record, bytes *uint64) *event.Upload {
	if bytes == nil {
		return nil
	}
	n := *bytes
	u := &event.Upload{High: n, Method: "log-request"}
	less, least := uint64(1<<10), uint64(16<<10)
	if r.Kind == KindConnection || string(r.Method) == "CONNECT" {
		u.Method = "log-connection"
		less, least = 2<<10+n/200, 16<<10+n/10
	}
	u.Bytes, u.Low = n-min(n, less), n-min(n, least)
	return u
}

// id follows from the source, the line and how often it stands there in the same second: nothing in it comes from a counter or a clock,
// so reading the same lines again writes nothing new.
func (a *Activities) id(r *Record, line []byte) string {
	sum := sha256.Sum256(line)
	ordinal := a.repeats.count(r.Time/second, sum)
	return event.KeyID(r.Time, event.DatasetActivity, a.config.Observer.ID, "log", a.config.Source, hex.EncodeToString(sum[:]),
		strconv.FormatUint(uint64(ordinal), 10))
}
