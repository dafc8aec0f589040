package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// A digest is a day or a month by class, a facet's site, status and use: a version, the number of classes, for each its facet, figures and
// users, and then the facets that there are rows of. A set is the number of its pages, and for each which one it is, how many of 4096 are in
// it, and then these: two bytes for each, or, from 256 on, a bit for each of all. Numbers are of variable length, but for those two bytes.
// A day of 10,000 users takes 30 KB instead of 600.
const (
	digestVersion = 1
	// sparse is how many of a page are told one by one: beyond it the bits take less room.
	sparse     = 8 * len(userPage{}) / 2
	pageBytes  = 8 * len(userPage{})
	pageUsers  = 1 << pageShift
	pagesAtAll = 1 << (32 - pageShift)
)

var (
	errDigest        = errors.New("a digest of sums cannot be read")
	errDigestVersion = fmt.Errorf("%w: a newer gnomon wrote it", errDigest)
)

// digest is what rows add up to by class.
type digest struct {
	classes []digestClass // in the order of facets
	facets  userSet       // those that there are rows of
}

// digestClass is one class: facet is any of those that are alike.
type digestClass struct {
	facet uint32
	sums
	users userSet
}

// at returns the class of a facet, a new one if need be.
func (d *digest) at(facet uint32) *digestClass {
	i, found := slices.BinarySearchFunc(d.classes, facet, func(c digestClass, f uint32) int { return cmp.Compare(c.facet, f) })
	if !found {
		d.classes = slices.Insert(d.classes, i, digestClass{facet: facet, sums: sums{first: forEver, last: sinceEver}})
	}
	return &d.classes[i]
}

// add adds a row of a facet to a class.
func (d *digest) add(class, facet, user uint32, s *sums) {
	c := d.at(class)
	c.sums.add(s)
	if user > userNobody && user != c.users.last {
		c.users.add(user)
	}
	d.facets.add(facet)
}

// encode writes a digest.
func (d *digest) encode() []byte {
	b := binary.AppendUvarint([]byte{digestVersion}, uint64(len(d.classes)))
	for i := range d.classes {
		c := &d.classes[i]
		for _, n := range []uint64{uint64(c.facet), c.flows, zigzag(c.visits), c.up, c.down, c.upload, c.low, c.high, c.unknown, zigzag(c.first), zigzag(c.last)} {
			b = binary.AppendUvarint(b, n)
		}
		b = c.users.append(b)
	}
	return d.facets.append(b)
}

// append writes a set.
func (s *userSet) append(b []byte) []byte {
	if s.pages == nil && s.one != 0 {
		paged := userSet{}
		paged.set(s.one)
		return paged.append(b)
	}
	n := 0
	for _, p := range s.pages {
		if p != nil {
			n++
		}
	}
	b = binary.AppendUvarint(b, uint64(n))
	for at, p := range s.pages {
		if p != nil {
			b = p.append(binary.AppendUvarint(b, uint64(at)))
		}
	}
	return b
}

// append writes a page.
func (p *userPage) append(b []byte) []byte {
	n := 0
	for _, word := range p {
		n += bits.OnesCount64(word)
	}
	b = binary.AppendUvarint(b, uint64(n))
	for i, word := range p {
		if n >= sparse {
			b = binary.LittleEndian.AppendUint64(b, word)
			continue
		}
		for ; word != 0; word &= word - 1 {
			b = binary.LittleEndian.AppendUint16(b, uint16(i<<6|bits.TrailingZeros64(word)))
		}
	}
	return b
}

// digestReader reads a digest from its front.
type digestReader struct {
	b   []byte
	bad bool // once it runs short it stays short
}

