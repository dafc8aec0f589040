package signatures

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// matcher finds the entry of a host name. It is a tree of labels from the right, kept flat in one hash table: every tail of every
// name ("com" aside) is a node, and the walk along a host name stops at the first tail that is no node. Most names of a network
// stop at their second label, at a bit that is not set.
type matcher struct {
	seen    [filterWords]uint64 // a bit for every tail of two labels, by hash
	nodes   []node              // open addressing, a power of two
	mask    uint64
	entries []entry
	stars   []pattern
}

// node is one tail. A node of the table that is in use has a hash other than 0.
type node struct {
	hash   uint64
	entry  int32 // index into entries of the name that is this tail, plus 1; 0 if none
	star   int32 // first of the wildcards whose plain labels are this tail, in stars
	stars  int16 // how many
	deeper bool  // longer names end in this tail
}

// entry is a name that is matched exactly or by suffix.
type entry struct {
	name   string
	suffix bool
	hit    Hit
}

// pattern is the part of a wildcard left of its plain labels: "q.*" of q.*.amazonaws.com.
type pattern struct {
	left  string
	plain string // what stands before its first star
	first byte   // of plain; 0 if that is empty
	hit   Hit
}

const (
	filterBits  = 1 << 16
	filterWords = filterBits / 64
	minLength   = 4 // of the shortest name that can be matched: a.bc

	hashStart = 14695981039346656037 // FNV-1a, 64 bits
	hashPrime = 1099511628211
)

// hashTail is the hash of a lower-case tail, read from the right.
func hashTail(tail string) uint64 {
	h := uint64(hashStart)
	for i := len(tail) - 1; i >= 0; i-- {
		h = (h ^ uint64(tail[i])) * hashPrime
	}
	return h
}

// find returns the hit of a host name in any case, with or without the dot at its end.
//
//nolint:gocyclo // one pass over the octets, on the path of every name; the conditions are its two ends and its borders
func (m *matcher) find(name []byte) (Hit, bool) {
	name = trimDot(name)
	if len(name) < minLength || len(name) > maxName {
		return Hit{}, false
	}
	var w walk
	h, labels := uint64(hashStart), 0
	for i := len(name) - 1; ; i-- {
		if i >= 0 && name[i] != '.' {
			h = (h ^ uint64(fold[name[i]])) * hashPrime
			continue
		}
		labels++ // name[i+1:] is a tail of so many
		if labels == 2 && m.seen[h>>48/64]&(1<<(h>>48%64)) == 0 {
			return Hit{}, false
		}
		if labels >= 2 && !m.visit(&w, name, i, h) || i < 0 {
			break
		}
		h = (h ^ '.') * hashPrime
	}
	hit := w.hit()
	if hit.Name == nil || !validLabels(name) {
		return Hit{}, false
	}
	return hit, true
}

// trimDot takes the dot off the end of a fully qualified name (RFC 1034, section 3.1).
func trimDot(name []byte) []byte {
	if n := len(name); n > 0 && name[n-1] == '.' {
		return name[:n-1]
	}
	return name
}

// walk is what has been found on the way along one name.
type walk struct {
	whole   Hit // by the whole name, exactly or as a suffix
	starred Hit // by a wildcard, which covers the whole name too
	below   Hit // by a suffix that the name stands below; the longest so far
}

func (w *walk) hit() Hit {
	switch {
	case w.whole.Name != nil:
		return w.whole
	case w.starred.Name != nil:
		return w.starred
	}
	return w.below
}

// visit notes what the catalogue has for the tail name[i+1:], whose hash is h, and says whether it has anything for longer ones.
func (m *matcher) visit(w *walk, name []byte, i int, h uint64) (deeper bool) {
	nd := m.node(h)
	if nd == nil {
		return false
	}
	if nd.entry > 0 {
		e := &m.entries[nd.entry-1]
		switch {
		case i >= 0 && !e.suffix || !equalFold(name[i+1:], e.name):
		case i < 0:
			w.whole = e.hit
		default:
			w.below = e.hit
		}
	}
	if nd.stars > 0 && i > 0 {
		if hit := m.star(nd, name[:i]); hit.Name != nil {
			w.starred = hit // of two wildcards that fit, the one with more plain labels at its end
		}
	}
	return nd.deeper
}

// node looks a tail up by its hash.
func (m *matcher) node(h uint64) *node {
	for i := h & m.mask; ; i = (i + 1) & m.mask {
		switch nd := &m.nodes[i]; nd.hash {
		case h:
			return nd
		case 0:
			return nil
		}
	}
}

