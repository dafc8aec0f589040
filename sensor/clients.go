package sensor

import (
	"cmp"
	"math/bits"
	"slices"
	"sync"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	clientShards = 64
	clientSets   = 8 // of a shard
	clientWays   = 8 // of a set
)

// Clients remembers of each client how much of its traffic had a readable name: 4096 at a time, within 1 MiB. In a set that is full, the
// one with the least that was hidden or nameless makes room. It is shared by the workers of a sensor, which ask it when a flow ends.
type Clients struct {
	seed  [3]uint64
	shard [clientShards]clientShard
}

type clientShard struct {
	mu      sync.Mutex
	slots   []ClientSeen // clientSets * clientWays, made at first use; a free one has no flows
	leftOut uint64       // flows of clients that made room
}

// ClientSeen is one client and what was seen of its names.
type ClientSeen struct {
	Addr            decode.Address
	Web, OtherPorts event.Sight
	Last            int64 // packet time of the latest flow, nanoseconds

	flows, blind uint64 // in all, and without those that were named
}

// Blind is what was hidden or nameless on any port.
func (c *ClientSeen) Blind() event.Part { return c.Web.Blind().Plus(c.OtherPorts.Blind()) }

// Hidden is what somebody hides on any port.
func (c *ClientSeen) Hidden() event.Part { return c.Web.Hidden().Plus(c.OtherPorts.Hidden()) }

func (c *ClientSeen) free() bool { return c.Addr == decode.Address{} }

// NewClients returns an empty memory. seed is secret: it keeps hostile traffic from aiming at one set.
func NewClients(seed [3]uint64) *Clients { return &Clients{seed: seed} }

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
	if s.slots == nil {
		s.slots = make([]ClientSeen, clientSets*clientWays)
	}
	at := int(hash>>32%clientSets) * clientWays
	slot := s.room(s.slots[at:at+clientWays], addr)
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

// hash mixes an address with the secret: two rounds of folded multiplication.
func (c *Clients) hash(addr decode.Address) uint64 {
	const golden = 0x9e3779b97f4a7c15
	h, l := bits.Mul64(addr.Hi^c.seed[0]^golden, addr.Lo^c.seed[1])
	h, l = bits.Mul64(h^l^c.seed[2], golden)
	return h ^ l
}

// room finds the client, or makes room for it.
func (s *clientShard) room(set []ClientSeen, addr decode.Address) *ClientSeen {
	least := &set[0]
	for i := range set {
		slot := &set[i]
		if slot.Addr == addr {
			return slot
		}
		if !least.free() && (slot.free() || slot.blind < least.blind) {
			least = slot
		}
	}
	s.leftOut += least.flows
	*least = ClientSeen{Addr: addr}
	return least
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