func (r *digestReader) number() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *digestReader) take(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// read reads a digest, class by class. What each is given is overwritten by the next: its users are still as they were written, and join puts
// them into a set.
func (r *digestReader) read(each func(c *digestClass, users digestSet)) (facets digestSet, err error) {
	switch version := r.take(1); {
	case r.bad || version[0] == 0:
		return digestSet{}, fmt.Errorf("%w: it does not begin like one", errDigest)
	case version[0] > digestVersion:
		return digestSet{}, errDigestVersion
	}
	var c digestClass
	for n := r.number(); n > 0 && !r.bad; n-- {
		facet := r.number()
		r.bad = r.bad || facet > 1<<32-1
		c.facet = uint32(facet)
		c.sums = sums{flows: r.number(), visits: unzigzag(r.number()), up: r.number(), down: r.number(), upload: r.number(), low: r.number(),
			high: r.number(), unknown: r.number(), first: unzigzag(r.number()), last: unzigzag(r.number())}
		if users := r.set(); !r.bad {
			each(&c, users)
		}
	}
	facets = r.set()
	if r.bad || len(r.b) > 0 {
		return digestSet{}, fmt.Errorf("%w: it ends too early or too late", errDigest)
	}
	return facets, nil
}

// digestSet is a set as it is written, known to be whole.
type digestSet struct{ b []byte }

// set reads past a set: its pages and users must be in order, as many as it says, and none of them zero, so that what is read is what would be
// written.
func (r *digestReader) set() digestSet {
	all, before := r.b, -1
	for n := r.number(); n > 0 && !r.bad; n-- {
		page, users := r.number(), r.number()
		r.bad = r.bad || page >= pagesAtAll || int(page) <= before || users == 0 || users > pageUsers
		before = int(page)
		least := 0 // of the page that may be in
		if page == 0 {
			least = 1
		}
		if users >= uint64(sparse) {
			r.bits(least, int(users))
		} else {
			r.list(least, int(users))
		}
	}
	if r.bad {
		return digestSet{}
	}
	return digestSet{all[:len(all)-len(r.b)]}
}

// list reads past a page that is told user by user.
func (r *digestReader) list(least, users int) {
	for list := r.take(2 * users); len(list) > 0; list = list[2:] {
		user := int(binary.LittleEndian.Uint16(list))
		r.bad = r.bad || user < least || user >= pageUsers
		least = user + 1
	}
}

// bits reads past a page that is written as bits.
func (r *digestReader) bits(least, users int) {
	page := r.take(pageBytes)
	if r.bad {
		return
	}
	r.bad = int(page[0]&1) > 1-least
	for ; len(page) > 0; page = page[8:] {
		users -= bits.OnesCount64(binary.LittleEndian.Uint64(page))
	}
	r.bad = r.bad || users != 0
}

// join puts all that are written in a set into another.
func (d digestSet) join(s *userSet) {
	r := digestReader{b: d.b}
	for n := r.number(); n > 0; n-- {
		page, users := uint32(r.number()), int(r.number())
		if users >= sparse {
			s.joinPage(int(page), r.take(pageBytes))
			continue
		}
		for list := r.take(2 * users); len(list) > 0; list = list[2:] {
			s.add(page<<pageShift | uint32(binary.LittleEndian.Uint16(list)))
		}
	}
}

// joinPage puts the users of a page in, given as bits.
func (s *userSet) joinPage(at int, page []byte) {
	s.paged()
	for len(s.pages) <= at {
		s.pages = append(s.pages, nil)
	}
	if s.pages[at] == nil {
		s.pages[at] = new(userPage)
	}
	for i := range s.pages[at] {
		mine, word := &s.pages[at][i], binary.LittleEndian.Uint64(page[8*i:])
		s.n += uint64(bits.OnesCount64(word &^ *mine))
		*mine |= word
	}
}

// decodeDigest reads a whole digest.
func decodeDigest(data []byte) (*digest, error) {
	d := &digest{}
	r := digestReader{b: data}
	facets, err := r.read(func(c *digestClass, users digestSet) {
		mine := d.at(c.facet)
		mine.sums.add(&c.sums)
		users.join(&mine.users)
	})
	if err != nil {
		return nil, err
	}
	facets.join(&d.facets)
	return d, nil
}
