package names

import (
	"strings"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// maxCertificateNames is how many names a certificate may have before it says nothing: one of a service has a few, one of a network
// that serves many customers has dozens.
const maxCertificateNames = 32

// certificate judges the names of a certificate, of which the client may have meant any. It names a service only if every one of them
// is use of that service and of no other: a certificate shared by several products, or by a product and its vendor's pages, is none's.
// A name in full is as good as this class gets; where only a wildcard leads to the service, confidence is low.
func (c *Classifier) certificate(ev *classifiers.Evidence) (classifiers.Verdict, bool) {
	if len(ev.Names) == 0 || len(ev.Names) > maxCertificateNames {
		return classifiers.Verdict{}, false
	}
	var all classifiers.Verdict
	for i, name := range ev.Names {
		v, ok := c.coveredBy(name)
		if !ok || !v.Use() || i > 0 && v.Service != all.Service {
			return classifiers.Verdict{}, false
		}
		if i == 0 {
			all = v
		}
		all.Confidence = min(all.Confidence, v.Confidence)
	}
	return all, true
}

// coveredBy judges one name of a certificate.
func (c *Classifier) coveredBy(name []byte) (classifiers.Verdict, bool) {
	ev := classifiers.Evidence{Class: classifiers.ClassCertificate, Name: name}
	below, wild := strings.CutPrefix(string(name), "*.")
	if !wild {
		return c.Classify(&ev)
	}
	ev.Name = []byte(below)
	v, ok := c.Classify(&ev)
	if !ok || !c.aloneBelow(v.Service, strings.ToLower(below)) {
		return classifiers.Verdict{}, false
	}
	v.Confidence = classifiers.ConfidenceLow
	return v, true
}

// aloneBelow says whether every name of the catalogue below a tail is the service's own, and the tail as a whole is: a wildcard then
// stands for nothing else. It walks the whole catalogue, which few certificates are worth; a certificate without a name of it never
// comes here.
func (c *Classifier) aloneBelow(service *signatures.Service, tail string) bool {
	catalogue := c.catalogue()
	hit, ok := catalogue.Match([]byte("any." + tail)) // an exact entry says nothing of what lies below it
	if !ok || hit.Service != service {
		return false
	}
	for _, s := range catalogue.Services() {
		if s == service {
			continue
		}
		for i := range s.Names {
			if strings.HasSuffix(s.Names[i].Name, "."+tail) {
				return false
			}
		}
	}
	return true
}
