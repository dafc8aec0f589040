package logs

import (
	"bytes"
	"time"
)

// clock reads the times of one source: it knows what a log does not write.
type clock struct {
	location *time.Location // of times without a zone
	now      func() int64   // for times without a year; 0 if nobody knows
	monthIn  bool           // 01/02/2026 is the second of January
}

const (
	second = int64(time.Second)
	day    = 24 * 3600 * second
	latest = 7_289_654_400 * second // the year 2201: beyond it no log was written
)

// parse reads a time as logs write it: seconds, milliseconds, microseconds or nanoseconds since 1970, or a date and a clock in one of
// the usual orders, with or without year and zone.
func (c *clock) parse(b []byte) (int64, bool) {
	b, n := naked(b)
	if len(b) < 8 {
		return 0, false
	}
	if n >= 9 {
		return epoch(b, n)
	}
	p := stamp{b: b}
	if !p.date(n, c.monthIn) {
		return 0, false
	}
	p.skip(" T,_-:")
	if !p.clock() {
		return 0, false
	}
	p.zone()
	if p.year == 0 {
		p.skip(" ")
		if y, digits := p.number(4); digits == 4 {
			p.year = y
			p.zone()
		}
	}
	return p.unix(c)
}

// naked takes brackets, quotes and spaces off a time, and says how many digits it begins with.
func naked(b []byte) (time []byte, n int) {
	for len(b) > 0 && (b[0] == '[' || b[0] == ' ' || b[0] == '"' || b[0] == '\'') {
		b = b[1:]
	}
	if n = digits(b); n == len(b) {
		return b, n
	}
	return bytes.TrimRight(b, " ]\"'"), n
}

// epoch reads n digits and a fraction: the unit follows from the number of digits, as vendors change it between versions.
func epoch(b []byte, n int) (int64, bool) {
	if n > 19 {
		return 0, false
	}
	var v int64
	for _, d := range b[:n] {
		v = v*10 + int64(d-'0')
	}
	unit := epochUnit(n)
	if v < 0 || v > latest/unit {
		return 0, false
	}
	v *= unit
	if n == len(b) {
		return v, true
	}
	if b[n] != '.' && b[n] != ',' || digits(b[n+1:]) != len(b)-n-1 {
		return 0, false
	}
	for _, d := range b[n+1:] {
		unit /= 10
		v += int64(d-'0') * unit
	}
	return v, true
}

// epochUnit is what a number of so many digits counts, in nanoseconds.
func epochUnit(digits int) int64 {
	switch {
	case digits <= 10:
		return second
	case digits <= 13:
		return second / 1e3
	case digits <= 16:
		return second / 1e6
	}
	return 1
}

// stamp is a time that is being read. Once it cannot go on it is given up.
type stamp struct {
	b                    []byte
	at                   int
	year, month, day     int
	hour, minute, second int
	nanos                int64
	offset               int // seconds east of UTC
	zoned                bool
}

func (s *stamp) peek() byte {
	if s.at < len(s.b) {
		return s.b[s.at]
	}
	return 0
}

func (s *stamp) skip(set string) {
	for s.at < len(s.b) && bytes.IndexByte([]byte(set), s.b[s.at]) >= 0 {
		s.at++
	}
}

// number reads at most most digits and says how many there were.
func (s *stamp) number(most int) (v, digits int) {
	for digits < most && s.peek()-'0' < 10 {
		v = v*10 + int(s.b[s.at]-'0')
		s.at++
		digits++
	}
	return v, digits
}

// word reads letters.
func (s *stamp) word() []byte {
	from := s.at
	for s.at < len(s.b) && letter(s.b[s.at]) {
		s.at++
	}
	return s.b[from:s.at]
}

// date reads the date; digits is how many the text begins with.
func (s *stamp) date(digits int, monthIn bool) bool {
	switch {
	case digits == 0:
		return s.named()
	case digits == 4:
		s.year, _ = s.number(4)
		separator := s.peek()
		s.at++
		s.month, _ = s.number(2)
		if s.peek() != separator {
			return false
		}
		s.at++
		s.day, _ = s.number(2)
		return true
	case digits > 2:
		return false
	}
	return s.dayFirst(monthIn)
}

