package logs

import "bytes"

// target is what a URL, an authority or a bare name leads to.
type target struct {
	host []byte // a name, or the text of an address; no port, no brackets, no trailing dot
	port uint16
	path []byte // path and query
}

// splitHost takes the host out of what logs write for a destination: http://user@host:80/path, host:443, [::1]:443, //host/x, host.
// It returns an empty host for a path alone, and for bytes that no name has.
func splitHost(b []byte) (t target) {
	b = trim(b)
	b = afterScheme(b)
	end := authority(b)
	b, t.path = b[:end], b[end:]
	if i := bytes.LastIndexByte(b, '@'); i >= 0 {
		b = b[i+1:]
	}
	if len(b) == 0 {
		return t
	}
	t.host, t.port = cutPort(b)
	for n := len(t.host); n > 0 && t.host[n-1] == '.'; n-- {
		t.host = t.host[:n-1]
	}
	if !hostBytes(t.host) {
		t.host = nil
	}
	return t
}

// pathOf is the path and query of what logs write in a field for them: /v1/x?y, or a whole URL.
func pathOf(b []byte) []byte {
	b = trim(b)
	if len(b) == 0 || b[0] == '/' && (len(b) == 1 || b[1] != '/') {
		return b
	}
	b = afterScheme(b)
	return b[authority(b):]
}

// cutPort takes the port off an authority. An IPv6 address without brackets has none.
func cutPort(b []byte) (host []byte, port uint16) {
	if b[0] == '[' {
		if end := bytes.IndexByte(b, ']'); end > 0 {
			return b[1:end], portAfter(b[end+1:])
		}
		return b, 0
	}
	if i := bytes.IndexByte(b, ':'); i >= 0 && bytes.IndexByte(b[i+1:], ':') < 0 {
		if digits(b[i+1:]) < len(b)-i-1 { // error:invalid-request
			return nil, 0
		}
		return b[:i], portAfter(b[i:])
	}
	return b, 0
}

// authority is where the path or the query begins.
func authority(b []byte) int {
	for i, c := range b {
		if c == '/' || c == '?' || c == '#' || c == '\\' {
			return i
		}
	}
	return len(b)
}

// trim takes spaces and quotes off both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '"') {
		b = b[1:]
	}
	for n := len(b); n > 0 && (b[n-1] == ' ' || b[n-1] == '"'); n-- {
		b = b[:n-1]
	}
	return b
}

// afterScheme takes "https://" off, and "//".
func afterScheme(b []byte) []byte {
	if i := bytes.IndexByte(b, '/'); i >= 0 && i+1 < len(b) && b[i+1] == '/' && schemeOnly(b[:i]) {
		return b[i+2:]
	}
	return b
}

// schemeOnly says whether b is "http:" or the like, or nothing.
func schemeOnly(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	for _, c := range b[:len(b)-1] {
		if !digit(c) && !letter(c) && bytes.IndexByte([]byte("+-._"), c) < 0 {
			return false
		}
	}
	return b[len(b)-1] == ':' && len(b) <= 20
}

// notInHosts are the printable bytes that no host's name has.
var notInHosts = [256]bool{0x7f: true, '"': true, '<': true, '>': true, '|': true, '{': true, '}': true, '=': true, ',': true}

// hostBytes says whether b can be a host's name or address: no spaces, control characters or quotes.
func hostBytes(b []byte) bool {
	if len(b) == 0 || len(b) > 255 {
		return false
	}
	for _, c := range b {
		if c <= ' ' || notInHosts[c] {
			return false
		}
	}
	return true
}

// domainLike says whether b is a name of at least two labels whose last one is no number: what a host is called, not an object of a
// firewall's configuration.
func domainLike(b []byte) bool {
	b = bytes.TrimSuffix(b, []byte("."))
	last := bytes.LastIndexByte(b, '.')
	if last <= 0 || len(b)-last < 3 || len(b) > 253 {
		return false
	}
	for _, c := range b {
		if !digit(c) && !letter(c) && c < 0x80 && bytes.IndexByte([]byte(".-_"), c) < 0 {
			return false
		}
	}
	return letter(b[last+1]) || b[last+1] >= 0x80
}
