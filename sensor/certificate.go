package sensor

import (
	"bytes"
	"strings"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// shownCertificate is what is kept of the certificate of a server whose client gave no name.
type shownCertificate struct {
	sole   string   // the one host that it can be for, or empty
	names  []string // the first of its names
	common string
}

// maxCertificateNames bounds how many names of a certificate a record carries.
const maxCertificateNames = 16

// foundCertificate takes what the server of a hello without a name shows. It outweighs what the address was looked up for, and nothing
// that the client said: flows whose client named a host never come here. What the address was looked up for is held against it: the names
// bear it out, or it was wrong.
func (s *Sensor) foundCertificate(f *flow.Flow, seg *decode.Segment, o *evidence.Observation) {
	st := s.storyOf(f)
	if st == nil {
		return
	}
	if c := o.Certificate; len(c.Names) > 0 || len(c.CommonName) > 0 {
		st.certificate = showCertificate(o)
	}
	s.holdAgainst(f, st, o.Certificate.Names)
	if v, ok := s.judgeCertificate(seg, o); ok {
		f.State |= flow.Named
		st.decide(v, true, classifiers.ClassCertificate)
		s.slices(f, seg.Time)
		s.endName(f, false)
	} else {
		s.noteCertified(f, seg.Time, o.Name)
	}
	if st.verdict.Service == nil {
		s.noteHider(f, seg, o)
	}
	if st.verdict.Service == nil && st.hides == sightNone && !s.config.All {
		s.flows.Peek(f).Owner = nil // nothing that is reported
	}
}

// holdAgainst compares what the address was looked up for with the certificate's names.
func (s *Sensor) holdAgainst(f *flow.Flow, st *story, names [][]byte) {
	switch {
	case len(names) == 0 || st.dnsName == "":
	case !covers(names, st.dnsName):
		f.State |= flow.Denied
		s.endName(f, false)
		st.dnsName, st.verdict, st.class = "", classifiers.Verdict{}, classifiers.ClassNone
	case st.verdict.Service != nil:
		st.also = append(st.also, classifiers.ClassCertificate.String())
	}
}

// judgeCertificate asks the classifier.
func (s *Sensor) judgeCertificate(seg *decode.Segment, o *evidence.Observation) (classifiers.Verdict, bool) {
	if len(o.Certificate.Names) == 0 {
		return classifiers.Verdict{}, false
	}
	s.asked = classifiers.Evidence{Class: classifiers.ClassCertificate, Time: seg.Time, Name: o.Name, Names: o.Certificate.Names}
	v, ok := s.classify.Classify(&s.asked)
	return v, ok && v.Use()
}

// noteCertified is noteUnlisted for the one host that a certificate can be for, if the catalogue does not know it.
func (s *Sensor) noteCertified(f *flow.Flow, at int64, sole []byte) {
	if s.config.Unlisted == nil || len(sole) == 0 {
		return
	}
	s.asked = classifiers.Evidence{Class: classifiers.ClassCertificate, Time: at, Name: sole}
	if _, listed := s.classify.Classify(&s.asked); !listed {
		_, category := s.infrastructure(sole)
		s.noteUnlisted(f, at, sole, category)
	}
}

func showCertificate(o *evidence.Observation) *shownCertificate {
	c := &shownCertificate{sole: lowerName(o.Name), common: lowerName(o.Certificate.CommonName)}
	for _, name := range o.Certificate.Names[:min(len(o.Certificate.Names), maxCertificateNames)] {
		c.names = append(c.names, lowerName(name))
	}
	return c
}

// covers says whether a certificate with these names is one for host (RFC 9525, section 6.3): a star stands for one label.
func covers(names [][]byte, host string) bool {
	_, parent, _ := strings.Cut(host, ".")
	for _, name := range names {
		if host != "" && bytes.EqualFold(name, []byte(host)) {
			return true
		}
		if below, wild := bytes.CutPrefix(name, []byte("*.")); wild && parent != "" && bytes.EqualFold(below, []byte(parent)) {
			return true
		}
	}
	return false
}

// set writes the certificate into a record that has TLS fields.
func (c *shownCertificate) set(ev *event.Event) {
	if c == nil {
		return
	}
	ev.TLS.Server = &event.TLSServer{X509: &event.X509{AlternativeNames: c.names}}
	if c.common != "" {
		ev.TLS.Server.X509.Subject = &event.Subject{CommonName: []string{c.common}}
	}
	if c.sole != "" {
		ev.Destination.Domain = c.sole
	}
}