// named reads "Mon Jan  2" or "Jan 02", with or without the year.
func (s *stamp) named() bool {
	word := s.word()
	if s.month = month(word); s.month == 0 { // the day of the week
		s.skip(" ,")
		if s.peek()-'0' < 10 { // Mon, 02 Jan 2006
			s.day, _ = s.number(2)
			s.skip(" -")
		}
		if s.month = month(s.word()); s.month == 0 {
			return false
		}
	}
	s.skip(" -/")
	if s.day == 0 {
		s.day, _ = s.number(2)
	}
	s.skip(" ,-/")
	if from := s.at; true {
		y, digits := s.number(4)
		if digits == 4 && s.peek() != ':' {
			s.year = y
		} else {
			s.at = from
		}
	}
	return true
}

// dayFirst reads 02/Jan/2006, 2-Jan-2006, 02/01/2006 and, where the month stands first, 1/2/06.
func (s *stamp) dayFirst(monthIn bool) bool {
	s.day, _ = s.number(2)
	separator := s.peek()
	s.at++
	if w := s.word(); len(w) > 0 {
		s.month = month(w)
	} else {
		s.month, _ = s.number(2)
		if monthIn && s.month <= 31 && s.day <= 12 || s.month > 12 {
			s.day, s.month = s.month, s.day
		}
	}
	if s.peek() != separator {
		return false
	}
	s.at++
	var digits int
	if s.year, digits = s.number(4); digits == 2 {
		s.year += 2000
	}
	return digits == 2 || digits == 4
}

// clock reads 15:04, 15:04:05 and 15:04:05.999999999, with AM or PM.
func (s *stamp) clock() bool {
	var digits int
	if s.hour, digits = s.number(2); digits == 0 || s.peek() != ':' {
		return false
	}
	s.at++
	if s.minute, digits = s.number(2); digits != 2 {
		return false
	}
	if s.peek() == ':' {
		s.at++
		if s.second, digits = s.number(2); digits != 2 {
			return false
		}
	}
	if s.peek() == '.' || s.peek() == ',' {
		s.at++
		unit := second
		for s.peek()-'0' < 10 {
			unit /= 10
			s.nanos += int64(s.b[s.at]-'0') * unit
			s.at++
		}
	}
	s.half()
	return true
}

// half reads AM and PM.
func (s *stamp) half() {
	from := s.at
	s.skip(" ")
	w := s.word()
	if len(w) != 2 || w[1]|0x20 != 'm' || w[0]|0x20 != 'a' && w[0]|0x20 != 'p' {
		s.at = from
		return
	}
	if s.hour %= 12; w[0]|0x20 == 'p' {
		s.hour += 12
	}
}

// unix puts the parts together.
func (s *stamp) unix(c *clock) (int64, bool) {
	if s.year == 0 {
		return s.guessYear(c)
	}
	if !s.valid() {
		return 0, false
	}
	if !s.zoned && c.location != time.UTC {
		return time.Date(s.year, time.Month(s.month), s.day, s.hour, s.minute, s.second, int(s.nanos), c.location).UnixNano(), true
	}
	seconds := int64(s.hour*3600 + s.minute*60 + s.second - s.offset)
	return daysSince1970(s.year, s.month, s.day)*day + seconds*second + s.nanos, true
}

// valid says whether there is such a time.
func (s *stamp) valid() bool {
	return s.month >= 1 && s.month <= 12 && s.hour < 24 && s.minute < 60 && s.second <= 60 &&
		s.year >= 1970 && s.year <= 2200 && s.day >= 1 && s.day <= daysIn(s.year, s.month)
}

// guessYear takes the latest year that does not lie in the future: what is read on New Year's Day may be of last year.
func (s *stamp) guessYear(c *clock) (int64, bool) {
	now := c.now()
	if now == 0 {
		return 0, false
	}
	last := time.Unix(0, now+day).In(c.location).Year()
	for year := last; year > last-9; year-- { // 29 February comes again after at most eight years
		s.year = year
		if t, ok := s.unix(c); ok && t <= now+day {
			return t, true
		}
	}
	return 0, false
}

// daysIn is the length of a month.
func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts days of the Gregorian calendar, with years that begin in March.
func daysSince1970(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	return int64(365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 719469)
}
