// Package http reads the heads of HTTP/1 messages (RFC 9112) from bytes, whole or cut, and finds where their bodies end. It
// keeps hosts, sizes and who a proxy's client says to be; paths, bodies and passwords it never keeps. It does not reassemble
// streams (see flow), speaks no HTTP/2, and does not decide what a host means (see classifiers).
package http

import "errors"

// MaxHead is the longest head that is read, from the request line to the blank line.
const MaxHead = 64 << 10

// ErrTruncated says that the head goes on behind the bytes.
var ErrTruncated = errors.New("reading an HTTP request: the head is not complete; give it again with more bytes")

// ErrMalformed says that the bytes do not begin with a request line of HTTP/1.
var ErrMalformed = errors.New("reading an HTTP request: no HTTP/1 request line; stop reading this direction as HTTP")

// ErrTooLong says that there is no end of the head within MaxHead.
var ErrTooLong = errors.New("reading an HTTP request: the head is longer than 64 KiB; stop reading this direction as HTTP")

// methods are the methods that open a request on real networks, by first letter, each with the space that ends it: RFC 9110,
// section 9; RFC 5789 (PATCH); WebDAV and its relatives (RFC 4918, 3253, 3744, 4791, 5323, 5842); UPnP eventing; RPC over HTTP
// and Exchange. Those in everyday use stand first.
var methods = [26][]string{
	0:         {"ACL "},
	'B' - 'A': {"BITS_POST ", "BCOPY ", "BDELETE ", "BMOVE ", "BPROPFIND ", "BPROPPATCH ", "BASELINE-CONTROL ", "BIND "},
	'C' - 'A': {"CONNECT ", "CCM_POST ", "COPY ", "CHECKIN ", "CHECKOUT "},
	'D' - 'A': {"DELETE "},
	'G' - 'A': {"GET "},
	'H' - 'A': {"HEAD "},
	'L' - 'A': {"LOCK ", "LABEL ", "LINK "},
	'M' - 'A': {"M-SEARCH ", "MKCOL ", "MOVE ", "MERGE ", "MKACTIVITY ", "MKCALENDAR ", "MKWORKSPACE "},
	'N' - 'A': {"NOTIFY "},
	'O' - 'A': {"OPTIONS ", "ORDERPATCH "},
	'P' - 'A': {"POST ", "PUT ", "PATCH ", "PROPFIND ", "PROPPATCH ", "PURGE ", "POLL "},
	'Q' - 'A': {"QUERY "},
	'R' - 'A': {"REPORT ", "RPC_IN_DATA ", "RPC_OUT_DATA ", "REBIND "},
	'S' - 'A': {"SEARCH ", "SUBSCRIBE ", "SOURCE "},
	'T' - 'A': {"TRACE "},
	'U' - 'A': {"UNLOCK ", "UNSUBSCRIBE ", "UNCHECKOUT ", "UPDATE ", "UNBIND ", "UNLINK "},
	'V' - 'A': {"VERSION-CONTROL "},
	'X' - 'A': {"X-MS-ENUMATTS "},
}

// opens and follows are what methods have as their first and their second byte.
var opens, follows = firstBytes()

func firstBytes() (first, second [256]uint8) {
	for _, list := range methods {
		for _, m := range list {
			first[m[0]], second[m[1]] = 1, 1
		}
	}
	return first, second
}

// Begins says whether b begins with a method in use, after blank lines that a client may have left (RFC 9112, section 2.2).
// maybe is set instead of yes if b ends before that can be told.
func Begins(b []byte) (yes, maybe bool) {
	for len(b) > 0 && (b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	if len(b) == 0 {
		return false, true
	}
	if len(b) > 1 && opens[b[0]]&follows[b[1]] == 0 { // most payloads: a look at the first byte alone is one time in ten a wrong guess
		return false, false
	}
	first := b[0] - 'A'
	if first >= 26 {
		return false, false
	}
	for _, m := range methods[first] {
		n := min(len(m), len(b))
		if string(b[:n]) == m[:n] {
			return n == len(m), n < len(m)
		}
	}
	return false, false
}

// LooksRequest says whether b begins with a method in use.
func LooksRequest(b []byte) bool {
	yes, _ := Begins(b)
	return yes
}

// LooksResponse says whether b begins like a status line of HTTP/1.
func LooksResponse(b []byte) bool {
	const begin = "HTTP/1."
	return len(b) >= len(begin) && string(b[:len(begin)]) == begin
}

// LooksHTTP2 says whether b begins with the preface by which a client speaks HTTP/2 at once (RFC 9113, section 3.4).
func LooksHTTP2(b []byte) bool {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	return len(b) >= len(preface) && string(b[:len(preface)]) == preface
}

// ParseStatus returns the status code of the response that b begins with (RFC 9112, section 4). ok is false if it is none, or
// is cut before the code.
func ParseStatus(b []byte) (code int, ok bool) { //nolint:gocyclo // a status line read byte by byte
	const line = len("HTTP/1.1 200")
	if len(b) < line || !LooksResponse(b) || !digit(b[7]) || b[8] != ' ' {
		return 0, false
	}
	if len(b) > line && b[line] != ' ' && b[line] != '\r' && b[line] != '\n' {
		return 0, false
	}
	for _, c := range b[line-3 : line] {
		if !digit(c) {
			return 0, false
		}
		code = 10*code + int(c-'0')
	}
	return code, code >= 100
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
