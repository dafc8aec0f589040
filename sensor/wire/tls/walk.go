package tls

import "bytes"

// Record is a stretch of one direction of a TLS connection: a record of which the last byte has passed, or, with Unseen set, bytes among
// which no record header was in sight.
type Record struct {
	Type   uint8
	Unseen bool
	Len    uint32 // without the 5-byte header; of an unseen stretch, all of it
}

// Record content types that a walk tells apart (RFC 8446, section 5.1).
const (
	ChangeCipherSpec = recordChangeCipherSpec
	Alert            = recordAlert
	Handshake        = recordHandshake
	ApplicationData  = recordApplicationData
)

const (
	// HeaderLen is the length of a record header (RFC 8446, section 5.1).
	HeaderLen = recordHeaderLen
	// MaxPlaintext is the most that a record carries (RFC 8446, section 5.1).
	MaxPlaintext = 1 << 14
)

// Records follows one direction of a TLS connection record by record. It is told the stream's bytes in order, from any place on, and of the
// bytes that were not captured how many they are. Where headers went by unseen it looks for the next one. Inside a record a piece costs
// a subtraction. The zero value expects a record header.
type Records struct {
	typ   uint8 // of the current record
	have  uint8
	head  [recordHeaderLen]byte // a header that is still incomplete
	blind bool
	size  uint32 // of the current record
	left  uint32 // bytes to come of the current record
	lost  uint32 // bytes since headers were last in sight, if blind
}

// maxUnseen is the longest stretch without a header in sight that is reported as one.
const maxUnseen = 1 << 16

// Blind makes the walk look for a header first.
func (r *Records) Blind() { *r = Records{blind: true} }

// InSight says whether the walk knows where the next header is.
func (r *Records) InSight() bool { return !r.blind }

// Inside takes n bytes if they lie in the midst of the current record, and says whether it did.
func (r *Records) Inside(n uint32) bool {
	if n >= r.left {
		return false
	}
	r.left -= n
	return true
}

// Pending is what has passed of a record that is not whole yet, or of a stretch without a header in sight.
func (r *Records) Pending() Record {
	if r.blind {
		return Record{Unseen: true, Len: r.lost}
	}
	if r.left == 0 {
		return Record{}
	}
	return Record{Type: r.typ, Len: r.size - r.left}
}

// Next takes bytes of the stream up to the end of a record or of an unseen stretch, which it returns, and the bytes behind it. The length
// of the record is 0 if none has ended.
func (r *Records) Next(b []byte) (rec Record, rest []byte) {
	for len(b) > 0 {
		switch {
		case r.blind:
			at := findRecord(b)
			r.lost += uint32(at)
			b = b[at:]
			if len(b) > 0 || r.lost >= maxUnseen {
				r.blind = len(b) == 0
				if rec, r.lost = (Record{Unseen: true, Len: r.lost}), 0; rec.Len > 0 {
					return rec, b
				}
			}
		case r.left > 0:
			n := uint32(min(uint(len(b)), uint(r.left)))
			b = b[n:]
			if r.left -= n; r.left == 0 {
				return Record{Type: r.typ, Len: r.size}, b
			}
		default:
			n := copy(r.head[r.have:], b)
			b = b[n:]
			r.have += uint8(n)
			r.header()
		}
	}
	return Record{}, nil
}

// Skip steps over n bytes that were not captured. Inside a record that is harmless. A record that ends among them is returned; what
// comes behind it is out of sight.
func (r *Records) Skip(n uint32) Record {
	var rec Record
	if !r.blind {
		if n < r.left {
			r.left -= n
			return rec
		}
		if r.left > 0 {
			rec = Record{Type: r.typ, Len: r.size}
		}
		n -= r.left
		r.left = 0
		if n == 0 {
			return rec
		}
		r.blind, r.lost, r.have = true, uint32(r.have), 0
	}
	r.lost += n
	if rec.Len == 0 && r.lost >= maxUnseen {
		rec, r.lost = Record{Unseen: true, Len: r.lost}, 0
	}
	return rec
}

// header looks at what is there of a record header and opens the record once it is whole.
func (r *Records) header() {
	h := r.head[:r.have]
	if !plausibleRecord(h, recordChangeCipherSpec, recordHeartbeat) {
		r.blind, r.lost, r.have = true, uint32(r.have), 0
		return
	}
	if len(h) < recordHeaderLen {
		return
	}
	r.have = 0
	size := uint32(h[3])<<8 | uint32(h[4])
	if size == 0 || size > maxCiphertext {
		r.blind, r.lost = true, recordHeaderLen
		return
	}
	r.typ, r.size, r.left = h[0], size, size
}

// findRecord returns where the first header of a record of application data may begin in b, or the length of b. Five bytes of ciphertext
// look like one once in 50 million: two fixed ones and a minor version, a length of which a quarter is possible. A record that ends
// within b has to be followed by another header.
func findRecord(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], recordApplicationData)
		if i < 0 || at+i+recordHeaderLen > len(b) {
			return len(b)
		}
		at += i
		if h := b[at:]; h[1] == 3 && h[2] <= maxMinor && followed(h, int(h[3])<<8|int(h[4])) {
			return at
		}
		at++
	}
}

// minSealed is the least that a sealed record holds: a tag and a byte (RFC 8446, section 5.2).
const minSealed = 17

// followed says whether the record of the given size at the start of b is of a possible size, and followed by another if its end is in b.
func followed(b []byte, size int) bool {
	if size < minSealed || size > maxPlaintext {
		return false
	}
	b = b[min(recordHeaderLen+size, len(b)):]
	return plausibleRecord(b[:min(len(b), recordHeaderLen)], recordChangeCipherSpec, recordHeartbeat)
}
