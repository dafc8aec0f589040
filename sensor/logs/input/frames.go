package input

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor/logs"
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
	logs.Buffer      // the next message begins where it is used up to
	drop        int  // octets of a long message that are still to come
	line        bool // in a long message that ends in a line feed
}

// newFrames reads from r.
func newFrames(r io.Reader) *frames { return &frames{Buffer: logs.NewBuffer(r, 16<<10)} }

// next returns the next message; it aliases memory that the next call uses again. The last one need not end. The error is errLong, errHalf,
// or what the reader says.
func (f *frames) next() ([]byte, error) {
	for {
		if message, ok, err := f.whole(); ok || err != nil {
			return message, err
		}
		if f.Err() != nil {
			return f.last()
		}
		f.More()
	}
}

// whole returns a message that is there as a whole.
func (f *frames) whole() (message []byte, ok bool, err error) {
	if !f.dropped() {
		return nil, false, nil
	}
	b := f.Rest()
	if n, digits := length(b); digits > 0 {
		switch {
		case n < 0: // the length itself is not there yet
			return nil, false, nil
		case n > maxMessage:
			f.Use(digits)
			f.drop = n
			return nil, false, errLong
		case len(b) < digits+n:
			return nil, false, nil
		}
		f.Use(digits + n)
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
	f.Use(i + 1)
	if i > maxMessage {
		return nil, false, errLong
	}
	return trim(b[:i]), true, nil
}

// dropped passes over the rest of a long message; false: there is more of it to come.
func (f *frames) dropped() bool {
	n := min(f.drop, len(f.Rest()))
	f.Use(n)
	f.drop -= n
	if f.drop > 0 {
		return false
	}
	if f.line {
		i := bytes.IndexByte(f.Rest(), '\n')
		if i < 0 {
			f.Use(len(f.Rest()))
			return false
		}
		f.Use(i + 1)
		f.line = false
	}
	return true
}

// last returns what stands behind the last message.
func (f *frames) last() ([]byte, error) {
	b := trim(f.Rest())
	f.Use(len(f.Rest()))
	if _, digits := length(b); digits > 0 || f.drop > 0 {
		f.drop = 0
		return nil, errHalf
	}
	if len(b) == 0 {
		return nil, f.Err()
	}
	return b, nil
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
