package logs

// months are the first three letters of each.
const months = "janfebmaraprmayjunjulaugsepoctnovdec"

// month reads the English name of a month, or its first three letters; 0 if it is none.
func month(b []byte) int {
	if len(b) < 3 {
		return 0
	}
	a, m, z := b[0]|0x20, b[1]|0x20, b[2]|0x20
	for i := 0; i < len(months); i += 3 {
		if months[i] == a && months[i+1] == m && months[i+2] == z {
			return i/3 + 1
		}
	}
	return 0
}

// zone reads what follows the clock: Z, +01, +0100, +01:00, UTC+1, or an abbreviation. One that stands for several zones (CST, IST,
// BST) or is not known says nothing: the time counts as one without a zone.
func (s *stamp) zone() {
	s.skip(" ")
	switch c := s.peek(); {
	case c == '+' || c == '-':
		s.numericZone()
	case letter(c):
		if offset, ok := zoneOffset(s.word()); ok {
			s.offset, s.zoned = offset, true
			if c := s.peek(); c == '+' || c == '-' {
				s.numericZone()
			}
		}
	}
}

func (s *stamp) numericZone() {
	sign := 1
	if s.peek() == '-' {
		sign = -1
	}
	from := s.at
	s.at++
	h, digits := s.number(2)
	if digits == 0 || h > 14 {
		s.at = from
		return
	}
	if s.peek() == ':' {
		s.at++
	}
	m, _ := s.number(2)
	s.offset, s.zoned = sign*(h*3600+m*60), true
}

// zones are the abbreviations that mean one zone the world over, in hours east of UTC.
var zones = map[string]int{
	"Z": 0, "UTC": 0, "GMT": 0, "UCT": 0, "WET": 0, "WEST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3,
	"TRT": 3, "PKT": 5, "SGT": 8, "HKT": 8, "AWST": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
	"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10,
}

// zoneOffset is the offset of an abbreviation, in seconds.
func zoneOffset(b []byte) (int, bool) {
	var buffer [5]byte
	if len(b) > len(buffer) {
		return 0, false
	}
	upper := buffer[:copy(buffer[:], b)]
	for i := range upper {
		upper[i] &^= 0x20
	}
	hours, ok := zones[string(upper)]
	return hours * 3600, ok
}

func digit(c byte) bool { return c-'0' < 10 }

func letter(c byte) bool { return (c|0x20)-'a' < 26 }

// digits is how many of them b begins with.
func digits(b []byte) (n int) {
	for n < len(b) && digit(b[n]) {
		n++
	}
	return n
}
