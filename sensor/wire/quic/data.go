package quic

const fixedBit = 0x40 // set in every packet that is not a Version Negotiation (RFC 9000, section 17)

// ApplicationLen is how many bytes of a datagram that begins with a long header belong to packets that carry application data: 0-RTT
// packets (RFC 9000, section 17.2.3), and a 1-RTT packet behind those of the handshake (section 12.2). The datagram was whole bytes long. Where
// it was cut, what lies behind a Handshake packet is a 1-RTT packet, as nothing else follows one, and unsure is how many other bytes may be of
// such packets.
func ApplicationLen(datagram []byte, whole int) (n, unsure int) {
	var h header
	for at := 0; at < whole; {
		left := whole - at
		if at >= len(datagram) {
			if h.typ == handshake {
				return n + left, 0
			}
			return n, left
		}
		b := datagram[at:]
		if b[0]&longHeader == 0 {
			if b[0]&fixedBit != 0 {
				n += left
			}
			return n, 0
		}
		size, ok := h.step(b, left)
		if !ok {
			if len(datagram) < whole {
				unsure = left
			}
			return n, unsure
		}
		if h.typ == zeroRTT {
			n += size
		}
		at += size
	}
	return n, 0
}

// SourceCID is the length of the source connection ID of a datagram that begins with a long header: what its receiver sends to from
// now on (RFC 9000, section 7.2). ok is false if it is not there.
func SourceCID(datagram []byte) (n int, ok bool) {
	if len(datagram) < minLong || datagram[0]&longHeader == 0 {
		return 0, false
	}
	_, at, ok := connectionID(datagram, 5)
	if !ok || at >= len(datagram) || datagram[at] > maxCID {
		return 0, false
	}
	return int(datagram[at]), true
}

// DestinationCID is the length of the destination connection ID of a datagram that begins with a long header: from a client's second flight
// on the one that the server chose (RFC 9000, section 7.2). ok is false if it is not there.
func DestinationCID(datagram []byte) (n int, ok bool) {
	if len(datagram) < minLong || datagram[0]&longHeader == 0 || datagram[5] > maxCID {
		return 0, false
	}
	return int(datagram[5]), true
}
