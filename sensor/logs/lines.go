package logs

import (
	"bytes"
	"errors"
	"io"
)

// MaxLine is the longest line that is read, in octets; of a longer one nothing is kept.
const MaxLine = 1 << 20

// Lines cuts a stream into lines, in memory that is bounded by MaxLine whatever the stream holds.
type Lines struct {
	buffer  Buffer // the next line begins where it is used up to
	scanned int    // no line ends in so many octets from there
	passed  int64
}

// NewLines reads from r.
func NewLines(r io.Reader) *Lines { return &Lines{buffer: NewBuffer(r, 256<<10)} }

// Next returns the next line without its end; it aliases memory that the next call uses again. The last line need not end. The error is
// ErrTooLong for a line over MaxLine, of which all is thrown away, io.EOF at the end, or what the reader says.
func (l *Lines) Next() ([]byte, error) {
	for {
		rest := l.buffer.Rest()
		if i := bytes.IndexByte(rest[l.scanned:], '\n'); i >= 0 {
			line := rest[:l.scanned+i]
			l.use(len(line) + 1)
			if len(line) > MaxLine {
				return nil, ErrTooLong
			}
			return line, nil
		}
		l.scanned = len(rest)
		if l.buffer.Err() != nil {
			return l.last()
		}
		if len(rest) > MaxLine {
			return nil, l.discard()
		}
		l.buffer.More()
	}
}

// Passed is how many octets the lines so far had, ends included: where the next one begins.
func (l *Lines) Passed() int64 { return l.passed }

// use passes over what has been returned or thrown away.
func (l *Lines) use(octets int) {
	l.buffer.Use(octets)
	l.scanned = 0
	l.passed += int64(octets)
}

// last returns what stands behind the last line end.
func (l *Lines) last() ([]byte, error) {
	line, err := l.buffer.Rest(), l.buffer.Err()
	l.use(len(line))
	if len(line) > 0 && errors.Is(err, io.EOF) {
		return line, nil
	}
	return nil, err
}

// discard throws a line away, to its end.
func (l *Lines) discard() error {
	for {
		l.use(len(l.buffer.Rest()))
		if l.buffer.Err() != nil {
			return ErrTooLong
		}
		l.buffer.More()
		if i := bytes.IndexByte(l.buffer.Rest(), '\n'); i >= 0 {
			l.use(i + 1)
			return ErrTooLong
		}
	}
}
