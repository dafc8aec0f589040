// Package signatures is the catalogue as data: which external AI services there are, which names are theirs, and where each fact
// comes from. It loads and checks the TOML files under catalogue and matches names; what a match means is decided in package
// classifiers. README.md says how to add a signature.
package signatures

import (
	"net/netip"
	"time"
)

// Service is one external AI service, or one piece of infrastructure that hides names from a sensor (see Infrastructure). A Service
// is never changed after the catalogue is loaded.
type Service struct {
	ID       string // lower case, as in rule.id and network.application
	Name     string
	Vendor   string
	Country  string // ISO 3166-1 alpha-2 of the vendor's seat; empty if not established
	Category string
	Kind     string // web, api, ide, agent or background
	Names    []Name

	// Verified is the day on which the entry was last held against its sources.
	Verified time.Time
	// URLs are patterns of host and path for logs that carry paths; see Catalogue.MatchURL.
	URLs []string
	// UserAgents are patterns for logs that carry the User-Agent header; see Catalogue.MatchUserAgent.
	UserAgents []string
	// Ranges are addresses that belong to the service and to nothing else; see Catalogue.MatchAddr.
	Ranges []netip.Prefix
	// Risk is what is publicly known of how the vendor treats what it is sent; an attribute that is not known is absent.
	Risk []Fact
}

// Name is one network name of a service.
type Name struct {
	Name string // lower case, A-labels; holds a star where Match is MatchWildcard
	Role Role

	Match      Match
	Confidence Confidence
	Layer      Layer
	// Kind is set where this name is used in another way than the rest of its service, as an API host of a web application is.
	Kind string
	// Sources are tags of sources.toml or addresses, as written in the file; ParseSource reads one.
	Sources []string
	// Verified is the day on which the name was last held against its sources: its own, or that of the service.
	Verified time.Time
	// Why is the reason for a name that the checks would otherwise refuse, such as one below a name of another vendor.
	Why string
}

// Fact is one risk attribute of a service.
type Fact struct {
	Attribute  string // one of RiskAttributes
	Value      string
	Sources    []string
	Date       time.Time // the day on which the sources said so
	Confidence Confidence
}

// Hit is the entry of the catalogue that a host name matched.
type Hit struct {
	Service *Service
	Name    *Name
}

// Use says whether contact with the name is use of an AI service by itself.
func (h Hit) Use() bool {
	return h.Name != nil && (h.Name.Role == RolePrimary || h.Name.Role == RoleUpload) && !h.Service.Infrastructure()
}

// Infrastructure says whether the name belongs to a resolver, a relay, a VPN or an ECH front and not to an AI service.
func (h Hit) Infrastructure() bool {
	return h.Service != nil && h.Service.Infrastructure()
}

// Kind is how the name is used: its own kind, or else that of its service.
func (h Hit) Kind() string {
	if h.Name != nil && h.Name.Kind != "" {
		return h.Name.Kind
	}
	if h.Service != nil {
		return h.Service.Kind
	}
	return ""
}

// Infrastructure says whether the entry is a resolver, a relay, a VPN or an ECH front: it hides which services are used and is none.
func (s *Service) Infrastructure() bool {
	switch s.Category {
	case CategoryEncryptedDNS, CategoryRelay, CategoryVPN, CategoryECHFront:
		return true
	}
	return false
}
