package identity

import (
	"net/netip"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dhcp"
)

// Table is the organisation's own list of who uses which address, in memory. It does not change once it is read: a new one replaces it.
type Table struct {
	rows   []row    // of one key side by side, by time
	people []Name   // the first is nobody
	words  []string // departments and hosts; the first is empty
	addrs  addrs
	macs   map[dhcp.MAC]span
	users  map[Name]span
	nets   prefixes
	spans  []span // the rows of each network
}

// addrs are the rows of single addresses. Keys without pointers are found in half the time that netip.Addr takes as a key.
type addrs struct {
	v4 map[[4]byte]span
	v6 map[[16]byte]span
}

func (a *addrs) find(addr netip.Addr) span {
	if addr.Is4() {
		return a.v4[addr.As4()]
	}
	return a.v6[addr.As16()] // an invalid address is ::, which has no row
}

func (a *addrs) set(addr netip.Addr, s span) {
	if addr.Is4() {
		a.v4[addr.As4()] = s
	} else {
		a.v6[addr.As16()] = s
	}
}

// row is a line of the table. Person, department and host are indices; 0 is none.
type row struct {
	from, until              event.Time // until is the first moment that does not belong to it
	person, department, host uint32
	line                     uint32
	shared                   sharing
}

// sharing is what a row says of its address.
type sharing uint8

const (
	unsaid sharing = iota
	isShared
	notShared
)

// span is the rows of one key.
type span struct{ first, count int32 }

// Entry is what the table says of an address. Each part comes from the most specific row that says it.
type Entry struct {
	User       Name
	UserBy     Match // what kind of row named the user
	Department string
	Host       string
	HostBy     Match
	// Shared says that the address stands for several people.
	Shared bool
}

// Match is a kind of row, the most specific last.
type Match uint8

// The kinds of rows.
const (
	NoMatch Match = iota
	ByNetwork
	ByMAC
	ByAddress
)

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Lookup says what is known of a client at a time. The MAC may be zero, the address invalid.
func (t *Table) Lookup(addr netip.Addr, mac dhcp.MAC, at event.Time) Entry {
	var s search
	s.table = t
	addr = addr.Unmap().WithZone("")
	s.add(t.valid(t.addrs.find(addr), at), ByAddress)
	if !mac.IsZero() {
		s.add(t.valid(t.macs[mac], at), ByMAC)
	}
	for node := t.nets.find(addr); node >= 0 && !s.done(); node = t.nets.parents[node] {
		s.add(t.valid(t.spans[node], at), ByNetwork)
	}
	s.entry.Shared = s.shared == isShared
	return s.entry
}

// Department is the department that the table gives a user, or "".
func (t *Table) Department(user Name, at event.Time) string {
	if r := t.valid(t.users[user], at); r != nil {
		return t.words[r.department]
	}
	return ""
}

// valid is the row of a key that holds at a time, or nil. Rows of one key do not overlap.
func (t *Table) valid(s span, at event.Time) *row {
	low, high := s.first, s.first+s.count
	for low < high {
		middle := (low + high) / 2
		if t.rows[middle].from <= at {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == s.first || at >= t.rows[low-1].until {
		return nil
	}
	return &t.rows[low-1]
}

// search puts an Entry together, from the most specific row on.
type search struct {
	table  *Table
	entry  Entry
	shared sharing
}

// add takes what the entry still lacks from the row of a key, if one holds.
func (s *search) add(r *row, by Match) {
	if r != nil {
		s.take(r, by)
	}
}

func (s *search) take(r *row, by Match) {
	t, e := s.table, &s.entry
	if s.shared == unsaid {
		s.shared = r.shared
	}
	who := t.people[r.person]
	if r.person != 0 && e.User.IsZero() && s.shared != isShared {
		e.User, e.UserBy, s.shared = who, by, notShared
	}
	if e.Department == "" && (r.person == 0 || who == e.User) { // not that of somebody else
		e.Department = t.words[r.department]
	}
	if e.Host == "" && r.host != 0 {
		e.Host, e.HostBy = t.words[r.host], by
	}
}

// done says that wider networks can add nothing. They have no hosts.
func (s *search) done() bool {
	return s.entry.Department != "" && s.shared != unsaid && (s.shared == isShared || !s.entry.User.IsZero())
}
