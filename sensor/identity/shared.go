package identity

import (
	"net/netip"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// maxSeen bounds how many addresses are remembered as resolvers and proxies: a hostile network could otherwise fill the memory with
// answers that it makes up.
const maxSeen = 1 << 16

// Role says why an address is no user's.
type Role uint8

// The roles of an address.
const (
	NoRole         Role = iota
	Infrastructure      // it stands in networks.infrastructure
	Resolver            // it was seen answering DNS queries
	Proxy               // it was seen accepting CONNECT
)

// Shared knows the addresses that stand for several people or none. It may be used from several goroutines at once.
type Shared struct {
	infrastructure prefixes
	keep           int64 // nanoseconds

	mu       sync.RWMutex
	seen     map[netip.Addr]sightings
	pruned   event.Time // when that was tried last: not for every address of a flood
	overflow uint64
}

// sightings are the last times that an address did something; 0 is never.
type sightings struct{ resolver, proxy event.Time }

// newShared takes the networks of infrastructure, and how long a sighting counts.
func newShared(infrastructure []netip.Prefix, keep time.Duration) *Shared {
	distinct := map[netip.Prefix]bool{}
	var list []netip.Prefix
	for _, p := range infrastructure {
		if p = normal(p); p.IsValid() && !distinct[p] {
			distinct[p] = true
			list = append(list, p)
		}
	}
	return &Shared{infrastructure: newPrefixes(list), keep: int64(keep), seen: map[netip.Addr]sightings{}}
}

// SawResolver says that an address answered a DNS query. It is no place for answers to multicast (RFC 6762): every host gives those.
func (s *Shared) SawResolver(addr netip.Addr, at event.Time) {
	s.saw(addr, sightings{resolver: at})
}

// SawProxy says that an address accepted a CONNECT.
func (s *Shared) SawProxy(addr netip.Addr, at event.Time) {
	s.saw(addr, sightings{proxy: at})
}

// refresh is how much newer a sighting must be to be written down: most calls come for what was just seen, and only read.
const refresh = event.Time(60e9)

func (s *Shared) saw(addr netip.Addr, n sightings) {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() {
		return
	}
	s.mu.RLock()
	known := s.seen[addr]
	s.mu.RUnlock()
	if n.resolver-known.resolver < refresh && n.proxy-known.proxy < refresh {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.seen[addr]
	if now := max(n.resolver, n.proxy); !ok && len(s.seen) >= maxSeen && now-s.pruned >= refresh {
		s.prune(now)
	}
	if !ok && len(s.seen) >= maxSeen {
		s.overflow++
		return
	}
	s.seen[addr] = sightings{max(known.resolver, n.resolver), max(known.proxy, n.proxy)}
}

// prune forgets what was seen too long ago to count.
func (s *Shared) prune(at event.Time) {
	s.pruned = at
	for addr, n := range s.seen {
		if int64(at-max(n.resolver, n.proxy)) > s.keep {
			delete(s.seen, addr)
		}
	}
}

// Role says what an address was at a time. What was seen later than that counts too: a resolver does not become one by its first
// answer.
func (s *Shared) Role(addr netip.Addr, at event.Time) Role {
	addr = addr.Unmap().WithZone("")
	if s.infrastructure.find(addr) >= 0 {
		return Infrastructure
	}
	s.mu.RLock()
	n := s.seen[addr]
	s.mu.RUnlock()
	switch {
	case n.proxy != 0 && int64(at-n.proxy) <= s.keep:
		return Proxy
	case n.resolver != 0 && int64(at-n.resolver) <= s.keep:
		return Resolver
	}
	return NoRole
}

// Overflow counts addresses that were not remembered for want of room.
func (s *Shared) Overflow() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.overflow
}
