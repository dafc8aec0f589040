package dns

import "encoding/binary"

// NextTCP takes one message off the front of a TCP stream, where each is preceded by its length (RFC 1035, section 4.2.2). It
// returns the message and what follows it. If the message is not all there yet, msg is nil, rest is stream and need says how
// many more bytes to wait for at least; need is 0 otherwise. Both results alias stream.
func NextTCP(stream []byte) (msg, rest []byte, need int) {
	if len(stream) < 2 {
		return nil, stream, 2 - len(stream)
	}
	end := 2 + int(binary.BigEndian.Uint16(stream))
	if len(stream) < end {
		return nil, stream, end - len(stream)
	}
	return stream[2:end:end], stream[end:], 0
}

// maxQuestions is more than mDNS queries have, and far less than random bytes say.
const maxQuestions = 64

// Plausible says whether b, whole or cut, may be a DNS message, by its header alone. Of random bytes it takes fewer than one in
// a thousand; it is meant to go before Parse where the port proves nothing.
func Plausible(b []byte) bool {
	if len(b) < headerLen {
		return false
	}
	const zBit = 0x40 // RFC 1035, section 4.1.1: reserved, still 0
	if b[3]&zBit != 0 {
		return false
	}
	switch b[2] >> 3 & 0xf {
	case 0, 2, 4, 5: // QUERY, STATUS, NOTIFY (RFC 1996), UPDATE (RFC 2136)
	default:
		return false
	}
	questions := int(binary.BigEndian.Uint16(b[4:]))
	answers := int(binary.BigEndian.Uint16(b[6:]))
	records := answers + int(binary.BigEndian.Uint16(b[8:])) + int(binary.BigEndian.Uint16(b[10:]))
	if questions > maxQuestions || 5*questions > len(b)-headerLen {
		return false
	}
	if response := b[2]&0x80 != 0; response {
		return plausibleResponse(b, questions, records)
	}
	return questions > 0 && b[3]&0xf == 0 && headerLen+5*questions+11*records <= maxMessage
}

// plausibleResponse takes a response without records only where the header says why, or a question is repeated.
func plausibleResponse(b []byte, questions, records int) bool {
	if questions == 0 && records == 0 {
		return len(b) == headerLen && b[3]&0xf != 0
	}
	return headerLen+5*questions+11*records <= maxMessage
}
