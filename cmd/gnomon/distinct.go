package main

import (
	"fmt"
	"math"
	"math/bits"
)

const (
	// maxDistinct is up to how many names one set counts exactly, and maxDistinctAll the same for all sets of a summary together: at about 20
	// bytes each, 20 MB. Beyond either the largest set becomes a sample of itself.
	maxDistinct    = 1 << 16
	maxDistinctAll = 1 << 20
)

// distinct counts different names in bounded memory: exactly while they are few, and then from a sample (Wegman's adaptive sampling, as
// Flajolet analysed it in 1990). Of each name only a hash is kept, and once there are too many, only of those whose hash ends with so many
// zeros. What is in the sample follows from the names alone, not from their order, so that the same input is estimated alike every time.
type distinct struct {
	kept  map[uint64]bool // whether more was seen of the name than traffic in the background
	level uint            // how many zeros: each kept name stands for 2^level
}

// tally is an estimate or an exact number.
type tally struct {
	n     int
	error float64 // the standard error, relative; 0: the number is exact
}

// all is how many names were added, and quiet of how many nothing but traffic in the background was seen.
func (d *distinct) all() tally { return d.tally(len(d.kept)) }

func (d *distinct) quiet() tally {
	n := 0
	for _, more := range d.kept {
		if !more {
			n++
		}
	}
	return d.tally(n)
}

// active is the rest.
func (d *distinct) active() tally { return d.tally(len(d.kept) - d.quiet().n>>d.level) }

// tally is what so many names of the sample stand for. Each name is in it with a chance of 2^-level, so that n is binomial.
func (d *distinct) tally(n int) tally {
	t := tally{n: n << d.level}
	if d.level > 0 {
		t.error = math.Sqrt((1 - 1/float64(uint64(1)<<d.level)) / float64(max(n, 1)))
	}
	return t
}

// String is the number as a person reads it; one that is estimated has no more digits than it is worth.
func (t tally) String() string {
	if t.error == 0 {
		return fmt.Sprint(t.n)
	}
	unit := 1
	for float64(unit)*10 <= float64(t.n)*t.error {
		unit *= 10
	}
	return fmt.Sprintf("about %d", (t.n+unit/2)/unit*unit)
}

// distincts are the sets that share a bound.
type distincts struct {
	each, together int // the bounds
	size           int
	sets           []*distinct
}

func newDistincts() distincts { return distincts{each: maxDistinct, together: maxDistinctAll} }

// set makes another one.
func (s *distincts) set() *distinct {
	d := &distinct{kept: map[uint64]bool{}}
	s.sets = append(s.sets, d)
	return d
}

// add adds a name, by its hash, to a set.
func (s *distincts) add(d *distinct, name uint64, more bool) {
	if uint(bits.TrailingZeros64(name)) < d.level {
		return
	}
	was, known := d.kept[name]
	if known && (was || !more) {
		return
	}
	d.kept[name] = more
	if known {
		return
	}
	if s.size++; len(d.kept) > s.each {
		s.thin(d)
	} else if s.size > s.together {
		s.thin(s.largest())
	}
}

// thin leaves about half of a set in its sample; where that is none at all, a half of the half.
func (s *distincts) thin(d *distinct) {
	before := len(d.kept)
	for len(d.kept) == before && d.level < 63 {
		d.level++
		for name := range d.kept {
			if uint(bits.TrailingZeros64(name)) < d.level {
				delete(d.kept, name)
			}
		}
	}
	s.size -= before - len(d.kept)
}

func (s *distincts) largest() *distinct {
	largest := s.sets[0]
	for _, d := range s.sets {
		if len(d.kept) > len(largest.kept) {
			largest = d
		}
	}
	return largest
}

// estimated is how many sets are samples, and the largest standard error of them.
func (s *distincts) estimated() (sets int, worst float64) {
	for _, d := range s.sets {
		if t := d.all(); t.error > 0 {
			sets, worst = sets+1, max(worst, t.error)
		}
	}
	return sets, worst
}

// hashOf is FNV-1a, mixed so that every bit of the name moves every bit of it (the finalizer of SplitMix64).
func hashOf(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
