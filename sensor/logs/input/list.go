package input

import (
	"bufio"
	"errors"
	"io"
)

// list reads a JSON list of objects as lines: an object on each. It looks for no more than where objects begin and end, and copies
// everything else, so that what is no JSON is rejected by who reads the lines.
type list struct {
	r      *bufio.Reader
	depth  int // of brackets and braces
	quoted bool
	escape bool
}

// Read implements io.Reader.
func (l *list) Read(b []byte) (n int, err error) {
	for n < len(b) {
		c, err := l.r.ReadByte()
		if err != nil {
			if n > 0 && errors.Is(err, io.EOF) {
				return n, nil
			}
			return n, err
		}
		b[n] = l.next(c)
		n++
		if l.r.Buffered() == 0 {
			break
		}
	}
	return n, nil
}

// next is what becomes of an octet.
func (l *list) next(c byte) byte {
	if l.quoted {
		l.inText(c)
		return c
	}
	outside := l.depth == 1 // of the objects, in the list
	l.nest(c)
	if outside && (c == ']' || c == ',') {
		return '\n'
	}
	if opens := !outside && l.depth == 1 && c == '['; opens || c == '\n' || c == '\r' {
		return ' '
	}
	return c
}

// inText looks for the end of a text.
func (l *list) inText(c byte) {
	switch {
	case l.escape:
		l.escape = false
	case c == '\\':
		l.escape = true
	case c == '"':
		l.quoted = false
	}
}

// nest notes what an octet outside of texts opens and closes.
func (l *list) nest(c byte) {
	switch c {
	case '"':
		l.quoted = true
	case '{', '[':
		l.depth++
	case '}', ']':
		l.depth--
	}
}
