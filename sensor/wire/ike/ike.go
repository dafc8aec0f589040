// Package ike reads what IPsec shows beside its encryption: the header of IKE messages (RFC 7296, section 3.1; RFC 2408, section 3.1) and,
// on the port for NAT traversal, what is ESP (RFC 3948). It pairs no messages and does not decide what a tunnel means (see package sensor).
package ike

import (
	"encoding/binary"
	"errors"
)

var (
	// ErrTruncated says that the datagram begins like a message and ends before it does.
	ErrTruncated = errors.New("reading an IKE message: it ends early; capture whole frames (snaplen 0)")
	// ErrMalformed says that the datagram is neither IKE nor ESP.
	ErrMalformed = errors.New("reading an IKE message: its header contradicts RFC 7296; treat the datagram as something else")
)

// Ports (RFC 7296, section 2; RFC 3948, section 2).
const (
	Port    = 500
	PortNAT = 4500
)

const (
	headerLen = 28
	markerLen = 4   // four zero bytes tell IKE from ESP on PortNAT (RFC 3948, section 2.2)
	espLen    = 16  // SPI, sequence number, and the least that is encrypted
	leastSPI  = 256 // smaller ones are reserved (RFC 4303, section 2.1)

	version1 = 0x10
	version2 = 0x20

	exchangeIdentity   = 2  // version 1 (RFC 2408, section 3.1); "main mode"
	exchangeAggressive = 4  // version 1
	exchangeInfo       = 5  // version 1
	exchangeQuick      = 32 // version 1 (RFC 2409, appendix A)
	exchangeSAInit     = 34 // version 2
	exchangeLast       = 44 // version 2 (IANA, "IKEv2 Exchange Types")
)

// Message is what one datagram shows.
type Message struct {
	// Initiator and Responder are the SPIs of both sides; that of the responder is 0 until it has answered.
	Initiator, Responder uint64
	// ESP says that the datagram is an encrypted packet and no message: then SPI and Sequence are set, and nothing else.
	ESP      bool
	SPI      uint32
	Sequence uint32
}

// Parse reads a datagram from or to Port.
func Parse(b []byte) (m Message, err error) {
	if len(b) < headerLen {
		return m, ErrTruncated
	}
	m.Initiator, m.Responder = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
	length := binary.BigEndian.Uint32(b[24:])
	if m.Initiator == 0 || !exchange(b[17]&0xf0, b[18]) {
		return m, ErrMalformed
	}
	if b[18] == exchangeSAInit && m.Responder == 0 && binary.BigEndian.Uint32(b[20:]) != 0 {
		return m, ErrMalformed // the first message has the number 0
	}
	switch {
	case uint64(length) > uint64(len(b)):
		return m, ErrTruncated
	case uint64(length) < uint64(len(b)) || length < headerLen:
		return m, ErrMalformed
	}
	return m, nil
}

// exchange says whether a version of the protocol knows the type of exchange.
func exchange(version, typ byte) bool {
	switch version {
	case version1:
		return typ == exchangeIdentity || typ == exchangeAggressive || typ == exchangeInfo || typ == exchangeQuick
	case version2:
		return typ >= exchangeSAInit && typ <= exchangeLast
	}
	return false
}

// ParseNAT reads a datagram from or to PortNAT.
func ParseNAT(b []byte) (m Message, err error) {
	if len(b) < markerLen {
		return m, ErrTruncated
	}
	spi := binary.BigEndian.Uint32(b)
	if spi == 0 {
		return Parse(b[markerLen:])
	}
	switch {
	case spi < leastSPI:
		return m, ErrMalformed
	case len(b) < espLen:
		return m, ErrTruncated
	case len(b)%4 != 0: // RFC 4303, section 2.4
		return m, ErrMalformed
	}
	return Message{ESP: true, SPI: spi, Sequence: binary.BigEndian.Uint32(b[4:])}, nil
}
