package http

import (
	"bytes"
	"encoding/base64"
	"math"
)

// field takes what the record needs of one header field. It is told by length first: most fields are of no interest, and their
// names are not looked at.
func (r *Request) field(line []byte) { //nolint:gocyclo // one case for each field
	colon := bytes.IndexByte(line, ':')
	if colon < 1 {
		return
	}
	name := trimEnd(line[:colon])
	value := line[colon+1:]
	switch len(name) {
	case len("host"):
		if is(name, "host") {
			r.hostField(trim(value))
		}
	case len("upgrade"):
		if is(name, "upgrade") {
			r.WebSocket = r.WebSocket || hasToken(value, "websocket")
		}
	case len("user-agent"):
		if is(name, "user-agent") && r.UserAgent == nil {
			r.UserAgent = trim(value)
		}
	case len("content-length"):
		if is(name, "content-length") {
			r.contentLength(trim(value))
		}
	case len("transfer-encoding"):
		if is(name, "transfer-encoding") {
			r.transferEncoding(trim(value))
		}
	case len("proxy-authorization"):
		if is(name, "proxy-authorization") {
			r.proxyAuthorization(trim(value))
		}
	}
}

// hostField takes the first Host field (RFC 9110, section 7.2).
func (r *Request) hostField(value []byte) {
	if r.hostSeen {
		return
	}
	r.hostSeen = true
	r.Host, r.Port = r.host(value)
}

// contentLength takes a length, or a list of the same one (RFC 9110, section 8.6).
func (r *Request) contentLength(value []byte) {
	for more := !r.coded && !r.badLength; more; {
		var item []byte
		item, value, more = bytes.Cut(value, []byte(","))
		n, ok := decimal(trim(item))
		if !ok || r.ContentLength >= 0 && r.ContentLength != n {
			r.ContentLength, r.badLength, r.Malformed = -1, true, true
			return
		}
		r.ContentLength = n
	}
}

// transferEncoding takes the last coding, which overrides any length (RFC 9112, section 6.3).
func (r *Request) transferEncoding(value []byte) {
	r.coded, r.ContentLength = true, -1
	r.Chunked = is(trim(value[bytes.LastIndexByte(value, ',')+1:]), "chunked")
}

// proxyAuthorization takes the user of Basic credentials (RFC 7617, section 2). The password behind the colon is never written
// anywhere: what is decoded of it with the user's last letters stays in a variable of this call.
func (r *Request) proxyAuthorization(value []byte) {
	scheme, code, _ := bytes.Cut(value, []byte(" "))
	if r.userLen > 0 || !is(scheme, "basic") {
		return
	}
	n := 0
	for code = trim(code); len(code) >= 4; code = code[4:] {
		var group [3]byte
		got, err := base64.StdEncoding.Decode(group[:], code[:4])
		if err != nil {
			break
		}
		for _, c := range group[:got] {
			if c == ':' {
				r.userLen = n
				return
			}
			if c < ' ' || c == 0x7f || n == maxUser {
				clear(r.user[:n])
				return
			}
			r.user[n] = c
			n++
		}
	}
	clear(r.user[:n]) // no colon: not credentials, perhaps a password alone
}

// ProxyUser is the user that the client named to its proxy by Basic credentials, as sent; empty if there is none. It is not
// the user of the server behind, whose Authorization is not read. The result belongs to r.
func (r *Request) ProxyUser() []byte { return r.user[:r.userLen:r.userLen] }

// decimal reads digits and nothing else.
func decimal(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if !digit(c) || n > (math.MaxInt64-9)/10 {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, len(b) > 0
}

// hasToken says whether a list of tokens holds want, which is in lower case.
func hasToken(list []byte, want string) bool {
	for more := true; more; {
		var item []byte
		item, list, more = bytes.Cut(list, []byte(","))
		if is(trim(item), want) {
			return true
		}
	}
	return false
}

// is compares b with want, which is in lower case, without regard to case.
func is(b []byte, want string) bool {
	if len(b) != len(want) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != want[i] {
			return false
		}
	}
	return true
}
