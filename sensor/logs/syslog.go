package logs

import "bytes"

// stripSyslog takes the header of RFC 5424 or RFC 3164 off a line, as far as there is one, and returns the time in it, or 0. Relays put
// headers before headers, so two are taken.
func stripSyslog(line []byte, c *clock) (rest []byte, at int64) {
	rest = line
	for range 2 {
		next, t, ok := stripOne(rest, c)
		if !ok {
			break
		}
		rest = next
		if t != 0 {
			at = t
		}
	}
	return rest, at
}

// stripOne takes one header.
func stripOne(b []byte, c *clock) (rest []byte, at int64, ok bool) {
	p, marked := skipPriority(b)
	if len(p) > 2 && p[0] == '1' && p[1] == ' ' && (marked || isISO(p[2:])) { // RFC 5424: VERSION; relays eat the priority
		if rest, at, ok := strip5424(p[2:], c); ok {
			return rest, at, true
		}
	}
	n := stampLength(p)
	if n == 0 {
		return p, 0, marked
	}
	at, _ = c.parse(p[:n])
	return skipOrigin(bytes.TrimLeft(p[n:], " ")), at, true
}

// skipPriority takes "<134>" off (RFC 5424, section 6.2.1).
func skipPriority(b []byte) ([]byte, bool) {
	if len(b) < 3 || b[0] != '<' {
		return b, false
	}
	for i := 1; i < len(b) && i <= 4; i++ {
		if b[i] == '>' {
			return bytes.TrimLeft(b[i+1:], " "), i > 1
		}
		if b[i] < '0' || b[i] > '9' {
			break
		}
	}
	return b, false
}

// strip5424 reads TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG (RFC 5424, section 6). Structured data with nothing
// behind it is the message itself: firewalls write so.
func strip5424(b []byte, c *clock) (rest []byte, at int64, ok bool) {
	stamp, rest := cutSpace(b)
	if !isISO(stamp) && !bytes.Equal(stamp, []byte("-")) {
		return b, 0, false
	}
	at, _ = c.parse(stamp)
	for range 4 {
		if _, rest = cutSpace(rest); len(rest) == 0 {
			return b, 0, false
		}
	}
	if rest[0] == '-' && (len(rest) == 1 || rest[1] == ' ') {
		return bytes.TrimPrefix(bytes.TrimLeft(rest[1:], " "), bom), at, true
	}
	end := structuredData(rest)
	message := bytes.TrimLeft(rest[end:], " ")
	if end > 0 && len(message) > 0 {
		rest = bytes.TrimPrefix(message, bom)
	}
	return rest, at, true
}

// structuredData is the length of the elements in brackets that b begins with (RFC 5424, section 6.3); 0 if there are none.
func structuredData(b []byte) int {
	end := 0
	for end < len(b) && b[end] == '[' {
		n := elementLength(b[end:])
		if n == 0 {
			break
		}
		end += n
	}
	return end
}

// elementLength is the length of one element; 0 if it does not end.
func elementLength(b []byte) int {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '\\' && quoted:
			i++
		case b[i] == '"':
			quoted = !quoted
		case b[i] == ']' && !quoted:
			return i + 1
		}
	}
	return 0
}

// skipOrigin takes HOSTNAME and TAG off (RFC 3164, section 4.1.2): the tag ends in a colon, and either may be missing.
func skipOrigin(b []byte) []byte {
	first, rest := cutSpace(b)
	if len(first) == 0 {
		return b
	}
	if first[len(first)-1] == ':' {
		return rest
	}
	if !plainWord(first) {
		return b
	}
	if second, after := cutSpace(rest); len(second) > 1 && second[len(second)-1] == ':' && plainWord(second[:len(second)-1]) {
		return after
	}
	return rest
}

// plainWord says whether b can be a host's or a program's name: nothing of a message.
func plainWord(b []byte) bool { return !bytes.ContainsAny(b, "=|,\"{;") }

// stampLength is how much of b is a time stamp that a syslog header begins with; 0 if there is none.
func stampLength(b []byte) int {
	switch {
	case isISO(b):
		n := bytes.IndexByte(b, ' ')
		if n < 0 {
			return 0
		}
		return n
	case len(b) > 15 && b[3] == ' ' && month(b[:3]) != 0:
		return stamp3164(b)
	}
	return 0
}

// stamp3164 is the length of "Jan  2 15:04:05", with a fraction or with a year before or behind the time.
func stamp3164(b []byte) int {
	n := 6
	if isYear(b[n:]) {
		n += 5
	}
	if n+9 > len(b) || b[n] != ' ' || b[n+3] != ':' || b[n+6] != ':' || !digit(b[5]) {
		return 0
	}
	if n += 9; n < len(b) && b[n] == '.' {
		n += 1 + digits(b[n+1:])
	}
	if isYear(b[n:]) {
		n += 5
	}
	return n
}

// isYear says whether b goes on with a year, as in " 2026 ".
func isYear(b []byte) bool {
	if len(b) < 6 || b[0] != ' ' || b[1] != '2' || b[2] != '0' || b[5] != ' ' {
		return false
	}
	return b[3] >= '0' && b[3] <= '9' && b[4] >= '0' && b[4] <= '9'
}

// isISO says whether b begins as RFC 3339 does: 2006-01-02T15:04.
func isISO(b []byte) bool {
	return len(b) >= 16 && b[4] == '-' && b[7] == '-' && b[10] == 'T' && b[13] == ':' && b[0] >= '0' && b[0] <= '9'
}

// cutSpace divides at the first run of spaces.
func cutSpace(b []byte) (word, rest []byte) {
	i := bytes.IndexByte(b, ' ')
	if i < 0 {
		return b, nil
	}
	return b[:i], bytes.TrimLeft(b[i:], " ")
}
