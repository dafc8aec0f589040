package input

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// maxMessage is the longest syslog message that is taken over TCP, in octets; of a longer one nothing is.
const maxMessage = 256 << 10

// errLong is a message over maxMessage, of which all is thrown away.
var errLong = errors.New("the message is too long")

// errHalf is a message of which the connection's end left a part.
var errHalf = errors.New("the message broke off")

// frames cuts a stream into syslog messages (RFC 6587, section 3.4): each begins with its length, or ends in a line feed. Senders mix
// them: the first octet of each message tells which it is.
type frames struct {
	r    io.Reader
	b    []byte // what was read
	at   int    // the next message begins here
	err  error
	drop int  // octets of a long message that are still to come
	line bool // in a long message that ends in a line feed
}

// newFrames reads from r.
func newFrames(r io.Reader) *frames { return &frames{r: r, b: make([]byte, 0, 16<<10)} }

// next returns the next message; it aliases memory that the next call uses again. The last one need not end. The error is errLong, errHalf,
// or what the reader says.
func (f *frames) next() ([]byte, error) {
	for {
		if message, ok, err := f.whole(); ok || err != nil {
			return message, err
		}
		if f.err != nil {
			return f.last()
		}
		f.more()
	}
}

// whole returns a message that is there as a whole.
func (f *frames) whole() (message []byte, ok bool, err error) {
	if !f.dropped() {
		return nil, false, nil
	}
	b := f.b[f.at:]
	if n, digits := length(b); digits > 0 {
		switch {
		case n < 0: // the length itself is not there yet
			return nil, false, nil
		case n > maxMessage:
			f.at, f.drop = f.at+digits, n
			return nil, false, errLong
		case len(b) < digits+n:
			return nil, false, nil
		}
		f.at += digits + n
		return trim(b[digits : digits+n]), true, nil
	}
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		if len(b) > maxMessage {
			f.line = true
			return nil, false, errLong
		}
		return nil, false, nil
	}
	f.at += i + 1
	if i > maxMessage {
		return nil, false, errLong
	}
	return trim(b[:i]), true, nil
}

// dropped passes over the rest of a long message; false: there is more of it to come.
func (f *frames) dropped() bool {
	n := min(f.drop, len(f.b)-f.at)
	f.at, f.drop = f.at+n, f.drop-n
	if f.drop > 0 {
		return false
	}
	if f.line {
		i := bytes.IndexByte(f.b[f.at:], '\n')
		if i < 0 {
			f.at = len(f.b)
			return false
		}
		f.at, f.line = f.at+i+1, false
	}
	return true
}

// last returns what stands behind the last message.
func (f *frames) last() ([]byte, error) {
	b := trim(f.b[f.at:])
	f.at = len(f.b)
	if _, digits := length(b); digits > 0 || f.drop > 0 {
		f.drop = 0
		return nil, errHalf
	}
	if len(b) == 0 {
		return nil, f.err
	}
	return b, nil
}

// more reads on, after moving what is begun to the front.
func (f *frames) more() {
	if f.at > 0 {
		n := copy(f.b[:cap(f.b)], f.b[f.at:])
		f.b, f.at = f.b[:n], 0
	}
	if len(f.b) == cap(f.b) {
		f.b = append(make([]byte, 0, 2*cap(f.b)), f.b...)
	}
	for range 100 { // a reader that gives nothing again and again is broken
		n, err := f.r.Read(f.b[len(f.b):cap(f.b)])
		f.b, f.err = f.b[:len(f.b)+n], err
		if n > 0 || err != nil {
			return
		}
	}
	f.err = io.ErrNoProgress
}

// length reads MSG-LEN SP (RFC 6587, section 3.4.1): how long the message behind it is, and how many octets that takes. No octets: b does
// not begin with one. A negative length: b ends before one could be told. A line may begin with a number too, as those of Squid do: only
// in front of a priority a number is a length.
func length(b []byte) (n, octets int) {
	for octets < len(b) && octets < maxLength && b[octets] >= '0' && b[octets] <= '9' {
		n = 10*n + int(b[octets]-'0')
		octets++
	}
	if octets == 0 || octets == maxLength || b[0] == '0' {
		return 0, 0
	}
	const behind = " <"
	rest := b[octets:]
	rest = rest[:min(len(rest), len(behind))]
	switch {
	case !strings.HasPrefix(behind, string(rest)):
		return 0, 0
	case len(rest) < len(behind):
		return -1, octets
	}
	return n, octets + 1
}

// maxLength is how many digits are too many for a length.
const maxLength = 10

// trim takes line ends and NULs off, which some senders put behind messages.
func trim(b []byte) []byte { return bytes.TrimRight(b, "\r\n\x00") }
