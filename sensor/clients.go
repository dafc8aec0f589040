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
	addrs   []decode.Address // of slots; of a free one zero. A set of them lies in two cache lines, and of slots in thirty-two
	slots   []clientSlot     // clientSets * clientWays
	leftOut uint64           // flows of clients that made room
}

// clientSlot is what is counted of one client: four cache lines, of which most flows touch the first alone.
type clientSlot struct {
	last            int64
	flows, blind    uint64 // in all, and without those that were named
	web, otherPorts event.Sight
	_               [8]byte
}

// ClientSeen is one client and what was seen of its names.
type ClientSeen struct {
	Addr decode.Address
	Last int64 // packet time of the latest flow, nanoseconds

	Web, OtherPorts event.Sight
}

// Blind is what was hidden or nameless on any port.
func (c *ClientSeen) Blind() event.Part { return c.Web.Blind().Plus(c.OtherPorts.Blind()) }

// Hidden is what somebody hides on any port.
func (c *ClientSeen) Hidden() event.Part { return c.Web.Hidden().Plus(c.OtherPorts.Hidden()) }

// NewClients returns an empty memory. seed is secret: it keeps hostile traffic from aiming at one set.
func NewClients(seed [3]uint64) *Clients {
	const each = clientSets * clientWays
	c := &Clients{seed: seed}
	addrs, slots := make([]decode.Address, clientShards*each), make([]clientSlot, clientShards*each)
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

// clientWaysKnown is what a worker remembers of clients: which place of its set each was found at last. Any number does no harm.
type clientWaysKnown [1 << 13]uint8

// of is the place for a client.
func (k *clientWaysKnown) of(hash uint64) *uint8 { return &k[hash%uint64(len(k))] }

// add counts a part of a client's traffic.
func (c *Clients) add(addr decode.Address, n *sighted, known *clientWaysKnown) {
	hash := c.hash(addr)
	s := &c.shard[hash>>58]
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.place(setOf(hash), addr)
	*known.of(hash) = uint8(at % clientWays)
	slot := &s.slots[at]
	sum := &slot.web
	if !n.web {
		sum = &slot.otherPorts
	}
	to := n.kind.of(sum)
	*to = to.Plus(n.part)
	slot.last = max(slot.last, n.at)
	slot.flows += n.part.Flows
	if n.kind != sightNamed {
		slot.blind += n.part.Flows
	}
}

// ahead has the set of a client on its way to the cache that add will soon look through, and the slot where the client most likely is: to wait
// for that one cost 2.2 % of reading handshakes.
func (c *Clients) ahead(addr decode.Address, known *clientWaysKnown) {
	hash := c.hash(addr)
	s, at := &c.shard[hash>>58], setOf(hash)
	prefetch.At(&s.addrs[at])
	prefetch.At(&s.addrs[at+clientWays/2])
	prefetch.At(&s.slots[at+int(*known.of(hash)%clientWays)])
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

// place finds the slot of the client in the set that begins at a place, or makes room for it.
func (s *clientShard) place(at int, addr decode.Address) int {
	for i := range s.addrs[at : at+clientWays] {
		if s.addrs[at+i] == addr {
			return at + i
		}
	}
	return s.room(at, addr)
}

// free says whether nobody has the slot.
func (s *clientShard) free(at int) bool { return s.addrs[at] == decode.Address{} }

// room gives a slot of the set to the client.
func (s *clientShard) room(at int, addr decode.Address) int {
	least := at
	for i := at; i < at+clientWays; i++ {
		if !s.free(least) && (s.free(i) || s.slots[i].blind < s.slots[least].blind) {
			least = i
		}
	}
	if !s.free(least) { // to read what nobody has used yet would be a page fault more
		s.leftOut += s.slots[least].flows
	}
	s.addrs[least], s.slots[least] = addr, clientSlot{}
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
			if s.free(j) { // and zero: nothing is read or cleared that was never used
				continue
			}
			slot := &s.slots[j]
			seen := ClientSeen{Addr: s.addrs[j], Last: slot.last, Web: slot.web, OtherPorts: slot.otherPorts}
			if seen.Blind().Flows+seen.Blind().Bytes > 0 {
				all = append(all, seen)
			}
			s.addrs[j], *slot = decode.Address{}, clientSlot{}
		}
		leftOut += s.leftOut
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
