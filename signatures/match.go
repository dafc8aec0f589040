package signatures

import (
	"bytes"
	"strings"
)

// matcher finds the entry of a host name. It is a tree of labels from the right, kept flat in one hash table: every tail of every
// name ("com" aside) is a node, and the walk along a host name stops at the first tail that is no node. Most names of a network
// stop at their second label, at a bit that is not set.
type matcher struct {
	seen  [filterWords]uint64 // a bit for every tail of two labels, by hash
	nodes []node              // open addressing, a power of two, at most half full
	mask  uint64
	used  int // of nodes
	hits  []Hit
	stars []pattern
}

// node is one tail. A node of the table that is in use has a hash other than 0.
type node struct {
	hash   uint64
	entry  int32 // index into hits of the name that is this tail, plus 1; 0 if none
	star   int32 // first of the wildcards whose plain labels are this tail, in stars
	of     int32 // index into hits of a name that ends in this tail
	stars  int16 // how many
	octets uint8 // length of this tail
	deeper bool  // longer names end in this tail
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
		hit := m.hits[nd.entry-1]
		switch {
		case i >= 0 && hit.Name.Match != MatchSuffix || !equalFold(name[i+1:], hit.Name.Name):
		case i < 0:
			w.whole = hit
		default:
			w.below = hit
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
