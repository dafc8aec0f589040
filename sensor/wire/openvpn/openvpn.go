// Package openvpn reads the packets by which an OpenVPN session begins: the hard resets of client and server, over UDP or behind TCP's
// length prefix, as the protocol's draft lays them out (draft-openvpn-wire-protocol-00, sections 3 and 4). It does not pair them, keeps
// no session and does not decide what a tunnel means (see package sensor).
package openvpn

import (
	"encoding/binary"
	"errors"
)

var (
	// ErrTruncated says that the bytes begin like a hard reset and end before it does.
	ErrTruncated = errors.New("reading an OpenVPN packet: it ends early; give it the whole packet")
	// ErrMalformed says that the bytes are no hard reset.
	ErrMalformed = errors.New("reading an OpenVPN packet: it is no hard reset; treat the bytes as something else")
)

// Opcode is the upper five bits of the first byte; the lower three, the key id, are 0 in a hard reset.
type Opcode uint8

// The hard resets that are sent today (section 4.1); those of key method 1 are long gone.
const (
	ClientV2 Opcode = 7
	ServerV2 Opcode = 8
	ClientV3 Opcode = 10 // tls-crypt-v2
)

const (
	keyIDBits  = 3
	sessionLen = 8
	plainLen   = 1 + sessionLen + 1 + 4      // opcode, session, no acknowledgement, packet id
	ackLen     = 4 + sessionLen              // an acknowledged id and whose session it is of
	cryptLen   = 1 + sessionLen + 8 + 32 + 5 // tls-crypt: packet id and time, tag, then what a plain one ends in
	maxLen     = 1400                        // a wrapped client key (tls-crypt-v2) makes it long
	hmacMin    = 16                          // MD5
	hmacMax    = 64                          // SHA-512
	replayLen  = 8                           // tls-auth and tls-crypt: packet id and time
	earlyID    = 0x0f000001                  // first packet id of a client that negotiates early (section 4.3)
)

// Reset is a hard reset.
type Reset struct {
	Opcode  Opcode
	Session uint64 // of the sender
	// Peer is the session that a server's reset answers; 0 where that is encrypted or not found.
	Peer uint64
	// Wrapped says that a key known beforehand authenticates or encrypts the packet (tls-auth, tls-crypt).
	Wrapped bool
}

// Client says whether a client sends it.
func (r *Reset) Client() bool { return r.Opcode != ServerV2 }

// Parse reads a packet.
func Parse(b []byte) (r Reset, err error) {
	if len(b) > 0 {
		if r.Opcode, err = opcode(b[0]); err != nil || len(b) > maxLen {
			return r, ErrMalformed
		}
	}
	if len(b) < plainLen {
		return r, ErrTruncated
	}
	r.Session = binary.BigEndian.Uint64(b[1:])
	if r.Session == 0 {
		return r, ErrMalformed
	}
	if ok, err := r.plain(b); ok || err != nil {
		return r, err
	}
	if r.Wrapped = r.auth(b) || r.crypt(b); !r.Wrapped {
		return r, ErrMalformed
	}
	return r, nil
}

// Opens says whether a hard reset begins with a byte: an opcode, and the key id 0.
func Opens(first byte) bool {
	return first == byte(ClientV2)<<keyIDBits || first == byte(ServerV2)<<keyIDBits || first == byte(ClientV3)<<keyIDBits
}

// opcode reads the first byte of a hard reset.
func opcode(b byte) (Opcode, error) {
	if !Opens(b) {
		return 0, ErrMalformed
	}
	return Opcode(b >> keyIDBits), nil
}

// plain reads a reset without a key: acknowledgements and packet id 0 follow the session at once.
func (r *Reset) plain(b []byte) (ok bool, err error) {
	tail := b[1+sessionLen:]
	switch {
	case r.Opcode == ClientV2:
		return len(b) == plainLen && tail[0] == 0 && binary.BigEndian.Uint32(tail[1:]) == 0, nil
	case r.Opcode != ServerV2 || tail[0] != 1 || binary.BigEndian.Uint32(tail[1:]) != 0 || len(b) > plainLen+ackLen:
		return false, nil
	case len(b) < plainLen+ackLen:
		return false, ErrTruncated
	}
	r.Peer = binary.BigEndian.Uint64(tail[5:])
	return r.Peer != 0 && binary.BigEndian.Uint32(tail[5+sessionLen:]) == 0, nil
}

// auth says whether the packet is under tls-auth: an HMAC, the first packet id and the time stand before what a plain one ends in.
func (r *Reset) auth(b []byte) bool {
	ends := 5
	if !r.Client() {
		ends += ackLen
	}
	hmac := len(b) - 1 - sessionLen - replayLen - ends
	if hmac < hmacMin || hmac > hmacMax || r.Opcode == ClientV3 {
		return false
	}
	tail := b[len(b)-ends:]
	if !first(b[1+sessionLen+hmac:]) || binary.BigEndian.Uint32(tail[ends-4:]) != 0 {
		return false
	}
	if r.Client() {
		return tail[0] == 0
	}
	r.Peer = binary.BigEndian.Uint64(tail[5:])
	return tail[0] == 1
}

// crypt says whether the packet is under tls-crypt, whose packet id and time stand in clear behind the session.
func (r *Reset) crypt(b []byte) bool {
	least := cryptLen
	if !r.Client() {
		least += ackLen
	}
	return (len(b) == least || r.Opcode != ClientV2 && len(b) > least) && first(b[1+sessionLen:])
}

// first says whether b begins with the first packet id of a session and a time that a clock may show.
func first(b []byte) bool {
	id, at := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	return (id == 1 || id == earlyID) && at > 1<<30 // after 2004
}

// Stream reads the first packet of a TCP connection, which two bytes of length precede (section 3.2).
func Stream(b []byte) (r Reset, err error) {
	if len(b) < 2 {
		return r, ErrTruncated
	}
	n := int(binary.BigEndian.Uint16(b))
	switch {
	case n < plainLen || n > maxLen:
		return r, ErrMalformed
	case len(b)-2 < n:
		if _, err = Parse(b[2:]); errors.Is(err, ErrMalformed) && len(b) < 2+plainLen {
			return r, err
		}
		return r, ErrTruncated
	case len(b)-2 > n:
		return r, ErrMalformed // a reset waits for its answer
	}
	return Parse(b[2:])
}
