package upload

// resent judges how much of a QUIC upload was sent more than once: packet numbers are encrypted, so what was lost behind the tap and came
// again looks like more data. Three things show from outside that packets may have been lost.
//
// A server that misses packets acknowledges in several ranges, and each further one makes its acknowledgements longer by a gap and a
// length of 1 or 2 bytes each (RFC 9000, section 19.3.1). What was lost before the tap was seen once and what was lost behind it twice;
// nothing tells which, so half of it is taken off. It may be more than one packet, or one that was only late and was sent again all the same,
// so the lower bound gives way by two.
//
// A client that sends faster than the server says something may overflow a queue of the server's. Whether the server took the packets out in
// time does not show, so a share of what goes beyond the queue is taken off.
//
// A client that hears nothing for as long as an acknowledgement may take sends one or two packets again (RFC 9002, section 6.2).
type resent struct {
	hears  bool   // the server is captured, too
	silent bool   // nothing was heard since the client's last full packet
	over   bool   // the last full packet may have been one too many for the server's queue
	queue  uint32 // full packets that may wait there
	full   uint32 // full packets of the burst
	all    uint32 // of the connection
	ack    uint32 // size of the server's acknowledgement before
	ranges uint32 // how often acknowledgements grew by a range
	probes uint32 // how many of the next packets may be probes
	last   int64  // when the client last sent a full packet
	owed   uint64 // bytes to be taken off the estimate
	lowly  uint64 // bytes to be taken off the lower bound
}

const (
	rangeLeast, rangeMost = 2, 4
	// queuePackets is how many packets wait for a connection that does not run, and queueTaken how many it takes out before it says
	// something: MaxConnUnprocessedPackets (internal/protocol/params.go) and maxPacketsToProcess (connection.go) of quic-go v0.65. Others
	// leave them in the socket, which holds 92 by Linux's default (net.core.rmem_default of 212,992 bytes, 2,304 a packet), but more on servers
	// that follow the advice to raise it.
	queuePackets, queueTaken = 256, 32
	// overflowShare is how many in a hundred of the packets beyond that were lost: 4,723 of 10,427 in the uploads of 700 KB to 9 MB over clean
	// wires that "lab derivation" makes, by the server's own log of packets received. No capture that the figures are taken from is among them.
	overflowShare = 45
	// unheardShare is which part of an upload may have been sent again where the server is not captured: in nineteen of twenty uploads of that
	// derivation it was less.
	unheardShare = 10
	// ackDelay is the longest that a receiver waits with an acknowledgement if nothing else is agreed (RFC 9000, section 18.2, max_ack_delay):
	// the least of a probe timeout (RFC 9002, section 6.2.1).
	ackDelay = 25e6
	// firstProbe is the longest that a client waits before its first probe: 1 s, for a round trip of 333 ms, which it assumes of a path that it
	// does not know (RFC 9002, section 6.2.2).
	firstProbe = 1e9
	// probesMost is how many packets a probe timeout sends (RFC 9002, section 6.2.4).
	probesMost = 2
	// skipPeriod is after how many packets a number is left out, on average, against acknowledgements of what was not received (RFC 9000,
	// section 21.4); each time it doubles (quic-go v0.65, internal/ackhandler/packet_number_generator.go).
	skipPeriod = 256
)

// lossless is how often acknowledgements of n packets grow by as much as a range without a loss: when the largest number and the length of
// the first range take a longer varint, both at once, from 64 and from 16384 on (RFC 9000, section 16), and for numbers left out.
func lossless(n uint32) (times uint32) {
	if n >= 1<<6 {
		times++
	}
	if n >= 1<<14 {
		times++
	}
	for period := uint32(skipPeriod); n > period; period *= 2 {
		n -= period
		times++
	}
	return times
}

// sent notes a full packet in a burst.
func (r *resent) sent(at int64) {
	if pause := at - r.last; r.hears && r.silent && pause > ackDelay && pause <= firstProbe {
		r.probes = probesMost
	}
	r.last, r.silent = at, true
	if r.over = r.queue >= queuePackets; !r.over {
		r.queue++
	}
	r.full++
	r.all++
}

// heard notes a server's datagram of n bytes to a client whose full packets take full bytes.
func (r *resent) heard(n, full uint32) {
	r.queue -= min(r.queue, queueTaken)
	r.silent, r.hears = false, true
	if n >= quicAnswerBulk {
		return
	}
	if grown := n - r.ack; r.full >= bulkPackets && r.ack > 0 && n > r.ack && grown >= rangeLeast && grown <= rangeMost {
		r.lowly += 2 * uint64(full)
		if r.ranges++; r.ranges > lossless(r.all) {
			r.owed += uint64(full) / 2
		}
	}
	r.ack = n
}

// take takes off what may have been sent before from what is about to be counted.
func (r *resent) take(bytes, low uint64) (netBytes, netLow uint64) {
	switch {
	case !r.hears:
		low -= low / unheardShare
	case r.probes > 0:
		r.probes--
		r.owed += bytes
		r.lowly += low
	case r.over:
		r.owed += bytes * overflowShare / 100
		r.lowly += low
	}
	off, lowOff := min(r.owed, bytes), min(r.lowly, low)
	r.owed -= off
	r.lowly -= lowOff
	return bytes - off, low - lowOff
}
