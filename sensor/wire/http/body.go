package http

import (
	"bytes"
	"math"
)

// where is the place in a body that the next byte stands at.
type where uint8

const (
	atEnd       where = iota // behind the body; the zero Body has none
	inLength                 // in a body of known length
	inSize                   // in the digits of a chunk's size
	inExtension              // between those and the end of their line
	inChunk                  // in the data of a chunk
	afterChunk               // in the line end that follows it
	atTrailer                // at the beginning of a trailer field, or of the blank line
	inTrailer                // in a trailer field
	atLost                   // nowhere known
)

// Body follows the body of one message through the segments of its stream. It keeps a place, not the bytes.
//
//	            size CRLF      data      CRLF            0 CRLF        field CRLF   CRLF
//	chunked:   inSize ---> inChunk ---> afterChunk --+--> atTrailer <--> inTrailer ---> atEnd
//	              ^---------------------------------'
type Body struct {
	Bytes int64 // of content so far: a chunked body's data alone, without sizes and trailers

	at     where
	digits int   // of the size so far
	left   int64 // of the body or the chunk; the size so far in inSize
}

// Reset begins a body that is chunked or, if not, has length bytes; it has none if that is negative, as a request without
// either. What a Request says can be passed as it is.
func (b *Body) Reset(length int64, chunked bool) {
	*b = Body{}
	switch {
	case chunked:
		b.at = inSize
	case length > 0:
		b.at, b.left = inLength, length
	}
}

// Lost says that the place in the body is not known any more, for lack of bytes or because they are not chunked as announced.
// Where the next message begins must then be found by its looks.
func (b *Body) Lost() bool { return b.at == atLost }

// Advance takes the next bytes of the stream. When the body ends in them it returns done and the bytes behind it; a Body that
// is lost takes all and is never done.
func (b *Body) Advance(p []byte) (rest []byte, done bool) {
	for len(p) > 0 && b.at != atEnd && b.at != atLost {
		switch b.at {
		case inLength, inChunk:
			n := min(int64(len(p)), b.left)
			b.consume(n)
			p = p[n:]
		case inExtension, inTrailer:
			p = b.skipLine(p)
		default:
			b.step(p[0])
			p = p[1:]
		}
	}
	if b.at == atLost {
		return nil, false
	}
	return p, b.at == atEnd
}

// Skip says that the next n bytes of the stream are lost for ever. ok is false if the place is lost with them: it is kept
// inside of a body of known length and of a chunk. What of the lost bytes must have been content is counted.
func (b *Body) Skip(n int64) (ok bool) {
	if n <= 0 || b.at == atLost {
		return b.at != atLost
	}
	if b.at != inLength && b.at != inChunk {
		b.at = atLost
		return false
	}
	lost := n > b.left
	b.consume(min(n, b.left))
	if lost {
		b.at = atLost
	}
	return !lost
}

// consume counts n bytes of content.
func (b *Body) consume(n int64) {
	b.Bytes += n
	if b.left -= n; b.left > 0 {
		return
	}
	if b.at == inLength {
		b.at = atEnd
	} else {
		b.at = afterChunk
	}
}

// skipLine goes on behind the next line end, if p has it.
func (b *Body) skipLine(p []byte) []byte {
	end := bytes.IndexByte(p, '\n')
	if end < 0 {
		return nil
	}
	if b.at == inTrailer {
		b.at = atTrailer
	} else {
		b.sizeDone()
	}
	return p[end+1:]
}

// step takes a byte where one decides. A bare LF ends a line as well (RFC 9112, section 2.2).
func (b *Body) step(c byte) {
	switch b.at {
	case inSize:
		b.size(c)
	case afterChunk:
		switch c {
		case '\r':
		case '\n':
			b.at, b.left, b.digits = inSize, 0, 0
		default:
			b.at = atLost
		}
	case atTrailer:
		switch c {
		case '\r':
		case '\n':
			b.at = atEnd
		default:
			b.at = inTrailer
		}
	}
}

// size takes a byte of chunk-size or the one that ends it (RFC 9112, section 7.1).
func (b *Body) size(c byte) {
	d, ok := hexDigit(c)
	switch {
	case ok && b.left <= math.MaxInt64>>8:
		b.left = b.left<<4 | int64(d)
		b.digits++
	case ok || b.digits == 0:
		b.at = atLost
	case c == '\n':
		b.sizeDone()
	case c == '\r' || c == ';' || c == ' ' || c == '\t':
		b.at = inExtension
	default:
		b.at = atLost
	}
}

func (b *Body) sizeDone() {
	if b.left == 0 {
		b.at = atTrailer
	} else {
		b.at = inChunk
	}
}

func hexDigit(c byte) (d byte, ok bool) {
	switch {
	case digit(c):
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
