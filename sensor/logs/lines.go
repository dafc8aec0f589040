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
	r       io.Reader
	b       []byte // what was read
	at      int    // the next line begins here
	scanned int    // no line ends before here
	err     error
	passed  int64
}

// NewLines reads from r.
func NewLines(r io.Reader) *Lines {
	return &Lines{r: r, b: make([]byte, 0, 256<<10)}
}

// Next returns the next line without its end; it aliases memory that the next call uses again. The last line need not end. The error is
// ErrTooLong for a line over MaxLine, of which all is thrown away, io.EOF at the end, or what the reader says.
func (l *Lines) Next() ([]byte, error) {
	for {
		if i := bytes.IndexByte(l.b[l.scanned:], '\n'); i >= 0 {
			line := l.b[l.at : l.scanned+i]
			l.passed += int64(l.scanned + i + 1 - l.at)
			l.at = l.scanned + i + 1
			l.scanned = l.at
			if len(line) > MaxLine {
				return nil, ErrTooLong
			}
			return line, nil
		}
		l.scanned = len(l.b)
		if l.err != nil {
			return l.last()
		}
		if len(l.b)-l.at > MaxLine {
			return nil, l.discard()
		}
		l.more()
	}
}

// Passed is how many octets the lines so far had, ends included: where the next one begins.
func (l *Lines) Passed() int64 { return l.passed }

// last returns what stands behind the last line end.
func (l *Lines) last() ([]byte, error) {
	line := l.b[l.at:]
	l.at = len(l.b)
	l.passed += int64(len(line))
	if len(line) > 0 && errors.Is(l.err, io.EOF) {
		return line, nil
	}
	return nil, l.err
}

// more reads on, after moving what is begun to the front.
func (l *Lines) more() {
	if l.at > 0 {
		n := copy(l.b[:cap(l.b)], l.b[l.at:])
		l.b, l.at, l.scanned = l.b[:n], 0, n
	}
	if len(l.b) == cap(l.b) {
		l.b = append(make([]byte, 0, 2*cap(l.b)), l.b...)
	}
	for range 100 { // a reader that gives nothing again and again is broken
		n, err := l.r.Read(l.b[len(l.b):cap(l.b)])
		l.b, l.err = l.b[:len(l.b)+n], err
		if n > 0 || err != nil {
			return
		}
	}
	l.err = io.ErrNoProgress
}

// discard throws a line away, to its end.
func (l *Lines) discard() error {
	for {
		l.passed += int64(len(l.b) - l.at)
		l.b, l.at, l.scanned = l.b[:0], 0, 0
		if l.err != nil {
			return ErrTooLong
		}
		l.more()
		if i := bytes.IndexByte(l.b, '\n'); i >= 0 {
			l.passed += int64(i + 1)
			l.at, l.scanned = i+1, i+1
			return ErrTooLong
		}
	}
}
