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
	window := stream[:min(len(stream), findWindow)]
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
	if len(b) < findMin || b[1] != 3 || b[2] > maxMinor || b[5] != typeClientHello || b[9] != 3 || b[10] > maxMinor {
		return false
	}
	record := int(b[3])<<8 | int(b[4])
	size := int(b[6])<<16 | int(b[7])<<8 | int(b[8])
	if size < minClientHello || size+handshakeHeaderLen > maxMessage {
		return false
	}
	// The hello fills its record or goes on in the next; a record that it fills half is something else.
	if record > maxPlaintext || record < findMin-recordHeaderLen || record > size+handshakeHeaderLen {
		return false
	}
	// How far the rest can be checked: to the end of what is there, of the record or of the hello.
	c := cursor{b: b[findMin-1 : min(len(b), recordHeaderLen+record)]}
	sessionID := c.uint8()
	c.take(sessionID)
	suites := c.uint16()
	if c.short {
		return sessionID <= maxSessionID
	}
	c.take(suites)
	compression := c.uint8()
	fits := randomLen+2+1+sessionID+2+suites+1+compression <= size
	return sessionID <= maxSessionID && suites > 0 && suites%2 == 0 && fits && (c.short || compression > 0)
}