// star returns the best wildcard of a node for what stands left of its tail; longer patterns stand first.
func (m *matcher) star(nd *node, left []byte) Hit {
	patterns := m.stars[nd.star : nd.star+int32(nd.stars)]
	first := fold[left[0]]
	for i := range patterns {
		if p := &patterns[i]; (p.first == first || p.first == 0) && p.matches(left) {
			return p.hit
		}
	}
	return Hit{}
}

// matches compares label by label.
func (p *pattern) matches(left []byte) bool {
	if n := len(p.plain); len(left) <= n || !equalFold(left[:n], p.plain) {
		return false // nearly always: beside a few services stands all that one cloud has
	}
	rest := p.left
	for {
		var want string
		var have []byte
		var more, haveMore bool
		want, rest, more = strings.Cut(rest, ".")
		have, left, haveMore = bytes.Cut(left, dot)
		if more != haveMore || !labelMatches(have, want) {
			return false
		}
		if !more {
			return true
		}
	}
}

var dot = []byte{'.'}

// labelMatches compares a label with one that may hold a star; a star stands for one octet at least.
func labelMatches(label []byte, want string) bool {
	before, after, star := strings.Cut(want, "*")
	if !star {
		return equalFold(label, want)
	}
	return len(label) > len(before)+len(after) && equalFold(label[:len(before)], before) && equalFold(label[len(label)-len(after):], after)
}

// equalFold compares with a lower-case string, in any case.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range b {
		if fold[b[i]] != lower[i] {
			return false
		}
	}
	return true
}

// newMatcher builds the table of the given hits, whose names are canonical and differ from each other.
func newMatcher(hits []Hit) (*matcher, error) {
	m := &matcher{}
	nodes := make(map[string]node, 2*len(hits))
	var stars []pattern
	tails := make(map[string][]pattern)
	for _, hit := range hits {
		name := hit.Name.Name
		if hit.Name.Match == MatchWildcard {
			left, tail := splitStars(name)
			plain, _, _ := strings.Cut(left, "*")
			star := pattern{left: left, plain: plain, hit: hit}
			if plain != "" {
				star.first = plain[0]
			}
			tails[tail] = append(tails[tail], star)
			name = tail
			if _, ok := nodes[tail]; !ok {
				nodes[tail] = node{}
			}
		} else {
			m.entries = append(m.entries, entry{name, hit.Name.Match == MatchSuffix, hit})
			nd := nodes[name]
			nd.entry = int32(len(m.entries))
			nodes[name] = nd
		}
		for parent := parentOf(name); strings.Contains(parent, "."); parent = parentOf(parent) {
			nd := nodes[parent]
			nd.deeper = true
			nodes[parent] = nd
		}
	}
	for tail, list := range tails {
		slices.SortFunc(list, func(a, b pattern) int {
			return cmp.Or(len(b.left)-len(a.left), strings.Compare(a.left, b.left))
		})
		nd := nodes[tail]
		nd.star, nd.stars = int32(len(stars)), int16(len(list))
		nodes[tail] = nd
		stars = append(stars, list...)
	}
	m.stars = stars
	return m, m.fill(nodes)
}

// fill lays the nodes out in a table that is at most half full.
func (m *matcher) fill(nodes map[string]node) error {
	size := 16
	for size < 2*len(nodes) {
		size *= 2
	}
	m.nodes, m.mask = make([]node, size), uint64(size-1)
	for tail, nd := range nodes {
		nd.hash = hashTail(tail)
		if nd.hash == 0 || m.node(nd.hash) != nil {
			return fmt.Errorf("building the name table: the tail %q has the hash of another; change hashStart in match.go", tail)
		}
		if strings.Count(tail, ".") == 1 {
			m.seen[nd.hash>>48/64] |= 1 << (nd.hash >> 48 % 64)
		}
		i := nd.hash & m.mask
		for m.nodes[i].hash != 0 {
			i = (i + 1) & m.mask
		}
		m.nodes[i] = nd
	}
	return nil
}

// splitStars cuts a wildcard behind its last label with a star.
func splitStars(name string) (left, tail string) {
	last := strings.LastIndexByte(name, '*')
	border := last + strings.IndexByte(name[last:], '.')
	return name[:border], name[border+1:]
}

func parentOf(name string) string {
	_, parent, _ := strings.Cut(name, ".")
	return parent
}
