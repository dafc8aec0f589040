package quic

const fixedBit = 0x40 // set in every packet that is not a Version Negotiation (RFC 9000, section 17)

// ApplicationLen is how many bytes of a datagram that begins with a long header belong to packets that carry application data: 0-RTT
// packets (RFC 9000, section 17.2.3), and a 1-RTT packet behind those of the handshake (section 12.2). It is 0 where the datagram was cut.
func ApplicationLen(datagram []byte) int {
	n := 0
	var h header
	for b := datagram; len(b) > 0; {
		if b[0]&longHeader == 0 {
			if b[0]&fixedBit != 0 {
				n += len(b)
			}
			return n
		}
		rest, ok := h.next(b)
		if !ok {
			return n
		}
		if h.typ == zeroRTT {
			n += len(h.packet)
		}
		b = rest
	}
	return n
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
