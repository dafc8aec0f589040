package sensor

import (
	"cmp"
	"math/bits"
	"slices"
	"sync"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/prefetch"
)

const (
	clientShards = 64
	clientSets   = 16 // of a shard
	clientWays   = 8  // of a set
)

// Clients remembers of each client how much of its traffic had a readable name: 8192 at a time, within 2 MiB. In a set that is full, the
// one with the least that was hidden or nameless makes room. It is shared by the workers of a sensor, which ask it when a flow ends.
type Clients struct {
	seed  [3]uint64
	shard [clientShards]clientShard
}

type clientShard struct {
	mu      sync.Mutex
	addrs   []decode.Address // of slots: a set of them lies in two cache lines, and of slots in thirty
	slots   []ClientSeen     // clientSets * clientWays; a free one has no flows
	leftOut uint64           // flows of clients that made room
}

// ClientSeen is one client and what was seen of its names.
type ClientSeen struct {
	Addr decode.Address
	Last int64 // packet time of the latest flow, nanoseconds

	flows, blind uint64 // in all, and without those that were named

	Web, OtherPorts event.Sight // the part of named flows first: with what stands before, all that most flows touch
}

// Blind is what was hidden or nameless on any port.
func (c *ClientSeen) Blind() event.Part { return c.Web.Blind().Plus(c.OtherPorts.Blind()) }

// Hidden is what somebody hides on any port.
func (c *ClientSeen) Hidden() event.Part { return c.Web.Hidden().Plus(c.OtherPorts.Hidden()) }

func (c *ClientSeen) free() bool { return c.Addr == decode.Address{} }

// NewClients returns an empty memory. seed is secret: it keeps hostile traffic from aiming at one set.
func NewClients(seed [3]uint64) *Clients {
	const each = clientSets * clientWays
	c := &Clients{seed: seed}
	addrs, slots := make([]decode.Address, clientShards*each), make([]ClientSeen, clientShards*each)
	for i := range c.shard {
		c.shard[i].addrs, c.shard[i].slots = addrs[i*each:][:each], slots[i*each:][:each]
	}
	return c
}

// sighted is what was seen of a flow's name.
type sighted struct {
	web  bool
	kind sighting
	part event.Part
	at   int64
}

// add counts a part of a client's traffic.
func (c *Clients) add(addr decode.Address, n sighted) {
	hash := c.hash(addr)
	s := &c.shard[hash>>58]
	s.mu.Lock()
	defer s.mu.Unlock()
	slot := s.slot(setOf(hash), addr)
	sum := &slot.Web
	if !n.web {
		sum = &slot.OtherPorts
	}
	to := n.kind.of(sum)
	*to = to.Plus(n.part)
	slot.Last = max(slot.Last, n.at)
	slot.flows += n.part.Flows
	if n.kind != sightNamed {
		slot.blind += n.part.Flows
	}
}

// ahead has the set of a client on its way to the cache that add will soon look through.
func (c *Clients) ahead(addr decode.Address) {
	hash := c.hash(addr)
	set := c.shard[hash>>58].addrs[setOf(hash):]
	prefetch.At(&set[0])
	prefetch.At(&set[clientWays/2])
}

// setOf is where in a shard the set of a client begins.
func setOf(hash uint64) int { return int(hash>>32%clientSets) * clientWays }

// hash mixes an address with the secret: two rounds of folded multiplication.
func (c *Clients) hash(addr decode.Address) uint64 {
	const golden = 0x9e3779b97f4a7c15
	h, l := bits.Mul64(addr.Hi^c.seed[0]^golden, addr.Lo^c.seed[1])
	h, l = bits.Mul64(h^l^c.seed[2], golden)
	return h ^ l
}

// slot finds the client in the set that begins at a place, or makes room for it.
func (s *clientShard) slot(at int, addr decode.Address) *ClientSeen {
	for i := range s.addrs[at : at+clientWays] {
		if s.addrs[at+i] == addr {
			return &s.slots[at+i]
		}
	}
	return s.room(at, addr)
}

// room gives a slot of the set to the client.
func (s *clientShard) room(at int, addr decode.Address) *ClientSeen {
	least := at
	for i := at; i < at+clientWays; i++ {
		if slot := &s.slots[i]; !s.slots[least].free() && (slot.free() || slot.blind < s.slots[least].blind) {
			least = i
		}
	}
	s.leftOut += s.slots[least].flows
	s.addrs[least], s.slots[least] = addr, ClientSeen{Addr: addr}
	return &s.slots[least]
}

// Take returns the n clients of which most was hidden or nameless, half of them by bytes and half by the flows that were hidden: a tunnel
// is few flows, a resolver few bytes. leftOut counts the flows of clients that had no room. All begins anew.
func (c *Clients) Take(n int) (most []ClientSeen, leftOut uint64) {
	var all []ClientSeen
	for i := range c.shard {
		s := &c.shard[i]
		s.mu.Lock()
		for j := range s.slots {
			if slot := &s.slots[j]; !slot.free() && slot.Blind().Flows+slot.Blind().Bytes > 0 {
				all = append(all, *slot)
			}
		}
		leftOut += s.leftOut
		clear(s.addrs)
		clear(s.slots)
		s.leftOut = 0
		s.mu.Unlock()
	}
	return mostBlind(all, n), leftOut
}

// mostBlind puts those in front that Take returns.
func mostBlind(all []ClientSeen, n int) []ClientSeen {
	address := func(a, b *ClientSeen) int {
		return cmp.Or(cmp.Compare(a.Addr.Hi, b.Addr.Hi), cmp.Compare(a.Addr.Lo, b.Addr.Lo))
	}
	byBytes := func(a, b ClientSeen) int {
		return cmp.Or(cmp.Compare(b.Blind().Bytes, a.Blind().Bytes), address(&a, &b))
	}
	slices.SortFunc(all, byBytes)
	if len(all) <= n {
		return all
	}
	slices.SortFunc(all[n/2:], func(a, b ClientSeen) int {
		return cmp.Or(cmp.Compare(b.Hidden().Flows, a.Hidden().Flows), byBytes(a, b))
	})
	all = all[:n]
	slices.SortFunc(all, byBytes)
	return all
}
