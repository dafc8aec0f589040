package http

import "bytes"

const (
	tokenByte = 1 << iota // tchar of RFC 9110, section 5.6.2
	nameByte              // reg-name of RFC 3986, section 3.2.2: unreserved, sub-delims and the percent sign
	ipv6Byte              // IPv6address with zone (RFC 6874)
)

// class says where a byte may stand.
var class = classes()

func classes() (t [256]uint8) {
	mark := func(set string, bits uint8) {
		for i := range len(set) {
			t[set[i]] |= bits
		}
	}
	const letters, digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	mark(letters+digits, tokenByte|nameByte)
	mark("!#$%&'*+-.^_`|~", tokenByte)
	mark("-._~!$&'()*+,;=%", nameByte)
	mark(digits+"abcdefABCDEF:.", ipv6Byte)
	return t
}

// splitHost takes apart host [ ":" port ] (RFC 9110, section 7.2), where an IPv6 address stands in brackets; without them it is
// accepted if it is all there is. ok is false for bytes that no host name has.
func splitHost(b []byte) (host []byte, port uint16, ok bool) {
	if b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 || !isIPv6(b[1:end]) {
			return nil, 0, false
		}
		port, ok = portOf(b[end+1:])
		return b[1:end:end], port, ok
	}
	colon := bytes.IndexByte(b, ':')
	if colon < 0 {
		return b[:len(b):len(b)], 0, isName(b)
	}
	if bytes.IndexByte(b[colon+1:], ':') >= 0 {
		return b[:len(b):len(b)], 0, isIPv6(b)
	}
	port, ok = portOf(b[colon:])
	return b[:colon:colon], port, ok && isName(b[:colon])
}

// portOf reads what follows a host: nothing, a colon, or a colon and digits.
func portOf(b []byte) (port uint16, ok bool) {
	if len(b) == 0 {
		return 0, true
	}
	if b[0] != ':' {
		return 0, false
	}
	if len(b) == 1 {
		return 0, true
	}
	n, ok := decimal(b[1:])
	if !ok || n > 65535 {
		return 0, false
	}
	return uint16(n), true
}

func isName(b []byte) bool {
	for _, c := range b {
		if class[c]&nameByte == 0 {
			return false
		}
	}
	return len(b) > 0
}

func isIPv6(b []byte) bool {
	address, zone, zoned := bytes.Cut(b, []byte("%"))
	for _, c := range address {
		if class[c]&ipv6Byte == 0 {
			return false
		}
	}
	return bytes.IndexByte(address, ':') >= 0 && (!zoned || isName(zone))
}
