package tls

import (
	"encoding/binary"
	"iter"
)

// Handshake message types (RFC 8446, section 4; certificate: RFC 5246, section 7.4).
const (
	typeClientHello = 1
	typeServerHello = 2
	typeCertificate = 11
)

// Extension types (IANA registry "TLS ExtensionType Values").
const (
	extServerName          = 0x0000 // RFC 6066, section 3
	extSignatureAlgorithms = 0x000d // RFC 8446, section 4.2.3
	extALPN                = 0x0010 // RFC 7301, section 3.1
	extEarlyData           = 0x002a // RFC 8446, section 4.2.10
	extSupportedVersions   = 0x002b // RFC 8446, section 4.2.1
	extECHDraftFirst       = 0xfe08 // draft-ietf-tls-esni-08, the first one called ECH
	extECHDraftLast        = 0xfe0a // draft-ietf-tls-esni-10
	extECH                 = 0xfe0d // RFC 9849, section 5
	extESNI                = 0xffce // draft-ietf-tls-esni-01 to -06
)

const (
	handshakeHeaderLen = 4       // msg_type, uint24 length (RFC 8446, section 4)
	randomLen          = 32      // RFC 8446, section 4.1.2
	maxSessionID       = 32      // RFC 8446, section 4.1.2
	maxServerName      = 255     // a DNS name's limit (RFC 1035, section 3.1)
	nameTypeHost       = 0       // host_name (RFC 6066, section 3)
	minClientHello     = 41      // body with one cipher suite, one compression method and nothing else
	maxMessage         = 1 << 16 // of a hello or a certificate, header included: our limit, the wire's is 2^24
)

// Hello is a ClientHello (RFC 8446, section 4.1.2). Parse fills it and forgets what it held before, so one Hello serves a whole
// worker. Its slices alias the message given to Parse: copy what has to outlive it.
type Hello struct {
	// ServerName is the host name asked for (RFC 6066, section 3), as sent; nil if there is none or it is not printable ASCII.
	// Beside an ECH extension it may be the outer, public name.
	ServerName []byte
	// LegacyVersion is the version field of the message itself, 0x0303 from TLS 1.2 on.
	LegacyVersion uint16
	// Version is the highest version offered: of supported_versions, GREASE left out, else LegacyVersion. Drafts of TLS 1.3 stand
	// as they are sent (0x7f..).
	Version uint16
	// NameExtension says that a server_name extension is there, whether or not its name is usable.
	NameExtension bool
	// ECH says that an Encrypted Client Hello extension is there: a real one or GREASE, which nobody can tell apart from outside.
	ECH bool
	// EarlyData says that application data follows before the server has answered (RFC 8446, section 4.2.10).
	EarlyData bool
	// ESNI says that the forerunner of ECH is there: the name travels encrypted.
	ESNI bool

	ciphers    []byte // cipher_suites, two bytes each
	extensions []byte // extensions, each a type, a length and a body
	protocols  []byte // ProtocolNameList of ALPN: each a length and a name
	schemes    []byte // content of signature_algorithms: a list with a 16-bit length, two bytes each
	ech        []byte // content of the first extension of RFC 9849; nil: there is none
}

// Parse reads msg, a whole ClientHello handshake message with its 4-byte header. It returns ErrTruncated if msg is shorter than
// its header says, and ErrMalformed if it is no ClientHello or contradicts itself; h is then not to be used. An unusable server
// name does not spoil the rest of the hello.
func (h *Hello) Parse(msg []byte) error {
	*h = Hello{}
	c, err := body(msg, typeClientHello)
	if err != nil {
		return err
	}
	h.LegacyVersion = uint16(c.uint16())
	h.Version = h.LegacyVersion
	c.take(randomLen)
	sessionID := c.take(c.uint8())
	h.ciphers = c.take(c.uint16())
	c.take(c.uint8()) // legacy_compression_methods
	if c.short || h.LegacyVersion>>8 != 3 || len(sessionID) > maxSessionID || len(h.ciphers)%2 != 0 {
		return ErrMalformed
	}
	if h.extensions, err = extensions(c); err != nil {
		return err
	}
	return h.parseExtensions()
}

// body returns what follows the header of msg, a handshake message that has to be whole and of type want.
func body(msg []byte, want int) (cursor, error) {
	c := cursor{b: msg}
	typ, size := c.uint8(), c.uint24()
	if c.short || len(c.b) < size {
		return c, ErrTruncated
	}
	if typ != want || len(c.b) > size {
		return c, ErrMalformed
	}
	return c, nil
}

// extensions returns the content of the extensions that end a hello. Hellos of the time before RFC 3546 have none.
func extensions(c cursor) ([]byte, error) {
	if len(c.b) == 0 {
		return nil, nil
	}
	list := c.take(c.uint16())
	if c.short || len(c.b) != 0 {
		return nil, ErrMalformed
	}
	return list, nil
}

