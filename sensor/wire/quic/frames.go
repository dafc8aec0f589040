package quic

import "encoding/binary"

// Frame types that an Initial packet may carry (RFC 9000, sections 12.4 and 19).
const (
	framePadding = 0x00
	framePing    = 0x01
	frameACK     = 0x02
	frameACKECN  = 0x03
	frameCrypto  = 0x06
	frameClose   = 0x1c
)

// plausibleFrame tells whether an Initial packet can begin with this frame type. All of them fit one byte.
func plausibleFrame(typ byte) bool {
	switch typ {
	case framePadding, framePing, frameACK, frameACKECN, frameCrypto, frameClose:
		return true
	}
	return false
}

// frames walks over the frames of an opened packet and gives CRYPTO data to a. It returns false if a frame is cut or does not belong
// into an Initial packet.
func frames(b []byte, a *assembly) bool {
	for at, ok := 0, true; at < len(b); {
		typ := b[at]
		at++
		switch typ {
		case framePing:
		case framePadding:
			at = afterZeros(b, at)
		case frameACK:
			at, ok = skipACK(b, at, 0)
		case frameACKECN:
			at, ok = skipACK(b, at, 3)
		case frameClose:
			at, ok = skipClose(b, at)
		case frameCrypto:
			at, ok = crypto(b, at, a)
		default:
			return false
		}
		if !ok {
			return false
		}
	}
	return true
}

// afterZeros steps over PADDING frames, a byte each, of which a packet has hundreds.
func afterZeros(b []byte, at int) int {
	for len(b)-at >= 8 && binary.NativeEndian.Uint64(b[at:]) == 0 {
		at += 8
	}
	for at < len(b) && b[at] == framePadding {
		at++
	}
	return at
}

// crypto reads the CRYPTO frame at at (RFC 9000, section 19.6).
func crypto(b []byte, at int, a *assembly) (end int, ok bool) {
	offset, at, ok := varint(b, at)
	if !ok {
		return at, false
	}
	size, at, ok := varint(b, at)
	if !ok || size > uint64(len(b)-at) {
		return at, false
	}
	end = at + int(size)
	return end, a.write(offset, b[at:end])
}

// skipACK steps over an ACK frame with so many ECN counts (RFC 9000, section 19.3).
func skipACK(b []byte, at, counts int) (end int, ok bool) {
	if at, ok = skipVarints(b, at, 2); !ok { // Largest Acknowledged, ACK Delay
		return at, false
	}
	ranges, at, ok := varint(b, at)
	if !ok || ranges > uint64(len(b)) {
		return at, false
	}
	return skipVarints(b, at, 1+2*int(ranges)+counts) // First ACK Range, then Gap and Length of each
}

// skipClose steps over a CONNECTION_CLOSE frame of the transport (RFC 9000, section 19.19).
func skipClose(b []byte, at int) (end int, ok bool) {
	if at, ok = skipVarints(b, at, 2); !ok { // Error Code, Frame Type
		return at, false
	}
	size, at, ok := varint(b, at)
	if !ok || size > uint64(len(b)-at) {
		return at, false
	}
	return at + int(size), true
}

func skipVarints(b []byte, at, n int) (end int, ok bool) {
	for range n {
		if _, at, ok = varint(b, at); !ok {
			return at, false
		}
	}
	return at, true
}
