package tls

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Transports for the first character of a JA4 fingerprint.
const (
	TransportTCP  = 't'
	TransportQUIC = 'q'
)

// maxJA4List bounds the cipher suites, extensions and signature algorithms of a fingerprint, so that its work fits the stack and
// a hostile hello with 32,000 suites costs nothing. Scanners that offer every registered suite stay below it.
const maxJA4List = 512

// ja4HashLen is the number of hex digits kept of each SHA-256.
const ja4HashLen = 12

// ja4Empty stands for the hash of an empty list.
const ja4Empty = "000000000000"

// AppendJA4 appends the JA4 fingerprint of the hello to dst, such as t13d1516h2_8daaf6152771_e5627efa2ab1, and returns the extended
// slice. The fingerprint is public: github.com/FoxIO-LLC/ja4, technical_details/JA4.md. It tells client software apart, not
// users. It allocates only if dst has no room for 36 bytes, and appends nothing for a list of more than 512 values.
func (h *Hello) AppendJA4(dst []byte, transport byte) []byte {
	var suites, types, schemes list
	suites.values(h.ciphers)
	extensions := types.types(h.extensions)
	schemes.values(list16(h.schemes))
	if suites.over || types.over || schemes.over {
		return dst
	}
	host := byte('i')
	if h.NameExtension {
		host = 'd'
	}
	dst = append(dst, transport)
	dst = append(dst, ja4Version(h.Version)...)
	dst = append(dst, host)
	dst = appendCount(dst, suites.n)
	dst = appendCount(dst, extensions)
	dst = appendProtocol(dst, h.NextProtocol())

	slices.Sort(suites.v[:suites.n])
	slices.Sort(types.v[:types.n])
	dst = append(dst, '_')
	dst = appendHash(dst, suites.v[:suites.n], nil)
	dst = append(dst, '_')
	return appendHash(dst, types.v[:types.n], schemes.v[:schemes.n])
}

// list is a bounded list of 16-bit values without GREASE.
type list struct {
	v    [maxJA4List]uint16
	n    int
	over bool
}

func (l *list) add(v int) {
	switch {
	case grease(v):
	case l.n == len(l.v):
		l.over = true
	default:
		l.v[l.n] = uint16(v)
		l.n++
	}
}

func (l *list) values(b []byte) {
	for c := (cursor{b: b}); len(c.b) > 1; {
		l.add(c.uint16())
	}
}

// types collects the extension types except server_name and ALPN, which have their own place in the fingerprint, and returns how
// many there are with them.
func (l *list) types(b []byte) int {
	apart := 0
	for c := (cursor{b: b}); len(c.b) > 1; {
		typ := c.uint16()
		c.take(c.uint16())
		if typ == extServerName || typ == extALPN {
			apart++
			continue
		}
		l.add(typ)
	}
	return l.n + apart
}

// appendHash appends the truncated SHA-256 of both lists in lower-case hex with commas, an underscore between them.
func appendHash(dst []byte, first, second []uint16) []byte {
	if len(first) == 0 {
		return append(dst, ja4Empty...)
	}
	var text [2 * 5 * maxJA4List]byte // five characters a value
	n := hexList(text[:], first)
	if len(second) > 0 {
		text[n] = '_'
		n++
		n += hexList(text[n:], second)
	}
	sum := sha256.Sum256(text[:n])
	return hex.AppendEncode(dst, sum[:ja4HashLen/2])
}

// hexList writes values to text and returns the length written. There is at least one value.
func hexList(text []byte, values []uint16) int {
	const digits = "0123456789abcdef"
	n := 0
	for _, v := range values {
		text[n], text[n+1], text[n+2], text[n+3], text[n+4] = digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15], ','
		n += 5
	}
	return n - 1
}

func ja4Version(v uint16) string {
	switch v {
	case 0x0304:
		return "13"
	case 0x0303:
		return "12"
	case 0x0302:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002:
		return "s2"
	}
	return "00"
}

func appendCount(dst []byte, n int) []byte {
	n = min(n, 99)
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}

// appendProtocol appends the first and last character of an ALPN name, or of its hex form if one of them is not alphanumeric.
func appendProtocol(dst, name []byte) []byte {
	const digits = "0123456789abcdef"
	if len(name) == 0 {
		return append(dst, "00"...)
	}
	first, last := name[0], name[len(name)-1]
	if alphanumeric(first) && alphanumeric(last) {
		return append(dst, first, last)
	}
	return append(dst, digits[first>>4], digits[last&15])
}

func alphanumeric(b byte) bool {
	return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z'
}
