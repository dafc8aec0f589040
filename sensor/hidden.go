package sensor

import (
	"strings"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/pdns"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dns"
)

// learnAddresses notes which name the client was told for which addresses, and which outer names hide others.
func (s *Sensor) learnAddresses(seg *decode.Segment, m *dns.Message, client uint8) {
	if m.Rcode != 0 || m.Escaped {
		return
	}
	if m.ECH && s.config.Fronts != nil {
		s.config.Fronts.learn(m, seg.Time)
	}
	if s.config.PDNS == nil || len(m.Addrs)+len(m.Hints) == 0 {
		return
	}
	s.told = s.told[:0]
	for _, list := range [...][]dns.Address{m.Addrs, m.Hints} { // clients connect to hints without asking again (RFC 9460, section 7.3)
		for i := range list {
			if a := &list[i]; a.InChain {
				s.told = append(s.told, pdns.Told{Addr: decode.AddressOf(a.IP), TTL: a.TTL})
			}
		}
	}
	s.config.PDNS.Learn(seg.Key.Address(client), m.QName, seg.Time, s.told)
}

// Nameless implements evidence.Sink: f will show no readable name.
func (s *Sensor) Nameless(f *flow.Flow, at int64) {
	if st := s.storyOf(f); st != nil && (st.verdict.Service != nil || st.dnsName != "" || st.hides != sightNone) {
		return
	}
	name, verdict, ok := s.fromDNS(f, at)
	if !ok && !s.config.All {
		return
	}
	if name == "" {
		return
	}
	st := s.storyOf(f)
	if st == nil {
		st = &story{}
		s.flows.SideOf(f).Owner = st
	}
	st.dnsName = name
	if ok {
		st.verdict, st.class = verdict, classifiers.ClassIPFromDNS
		s.measureUnknown(f, st)
		s.slices(f, at)
	}
}

// fromDNS asks what the server's address was looked up for: by the client, or by others if it stands for one name alone. ok says that it
// is use of an AI service.
func (s *Sensor) fromDNS(f *flow.Flow, at int64) (name string, v classifiers.Verdict, ok bool) {
	if s.config.PDNS == nil {
		return "", v, false
	}
	client := f.Client()
	answer, found := s.config.PDNS.Lookup(f.Key.Address(client), f.Key.Address(1-client), at, s.nameBuffer[:0])
	if !found || !answer.Own && answer.Others > 0 {
		return "", v, false
	}
	s.asked = classifiers.Evidence{Class: classifiers.ClassIPFromDNS, Time: at, Name: answer.Name, Shared: answer.Others}
	v, listed := s.classify.Classify(&s.asked)
	counts := !listed && s.noteLookedUp(f, at, &answer)
	if ok = v.Use(); !ok {
		v = classifiers.Verdict{}
	}
	if ok || counts || s.config.All {
		name = strings.Clone(string(answer.Name))
	}
	return name, v, ok
}
