package upload

// resent judges how much of a QUIC upload was sent more than once: packet numbers are encrypted, so what was lost behind the tap and came
// again looks like more data. Two things show from outside that packets were lost.
//
// A server that misses packets acknowledges in several ranges, and each further one makes its acknowledgement longer by a gap and a
// length, 2 to 4 bytes (RFC 9000, section 19.3.1). What was lost before the tap was seen once and what was lost behind it twice; nothing
// tells which, so half of it is taken off.
//
// A client that sends on while the server is silent may overflow the server's socket. What overflows, if anything, is unknown.
type resent struct {
	hears  bool   // the server is captured, too
	run    uint32 // full packets of the client since the server's last datagram
	full   uint32 // full packets of the burst
	ack    uint32 // size of the server's acknowledgement before
	ranges uint32 // how often it grew by a range
	owed   uint64 // bytes to be taken off the estimate
	lowly  uint64 // bytes to be taken off the lower bound
}

const (
	rangeLeast, rangeMost = 2, 4
	// rangesIdle is how often an acknowledgement grows by as much without loss: its numbers are varints that lengthen as they grow (RFC
	// 9000, section 16). That it does so follows from the RFC; the 4 was chosen on the laboratory's matrix, where connections without
	// loss show 0 to 6.
	rangesIdle = 4
	// socketPackets is how many full packets a receiver's socket holds that nobody reads: Linux's default of 212,992 bytes
	// (net.core.rmem_default), of which each takes 2,304.
	socketPackets = 92
	// overflowShare and overflowLow are which parts of what goes beyond are taken off the estimate and the lower bound. No protocol gives
	// them: they were chosen on the laboratory's matrix, where 0 to 28 % of it was too much, 9 % in all, as a compromise between
	// uploads that lost packets and those that lost none, which are now estimated up to 3 % too low.
	overflowShare, overflowLow = 16, 6
)

// sent notes a full packet in a burst.
func (r *resent) sent() {
	r.run++
	r.full++
}

// heard notes a server's datagram of n bytes to a client whose full packets take full bytes.
func (r *resent) heard(n, full uint32) {
	r.run, r.hears = 0, true
	if n >= quicAnswerBulk {
		return
	}
	if grown := n - r.ack; r.full >= bulkPackets && r.ack > 0 && n > r.ack && grown >= rangeLeast && grown <= rangeMost {
		if r.ranges++; r.ranges > rangesIdle {
			r.owed += uint64(full) / 2
			r.lowly += uint64(full)
		}
	}
	r.ack = n
}

// take takes off what may have been sent before from what is about to be counted.
func (r *resent) take(bytes, low uint64) (netBytes, netLow uint64) {
	if r.hears && r.run > socketPackets {
		r.owed += bytes / overflowShare
		r.lowly += low / overflowLow
	}
	off, lowOff := min(r.owed, bytes), min(r.lowly, low)
	r.owed -= off
	r.lowly -= lowOff
	return bytes - off, low - lowOff
}
