// Package wireguard reads what a datagram of WireGuard shows before it encrypts: the type and the indices of its four messages, as the
// protocol's paper lays them out (Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel", section 5.4). It does not pair the
// messages of a handshake and does not decide what a tunnel means (see package sensor).
package wireguard

import (
	"encoding/binary"
	"errors"
)

var (
	// ErrTruncated says that the datagram begins like a message and ends before it does.
	ErrTruncated = errors.New("reading a WireGuard message: it ends early; capture whole frames (snaplen 0)")
	// ErrMalformed says that the datagram is no message of WireGuard.
	ErrMalformed = errors.New("reading a WireGuard message: type or length is none of the four; treat the datagram as something else")
)

// Type is the first byte of a message; three zero bytes follow it.
type Type uint8

// The types, by the subsections of 5.4.
const (
	Initiation Type = 1 // 5.4.2, of the initiator
	Response   Type = 2 // 5.4.3
	Cookie     Type = 3 // 5.4.7, of a responder under load
	Data       Type = 4 // 5.4.6
)

// Lengths of the messages (the same sections). A data message is longer by its packet, which is padded to 16 bytes.
const (
	initiationLen = 148
	responseLen   = 92
	cookieLen     = 64
	dataLen       = 32 // of a keep-alive: header and authentication tag
	padding       = 16
)

// Message is what one datagram shows.
type Message struct {
	Type     Type
	Sender   uint32 // index of the sender; initiation and response
	Receiver uint32 // index that the receiver chose before; all but the initiation
	Counter  uint64 // data: grows by one with each message
}

// Parse reads a datagram.
func Parse(b []byte) (m Message, err error) {
	if len(b) < 4 {
		return m, short(b)
	}
	m.Type = Type(b[0])
	if b[1]|b[2]|b[3] != 0 || m.Type < Initiation || m.Type > Data {
		return m, ErrMalformed
	}
	if err := m.Type.fits(len(b)); err != nil {
		return m, err
	}
	first, second := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
	switch m.Type {
	case Initiation:
		m.Sender = first
	case Response:
		m.Sender, m.Receiver = first, second
	case Cookie:
		m.Receiver = first
	case Data:
		m.Receiver, m.Counter = first, binary.LittleEndian.Uint64(b[8:])
	}
	return m, nil
}

// fits checks the length of a message. One of data that is cut inside its packet cannot be told from one that is none.
func (t Type) fits(n int) error {
	want := [...]int{Initiation: initiationLen, Response: responseLen, Cookie: cookieLen, Data: dataLen}[t]
	switch {
	case n < want:
		return ErrTruncated
	case t == Data && n%padding != 0, t != Data && n > want:
		return ErrMalformed
	}
	return nil
}

// short says whether so few bytes may begin a message.
func short(b []byte) error {
	for i, c := range b {
		if i == 0 && (c < byte(Initiation) || c > byte(Data)) || i > 0 && c != 0 {
			return ErrMalformed
		}
	}
	return ErrTruncated
}