// parseExtensions reads the extensions that say something here, in an order of its own.
func (h *Hello) parseExtensions() error {
	var s spans
	b := h.extensions
	if !s.find(b) {
		return ErrMalformed
	}
	if s.twice != 0 || s.hidden > 1 {
		h.parseInOrder()
		return nil
	}
	if s.has(extServerName) {
		h.serverName(s.of(extServerName, b))
	}
	if s.has(extALPN) {
		h.protocols = list16(s.of(extALPN, b))
	}
	if s.has(extSignatureAlgorithms) {
		h.schemes = s.of(extSignatureAlgorithms, b)
	}
	if s.has(extSupportedVersions) {
		h.supportedVersions(s.of(extSupportedVersions, b))
	}
	h.EarlyData = s.has(extEarlyData)
	if s.hidden > 0 {
		at := s.at[slotHidden].start
		h.encrypted(int(b[at-4])<<8|int(b[at-3]), s.of(slotHidden, b))
	}
	return nil
}

// parseInOrder reads extensions that are whole, of which some come more than once.
func (h *Hello) parseInOrder() {
	c := cursor{b: h.extensions}
	for len(c.b) > 0 {
		typ := c.uint16()
		content := c.take(c.uint16())
		switch typ {
		case extServerName:
			h.serverName(content)
		case extALPN:
			h.protocols = list16(content)
		case extSignatureAlgorithms:
			h.schemes = content
		case extSupportedVersions:
			h.supportedVersions(content)
		case extEarlyData:
			h.EarlyData = true
		default:
			h.encrypted(typ, content)
		}
	}
}

// serverName reads a ServerNameList and keeps its host_name. Two extensions of the kind are forbidden (RFC 8446, section 4.2), and
// which of them a server would follow is anyone's guess: then there is no name.
func (h *Hello) serverName(content []byte) {
	if h.NameExtension {
		h.ServerName = nil
		return
	}
	h.NameExtension = true
	c := cursor{b: list16(content)}
	for len(c.b) > 0 {
		typ := c.uint8()
		name := c.take(c.uint16())
		if typ == nameTypeHost {
			if plainName(name) {
				h.ServerName = name
			}
			return
		}
	}
}

// encrypted notes an extension that says that a name travels encrypted, and keeps the first in the form of the RFC.
func (h *Hello) encrypted(typ int, content []byte) {
	switch typ {
	case extECH, extECHDraftFirst, extECHDraftFirst + 1, extECHDraftLast:
		if h.ECH = true; typ == extECH && h.ech == nil {
			h.ech = content
		}
	case extESNI:
		h.ESNI = true
	}
}

// supportedVersions keeps the highest version of a client's supported_versions (RFC 8446, section 4.2.1).
func (h *Hello) supportedVersions(content []byte) {
	c := cursor{b: content}
	list := cursor{b: c.take(c.uint8())}
	highest := 0
	for len(list.b) > 1 {
		if v := list.uint16(); v > highest && !grease(v) {
			highest = v
		}
	}
	if highest != 0 {
		h.Version = uint16(highest)
	}
}

// NextProtocol is the first protocol that the client offers in ALPN (RFC 7301), or nil.
func (h *Hello) NextProtocol() []byte {
	c := cursor{b: h.protocols}
	return c.take(c.uint8())
}

// NextProtocols iterates over the protocols offered in ALPN in the client's order. They alias the message.
func (h *Hello) NextProtocols() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		c := cursor{b: h.protocols}
		for len(c.b) > 0 {
			if name := c.take(c.uint8()); c.short || !yield(name) {
				return
			}
		}
	}
}

// list16 is the content of a vector with a 16-bit length that fills b, or nil.
func list16(b []byte) []byte {
	c := cursor{b: b}
	list := c.take(c.uint16())
	if len(c.b) != 0 {
		return nil
	}
	return list
}

// plainName tells whether a name can be one: printable ASCII without blanks, not empty and not longer than DNS allows. A name with
// a NUL or a control byte in it is an attempt to look like another one.
func plainName(name []byte) bool {
	const word = 8
	if len(name) > maxServerName {
		return false
	}
	if len(name) >= word {
		for rest := name; len(rest) > word; rest = rest[word:] {
			if !plainWord(binary.LittleEndian.Uint64(rest)) {
				return false
			}
		}
		return plainWord(binary.LittleEndian.Uint64(name[len(name)-word:]))
	}
	for _, b := range name {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return len(name) > 0
}

// plainWord tells whether eight octets are all printable and no blanks. Where a sum or a difference runs over into the next octet, its own is
// none already.
func plainWord(w uint64) bool {
	const each = 0x0101010101010101
	return (w|(w-(' '+1)*each)|(w+(0x7f-'~')*each))&(0x80*each) == 0
}

// grease tells the reserved values that clients send so that servers stay tolerant (RFC 8701, section 2).
func grease(v int) bool {
	return v&0x0f0f == 0x0a0a && v>>8 == v&0xff
}
