package sensor

import (
	"container/list"
	"net/netip"
	"strconv"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dns"
)

const (
	// lookupWait is how long an answer is waited for, in packet time: longer than any stub resolver's patience.
	lookupWait = int64(10e9)
	// maxLookups bounds how many questions wait for their answer at once; the oldest is written without one.
	maxLookups = 1 << 16
)

// lookupKey tells one DNS transaction from another: the same port may ask twice at once (A and AAAA).
type lookupKey struct {
	key  decode.Key
	id   uint16
	typ  uint16
	name string
}

// lookup is a DNS transaction under way.
type lookup struct {
	lookupKey
	unnamed  bool // the question is no host's name: the root, or bytes that no name has
	client   uint8
	mac      [6]byte // of the client
	vlan     uint16
	iface    uint16
	verdict  classifiers.Verdict
	start    int64
	last     int64
	bytes    [2]uint64 // by side
	packets  [2]uint64
	answered bool
	rcode    uint16
	addrs    []netip.Addr
	answers  []dns.Answer
	spot     *list.Element
}

// lookups pairs questions with answers.
type lookups struct {
	sensor *Sensor
	open   map[lookupKey]*lookup
	order  *list.List // oldest first
}

func newLookups(s *Sensor) lookups {
	return lookups{sensor: s, open: map[lookupKey]*lookup{}, order: list.New()}
}

// Message implements evidence.Sink: a DNS message was read.
func (s *Sensor) Message(f *flow.Flow, seg *decode.Segment, m *dns.Message, raw []byte) {
	if f == nil && s.copies.beganBefore(seg) {
		return
	}
	s.config.Explain.message(seg, m)
	client := seg.Dir
	if m.Response {
		client = 1 - client
		s.answered(f, seg)
		s.learnAddresses(seg, m, client)
	}
	if s.config.Share.overhears() {
		return
	}
	s.counters.dns(m)
	if m.Questions == 0 || len(m.QName) == 0 {
		return
	}
	verdict, ok := s.judgeLookup(seg, m)
	if !ok && !s.config.All {
		return
	}
	if f != nil {
		f.SetClient(client)
	}
	s.lookups.message(seg, m, raw, client, verdict)
}

// judgeLookup asks the classifier.
func (s *Sensor) judgeLookup(seg *decode.Segment, m *dns.Message) (classifiers.Verdict, bool) {
	s.asked = classifiers.Evidence{Class: classifiers.ClassDNS, Time: seg.Time, Name: m.QName}
	v, ok := s.classify.Classify(&s.asked)
	if ok && v.Use() {
		return v, true
	}
	if !ok {
		s.noteAlias(m, seg.Time)
	}
	return classifiers.Verdict{}, false
}

func (l *lookups) message(seg *decode.Segment, m *dns.Message, raw []byte, client uint8, v classifiers.Verdict) {
	key := lookupKey{key: seg.Key, id: m.ID, typ: m.QType, name: string(m.QName)}
	t := l.open[key]
	if t == nil {
		if len(l.open) >= maxLookups {
			l.close(l.order.Front().Value.(*lookup))
		}
		t = &lookup{lookupKey: key, unnamed: m.Escaped || key.name == ".", client: client, vlan: seg.Link.VLAN, iface: seg.Link.Interface, verdict: v, start: seg.Time}
		t.spot = l.order.PushBack(t)
		l.open[key] = t
	}
	t.last = max(t.last, seg.Time)
	if seg.Dir == client {
		t.mac = seg.Link.MAC
	}
	t.bytes[seg.Dir] += uint64(len(raw))
	t.packets[seg.Dir]++
	if !m.Response {
		return
	}
	t.answered, t.rcode = true, m.Rcode
	for _, a := range m.Addrs {
		t.addrs = append(t.addrs, a.IP)
	}
	if l.sensor.config.All {
		t.answers, _ = dns.Answers(raw) // what could be read before the damage is shown
	}
	l.close(t)
}

// due writes the questions that nobody answered in time.
func (l *lookups) due(now int64) {
	for e := l.order.Front(); e != nil && now-e.Value.(*lookup).last > lookupWait; e = l.order.Front() {
		l.close(e.Value.(*lookup))
	}
}

func (l *lookups) finish() {
	for e := l.order.Front(); e != nil; e = l.order.Front() {
		l.close(e.Value.(*lookup))
	}
}

// close writes the transaction. A look-up alone is not counted as use.
func (l *lookups) close(t *lookup) {
	delete(l.open, t.lookupKey)
	l.order.Remove(t.spot)
	s := l.sensor
	ev := s.newEvent(&t.key, t.client, t.vlan, t.iface)
	ev.Timestamp, ev.Event.Start, ev.Event.End = event.Time(t.last), event.Time(t.start), event.Time(t.last)
	ev.Network.Protocol = "dns"
	ev.Source.MAC = macString(t.mac)
	d := &s.draft
	d.source.carried(t.bytes[t.client], t.packets[t.client])
	d.destination.carried(t.bytes[1-t.client], t.packets[1-t.client])
	ev.DNS = &event.DNS{ID: strconv.Itoa(int(t.id)), Type: "query"}
	if !t.unnamed {
		ev.DNS.Question = &event.Question{Name: t.name, Type: dns.TypeName(t.typ)}
	}
	if t.answered {
		ev.DNS.Type = "answer"
		ev.DNS.ResponseCode = dns.RcodeName(int(t.rcode))
	}
	for _, a := range t.addrs {
		ev.DNS.ResolvedIP = append(ev.DNS.ResolvedIP, a.String())
	}
	for _, a := range t.answers {
		ev.DNS.Answers = append(ev.DNS.Answers, event.DNSAnswer{Name: a.Name, Type: a.Type, Data: a.Data, TTL: a.TTL})
	}
	tuple := tuple(&t.key, t.client, t.vlan, t.start)
	ev.Gnomon.Flow, ev.Gnomon.Counted = &d.flow, &d.counted
	service := ""
	if t.verdict.Service != nil {
		service = t.verdict.Service.ID
		d.setService(t.verdict, s.config.Ruleset())
		d.setEvidence(classifiers.ClassDNS, t.verdict, nil)
		id, _ := s.visit(ev.Source.IP, service, t.start, t.last)
		d.setVisit(id, false)
	}
	if !s.config.Sums {
		d.flow.ID = event.FlowID(s.config.Observer.ID, &tuple)
		// The question belongs to the identifier: one port may ask for A and AAAA of a name at once.
		ev.Event.ID = s.sliceID(&tuple, t.start, service+"?"+strconv.Itoa(int(t.id))+"/"+strconv.Itoa(int(t.typ))+"/"+t.name)
	}
	s.sink.Offer(ev)
}
