package names

import (
	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// asked judges what a log knows beside the name, where signatures ask for it. A path tells a service from its neighbours below one name.
// What the program calls itself tells which it is where the name does not: of a gateway that the catalogue has never heard of, or of a name
// that is no use by itself. A name that another vendor's use goes to is believed first: that is where the bytes went.
func (c *Classifier) asked(ev *classifiers.Evidence) (classifiers.Verdict, bool) {
	if ev.Class != classifiers.ClassLog || len(ev.Path)+len(ev.Agent) == 0 {
		return classifiers.Verdict{}, false
	}
	if s, ok := c.catalogue().MatchURL(host(ev), ev.Path); ok && !s.Infrastructure() {
		return beside(s, classifiers.ClassURL), true
	}
	return c.program(ev)
}

// program judges by what the client calls itself.
func (c *Classifier) program(ev *classifiers.Evidence) (classifiers.Verdict, bool) {
	s, ok := c.catalogue().MatchUserAgent(ev.Agent)
	if !ok || s.Infrastructure() {
		return classifiers.Verdict{}, false
	}
	if hit, known := c.catalogue().Match(host(ev)); known && (hit.Use() || hit.Infrastructure() || hit.Service.Vendor != s.Vendor) {
		return classifiers.Verdict{}, false
	}
	return beside(s, classifiers.ClassUserAgent), true
}

// beside is a verdict of use. What a client says of itself, and a path without a name of its own, is never as sure as a name.
func beside(s *signatures.Service, by classifiers.Class) classifiers.Verdict {
	return classifiers.Verdict{Service: s, Role: signatures.RolePrimary, Class: classifiers.ClassLog, Confidence: classifiers.ConfidenceMedium, Also: by}
}
