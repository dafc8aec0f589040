package quic

// Long is what a long header packet at the start of a datagram shows of its connection. Its slices alias the datagram.
type Long struct {
	// Opens says that it is an Initial or 0-RTT packet of a known version: a client's datagram that begins so may open a connection.
	Opens bool
	// Negotiation says that a server asks for another version (RFC 9000, section 17.2.1).
	Negotiation bool
	// Destination and Source are the connection ids.
	Destination, Source []byte
}

// IsLong tells by its first octet whether a datagram may begin with a long header.
func IsLong(first byte) bool { return first&longHeader != 0 }

// Parse reads the header. It returns false if there is none, or one of an unknown version.
func (l *Long) Parse(datagram []byte) bool {
	*l = Long{}
	if len(datagram) < minLong || datagram[0]&longHeader == 0 {
		return false
	}
	version := uint32(datagram[1])<<24 | uint32(datagram[2])<<16 | uint32(datagram[3])<<8 | uint32(datagram[4])
	if version != 0 && !known(version) {
		return false
	}
	var at int
	var ok bool
	if l.Destination, at, ok = connectionID(datagram, 5); !ok {
		return false
	}
	if l.Source, _, ok = connectionID(datagram, at); !ok {
		return false
	}
	typ := typeOf(datagram[0], version)
	l.Negotiation = version == 0
	l.Opens = version != 0 && (typ == initial || typ == zeroRTT)
	return true
}
