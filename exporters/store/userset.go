package store

import "math/bits"

// userSet is a set of users: bits, in pages that are there only where a user is. Few users cost little, and 10,000 cost 1.3 KB.
type userSet struct {
	one   uint32 // the only user, when there are no pages
	pages []*userPage
	n     uint64
	last  uint32 // the one put in last: rows are sorted by user, so that most need not be looked for
}

// userPage has the bits of 4096 users.
type userPage [64]uint64

const pageShift = 12

// add puts a user in; zero is none.
func (s *userSet) add(user uint32) {
	s.last = user
	if user == 0 {
		return
	}
	if s.pages == nil {
		if s.one == user {
			return
		}
		if s.one == 0 {
			s.one, s.n = user, 1
			return
		}
		s.n = 0
		s.set(s.one)
	}
	s.set(user)
}

// set sets a user's bit.
func (s *userSet) set(user uint32) {
	at := int(user >> pageShift)
	for at >= len(s.pages) {
		s.pages = append(s.pages, nil)
	}
	if s.pages[at] == nil {
		s.pages[at] = new(userPage)
	}
	word, bit := &s.pages[at][user>>6&63], uint64(1)<<(user&63)
	if *word&bit == 0 {
		*word |= bit
		s.n++
	}
}

// paged makes room for bits.
func (s *userSet) paged() {
	if one := s.one; s.pages == nil && one != 0 {
		s.n = 0
		s.set(one)
	}
}

// join puts all users of another set in.
func (s *userSet) join(o *userSet) {
	if o.pages == nil {
		if o.one != 0 {
			s.add(o.one)
		}
		return
	}
	s.paged()
	for len(s.pages) < len(o.pages) {
		s.pages = append(s.pages, nil)
	}
	for at, p := range o.pages {
		if p == nil {
			continue
		}
		if s.pages[at] == nil {
			s.pages[at] = new(userPage)
		}
		for i, word := range p {
			mine := &s.pages[at][i]
			s.n += uint64(bits.OnesCount64(word &^ *mine))
			*mine |= word
		}
	}
}

// has says whether a user is in.
func (s *userSet) has(user uint32) bool {
	if s.pages == nil {
		return s.one == user
	}
	at := int(user >> pageShift)
	return at < len(s.pages) && s.pages[at] != nil && s.pages[at][user>>6&63]&(1<<(user&63)) != 0
}

// besides is how many users are in and not in another set.
func (s *userSet) besides(o *userSet) (n uint64) {
	s.each(func(user uint32) {
		if !o.has(user) {
			n++
		}
	})
	return n
}

// each calls what for all users.
func (s *userSet) each(what func(user uint32)) {
	if s.pages == nil && s.one != 0 {
		what(s.one)
	}
	for at, p := range s.pages {
		if p == nil {
			continue
		}
		for i, word := range p {
			for ; word != 0; word &= word - 1 {
				what(uint32(at)<<pageShift | uint32(i)<<6 | uint32(bits.TrailingZeros64(word)))
			}
		}
	}
}

// count is how many users are in.
func (s *userSet) count() uint64 { return s.n }
