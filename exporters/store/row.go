package store

import (
	"cmp"
	"slices"
	"time"
)

const (
	secondsPerHour = 3600
	// quarter is what all offsets of time zones in use are multiples of; hours begin at multiples of it.
	quarter = 900
)

// row is what is summed up: who, what and in which span of time, and how much.
type row struct {
	user, facet uint32
	hour        int64 // where the span begins: an hour, a day or a month; seconds
	sums
}

// sums are the figures of a row. Visits may fall in a row of its own, when an earlier record of a visit turns up elsewhere.
type sums struct {
	flows     uint64
	visits    int64
	up, down  uint64
	upload    uint64
	low, high uint64
	unknown   uint64
	first     int64 // seconds
	last      int64
}

// add adds what another row of the same key says.
func (s *sums) add(o *sums) {
	s.flows += o.flows
	s.visits += o.visits
	s.up += o.up
	s.down += o.down
	s.upload += o.upload
	s.low += o.low
	s.high += o.high
	s.unknown += o.unknown
	s.first = min(s.first, o.first)
	s.last = max(s.last, o.last)
}

// compareRows is the order of rows in a blob.
func compareRows(a, b row) int {
	return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.facet, b.facet), cmp.Compare(a.hour, b.hour))
}

// sortRows sorts rows and adds those of the same key up, in place.
func sortRows(rows []row) []row {
	slices.SortFunc(rows, compareRows)
	return fuse(rows)
}

// fuse adds neighbours of the same key up, in place.
func fuse(rows []row) []row {
	out := rows[:0]
	for i := range rows {
		if n := len(out); n > 0 && compareRows(out[n-1], rows[i]) == 0 {
			out[n-1].add(&rows[i].sums)
			continue
		}
		out = append(out, rows[i])
	}
	return out
}

// mergeRows joins two sorted lists into one.
func mergeRows(a, b []row) []row {
	if len(a) == 0 {
		return b
	}
	out := make([]row, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := compareRows(a[0], b[0]); {
		case c < 0:
			out, a = append(out, a[0]), a[1:]
		case c > 0:
			out, b = append(out, b[0]), b[1:]
		default:
			a[0].add(&b[0].sums)
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// coarser returns sorted rows as they are when all of them lie in one span of time.
func coarser(rows []row, start int64) []row {
	out := slices.Clone(rows)
	for i := range out {
		out[i].hour = start
	}
	return fuse(out)
}

// calendar knows where hours, days and months begin.
type calendar struct{ loc *time.Location }

// hour is the beginning of the hour that at (seconds) lies in. In zones that are off by half an hour, hours are off with them, so that no
// hour lies in two days.
func (c calendar) hour(at int64) int64 {
	_, offset := time.Unix(at, 0).In(c.loc).Zone()
	shift := int64(offset) / quarter * quarter % secondsPerHour
	return floor(at+shift, secondsPerHour) - shift
}

// floor rounds down to a multiple of step, below zero too.
func floor(at, step int64) int64 {
	down := at - at%step
	if down > at {
		down -= step
	}
	return down
}

// day returns the beginning and the end of the day that an hour lies in.
func (c calendar) day(hour int64) (start, until int64) {
	t := time.Unix(hour, 0).In(c.loc)
	y, m, d := t.Date()
	return c.midnight(y, m, d), c.midnight(y, m, d+1)
}

// month is the same for months.
func (c calendar) month(hour int64) (start, until int64) {
	t := time.Unix(hour, 0).In(c.loc)
	y, m, _ := t.Date()
	return c.midnight(y, m, 1), c.midnight(y, m+1, 1)
}

// midnight is the first moment of a day: not 00:00 where clocks go forward then.
func (c calendar) midnight(y int, m time.Month, d int) int64 {
	t := time.Date(y, m, d, 0, 0, 0, 0, c.loc)
	if _, _, got := t.Date(); got == time.Date(y, m, d, 12, 0, 0, 0, time.UTC).Day() {
		return t.Unix()
	}
	// time.Date may give the hour before the gap, on the day before: the day begins when the gap ends.
	_, end := t.ZoneBounds()
	return end.Unix()
}
