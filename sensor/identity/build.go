package identity

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/gnomon-sensor/gnomon/sensor/wire/dhcp"
)

// build puts rows in their place. Rows of one key may follow each other in time, but not overlap.
func build(rows []rawRow, people []Name, words []string) (*Table, error) {
	slices.SortFunc(rows, func(a, b rawRow) int {
		return cmp.Or(a.compareKey(&b), cmp.Compare(a.row.from, b.row.from), cmp.Compare(a.row.line, b.row.line))
	})
	t := &Table{people: people, words: words, rows: make([]row, 0, len(rows)),
		addrs: addrs{v4: map[[4]byte]span{}, v6: map[[16]byte]span{}}, macs: map[dhcp.MAC]span{}, users: map[Name]span{}}
	var nets []netip.Prefix
	var faults []error
	for i := range rows {
		raw := &rows[i]
		fresh := i == 0 || raw.compareKey(&rows[i-1]) != 0
		if !fresh && raw.row.from < rows[i-1].row.until && len(faults) < maxFaults {
			faults = append(faults, fmt.Errorf("line %d: %s stands in line %d too, for the same time; keep one, or divide them with from and until",
				raw.row.line, t.keyText(raw), rows[i-1].row.line))
		}
		t.rows = append(t.rows, raw.row)
		if fresh && raw.network() {
			nets = append(nets, raw.net)
		}
		t.count(raw, fresh)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	t.nets = newPrefixes(nets)
	return t, nil
}

// count adds the row that was put in last to the span of its key.
func (t *Table) count(raw *rawRow, fresh bool) {
	first := span{first: int32(len(t.rows) - 1), count: 1}
	grown := func(s span) span {
		if fresh {
			return first
		}
		return span{s.first, s.count + 1}
	}
	switch {
	case raw.network() && fresh:
		t.spans = append(t.spans, first)
	case raw.network():
		t.spans[len(t.spans)-1].count++
	case raw.net.IsValid():
		t.addrs.set(raw.net.Addr(), grown(t.addrs.find(raw.net.Addr())))
	case !raw.mac.IsZero():
		t.macs[raw.mac] = grown(t.macs[raw.mac])
	default:
		who := t.people[raw.row.person]
		t.users[who] = grown(t.users[who])
	}
}

// compareKey orders rows by what they are about.
func (r *rawRow) compareKey(o *rawRow) int {
	c := cmp.Or(r.net.Addr().Compare(o.net.Addr()), cmp.Compare(r.net.Bits(), o.net.Bits()), bytes.Compare(r.mac[:], o.mac[:]))
	if c == 0 && r.aboutUser() {
		return cmp.Compare(r.row.person, o.row.person)
	}
	return c
}

// keyText is what a row is about, for a message.
func (t *Table) keyText(r *rawRow) string {
	switch {
	case r.net.IsValid() && r.net.IsSingleIP():
		return "address " + r.net.Addr().String()
	case r.net.IsValid():
		return "network " + r.net.String()
	case !r.mac.IsZero():
		return "mac " + formatMAC(r.mac)
	}
	return "user " + t.people[r.row.person].Key()
}
