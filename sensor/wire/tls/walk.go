package tls

// Records follows one direction of a TLS connection record by record and counts what each kind carries. It is told the stream's bytes
// in order, in pieces of any size, from a record header on; inside a record a piece costs a subtraction. The zero value is
// ready.
type Records struct {
	// ApplicationRecords counts records of application data whose header was seen. From TLS 1.3 on, handshake messages and alerts
	// behind the hellos travel as such too.
	ApplicationRecords uint64
	// ApplicationBytes, HandshakeBytes, ChangeCipherBytes, AlertBytes and HeartbeatBytes count the bytes of records without their
	// 5-byte headers, as far as the stream has come.
	ApplicationBytes, HandshakeBytes, ChangeCipherBytes, AlertBytes, HeartbeatBytes uint64
	// Lost says that a header was not one: the stream is not TLS from here on, or bytes are missing. Nothing is counted any more.
	Lost bool

	kind byte // of the current record
	have uint8
	head [recordHeaderLen]byte // a header that is still incomplete
	left uint32                // bytes to come of the current record
}

// Advance takes the next bytes of the stream.
func (r *Records) Advance(segment []byte) {
	for !r.Lost {
		if n := uint32(min(uint(len(segment)), uint(r.left))); n > 0 {
			r.count(n)
			segment = segment[n:]
		}
		if len(segment) == 0 {
			return
		}
		n := copy(r.head[r.have:], segment)
		segment = segment[n:]
		r.have += uint8(n)
		r.header()
	}
}

// Skip steps over n bytes that were not captured. That is harmless inside a record; a header among them is lost, and so is the walk.
func (r *Records) Skip(n uint64) {
	switch {
	case n == 0 || r.Lost:
	case n > uint64(r.left):
		r.Lost = true
	default:
		r.count(uint32(n))
	}
}

// Pending is the number of bytes still to come of the current record.
func (r *Records) Pending() int { return int(r.left) }

// count books n bytes of the current record.
func (r *Records) count(n uint32) {
	r.left -= n
	switch r.kind {
	case recordApplicationData:
		r.ApplicationBytes += uint64(n)
	case recordHandshake:
		r.HandshakeBytes += uint64(n)
	case recordChangeCipherSpec:
		r.ChangeCipherBytes += uint64(n)
	case recordAlert:
		r.AlertBytes += uint64(n)
	case recordHeartbeat:
		r.HeartbeatBytes += uint64(n)
	}
}

// header looks at what is there of a record header and opens the record once it is whole.
func (r *Records) header() {
	h := r.head[:r.have]
	if !plausibleRecord(h, recordChangeCipherSpec, recordHeartbeat) {
		r.Lost = true
		return
	}
	if len(h) < recordHeaderLen {
		return
	}
	size := uint32(h[3])<<8 | uint32(h[4])
	if size == 0 || size > maxCiphertext {
		r.Lost = true
		return
	}
	r.kind, r.left, r.have = h[0], size, 0
	if r.kind == recordApplicationData {
		r.ApplicationRecords++
	}
}
