package identity

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
)

// prefixes finds the smallest of many networks around an address. The networks' borders divide the addresses into ranges, each of which
// knows the smallest network around it, so that a look-up is one binary search, however many networks there are and however deep they
// lie in each other.
type prefixes struct {
	starts4 []uint32 // first address of each range
	nodes4  []int32  // index of its network, -1 for none
	starts6 []wide
	nodes6  []int32
	parents []int32 // of each network: the next larger one around it, or -1
}

// wide is an address of IPv6.
type wide struct{ high, low uint64 }

func wideOf(a netip.Addr) wide {
	b := a.As16()
	return wide{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func (w wide) compare(o wide) int {
	if c := cmp.Compare(w.high, o.high); c != 0 {
		return c
	}
	return cmp.Compare(w.low, o.low)
}

// normal is the network as prefixes want it: without host bits, an IPv4 network in IPv6 clothes undressed.
func normal(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

// newPrefixes takes networks that are normal and distinct; find answers with their indices.
func newPrefixes(list []netip.Prefix) prefixes {
	p := prefixes{parents: make([]int32, len(list))}
	order := make([]int32, len(list))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { // an outer network stands before those in it
		if c := list[a].Addr().Compare(list[b].Addr()); c != 0 {
			return c
		}
		return cmp.Compare(list[a].Bits(), list[b].Bits())
	})
	var open []int32
	for _, i := range order {
		for len(open) > 0 && !list[open[len(open)-1]].Contains(list[i].Addr()) {
			open = p.close(list, open)
		}
		p.parents[i] = last(open)
		p.begin(list[i].Addr(), i)
		open = append(open, i)
	}
	for len(open) > 0 {
		open = p.close(list, open)
	}
	return p
}

func last(open []int32) int32 {
	if len(open) == 0 {
		return -1
	}
	return open[len(open)-1]
}

// close ends the innermost open network: behind its last address the one around it goes on.
func (p *prefixes) close(list []netip.Prefix, open []int32) []int32 {
	inner := open[len(open)-1]
	open = open[:len(open)-1]
	if next := lastAddr(list[inner]).Next(); next.IsValid() {
		p.begin(next, last(open))
	}
	return open
}

// begin starts a range. What began at the same address gives way: it was empty.
func (p *prefixes) begin(a netip.Addr, node int32) {
	if a.Is4() {
		start := binary.BigEndian.Uint32(a.AsSlice())
		if n := len(p.starts4); n > 0 && p.starts4[n-1] == start {
			p.nodes4[n-1] = node
			return
		}
		p.starts4, p.nodes4 = append(p.starts4, start), append(p.nodes4, node)
		return
	}
	start := wideOf(a)
	if n := len(p.starts6); n > 0 && p.starts6[n-1] == start {
		p.nodes6[n-1] = node
		return
	}
	p.starts6, p.nodes6 = append(p.starts6, start), append(p.nodes6, node)
}

// lastAddr is the highest address of a network.
func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := range b {
		if host := 8*(i+1) - p.Bits(); host > 0 {
			b[i] |= byte(1<<min(host, 8) - 1)
		}
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// find returns the index of the smallest network around an address that is not IPv4 in IPv6, or -1.
func (p *prefixes) find(a netip.Addr) int32 {
	if a.Is4() {
		b := a.As4()
		return p.find4(binary.BigEndian.Uint32(b[:]))
	}
	if !a.IsValid() {
		return -1
	}
	return p.find6(wideOf(a))
}

func (p *prefixes) find4(a uint32) int32 {
	low, high := 0, len(p.starts4) // the range wanted is the last that starts at or before a
	for low < high {
		middle := int(uint(low+high) >> 1)
		if p.starts4[middle] <= a {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return -1
	}
	return p.nodes4[low-1]
}

func (p *prefixes) find6(a wide) int32 {
	low, high := 0, len(p.starts6)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if p.starts6[middle].compare(a) <= 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return -1
	}
	return p.nodes6[low-1]
}
