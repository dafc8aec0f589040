package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math/bits"
	"slices"
	"strings"
)

// maxPeople is how many users the summary tells apart, at about 150 bytes each. Beyond it the half with the least upload goes.
const maxPeople = 1 << 16

// crowd is the users of a summary, of whom those with the largest upload are shown.
type crowd struct {
	by   map[string]*userSum
	most int
	gone uint64 // users that were let go; one who came back and went again is counted again
}

type userSum struct {
	services    serviceSet
	up          uint64
	uploadKnown bool
	flows       uint64
	late        bool // entered when others had been let go, and may have been one of them: figures are at least these
}

// serviceSet is services by the order in which they appeared.
type serviceSet []uint64

func (s *serviceSet) add(n int) {
	for len(*s) <= n/64 {
		*s = append(*s, 0)
	}
	(*s)[n/64] |= 1 << (n % 64)
}

func (s serviceSet) count() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

func newCrowd() crowd { return crowd{by: map[string]*userSum{}, most: maxPeople} }

// of returns what is known of a user, who may be new.
func (p *crowd) of(who string) *userSum {
	u := p.by[who]
	if u != nil {
		return u
	}
	if len(p.by) >= p.most {
		p.forget()
	}
	u = &userSum{late: p.gone > 0}
	p.by[who] = u
	return u
}

// forget lets the half go that has uploaded least; of those who have uploaded alike, as where no log tells of uploads, who came least often.
func (p *crowd) forget() {
	type place struct{ up, flows, name uint64 }
	placeOf := func(name string, u *userSum) place { return place{u.up, u.flows, hashOf(name)} }
	compare := func(a, b place) int {
		return cmp.Or(cmp.Compare(a.up, b.up), cmp.Compare(a.flows, b.flows), cmp.Compare(a.name, b.name))
	}
	all := make([]place, 0, len(p.by))
	for name, u := range p.by {
		all = append(all, placeOf(name, u))
	}
	slices.SortFunc(all, compare)
	median := all[len(all)/2]
	for name, u := range p.by {
		if compare(placeOf(name, u), median) <= 0 {
			delete(p.by, name)
			p.gone++
		}
	}
}

// ranked lists users, the largest upload first.
func (p *crowd) ranked() []string {
	return slices.SortedFunc(maps.Keys(p.by), func(a, b string) int {
		x, y := p.by[a], p.by[b]
		return cmp.Or(cmp.Compare(y.up, x.up), cmp.Compare(y.services.count(), x.services.count()), cmp.Compare(y.flows, x.flows), strings.Compare(a, b))
	})
}

// write prints those with the largest upload; all is how many there are.
func (p *crowd) write(w io.Writer, all tally) {
	if len(p.by) == 0 {
		return
	}
	const most = 10
	names := p.ranked()
	fmt.Fprintf(w, "\nWho (%s", all)
	if len(names) > most {
		fmt.Fprintf(w, ", the %d with the largest upload", most)
	}
	fmt.Fprint(w, ")\n\n")
	t := newTable("USER OR ADDRESS", "SERVICES", "FLOWS", "UPLOAD")
	late := false
	for _, name := range names[:min(most, len(names))] {
		u := p.by[name]
		upload, least := "unknown", ""
		if u.late {
			least, late = "at least ", true
		}
		if u.uploadKnown {
			upload = least + size(u.up)
		}
		t.row(printable(name), fmt.Sprint(u.services.count()), least+fmt.Sprint(u.flows), upload)
	}
	t.write(w)
	if late {
		fmt.Fprintf(w, "At least: no more than %d users are told apart, and %d with a small upload were let go on the way; some may have come back.\n", p.most, p.gone)
	}
}
