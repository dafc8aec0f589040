package http

import "bytes"

// Form is the form of a request's target (RFC 9112, section 3.2).
type Form uint8

// Forms of targets. FormOther is what servers tolerate and the RFC does not know.
const (
	FormOther     Form = iota
	FormOrigin         // a path, to the server itself
	FormAbsolute       // a URI, to a proxy
	FormAuthority      // host and port of a CONNECT
	FormAsterisk       // OPTIONS for the server as a whole
)

const (
	maxMethod = 32  // longer ones are not HTTP
	maxUser   = 256 // bytes of a user's name
)

// Request is the head of one HTTP/1 request. One Request is made to be parsed into again and again; its slices alias the parsed
// bytes, never reach beyond their own field, and hold as long as those bytes do. The target is not kept, as it holds the path.
type Request struct {
	Method   []byte
	Form     Form
	Minor    uint8 // of the version HTTP/1.Minor
	Complete bool  // the head is there up to its blank line
	// Malformed says that a host or a length breaks the rules so that readers may differ about it; it is then left unknown.
	Malformed bool

	// Host is what the request is for: a CONNECT's target, else the first Host field, else the host of an absolute target. It
	// has no port and no brackets and is spelled as sent; nil if unknown.
	Host         []byte
	Port         uint16 // beside Host; 0 if none was named
	AbsoluteHost []byte // the host of an absolute target, whatever the Host field says
	UserAgent    []byte

	ContentLength int64 // -1 if not given or not to be relied on
	Chunked       bool  // the body is chunked; without this and a ContentLength there is none
	WebSocket     bool  // the client asks to go on as a WebSocket (RFC 6455, section 4.1)

	hostSeen     bool
	badHost      bool
	badLength    bool // lengths contradict each other
	coded        bool // a Transfer-Encoding was seen
	absolutePort uint16
	userLen      int
	user         [maxUser]byte
}

// Parse reads the request that b begins with and returns the length of its head, blank line included. With ErrTruncated all
// fields whose lines are whole are filled in: if the rest is lost for ever they are worth having; otherwise parse again with
// more bytes.
func (r *Request) Parse(b []byte) (n int, err error) {
	*r = Request{ContentLength: -1}
	head := b[:min(len(b), MaxHead)]
	for n < len(head) && (head[n] == '\r' || head[n] == '\n') { // RFC 9112, section 2.2
		n++
	}
	end := bytes.IndexByte(head[n:], '\n')
	if end < 0 {
		return 0, r.cutLine(head[n:], len(b))
	}
	if err := r.requestLine(trimEnd(head[n : n+end])); err != nil {
		return 0, err
	}
	for n += end + 1; ; {
		field, taken := nextField(head[n:])
		n += taken
		if field == nil {
			r.settle()
			r.Complete = taken > 0
			if !r.Complete {
				return 0, short(len(b))
			}
			return n, nil
		}
		r.field(field)
	}
}

// short is why a head of which n bytes are there is not whole.
func short(n int) error {
	if n >= MaxHead {
		return ErrTooLong
	}
	return ErrTruncated
}

// nextField returns the next field with the lines that continue it (obs-fold: RFC 9112, section 5.2), and how many bytes that
// takes. The field is nil at the blank line, and if it is not whole; then it takes none.
func nextField(b []byte) (field []byte, taken int) {
	for {
		i := bytes.IndexByte(b[taken:], '\n')
		if i < 0 {
			return nil, 0
		}
		if taken == 0 && (i == 0 || i == 1 && b[0] == '\r') {
			return nil, i + 1
		}
		taken += i + 1
		if taken == len(b) || b[taken] != ' ' && b[taken] != '\t' {
			return b[:taken], taken
		}
	}
}

// requestLine reads method, target and version (RFC 9112, section 3). Spaces in the target are tolerated: some clients send
// them, and the version at the end shows where it ends.
func (r *Request) requestLine(line []byte) error {
	const version = len(" HTTP/1.1")
	method := bytes.IndexByte(line, ' ')
	tail := len(line) - version
	if !isMethod(line, method) || tail < method || string(line[tail:len(line)-1]) != " HTTP/1." || !digit(line[len(line)-1]) {
		return ErrMalformed
	}
	r.Method = line[:method:method]
	r.Minor = line[len(line)-1] - '0'
	r.target(bytes.TrimSpace(line[method:tail]), true)
	return nil
}

// cutLine reads what is there of a request line without its end. n is how much was given.
func (r *Request) cutLine(line []byte, n int) error {
	method := bytes.IndexByte(line, ' ')
	if method < 0 {
		if len(line) > maxMethod || !isToken(line) && len(line) > 0 {
			return ErrMalformed
		}
		return short(n)
	}
	if !isMethod(line, method) {
		return ErrMalformed
	}
	r.Method = line[:method:method]
	r.target(bytes.TrimLeft(line[method:], " "), false)
	r.settle()
	return short(n)
}

// target tells the form and takes the host, of a cut target only if more bytes cannot change it.
func (r *Request) target(target []byte, whole bool) {
	switch {
	case string(r.Method) == "CONNECT":
		r.Form = FormAuthority
		if host, _, more := bytes.Cut(target, []byte(" ")); whole || more { // some clients send a path behind it
			r.hostSeen = true // the Host field of a CONNECT counts for nothing (RFC 9112, section 3.2.3)
			r.Host, r.Port = r.host(host)
		}
	case len(target) > 0 && target[0] == '/':
		r.Form = FormOrigin
	case string(target) == "*":
		r.Form = FormAsterisk
	default:
		r.absolute(target, whole)
	}
}

// absolute reads scheme "://" [ userinfo "@" ] host [ ":" port ] (RFC 3986, section 3).
func (r *Request) absolute(target []byte, whole bool) {
	colon := bytes.IndexByte(target, ':')
	if colon < 1 || !isToken(target[:colon]) || !bytes.HasPrefix(target[colon:], []byte("://")) {
		return
	}
	r.Form = FormAbsolute
	authority := target[colon+len("://"):]
	if end := bytes.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	} else if !whole {
		return
	}
	authority = authority[bytes.LastIndexByte(authority, '@')+1:]
	r.AbsoluteHost, r.absolutePort = r.host(authority)
}

// host reads an authority into its parts, or notes that it is none.
func (r *Request) host(authority []byte) (name []byte, port uint16) {
	if len(authority) == 0 {
		return nil, 0
	}
	name, port, ok := splitHost(authority)
	if !ok {
		r.badHost, r.Malformed = true, true
		return nil, 0
	}
	return name, port
}

// settle decides what no single field can. Without a Host field, or with an empty one, the target's host counts; a Host that
// cannot be read is no reason to believe the other. A body that is coded but not chunked has no end (RFC 9112, section 6.3).
func (r *Request) settle() {
	if r.Host == nil && !r.badHost {
		r.Host, r.Port = r.AbsoluteHost, r.absolutePort
	}
	if r.coded && !r.Chunked {
		r.Malformed = true
	}
}

func isMethod(line []byte, n int) bool {
	return n > 0 && n <= maxMethod && isToken(line[:n])
}

// isToken says whether b is a token (RFC 9110, section 5.6.2).
func isToken(b []byte) bool {
	for _, c := range b {
		if class[c]&tokenByte == 0 {
			return false
		}
	}
	return len(b) > 0
}

// trimEnd drops a line's end and the blanks before it.
func trimEnd(b []byte) []byte {
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// trim drops blanks and the line ends of folded values on both sides. The result cannot be made to reach further.
func trim(b []byte) []byte {
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	b = trimEnd(b)
	return b[:len(b):len(b)]
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
