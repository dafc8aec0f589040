package tls

// ServerHello is what a server's first message shows (RFC 8446, section 4.1.3). Its slices alias the message given to Parse.
type ServerHello struct {
	// Version is the version chosen: of supported_versions, else of the message itself.
	Version uint16
	// CipherSuite is the cipher suite chosen.
	CipherSuite uint16
	// NextProtocol is the ALPN protocol chosen; nil if there is none or, as in TLS 1.3, it travels encrypted.
	NextProtocol []byte
}

// UnwrapServer takes the ServerHello out of a server's TLS stream, which begins at a record header. Its results are those of Unwrap.
func UnwrapServer(dst, stream []byte) (msg []byte, need int, err error) {
	r := records{stream: stream}
	size, ok := r.message(typeServerHello)
	if !ok {
		return nil, r.need, r.err
	}
	if size+handshakeHeaderLen > maxMessage {
		return nil, 0, ErrMalformed
	}
	return r.gather(dst, handshakeHeaderLen+size)
}

// Parse reads msg, a whole ServerHello handshake message with its 4-byte header. Its errors are those of Hello.Parse.
func (s *ServerHello) Parse(msg []byte) error {
	*s = ServerHello{}
	c, err := body(msg, typeServerHello)
	if err != nil {
		return err
	}
	s.Version = uint16(c.uint16())
	c.take(randomLen)
	sessionID := c.take(c.uint8())
	s.CipherSuite = uint16(c.uint16())
	c.uint8() // legacy_compression_method
	if c.short || s.Version>>8 != 3 || len(sessionID) > maxSessionID {
		return ErrMalformed
	}
	list, err := extensions(c)
	if err != nil {
		return err
	}
	return s.parseExtensions(cursor{b: list})
}

func (s *ServerHello) parseExtensions(c cursor) error {
	for len(c.b) > 0 {
		typ := c.uint16()
		content := cursor{b: c.take(c.uint16())}
		if c.short {
			return ErrMalformed
		}
		switch typ {
		case extSupportedVersions: // one version here, not a list (RFC 8446, section 4.2.1)
			if v := content.uint16(); !content.short {
				s.Version = uint16(v)
			}
		case extALPN: // a list of exactly one (RFC 7301, section 3.1)
			list := cursor{b: list16(content.b)}
			if name := list.take(list.uint8()); len(name) > 0 && len(list.b) == 0 {
				s.NextProtocol = name
			}
		}
	}
	return nil
}

// certificateHeaderLen is the part of a Certificate message in front of its first certificate: the handshake header, the length
// of the list and the length of the first entry (RFC 5246, section 7.4.2).
const certificateHeaderLen = handshakeHeaderLen + 3 + 3

// LeafCertificate takes the server's own certificate, the first of its Certificate message, out of a server's TLS stream, which
// begins at a record header with a ServerHello. Only TLS 1.2 and earlier send it in clear. The results are those of Unwrap: der
// aliases stream or is put together in dst, need counts the bytes still missing, and err is ErrNoCertificate when the server
// goes on with something else. It does not wait for the rest of the chain.
func LeafCertificate(dst, stream []byte) (der []byte, need int, err error) {
	r := records{stream: stream}
	size, ok := r.message(typeServerHello)
	if !ok || !r.skip(handshakeHeaderLen+size) {
		return nil, r.need, r.err
	}
	list, ok := r.message(typeCertificate)
	if !ok {
		if r.err != nil {
			r.err = ErrNoCertificate
		}
		return nil, r.need, r.err
	}
	leaf, ok := r.leafLen(list)
	if !ok {
		return nil, r.need, r.err
	}
	return r.gather(dst, leaf)
}

// leafLen steps to the first certificate of a Certificate message of size bytes and returns its length.
func (r *records) leafLen(size int) (leaf int, ok bool) {
	var head [certificateHeaderLen]byte
	for i := range head {
		if head[i], ok = r.next(); !ok {
			return 0, false
		}
	}
	c := cursor{b: head[handshakeHeaderLen:]}
	chain, leaf := c.uint24(), c.uint24()
	if chain+3 != size || leaf+3 > chain || leaf == 0 || leaf > maxMessage {
		r.err = ErrMalformed
		return 0, false
	}
	return leaf, true
}
