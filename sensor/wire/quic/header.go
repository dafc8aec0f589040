package quic

import "encoding/binary"

// packetType is the type of a long header packet, whatever bits a version encodes it in.
type packetType uint8

// Long packet types in the order of version 1 (RFC 9000, section 17.2); version 2 shifts them by one (RFC 9369, section 3.2).
const (
	initial packetType = iota
	zeroRTT
	handshake
	retry
)

const (
	longHeader   = 0x80 // header form bit (RFC 9000, section 17.2)
	maxCID       = 20   // longest connection id of every version read here (RFC 9000, section 17.2)
	minClientCID = 8    // shortest that a client may invent (RFC 9000, section 7.2)
	tagLen       = 16   // AEAD tag (RFC 9001, section 5.3)
	sampleLen    = 16   // header protection sample (RFC 9001, section 5.4.2)
	sampleAt     = 4    // it begins where a packet number of four bytes would end
	minSealed    = sampleAt + sampleLen
	minLong      = 1 + 4 + 1 + 1 // first byte, version and two empty connection ids
	minInitial   = minLong + 1 + 1 + minSealed
	minUnknown   = 1200 // what a client pads to (RFC 9000, section 14.1): asked for where the version is not known
)

// header is a long header packet in a datagram. Its slices alias the datagram.
type header struct {
	version uint32
	typ     packetType
	dcid    []byte
	token   bool   // an Initial that carries a token
	packet  []byte // the whole packet
	number  int    // where its packet number begins
}

// next reads the long header packet at the start of b. It returns the bytes behind it, and false if there is none that can be stepped
// over: short headers, version negotiation and Retry have no length and end a datagram.
func (h *header) next(b []byte) (rest []byte, ok bool) {
	if len(b) < minLong || b[0]&longHeader == 0 {
		return nil, false
	}
	h.version = binary.BigEndian.Uint32(b[1:])
	if h.version == 0 {
		return nil, false
	}
	h.typ = packetType(b[0]>>4) & 3
	if h.version == version2 {
		h.typ = (h.typ - 1) & 3
	}
	if h.typ == retry {
		return nil, false
	}
	at := 5
	if h.dcid, at, ok = connectionID(b, at); !ok {
		return nil, false
	}
	if _, at, ok = connectionID(b, at); !ok {
		return nil, false
	}
	h.token = false
	if h.typ == initial {
		var size uint64
		if size, at, ok = varint(b, at); !ok || size > uint64(len(b)-at) {
			return nil, false
		}
		h.token = size > 0
		at += int(size)
	}
	size, at, ok := varint(b, at)
	if !ok || size > uint64(len(b)-at) || size < minSealed {
		return nil, false
	}
	end := at + int(size)
	h.packet, h.number = b[:end], at
	return b[end:], true
}

// connectionID reads a connection id with its length in front.
func connectionID(b []byte, at int) (id []byte, end int, ok bool) {
	if at >= len(b) {
		return nil, at, false
	}
	start := at + 1
	end = start + int(b[at])
	if b[at] > maxCID || end > len(b) {
		return nil, at, false
	}
	return b[start:end], end, true
}

// varint reads a variable-length integer (RFC 9000, section 16).
func varint(b []byte, at int) (v uint64, end int, ok bool) {
	if at >= len(b) {
		return 0, at, false
	}
	n := 1 << (b[at] >> 6)
	if n > len(b)-at {
		return 0, at, false
	}
	v = uint64(b[at] & 0x3f)
	for _, c := range b[at+1 : at+n] {
		v = v<<8 | uint64(c)
	}
	return v, at + n, true
}

// LooksInitial tells in a few nanoseconds whether a datagram may carry a client's Initial packet, so that a flow can be given a Client. Of
// versions that are not known it asks the shape and size that RFC 9000 prescribes for a client's first datagram. The Initial
// may stand behind a 0-RTT packet.
func LooksInitial(datagram []byte) bool {
	if len(datagram) < minInitial || datagram[0]&longHeader == 0 {
		return false
	}
	version := binary.BigEndian.Uint32(datagram[1:])
	typ := packetType(datagram[0]>>4) & 3
	switch {
	case version == version1:
		return typ == initial || typ == zeroRTT
	case version == version2:
		typ = (typ - 1) & 3
		return typ == initial || typ == zeroRTT
	case version == 0:
		return false
	case known(version):
		return typ == initial || typ == zeroRTT
	}
	if len(datagram) < minUnknown || typ != initial {
		return false
	}
	var h header
	_, ok := h.next(datagram)
	return ok && len(h.dcid) >= minClientCID
}
