// Package identity says who is behind a client's address, as of the time of the record: by the credentials that the connection itself
// carried, by what DHCP was seen to grant, and by the organisation's own table. It reads no packets (see wire/dhcp), makes no pseudonyms
// and drops nothing (see privacy).
//
// The first rule is never to write a wrong name. No user known means that none is written; an address that stands for several people (a
// proxy, a resolver, a NAT) is marked as shared instead; a name that cannot be read without doubt is no name.
//
//	the record's own user ---------------------------+
//	table: address > mac > smallest network ---------+--> user, department
//	bindings: who held the address then (MAC, host) -+--> host
//	shared addresses: infrastructure, seen resolvers and proxies --> no user
package identity

import (
	"net/netip"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dhcp"
)

// Sources, as in gnomon.attribution.source: what an attribution rests on.
const (
	SourceProxy  = "proxy-auth" // credentials for a proxy, in the flow itself
	SourceLog    = "log"        // the user that a log's line names
	SourceDHCP   = "dhcp"       // what a DHCP server granted
	SourceStatic = "static"     // the organisation's table
)

// Confidences, as in gnomon.attribution.confidence.
const (
	High   = "high"
	Medium = "medium"
	Low    = "low"
)

// forever is a time after all others.
const forever = event.Time(1<<63 - 1)

// Binding says that an address belonged to a host, a user or both for a time. It is what any source of identities other than the table
// has to say.
type Binding struct {
	Addr netip.Addr
	User Name
	Host string
	MAC  dhcp.MAC
	// Source and Confidence are written into records that rest on the binding.
	Source, Confidence string
	// From is when it was seen to begin; from Until on it holds no more.
	From, Until event.Time
	// Seen is when it was confirmed last; the age of an attribution counts from there.
	Seen event.Time
}
