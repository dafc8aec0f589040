// Package tls reads what TLS shows before it encrypts: the ClientHello with its names, the ServerHello, the names in a certificate
// of TLS 1.2 and earlier, and the lengths of records. It decrypts nothing, does not track connections or put TCP segments in order
// (see flow), does not read QUIC packets (see wire/quic) and does not decide what a name means (see classifiers).
//
// Everything here is bytes in, struct out: results alias the input, structs are reused, and nothing allocates unless its comment
// says so.
package tls

import "errors"

var (
	// ErrTruncated says that the input ends before the message does; more bytes may complete it.
	ErrTruncated = errors.New("reading TLS message: it ends early; give it the whole message")
	// ErrMalformed says that the bytes break the rules of RFC 8446 so far that nothing in them can be trusted.
	ErrMalformed = errors.New("reading TLS message: its lengths or values contradict RFC 8446; treat the stream as something else")
	// ErrSSLv2 says that a stream begins with a ClientHello in the framing of SSL 2.0 (RFC 5246, appendix E.2): a hello, but one
	// that cannot carry a name.
	ErrSSLv2 = errors.New("reading TLS message: the hello has SSL 2.0 framing and carries no name; count it as a hello")
	// ErrNoCertificate says that a server's stream goes on without a readable certificate, as TLS 1.3 and resumed sessions do.
	ErrNoCertificate = errors.New("reading TLS certificate: the server sends none in clear; use the ClientHello's name")
)

// cursor walks over a byte slice. Once it runs short it stays short and yields zeros, so one check at the end is enough.
type cursor struct {
	b     []byte
	short bool
}

func (c *cursor) take(n int) []byte {
	if uint(n) > uint(len(c.b)) {
		c.b, c.short = nil, true
		return nil
	}
	head := c.b[:n]
	c.b = c.b[n:]
	return head
}

func (c *cursor) uint8() int {
	if len(c.b) < 1 {
		c.b, c.short = nil, true
		return 0
	}
	v := c.b[0]
	c.b = c.b[1:]
	return int(v)
}

func (c *cursor) uint16() int {
	if len(c.b) < 2 {
		c.b, c.short = nil, true
		return 0
	}
	v := int(c.b[0])<<8 | int(c.b[1])
	c.b = c.b[2:]
	return v
}

func (c *cursor) uint24() int {
	if len(c.b) < 3 {
		c.b, c.short = nil, true
		return 0
	}
	v := int(c.b[0])<<16 | int(c.b[1])<<8 | int(c.b[2])
	c.b = c.b[3:]
	return v
}
