package sensor

import (
	"net/netip"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// hiders is implemented by classifiers that know what hides names: resolvers, relays, VPNs, and the outer names of encrypted hellos.
type hiders interface {
	// Infrastructure says to which entry of the catalogue a name belongs, if that hides names, and to which category.
	Infrastructure(name []byte) (id, category string, ok bool)
	// InfrastructureAddr is the same for an address.
	InfrastructureAddr(addr netip.Addr) (id, category string, ok bool)
}

// The catalogue's categories of what hides names.
const (
	categoryFront    = "ech-front" // outer names (RFC 9849, section 4)
	categoryResolver = "encrypted-dns"
	categoryRelay    = "relay"
	categoryVPN      = "vpn"
)

// sighting is what could be seen of a flow's name.
type sighting uint8

const (
	sightNone sighting = iota
	sightNamed
	sightECH
	sightResolver
	sightRelay
	sightOneSided
	sightCut
	sightNameless
)

// of is the part of s that flows of the kind stand in.
func (k sighting) of(s *event.Sight) *event.Part {
	switch k {
	case sightNamed:
		return &s.Named
	case sightECH:
		return &s.ECH
	case sightResolver:
		return &s.EncryptedDNS
	case sightRelay:
		return &s.Relay
	case sightOneSided:
		return &s.OneSided
	case sightCut:
		return &s.Cut
	}
	return &s.Nameless
}

// Ports of encrypted traffic by their registration.
const (
	portHTTPS = 443
	portDoT   = 853 // RFC 7858, section 3.1; over UDP it is DoQ (RFC 9250, section 4.1.1)
)

// What hides names without an entry in the catalogue, as in gnomon.coverage.hidden_by.
const (
	byECH = "ech"
	byDoT = "dns-over-tls"
	byDoQ = "dns-over-quic"
)

// noteHider looks whether what a flow has shown hides the names behind it, and keeps that until the flow ends. front says that its name is
// known as the outer one of encrypted hellos, behind which any service may be.
func (s *Sensor) noteHider(f *flow.Flow, seg *decode.Segment, o *evidence.Observation) (front bool) {
	if o.Class == classifiers.ClassHTTPHost {
		return false // a page in the clear: of a resolver's vendor, say
	}
	id, category := s.hiderOf(o)
	if o.Hello != nil && o.Hello.ECH {
		front = category == categoryFront
		if front || s.hiddenECH(o) {
			f.State |= flow.Hidden
			return front
		}
	}
	kind := sightingOf(category)
	if kind == sightNone && o.Hello != nil {
		id, kind = resolverByProtocol(o.Hello.NextProtocol())
	}
	if kind != sightNone {
		s.hides(f, seg.Time, kind, id)
	}
	return false
}

// hider is what an observation's name is of what hides names, looked up when it is first asked for.
type hider struct {
	known        bool
	id, category string
}

// hiderOf says whether the name of the observation that Found was called for is of what hides names.
func (s *Sensor) hiderOf(o *evidence.Observation) (id, category string) {
	if !s.hider.known {
		s.hider.known = true
		s.hider.id, s.hider.category = s.infrastructure(o.Name)
	}
	return s.hider.id, s.hider.category
}

// infrastructure asks the catalogue what a name hides.
func (s *Sensor) infrastructure(name []byte) (id, category string) {
	if h, ok := s.classify.(hiders); ok && len(name) > 0 {
		id, category, _ = h.Infrastructure(name)
	}
	return id, category
}

func sightingOf(category string) sighting {
	switch category {
	case categoryResolver:
		return sightResolver
	case categoryRelay, categoryVPN:
		return sightRelay
	}
	return sightNone
}

// resolverByProtocol tells DNS by its protocol in the hello (ALPN; RFC 7858, section 11 and RFC 9250, section 8.1).
func resolverByProtocol(protocol []byte) (id string, kind sighting) {
	switch string(protocol) {
	case "dot":
		return byDoT, sightResolver
	case "doq":
		return byDoQ, sightResolver
	}
	return "", sightNone
}

// hides keeps that a flow hides names. Such flows live long, so they are accounted for in slices.
func (s *Sensor) hides(f *flow.Flow, at int64, kind sighting, by string) {
	st := s.storyOf(f)
	if st == nil {
		st = &story{}
		s.flows.SideOf(f).Owner = st
	}
	if st.hides != sightNone {
		return
	}
	st.hides, st.hider = kind, by
	s.slices(f, at)
}

// sighting says which part of the traffic a flow belongs to, and what hides its name, if something does.
func (s *Sensor) sighting(f *flow.Flow, st *story) (kind sighting, by string) {
	if st != nil && st.hides != sightNone {
		return st.hides, st.hider
	}
	server := f.Key.Port(1 - f.Client())
	if server == portDoT || server == portHTTPS && f.State&flow.Named == 0 {
		if by, kind := s.hiderAt(f, server); kind != sightNone {
			return kind, by
		}
	}
	switch {
	case f.State&flow.Hidden != 0:
		return sightECH, byECH
	case f.State&flow.Named != 0:
		return sightNamed, ""
	}
	return nameless(f), ""
}

// nameless says why a flow has no name.
func nameless(f *flow.Flow) sighting {
	switch {
	case f.Half[0].Packets == 0 || f.Half[1].Packets == 0:
		return sightOneSided
	case f.State&flow.Cut != 0:
		return sightCut
	}
	return sightNameless
}

// hiderAt asks the catalogue what hides names at the server's address; on the port for look-ups it is a resolver in any case.
func (s *Sensor) hiderAt(f *flow.Flow, port uint16) (by string, kind sighting) {
	if h, ok := s.classify.(hiders); ok {
		if id, category, ok := h.InfrastructureAddr(f.Key.Address(1 - f.Client()).Addr()); ok {
			return id, sightingOf(category)
		}
	}
	switch {
	case port != portDoT:
		return "", sightNone
	case f.Key.Proto == decode.UDP:
		return byDoQ, sightResolver
	}
	return byDoT, sightResolver
}

// accountSlice accounts for a flow that hides names and goes on.
func (s *Sensor) accountSlice(f *flow.Flow, st *story, end flow.End) {
	if st != nil && st.hides != sightNone && end == flow.EndNone {
		s.account(f, st)
	}
}

// account adds what a flow carried since it was accounted for last to the part of the traffic that it belongs to. Without a story a flow is
// accounted for once: one that was evicted and came back was counted when it was evicted.
func (s *Sensor) account(f *flow.Flow, st *story) {
	p := event.Part{Flows: 1, Bytes: f.Half[0].Bytes + f.Half[1].Bytes}
	if p.Bytes == 0 || st == nil && f.State&flow.Resumed != 0 {
		return
	}
	if st != nil {
		p = st.sinceAccounted(p)
	}
	client := f.Client()
	kind, by := s.sighting(f, st)
	web := f.Key.Port(1-client) == portHTTPS
	if !web && kind != sightResolver && kind != sightRelay {
		return
	}
	s.counters.sight(web, kind, by, p)
	if s.config.Clients != nil && s.ours(f, client) {
		s.config.Clients.add(f.Key.Address(client), &sighted{web, kind, p, f.Last}, &s.ways)
	}
}

// sinceAccounted is what was not accounted for yet of a flow.
func (st *story) sinceAccounted(p event.Part) event.Part {
	if st.accounted > 0 {
		p.Flows = 0
	}
	p.Bytes, st.accounted = p.Bytes-st.accounted, p.Bytes
	return p
}

// ours says whether a flow's client may be one of the organisation's own: who comes to its servers from outside is not.
func (s *Sensor) ours(f *flow.Flow, client uint8) bool {
	internal := s.config.Flow.Internal
	return internal == nil || internal(f.Key.Address(client)) || !internal(f.Key.Address(1-client))
}
