// Package classifiers turns evidence (a name on the wire, in a look-up, in a log) into a verdict: which AI service was used and how
// sure that is. The implementations live in sub-directories, one per kind of evidence; what a service is called and which names are
// its own is data, in package signatures.
package classifiers

import (
	"net/netip"

	"github.com/gnomon-sensor/gnomon/signatures"
)

// Class is the kind of evidence, spelled as in gnomon.evidence.class.
type Class uint8

// The classes, strongest first where a name is concerned.
const (
	ClassNone Class = iota
	ClassSNI
	ClassQUICSNI
	ClassHTTPHost
	ClassConnect
	ClassLog
	ClassCertificate
	ClassDNS
	ClassIPFromDNS
	// What a log knows beside the name; such evidence never stands alone.
	ClassURL
	ClassUserAgent
)

var classNames = [...]string{"", "sni", "quic-sni", "http-host", "connect", "log", "certificate", "dns", "ip-from-dns", "url-path", "user-agent"}

// String is the ECS value.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return ""
}

// Confidence grades a verdict.
type Confidence uint8

// The grades; the zero value is none.
const (
	ConfidenceNone Confidence = iota
	ConfidenceLow
	ConfidenceMedium
	ConfidenceHigh
)

var confidenceNames = [...]string{"", "low", "medium", "high"}

// String is the ECS value.
func (c Confidence) String() string {
	if int(c) < len(confidenceNames) {
		return confidenceNames[c]
	}
	return ""
}

// Evidence is one observation. The byte slices alias the frame: a classifier that keeps them copies them.
type Evidence struct {
	Class Class
	Time  int64  // nanoseconds since 1970-01-01 UTC
	Name  []byte // the host name as seen: any case, perhaps a trailing dot
	// Names are all names of a certificate, wildcards as they stand; only for ClassCertificate. Name is not looked at then.
	Names [][]byte
	// Path and Agent are what a log knows beside the name: path and query of the address, and what the client's program calls itself; only
	// for ClassLog. They are matched and never kept.
	Path, Agent []byte
	Client      netip.Addr
	Server      netip.AddrPort
	// ECH says that the hello carried an encrypted inner hello: Name may be the outer, public name (RFC 9849).
	ECH bool
	// Shared counts the other names known for the server's address; only for ClassIPFromDNS.
	Shared int
}

// Verdict says which service a piece of evidence shows.
type Verdict struct {
	Service    *signatures.Service
	Role       signatures.Role
	Class      Class
	Confidence Confidence
	// Also is what decided beside the name: a path, the client's program; ClassNone for the name alone.
	Also Class
}

// Use says whether the verdict shows use of the service by itself: roles primary and upload do, supporting and shared never do.
func (v Verdict) Use() bool {
	return v.Service != nil && (v.Role == signatures.RolePrimary || v.Role == signatures.RoleUpload)
}

// Shared says whether other products use the name as well.
func (v Verdict) Shared() bool { return v.Role == signatures.RoleShared }

// Classifier judges evidence. Classify is called from several goroutines at once, must not keep ev, and must not allocate when
// nothing matches. It returns false if the evidence says nothing about any AI service.
type Classifier interface {
	Classify(ev *Evidence) (Verdict, bool)
}
