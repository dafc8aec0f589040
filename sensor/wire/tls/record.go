package tls

// Record content types (RFC 8446, section 5.1; heartbeat: RFC 6520, section 3).
const (
	recordChangeCipherSpec = 20
	recordAlert            = 21
	recordHandshake        = 22
	recordApplicationData  = 23
	recordHeartbeat        = 24
)

const (
	recordHeaderLen = 5            // type, legacy_record_version, length (RFC 8446, section 5.1)
	maxPlaintext    = 1<<14 + 256  // RFC 8446, section 5.2; plaintext itself stays below 2^14
	maxCiphertext   = 1<<14 + 2048 // RFC 5246, section 6.2.3, with room for compression, MAC and padding
	maxMinor        = 4            // 0x0300 is SSL 3.0, 0x0304 appears in records of some TLS 1.3 drafts
	maxFragments    = 1024         // records that one message may be spread over: our limit
	minSSLv2        = 2 + 9        // header and fixed fields of an SSL 2.0 hello (RFC 5246, appendix E.2)
)

// Unwrap takes the ClientHello out of a client's TLS stream, which begins at a record header, whatever number of records it is
// spread over. There are three outcomes:
//
//   - msg is the whole handshake message, for Hello.Parse. If one record holds it, msg aliases stream. Otherwise it is put together
//     in dst, whose content is overwritten from its start; dst grows if its capacity is too small, at most to 64 KiB, so pass
//     msg[:0] as dst the next time.
//   - need is positive: stream is a plausible beginning, and at least so many bytes have to follow before another call can give more.
//     Nothing was copied.
//   - err says that this is not a ClientHello, on as few bytes as possible: ErrMalformed, or ErrSSLv2 for a hello without a name.
func Unwrap(dst, stream []byte) (msg []byte, need int, err error) {
	if len(stream) > 0 && stream[0]&0x80 != 0 {
		need, err = sslv2(stream)
		return nil, need, err
	}
	if msg := inOneRecord(stream); msg != nil {
		return msg, 0, nil
	}
	r := records{stream: stream}
	size, ok := r.message(typeClientHello)
	if !ok {
		return nil, r.need, r.err
	}
	if size < minClientHello || size+handshakeHeaderLen > maxMessage {
		return nil, 0, ErrMalformed
	}
	return r.gather(dst, handshakeHeaderLen+size)
}

// MayBegin says whether a stream, of which there is something, may begin with a ClientHello: a handshake record, or SSL 2.0 framing. It is asked of
// payloads of any kind. Half of them have the first bit of SSL 2.0, which no processor guesses, and hardly any what follows it.
func MayBegin(stream []byte) bool {
	if len(stream) < 3 {
		return stream[0] == recordHandshake || stream[0]&0x80 != 0
	}
	w := uint(stream[0]) | uint(stream[1])<<8 | uint(stream[2])<<16
	return w&0xff == recordHandshake || w&0xff0080 == typeClientHello<<16|0x80
}

// inOneRecord is the ClientHello that a stream begins with if its first record holds all of it, as nearly every one does; nil: it is to be
// looked at in pieces.
func inOneRecord(stream []byte) []byte {
	if len(stream) < recordHeaderLen+handshakeHeaderLen || !plausibleRecord(stream, recordHandshake, recordHandshake) || stream[5] != typeClientHello {
		return nil
	}
	record := int(stream[3])<<8 | int(stream[4])
	size := int(stream[6])<<16 | int(stream[7])<<8 | int(stream[8])
	end := recordHeaderLen + handshakeHeaderLen + size
	if size < minClientHello || record > maxPlaintext || end > recordHeaderLen+record || end > len(stream) {
		return nil
	}
	return stream[recordHeaderLen:end:end]
}

// sslv2 checks the hello of a client that still speaks the framing of SSL 2.0 (RFC 5246, appendix E.2).
func sslv2(stream []byte) (need int, err error) {
	if !beginsSSLv2(stream) {
		return 0, ErrMalformed
	}
	if len(stream) < minSSLv2 {
		return minSSLv2 - len(stream), nil
	}
	c := cursor{b: stream}
	size := c.uint16() & 0x7fff
	c.uint8() // msg_type
	version, suites, sessionID, challenge := c.uint16(), c.uint16(), c.uint16(), c.uint16()
	if version != 2 && (version>>8 != 3 || version&0xff > maxMinor) {
		return 0, ErrMalformed
	}
	if suites == 0 || suites%3 != 0 || minSSLv2-2+suites+sessionID+challenge != size || !fitsSSLv2(sessionID, challenge) {
		return 0, ErrMalformed
	}
	return 0, ErrSSLv2
}

