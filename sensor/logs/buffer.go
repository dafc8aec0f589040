package logs

import "io"

// Buffer is what has been read of a stream and not been used yet. It grows for as long as nothing is used; whoever reads bounds that.
type Buffer struct {
	r   io.Reader
	b   []byte // what was read
	at  int    // of it, what is not used yet begins here
	err error
}

// NewBuffer reads from r, into so many octets to begin with.
func NewBuffer(r io.Reader, size int) Buffer { return Buffer{r: r, b: make([]byte, 0, size)} }

// Rest is what has not been used. It is valid until More.
func (b *Buffer) Rest() []byte { return b.b[b.at:] }

// Use passes over the first octets of Rest.
func (b *Buffer) Use(octets int) { b.at += octets }

// Err is what the reader said last; io.EOF at the end.
func (b *Buffer) Err() error { return b.err }

// More reads on, after moving what is not used to the front.
func (b *Buffer) More() {
	if b.at > 0 {
		n := copy(b.b[:cap(b.b)], b.b[b.at:])
		b.b, b.at = b.b[:n], 0
	}
	if len(b.b) == cap(b.b) {
		b.b = append(make([]byte, 0, 2*cap(b.b)), b.b...)
	}
	for range 100 { // a reader that gives nothing again and again is broken
		n, err := b.r.Read(b.b[len(b.b):cap(b.b)])
		b.b, b.err = b.b[:len(b.b)+n], err
		if n > 0 || err != nil {
			return
		}
	}
	b.err = io.ErrNoProgress
}
