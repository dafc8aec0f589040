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
	end, ok := h.step(b, len(b))
	if !ok {
		return nil, false
	}
	h.packet = b[:end]
	return b[end:], true
}

// step is next for what may be cut: b was whole bytes long. It returns where the packet ends.
func (h *header) step(b []byte, whole int) (end int, ok bool) {
	if len(b) < minLong || b[0]&longHeader == 0 {
		return 0, false
	}
	h.version = binary.BigEndian.Uint32(b[1:])
	h.typ = typeOf(b[0], h.version)
	if h.version == 0 || h.typ == retry {
		return 0, false
	}
	at, ok := h.connection(b)
	if !ok {
		return 0, false
	}
	size, at, ok := varint(b, at)
	if !ok || size > uint64(whole-at) || size < minSealed {
		return 0, false
	}
	h.number = at
	return at + int(size), true
}

// typeOf is the type that a long header's first byte stands for.
func typeOf(first byte, version uint32) packetType {
	typ := packetType(first>>4) & 3
	if version == version2 {
		typ = (typ - 1) & 3
	}
	return typ
}

// connection reads the connection ids and the token, and returns where the length follows.
func (h *header) connection(b []byte) (at int, ok bool) {
	if h.dcid, at, ok = connectionID(b, 5); !ok {
		return at, false
	}
	if _, at, ok = connectionID(b, at); !ok || h.typ != initial {
		return at, ok
	}
	size, at, ok := varint(b, at)
	if !ok || size > uint64(len(b)-at) {
		return at, false
	}
	h.token = size > 0
	return at + int(size), true
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
	typ := typeOf(datagram[0], version)
	if known(version) {
		return typ == initial || typ == zeroRTT
	}
	return len(datagram) >= minUnknown && typ == initial && looksUnknown(datagram)
}

// looksUnknown tells whether a datagram of a version that is not known has the shape of a client's first.
func looksUnknown(datagram []byte) bool {
	var h header
	_, ok := h.next(datagram)
	return ok && len(h.dcid) >= minClientCID
}