// fitsSSLv2 checks the lengths of session id and challenge.
func fitsSSLv2(sessionID, challenge int) bool {
	return sessionID <= maxSessionID && challenge >= 16 && challenge <= 32
}

// beginsSSLv2 looks at the length, the type and the major version, as far as they are there.
func beginsSSLv2(stream []byte) bool {
	if len(stream) > 1 && int(stream[0]&0x7f)<<8|int(stream[1]) < minSSLv2-2 {
		return false
	}
	if len(stream) > 2 && stream[2] != typeClientHello {
		return false
	}
	return len(stream) < 4 || stream[3] == 3 || stream[3] == 0
}

// plausibleRecord looks at the type and the version of a record header, as far as they are there, so that a stream that is not TLS is
// known by its first byte.
func plausibleRecord(h []byte, first, last byte) bool {
	if len(h) > 0 && (h[0] < first || h[0] > last) {
		return false
	}
	return (len(h) < 2 || h[1] == 3) && (len(h) < 3 || h[2] <= maxMinor)
}

// records walks over the handshake bytes of a stream as if the record headers between them were not there.
type records struct {
	stream    []byte
	at        int // next byte to read; a header if left is 0
	left      int // bytes of the current record from at on, captured or not
	fragments int
	need      int   // bytes missing behind stream, when a call reports that it could not go on
	err       error // or why it cannot go on whatever follows
}

// message steps to the next handshake message, expects it to be of type typ, and returns its length without the header. The
// header is not consumed: gather takes it too.
func (r *records) message(typ byte) (size int, ok bool) {
	start := *r
	for i := range handshakeHeaderLen {
		b, ok := r.next()
		if !ok {
			return 0, false
		}
		if i == 0 && b != typ {
			r.err = ErrMalformed
			return 0, false
		}
		size = size<<8 | int(b)
	}
	*r = start
	return size & 0xffffff, true
}

// next consumes one handshake byte.
func (r *records) next() (b byte, ok bool) {
	if r.left == 0 && !r.header() {
		return 0, false
	}
	if r.at == len(r.stream) {
		r.need = 1
		return 0, false
	}
	b = r.stream[r.at]
	r.at++
	r.left--
	return b, true
}

// header consumes a record header and tells whether a handshake record follows.
func (r *records) header() bool {
	h := r.stream[r.at:]
	if !plausibleRecord(h, recordHandshake, recordHandshake) {
		r.err = ErrMalformed
		return false
	}
	if len(h) < recordHeaderLen {
		r.need = recordHeaderLen + 1 - len(h)
		return false
	}
	r.left = int(h[3])<<8 | int(h[4])
	r.fragments++
	if r.left == 0 || r.left > maxPlaintext || r.fragments > maxFragments {
		r.err = ErrMalformed
		return false
	}
	r.at += recordHeaderLen
	return true
}

// skip consumes n handshake bytes.
func (r *records) skip(n int) bool {
	for n > 0 {
		if r.left == 0 && !r.header() {
			return false
		}
		step := min(n, r.left)
		if missing := r.at + step - len(r.stream); missing > 0 {
			r.need = missing
			return false
		}
		r.at += step
		r.left -= step
		n -= step
	}
	return true
}

// gather returns the next n handshake bytes: from the stream itself if one record holds them, else copied to dst.
func (r *records) gather(dst []byte, n int) (b []byte, need int, err error) {
	if r.left == 0 && !r.header() {
		return nil, r.need, r.err
	}
	from := *r
	if !r.skip(n) { // measures first, so that nothing is copied in vain
		return nil, r.need, r.err
	}
	if from.left >= n {
		return r.stream[from.at : from.at+n : from.at+n], 0, nil
	}
	dst = dst[:0]
	for n > 0 {
		if from.left == 0 && !from.header() {
			return nil, from.need, from.err
		}
		step := min(n, from.left)
		dst = append(dst, from.stream[from.at:from.at+step]...)
		from.at += step
		from.left -= step
		n -= step
	}
	return dst, 0, nil
}
