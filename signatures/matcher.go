package signatures

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// newMatcher builds the table of the given hits, whose names are canonical and differ from each other. It keeps hits.
func newMatcher(hits []Hit) (*matcher, error) {
	m := &matcher{hits: hits}
	m.grow(3 * len(hits)) // a name brings half a tail more than itself, on the average
	var wild []int        // of hits
	for i, hit := range hits {
		if hit.Name.Match == MatchWildcard {
			wild = append(wild, i)
			continue
		}
		nd, err := m.insert(i, 0)
		if err != nil {
			return nil, err
		}
		nd.entry = int32(i + 1)
	}
	return m, m.insertStars(wild)
}

// insertStars adds the wildcards: those of one tail side by side, longer ones first.
func (m *matcher) insertStars(wild []int) error {
	slices.SortFunc(wild, func(a, b int) int {
		x, y := m.hits[a].Name.Name, m.hits[b].Name.Name
		_, tailX := splitStars(x)
		_, tailY := splitStars(y)
		return cmp.Or(strings.Compare(tailX, tailY), len(y)-len(x), strings.Compare(x, y))
	})
	m.stars = make([]pattern, 0, len(wild))
	for _, i := range wild {
		left, _ := splitStars(m.hits[i].Name.Name)
		plain, _, _ := strings.Cut(left, "*")
		star := pattern{left: left, plain: plain, hit: m.hits[i]}
		if plain != "" {
			star.first = plain[0]
		}
		nd, err := m.insert(i, len(left)+len("."))
		if err != nil {
			return err
		}
		if nd.stars == 0 {
			nd.star = int32(len(m.stars))
		}
		nd.stars++
		m.stars = append(m.stars, star)
	}
	return nil
}

// insert puts the name of a hit, from an octet on, into the table, with all its tails of two labels or more. It returns the node of
// the whole, which is valid until the next call.
func (m *matcher) insert(of, from int) (*node, error) {
	name := m.hits[of].Name.Name[from:]
	h, labels := uint64(hashStart), 1 // as in find
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' {
			if labels >= 2 {
				nd, err := m.tail(of, name[i+1:], h, labels)
				if err != nil {
					return nil, err
				}
				nd.deeper = true
			}
			labels++
		}
		h = (h ^ uint64(name[i])) * hashPrime
	}
	return m.tail(of, name, h, labels)
}

// tail finds or makes the node of a tail, whose hash is h, of the name of a hit.
func (m *matcher) tail(of int, tail string, h uint64, labels int) (*node, error) {
	nd := m.place(h)
	if h == 0 || nd.hash == h && m.text(nd) != tail {
		return nil, fmt.Errorf("building the name table: the tail %q has the hash of another; change hashStart in match.go", tail)
	}
	if nd.hash == h {
		return nd, nil
	}
	if m.used++; 2*m.used > len(m.nodes) {
		m.grow(2 * len(m.nodes))
		nd = m.place(h)
	}
	if labels == 2 {
		m.seen[h>>48/64] |= 1 << (h >> 48 % 64)
	}
	*nd = node{hash: h, of: int32(of), octets: uint8(len(tail))}
	return nd, nil
}

// text is the tail that a node stands for.
func (m *matcher) text(nd *node) string {
	name := m.hits[nd.of].Name.Name
	return name[len(name)-int(nd.octets):]
}

// place is the node of a hash, or the free one that is to be it.
func (m *matcher) place(h uint64) *node {
	i := h & m.mask
	for m.nodes[i].hash != h && m.nodes[i].hash != 0 {
		i = (i + 1) & m.mask
	}
	return &m.nodes[i]
}

// grow makes a table of least nodes or more and moves what there is into it.
func (m *matcher) grow(least int) {
	size := 16
	for size < least {
		size *= 2
	}
	old := m.nodes
	m.nodes, m.mask = make([]node, size), uint64(size-1)
	clear(m.nodes) // it is clear; but a page of memory that is read first and written then is brought in twice: 3 % of a start
	for i := range old {
		if old[i].hash != 0 {
			*m.place(old[i].hash) = old[i]
		}
	}
}

// splitStars cuts a wildcard behind its last label with a star.
func splitStars(name string) (left, tail string) {
	last := strings.LastIndexByte(name, '*')
	border := last + strings.IndexByte(name[last:], '.')
	return name[:border], name[border+1:]
}
