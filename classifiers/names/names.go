// Package names judges evidence that carries a host name: it looks the name up in the catalogue and grades what the class of the
// evidence lets one say. It does not find names in packets (see sensor/wire), does not know which names are whose (see signatures),
// and does not join evidence of one flow or one client.
package names

import (
	"bytes"
	"net/netip"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// Classifier judges by host name. Make one with New.
type Classifier struct {
	catalogue func() *signatures.Catalogue
}

var _ classifiers.Classifier = (*Classifier)(nil)

// New returns a classifier over the catalogue that get returns at each call, so that a new catalogue holds from the next name on.
// It is called from several goroutines at once; (*atomic.Pointer[signatures.Catalogue]).Load is what it is made for.
func New(get func() *signatures.Catalogue) *Classifier {
	return &Classifier{catalogue: get}
}

// Classify returns the service that the name of ev belongs to. Names of infrastructure give no verdict: a resolver, a relay or a VPN
// is no AI service, and the outer name of an encrypted hello says nothing of the service behind it (RFC 9849, section 4). A hello
// with the extension and an ordinary name is most likely GREASE, which clients send to every server (RFC 9849, section 6.2), and
// its name is the true one. Classify does not allocate, but for the names of a certificate that belong to a service.
func (c *Classifier) Classify(ev *classifiers.Evidence) (classifiers.Verdict, bool) {
	if ev.Names != nil {
		return c.certificate(ev)
	}
	limit := ceiling(ev)
	if limit == classifiers.ConfidenceNone {
		return classifiers.Verdict{}, false
	}
	if v, ok := c.asked(ev); ok {
		return v, true
	}
	hit, ok := c.catalogue().Match(host(ev))
	if !ok || hit.Infrastructure() {
		return classifiers.Verdict{}, false
	}
	role := hit.Name.Role
	if ev.Class == classifiers.ClassIPFromDNS && ev.Shared > 0 {
		role = signatures.RoleShared // the address answers to other names too: the flow may be theirs
	}
	return classifiers.Verdict{
		Service:    hit.Service,
		Role:       role,
		Class:      ev.Class,
		Confidence: min(limit, support(hit, len(host(ev)))),
	}, true
}

// Edition tells one catalogue from another: as long as it is the same, a name of a hello that was not known is not known.
func (c *Classifier) Edition() any { return c.catalogue() }

// Infrastructure says whether a name belongs to what hides names from a sensor: to which entry, and which category of it (see
// signatures.Categories).
func (c *Classifier) Infrastructure(name []byte) (id, category string, ok bool) {
	hit, ok := c.catalogue().Match(name)
	if !ok || !hit.Infrastructure() {
		return "", "", false
	}
	return hit.Service.ID, hit.Service.Category, true
}

// InfrastructureAddr is Infrastructure for an address, such as that of a public resolver.
func (c *Classifier) InfrastructureAddr(addr netip.Addr) (id, category string, ok bool) {
	s, ok := c.catalogue().MatchAddr(addr)
	if !ok || !s.Infrastructure() {
		return "", "", false
	}
	return s.ID, s.Category, true
}

// ceiling is the most that evidence of a class can say. A client that names the server it speaks to is sure of it; a certificate may
// cover more than the name asked for; a look-up is no use yet; an address only once belonged to the name.
func ceiling(ev *classifiers.Evidence) classifiers.Confidence {
	switch ev.Class {
	case classifiers.ClassSNI, classifiers.ClassQUICSNI, classifiers.ClassHTTPHost, classifiers.ClassConnect, classifiers.ClassLog:
		return classifiers.ConfidenceHigh
	case classifiers.ClassCertificate, classifiers.ClassDNS:
		return classifiers.ConfidenceMedium
	case classifiers.ClassIPFromDNS:
		return classifiers.ConfidenceLow
	}
	return classifiers.ConfidenceNone
}

// support is how well the catalogue carries the verdict for a name of so many octets. A listed name is as good as evidence gets,
// unless its sources are weak; one that only lies below a listed suffix, or fits a wildcard, was seen by no source, so it needs
// strong sources for the rest. Contact with a name that is no use by itself, or that other products share, says less.
func support(hit signatures.Hit, length int) classifiers.Confidence {
	n := hit.Name
	switch {
	case n.Confidence <= signatures.ConfidenceLow, n.Role == signatures.RoleShared:
		return classifiers.ConfidenceLow
	case n.Role == signatures.RoleSupporting:
		return classifiers.ConfidenceMedium
	case n.Confidence == signatures.ConfidenceHigh, length == len(n.Name) && n.Match != signatures.MatchWildcard:
		return classifiers.ConfidenceHigh
	}
	return classifiers.ConfidenceMedium
}

// host is the name of ev without the dot at its end and, where the class may carry one, without its port.
func host(ev *classifiers.Evidence) []byte {
	name := ev.Name
	switch ev.Class {
	case classifiers.ClassHTTPHost, classifiers.ClassConnect, classifiers.ClassLog:
		if i := bytes.LastIndexByte(name, ':'); i >= 0 && isPort(name[i+1:]) {
			name = name[:i]
		}
	}
	if n := len(name); n > 0 && name[n-1] == '.' {
		name = name[:n-1]
	}
	return name
}

// isPort says whether b is a port number; an authority may also end in a bare colon (RFC 3986, section 3.2.3).
func isPort(b []byte) bool {
	for _, d := range b {
		if d < '0' || d > '9' {
			return false
		}
	}
	return len(b) <= len("65535")
}
