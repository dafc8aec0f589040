package sensor

import (
	"slices"
	"strings"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// story is what a flow has shown, kept for flows that are reported: Side.Owner.
type story struct {
	protocol     string // tls, quic, http
	serverName   string
	nextProtocol string
	version      string
	hello        bool // there was one
	ja4          string
	ech          bool
	dnsName      string // of the server's address, where the flow shows no name
	certificate  *shownCertificate
	method       string
	host         string // of the current request, or where a CONNECT leads
	userAgent    string
	proxyUser    string
	hides        sighting     // what hides the names behind the flow, if something does
	hider        string       // its entry of the catalogue, else its protocol
	accounted    uint64       // bytes of it that coverage knows already
	mac          [6]byte      // of the client, as far as the tap is from it on the same link
	meter        meter        // of an encrypted connection
	requests     uint64       // read in the clear
	tunnelAt     uint64       // the client's bytes up to the end of the CONNECT
	uploaded     event.Upload // by the end of the slice before
	onward       bool         // a proxy's connection for clients whose own were seen: not counted
	held         *held        // of a name that is no use by itself; nil: nothing waits

	verdict classifiers.Verdict // of what the flow carries now; Service nil: nothing that is reported. It need not be use by itself
	class   classifiers.Class
	also    []string // other evidence of the same use
	uses    []use    // the services that this flow has carried, and how many slices each has had
	hosts   []string // reported so far, bounded
}

// use numbers the slices of one service on one flow.
type use struct {
	service string
	slices  uint32
}

// maxHosts bounds how many names are remembered for one flow: a proxy's connection may carry many.
const maxHosts = 256

// storyOf returns what is kept of f, or nil.
func (s *Sensor) storyOf(f *flow.Flow) *story {
	if f.Side == 0 {
		return nil
	}
	st, _ := s.flows.Peek(f).Owner.(*story)
	return st
}

// Found implements evidence.Sink: a hello, a certificate or a request was read.
func (s *Sensor) Found(f *flow.Flow, seg *decode.Segment, o *evidence.Observation) {
	s.expect(o)
	s.unlisted.expect(s.flows.Slot(f))
	s.config.Explain.found(s, f, o)
	if o.Certificate != nil {
		s.meet()
		s.foundCertificate(f, seg, o)
		return
	}
	s.foundName(f, seg, o)
}

// foundName takes what the client said.
func (s *Sensor) foundName(f *flow.Flow, seg *decode.Segment, o *evidence.Observation) {
	s.counters.found(o)
	s.learner.connect(f, seg, o)
	s.meet()
	var m meaning
	s.mean(f, seg, o, &m)
	s.remember(o)
	s.noteName(f, seg, o, m.verdict.Use())
	if st := s.storyOf(f); st != nil {
		if st.yields(o, m.verdict) {
			m.verdict, m.known = classifiers.Verdict{}, false
		}
		if s.elsewhere(st, o, m.verdict) { // what is pending belongs to the service before
			s.flows.Flush(f)
		}
		s.tell(f, seg, o, st, &m)
	} else if m.known || s.config.All || o.Awaits {
		st = &story{mac: seg.Link.MAC} // of new memory, what is written before it is read is one fault, and not two
		s.flows.SideOf(f).Owner = st
		s.tell(f, seg, o, st, &m)
	}
}

// meaning is what an observation says of its flow.
type meaning struct {
	verdict classifiers.Verdict
	known   bool // there is a verdict, if not one of use by itself
	class   classifiers.Class
	dnsName string // of the server's address, where the observation hides the name
}

// mean judges the observation, or what its client looked up where it hides the name. It fills m, which is zero: as a result it was copied in
// other pieces than it was written, and stalled there.
func (s *Sensor) mean(f *flow.Flow, seg *decode.Segment, o *evidence.Observation, m *meaning) {
	m.class = o.Class
	m.verdict, m.known = s.judge(f, seg, o)
	front := !m.verdict.Use() && s.noteHider(f, seg, o)
	if !front && (o.Hello == nil || len(o.Name) > 0) {
		return
	}
	name, v, ok := s.fromDNS(f, seg.Time)
	m.dnsName = name
	if ok {
		m.verdict, m.known, m.class = v, true, classifiers.ClassIPFromDNS
	}
}

// tell adds an observation and what it means to the story of its flow.
func (s *Sensor) tell(f *flow.Flow, seg *decode.Segment, o *evidence.Observation, st *story, m *meaning) {
	first := st.protocol == ""
	was := st.verdict
	st.observe(f, seg, o)
	s.fingerprint(st, o)
	s.measureHello(f, st, seg, o)
	s.noteLeg(f, seg, o, m.verdict)
	if m.known || o.Class != classifiers.ClassSNI { // a hello inside a tunnel that says nothing leaves the tunnel's target in force
		st.decide(m.verdict, m.known, m.class)
	}
	if m.dnsName != "" {
		st.dnsName = m.dnsName
	}
	if st.verdict.Service != was.Service || st.verdict.Use() != was.Use() {
		s.noteUse(f, seg.Time, m)
	}
	if st.verdict.Service != nil || s.config.SliceAll {
		s.slices(f, seg.Time)
	}
	if s.config.All {
		s.furtherName(f, seg, st, o, first)
	}
}

// judge asks the classifier. A name that is no use by itself is kept where it may lie beside such use; documents of whole flows do not tell.
func (s *Sensor) judge(f *flow.Flow, seg *decode.Segment, o *evidence.Observation) (classifiers.Verdict, bool) {
	if s.listed = false; len(o.Name) == 0 || s.met != nil {
		return classifiers.Verdict{}, false
	}
	s.asked = classifiers.Evidence{Class: o.Class, Time: seg.Time, Name: o.Name, ECH: o.Hello != nil && o.Hello.ECH}
	v, ok := s.classify.Classify(&s.asked)
	if s.listed = ok; ok && (v.Use() || s.mayBeBeside(f, seg.Time, v)) {
		return v, true
	}
	return classifiers.Verdict{}, false
}

// elsewhere says whether the observation gives the flow another service than it had.
func (s *Sensor) elsewhere(st *story, o *evidence.Observation, v classifiers.Verdict) bool {
	if o.Class == classifiers.ClassSNI && st.method == "CONNECT" && v.Service == nil {
		return false
	}
	return st.verdict.Service != v.Service
}

// observe keeps what the flow showed.
func (st *story) observe(f *flow.Flow, seg *decode.Segment, o *evidence.Observation) {
	st.mac = seg.Link.MAC
	if r := o.Request; r != nil {
		st.protocol = "http"
		st.method, st.host = string(r.Method), lowerName(o.Name)
		st.requests++
		if up := &f.Half[seg.Dir]; st.method == "CONNECT" {
			st.tunnelAt = up.Bytes + uint64(seg.Len)
		}
		if len(r.UserAgent) > 0 {
			st.userAgent = strings.ToValidUTF8(string(r.UserAgent), "\uFFFD")
		}
		if user := r.ProxyUser(); len(user) > 0 {
			st.proxyUser = strings.ToValidUTF8(string(user), "\uFFFD")
		}
		return
	}
	h := o.Hello
	st.protocol, st.hello = "tls", true
	if o.Class == classifiers.ClassQUICSNI {
		st.protocol = "quic"
	}
	st.serverName, st.ech = lowerName(o.Name), h.ECH
	st.nextProtocol = strings.ToValidUTF8(string(h.NextProtocol()), "\uFFFD")
	st.version = versionName(h.Version)
}

// fingerprint keeps that of a hello, if records show it.
func (s *Sensor) fingerprint(st *story, o *evidence.Observation) {
	if o.Hello == nil || s.config.Sums {
		return
	}
	transport := byte('t')
	if o.Class == classifiers.ClassQUICSNI {
		transport = 'q'
	}
	var ja4 [64]byte
	st.ja4 = string(o.Hello.AppendJA4(ja4[:0], transport))
}

// decide sets what the flow carries from now on.
func (st *story) decide(v classifiers.Verdict, known bool, class classifiers.Class) {
	switch same := st.verdict.Service == v.Service; {
	case !same:
		st.also = nil
		st.drop()
	case known && st.verdict.Use() && !v.Use():
		return // use of the service stays use
	case known:
		st.alsoBy(st.class, class)
	}
	st.also = slices.DeleteFunc(st.also, func(other string) bool { return other == class.String() })
	st.verdict, st.class = v, class
	if !known {
		st.class = classifiers.ClassNone
	}
}

// alsoBy keeps the class of what the verdict rested on so far, if it now rests on another.
func (st *story) alsoBy(was, class classifiers.Class) {
	if was != classifiers.ClassNone && was != class && !slices.Contains(st.also, was.String()) {
		st.also = append(st.also, was.String())
	}
}

// nextSlice counts a slice of the current service.
func (st *story) nextSlice() uint32 {
	id := ""
	if st.verdict.Service != nil {
		id = st.verdict.Service.ID
	}
	for i := range st.uses {
		if st.uses[i].service == id {
			st.uses[i].slices++
			return st.uses[i].slices
		}
	}
	if len(st.uses) < maxHosts {
		st.uses = append(st.uses, use{service: id})
	}
	return 0
}

// furtherName reports the second and later hosts of a flow at once; the first stands in the flow's own document.
func (s *Sensor) furtherName(f *flow.Flow, seg *decode.Segment, st *story, o *evidence.Observation, first bool) {
	if o.Request == nil || len(st.hosts) >= maxHosts || slices.Contains(st.hosts, st.host) {
		return
	}
	st.hosts = append(st.hosts, st.host)
	if !first {
		s.offerName(f, seg.Time, st)
	}
}

// lowerName is the form in which names are written: lower case, no trailing dot.
func lowerName(name []byte) string {
	return strings.TrimSuffix(strings.ToLower(strings.ToValidUTF8(string(name), "\uFFFD")), ".")
}

// versionName is ECS tls.version for a protocol version.
func versionName(v uint16) string {
	switch v {
	case 0x0300:
		return "3.0"
	case 0x0301:
		return "1.0"
	case 0x0302:
		return "1.1"
	case 0x0303:
		return "1.2"
	case 0x0304:
		return "1.3"
	}
	return ""
}
