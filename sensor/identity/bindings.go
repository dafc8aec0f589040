package identity

import (
	"container/list"
	"net/netip"
	"slices"
	"sync"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dhcp"
)

// maxHistory is how many holders of one address are remembered, one after the other, for records that come late.
const maxHistory = 8

// Bindings remember who held which address when. They may be used from several goroutines at once, and bindings may come in any order of
// time.
type Bindings struct {
	mu      sync.RWMutex
	max     int
	count   int // bindings kept
	evicted uint64
	addrs   map[netip.Addr]*holders
	order   *list.List // of addresses, the one bound longest ago first
}

// holders are the bindings of one address, by From. The latest that has begun decides: the one before it ended there, whatever its
// Until says.
type holders struct {
	devices []Binding // who has the address, by MAC and host
	users   []Binding // who sits at it
	spot    *list.Element
}

// NewBindings returns an empty set that keeps at most so many bindings.
func NewBindings(limit int) *Bindings {
	return &Bindings{max: limit, addrs: map[netip.Addr]*holders{}, order: list.New()}
}

// Bind notes a binding. The holder before it ends where the new one begins; the same holder goes on, until the time said last. Another
// device at an address ends its user as well.
func (b *Bindings) Bind(n Binding) {
	n.Addr = n.Addr.Unmap().WithZone("")
	if !n.Addr.IsValid() || n.Until <= n.From {
		return
	}
	n.Seen = max(n.Seen, n.From)
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.holders(n.Addr)
	before := len(h.devices) + len(h.users)
	if n.Host != "" || !n.MAC.IsZero() {
		if other := latest(h.devices, n.From); other != nil && !sameDevice(other, &n) {
			endAt(h.users, n.From)
		}
		h.devices = insert(h.devices, n, sameDevice)
	}
	if !n.User.IsZero() {
		h.users = insert(h.users, n, sameUser)
	}
	b.count += len(h.devices) + len(h.users) - before
	b.evict(n.Addr)
}

// holders finds or makes the entry of an address and notes that it was bound last.
func (b *Bindings) holders(addr netip.Addr) *holders {
	h := b.addrs[addr]
	if h == nil {
		h = &holders{spot: b.order.PushBack(addr)}
		b.addrs[addr] = h
	}
	b.order.MoveToBack(h.spot)
	return h
}

// evict forgets the addresses that were bound longest ago, but not the one that was just bound.
func (b *Bindings) evict(keep netip.Addr) {
	for b.count > b.max {
		addr := b.order.Front().Value.(netip.Addr)
		if addr == keep {
			return
		}
		h := b.addrs[addr]
		b.count -= len(h.devices) + len(h.users)
		b.evicted++
		b.order.Remove(h.spot)
		delete(b.addrs, addr)
	}
}

// End ends the binding of an address to a device at a time, and with it its user; a zero MAC is any device's.
func (b *Bindings) End(addr netip.Addr, mac dhcp.MAC, when event.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.addrs[addr.Unmap().WithZone("")]
	if h == nil {
		return
	}
	if held := at(h.devices, when); !mac.IsZero() && (held == nil || held.MAC != mac) {
		return // somebody else's by now
	}
	endAt(h.devices, when)
	endAt(h.users, when)
}

// Lookup returns the device and the user that held an address at a time; what is not known has no Source.
func (b *Bindings) Lookup(addr netip.Addr, when event.Time) (device, user Binding) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	h := b.addrs[addr.Unmap().WithZone("")]
	if h == nil {
		return Binding{}, Binding{}
	}
	if held := at(h.devices, when); held != nil {
		device = *held
	}
	if held := at(h.users, when); held != nil {
		user = *held
	}
	return device, user
}

// Len is the number of bindings that are remembered, and how many addresses were forgotten for want of room.
func (b *Bindings) Len() (kept int, evicted uint64) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.count, b.evicted
}

// latest is the binding that began last up to a time, ended or not, or nil.
func latest(list []Binding, when event.Time) *Binding {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].From <= when {
			return &list[i]
		}
	}
	return nil
}

// at is the binding that holds at a time, or nil.
func at(list []Binding, when event.Time) *Binding {
	if held := latest(list, when); held != nil && when < held.Until {
		return held
	}
	return nil
}

// endAt cuts the binding that holds at a time.
func endAt(list []Binding, when event.Time) {
	if held := at(list, when); held != nil {
		held.Until = when
	}
}

// insert puts a binding in its place in time, or goes on with the one there if it is the same holder's.
func insert(list []Binding, n Binding, same func(a, b *Binding) bool) []Binding {
	i := len(list)
	for i > 0 && list[i-1].From > n.From {
		i--
	}
	if i > 0 {
		before := &list[i-1]
		switch {
		case same(before, &n) && n.From <= before.Until:
			renew(before, &n)
			return list
		case before.From == n.From: // said later, so it knows better
			*before = n
			return list
		}
	}
	list = slices.Insert(list, i, n)
	if len(list) > maxHistory {
		list = slices.Delete(list, 0, 1)
	}
	return list
}

// renew goes on with a binding. What was said last counts: a server may shorten a lease.
func renew(held, n *Binding) {
	if n.From >= held.Seen {
		held.Until, held.Source, held.Confidence = n.Until, n.Source, n.Confidence
	}
	held.Seen = max(held.Seen, n.Seen)
	if held.Host == "" {
		held.Host = n.Host
	}
}

// sameDevice says that two bindings may be of one device: the same card, and no two names.
func sameDevice(a, b *Binding) bool {
	return a.MAC == b.MAC && (a.Host == b.Host || !a.MAC.IsZero() && (a.Host == "" || b.Host == ""))
}

func sameUser(a, b *Binding) bool { return a.User == b.User }
