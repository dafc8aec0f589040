package tls

import "bytes"

// findWindow is how far into a stream Find looks: preambles (CONNECT and its headers, SOCKS, PROXY, STARTTLS dialogues) are short.
const findWindow = 8 << 10

// findMin is the number of bytes that Find has to see of a hello: record header, handshake header, version, random and the length
// of the session id.
const findMin = recordHeaderLen + handshakeHeaderLen + 2 + randomLen + 1

// Find looks for the place in the first 8 KiB of a client's stream where a ClientHello begins, behind whatever was said before
// TLS. It checks the structure of what it finds, so that text never matches and other bytes hardly ever do; a hello is found once 44
// bytes of it are there. The rest is for Unwrap, with stream[offset:].
func Find(stream []byte) (offset int, ok bool) {
	window := stream[:max(0, min(len(stream)-findMin+1, findWindow))]
	for offset < len(window) {
		i := bytes.IndexByte(window[offset:], recordHandshake)
		if i < 0 {
			return 0, false
		}
		offset += i
		if plausibleHello(stream[offset:]) {
			return offset, true
		}
		offset++
	}
	return 0, false
}

// plausibleHello tells whether b begins like a ClientHello in a record; b may end before the hello does.
func plausibleHello(b []byte) bool {
	if len(b) < findMin || !plausibleRecord(b, recordHandshake, recordHandshake) {
		return false
	}
	if b[5] != typeClientHello || b[9] != 3 || b[10] > maxMinor {
		return false
	}
	record := int(b[3])<<8 | int(b[4])
	size := int(b[6])<<16 | int(b[7])<<8 | int(b[8])
	// The rest can be checked to the end of what is there, or of the record.
	return plausibleSizes(record, size) && plausibleLists(cursor{b: b[findMin-1 : min(len(b), recordHeaderLen+record)]}, size)
}

// plausibleSizes compares the length of a record with that of the hello in it, which fills the record or goes on in the next; a record that
// it fills half is something else.
func plausibleSizes(record, size int) bool {
	if size < minClientHello || size+handshakeHeaderLen > maxMessage {
		return false
	}
	return record <= maxPlaintext && record >= findMin-recordHeaderLen && record <= size+handshakeHeaderLen
}

// plausibleLists checks the lengths behind the random of a hello of size bytes.
func plausibleLists(c cursor, size int) bool {
	sessionID := c.uint8()
	c.take(sessionID)
	suites := c.uint16()
	if sessionID > maxSessionID || c.short {
		return sessionID <= maxSessionID
	}
	c.take(suites)
	compression := c.uint8()
	if suites == 0 || suites%2 != 0 || !c.short && compression == 0 {
		return false
	}
	return 2+randomLen+1+sessionID+2+suites+1+compression <= size
}
