package logs

import (
	"bytes"
	"net/netip"
)

// parseAddr reads an address as logs write it: bare or in brackets, and with a port behind ':', '#', '@', '/' or '(', whatever
// follows that (a zone of the firewall, a name). An IPv6 address whose port hangs on a colon is told by its length.
func parseAddr(b []byte) (addr netip.Addr, port uint16, ok bool) {
	b = trim(b)
	if len(b) == 0 {
		return addr, 0, false
	}
	if b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 {
			return addr, 0, false
		}
		addr, _, ok = parseAddr(b[1:end])
		return addr, portAfter(b[end+1:]), ok
	}
	if a, n := parse4(b); n > 0 {
		return a, portAfter(b[n:]), n == len(b) || bytes.IndexByte([]byte(":#@/( ,%"), b[n]) >= 0
	}
	return parseAddr6(b)
}

// parseAddr6 is parseAddr for IPv6.
func parseAddr6(b []byte) (addr netip.Addr, port uint16, ok bool) {
	if i := bytes.IndexAny(b, "#@/( ,%"); i >= 0 {
		port = portAfter(b[i:])
		b = b[:i]
	}
	if addr, ok = parse6(b); ok {
		return addr, port, true
	}
	i := bytes.LastIndexByte(b, ':')
	if i < 0 {
		return addr, 0, false
	}
	if addr, ok = parse6(b[:i]); ok {
		return addr, portAfter(b[i:]), true
	}
	if a, n := parse4(b[:i]); n == i { // ::ffff:1.2.3.4:443 is caught above
		return a, portAfter(b[i:]), true
	}
	return addr, 0, false
}

// portAfter reads the number behind a separator; 0 if there is none.
func portAfter(b []byte) uint16 {
	if len(b) < 2 {
		return 0
	}
	n := 0
	for _, d := range b[1:] {
		if d -= '0'; d > 9 {
			break
		}
		if n = n*10 + int(d); n > 65535 {
			return 0
		}
	}
	return uint16(n)
}

// parse4 reads a dotted quad and returns how long it is; 0 if there is none.
func parse4(b []byte) (netip.Addr, int) { //nolint:gocyclo // one pass over the bytes: it runs several times for every line
	var quad [4]byte
	i, part, v, n := 0, 0, 0, 0 // n digits of the part so far
	for ; i < len(b); i++ {
		c := b[i]
		if digit(c) && n < 3 {
			v = v*10 + int(c-'0')
			n++
			continue
		}
		if c != '.' || n == 0 || v > 255 || part == 3 {
			break
		}
		quad[part] = byte(v)
		part, v, n = part+1, 0, 0
	}
	if part != 3 || n == 0 || v > 255 || i < len(b) && (b[i] == '.' || digit(b[i])) {
		return netip.Addr{}, 0
	}
	quad[3] = byte(v)
	return netip.AddrFrom4(quad), i
}

// parse6 reads an IPv6 address (RFC 4291, section 2.2). One that stands for an IPv4 address becomes that.
func parse6(b []byte) (netip.Addr, bool) { //nolint:gocognit,gocyclo // reads as the grammar does, group by group
	var groups [16]byte
	n, gap := 0, -1 // octets read, and where "::" stands
	if len(b) < 2 || len(b) > 45 {
		return netip.Addr{}, false
	}
	if b[0] == ':' {
		if b[1] != ':' {
			return netip.Addr{}, false
		}
		gap, b = 0, b[2:]
	}
	for len(b) > 0 && n < 16 {
		if quad, length := parse4(b); length == len(b) && n <= 12 {
			v4 := quad.As4()
			n += copy(groups[n:], v4[:])
			b = nil
			break
		}
		v, digits := hex16(b)
		if digits == 0 {
			return netip.Addr{}, false
		}
		groups[n], groups[n+1] = byte(v>>8), byte(v)
		n += 2
		if b = b[digits:]; len(b) == 0 {
			break
		}
		if b[0] != ':' || len(b) == 1 {
			return netip.Addr{}, false
		}
		if b = b[1:]; b[0] == ':' {
			if gap >= 0 {
				return netip.Addr{}, false
			}
			gap, b = n, b[1:]
		}
	}
	return join6(groups, n, gap, len(b) == 0)
}

// hex16 reads one to four hexadecimal digits.
func hex16(b []byte) (v uint16, digits int) {
	for digits < 4 && digits < len(b) {
		d := unhex(b[digits])
		if d > 15 {
			break
		}
		v = v<<4 | uint16(d)
		digits++
	}
	return v, digits
}

// join6 fills the gap.
func join6(groups [16]byte, n, gap int, whole bool) (netip.Addr, bool) {
	switch {
	case !whole || gap < 0 && n != 16 || gap >= 0 && n > 14:
		return netip.Addr{}, false
	case gap >= 0:
		tail := n - gap
		copy(groups[16-tail:], groups[gap:n])
		clear(groups[gap : 16-tail])
	}
	return netip.AddrFrom16(groups).Unmap(), true
}

// unhex is the value of a hexadecimal digit; 255 for anything else.
func unhex(c byte) byte {
	switch {
	case c-'0' < 10:
		return c - '0'
	case (c|0x20)-'a' < 6:
		return (c | 0x20) - 'a' + 10
	}
	return 255
}
