package candidates

import (
	"cmp"
	"slices"
	"strings"
)

// Name is what one day knows of a name.
type Name struct {
	Name     string
	Flows    uint64
	Up, Down uint64 // bytes
	Answers  uint64 // at a token's pace
	Paced    uint64 // flows with such an answer
	Paths    uint64 // log lines with the path of a model API
	Alias    string // the service of the catalogue that a CNAME leads to; empty: none was seen
	Clients  Sketch
}

// Day is the names of one day, in their order.
type Day struct {
	Label string // as in 2026-11-21
	// From and Until are where the day begins and ends, nanoseconds since 1970-01-01 UTC.
	From, Until int64
	Names       []Name
	Over        uint64 // contacts with names that there was no room for
}

// copy makes a Day of what was counted so far.
func (d *day) copy() *Day {
	out := &Day{Label: d.label, From: d.from, Until: d.until}
	for i := range d.shard {
		s := &d.shard[i]
		s.mu.Lock()
		s.settle()
		for at := range s.used {
			e := s.at(at)
			out.Names = append(out.Names, Name{Name: string(s.names[e.at : e.at+uint32(e.length)]), Flows: uint64(e.flows), Up: e.up, Down: e.down,
				Answers: uint64(e.answers), Paced: uint64(e.paced), Paths: uint64(e.paths), Alias: s.aliases[at], Clients: s.clients(e)})
		}
		out.Over += s.over
		s.mu.Unlock()
	}
	slices.SortFunc(out.Names, func(a, b Name) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// add adds what another part of the time knows of the same name.
func (n *Name) add(o *Name) {
	n.Flows += o.Flows
	n.Up += o.Up
	n.Down += o.Down
	n.Answers += o.Answers
	n.Paced += o.Paced
	n.Paths += o.Paths
	n.Alias = leastAlias(n.Alias, o.Alias)
	n.Clients.Merge(&o.Clients)
}

// leastAlias is the service that stands for a name which led to several: the first by its identifier, whichever was seen first.
func leastAlias(a, b string) string {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}

// Merge adds up the names of several days, or of several parts of one: the label is that of the first.
func Merge(days ...*Day) *Day {
	out := &Day{}
	for i, d := range days {
		if i == 0 {
			out.Label, out.From, out.Until = d.Label, d.From, d.Until
		}
		out.From, out.Until = min(out.From, d.From), max(out.Until, d.Until)
		out.Over += d.Over
		out.Names = mergeNames(out.Names, d.Names)
	}
	return out
}

// Join adds up the days of two tables that counted parts of the same traffic, both the oldest first, each with at most limit names.
func Join(a, b []*Day, limit int) []*Day {
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(a, b *Day) int { return cmp.Compare(a.From, b.From) })
	var out []*Day
	for _, d := range all {
		if n := len(out); n > 0 && out[n-1].From == d.From {
			out[n-1] = Merge(out[n-1], d)
			out[n-1].Cut(limit)
			continue
		}
		out = append(out, d)
	}
	return out
}

// mergeNames joins two sorted lists.
func mergeNames(a, b []Name) []Name {
	if len(a) == 0 {
		return slices.Clone(b)
	}
	out := make([]Name, 0, max(len(a), len(b)))
	for len(a) > 0 && len(b) > 0 {
		switch c := strings.Compare(a[0].Name, b[0].Name); {
		case c < 0:
			out, a = append(out, a[0]), a[1:]
		case c > 0:
			out, b = append(out, b[0]), b[1:]
		default:
			a[0].add(&b[0])
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// Cut keeps the limit names with the most contacts and counts the others as Over.
func (d *Day) Cut(limit int) {
	if len(d.Names) <= limit {
		return
	}
	slices.SortFunc(d.Names, func(a, b Name) int { return cmp.Or(cmp.Compare(b.Flows, a.Flows), strings.Compare(a.Name, b.Name)) })
	for i := range d.Names[limit:] {
		d.Over += d.Names[limit+i].Flows
	}
	d.Names = d.Names[:limit]
	slices.SortFunc(d.Names, func(a, b Name) int { return strings.Compare(a.Name, b.Name) })
}
