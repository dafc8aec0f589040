package sensor

import (
	"math/bits"
	"sync"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/prefetch"
)

// Share is the part of one source's traffic that a worker answers for, where several are given every frame (package capture/share). All that
// has to be known in order of one client lies with one worker: its flows, its look-ups, its visits. The others drop its segments once they are
// decoded, but for what everyone has to know:
//
//	packet time                      moved on by every segment
//	names of addresses, ECH fronts   learned from every DNS message, in tables of the worker's own: nobody is ahead of it
//	DHCP                             handed on once, by whoever comes to it first
//	copies                           after the first, every worker compares every segment
//
// What is counted of frames the first worker counts, and anything else the one whose it is, so that the sums are what one worker would have
// counted. What may differ:
//
//   - flows that a full table lets go: each worker has its own;
//   - which of a name's flows are watched for answers at a token's pace, once there are more than 64;
//   - copies of datagrams before the first copy of a look-up or a SYN;
//   - the identifier of a visit, and which of its records is marked as the first, where a client uses a service by a proxy and looks its name
//     up or goes there directly as well: the proxy's worker and its own do not wait for each other;
//   - names of addresses that only others looked up, over TCP.
type Share struct {
	number, of uint64
	handed     *handed
	met        uint64 // datagrams of DHCP
	foreign    [batchSize]bool
	hearing    bool  // the message that is read belongs to another worker
	latest     int64 // time of a segment of a flow, whosever it is
}

// Shares divides traffic among so many workers.
func Shares(workers int) []*Share {
	all := make([]*Share, workers)
	together := new(handed)
	for i := range all {
		all[i] = &Share{number: uint64(i), of: uint64(workers), handed: together}
	}
	return all
}

// handed counts the datagrams of DHCP that were handed on: every worker meets the same ones in the same order.
type handed struct {
	mu    sync.Mutex
	count uint64
}

// counts says whether the worker counts frames; nil is one that has no others beside it.
func (sh *Share) counts() bool { return sh == nil || sh.number == 0 }

// overhears says that the message that is read belongs to another worker.
func (sh *Share) overhears() bool { return sh != nil && sh.hearing }

// answersFor says whether what an address does is the worker's; for nil everything is.
func (sh *Share) answersFor(a decode.Address) bool {
	if sh == nil {
		return true
	}
	hi, lo := bits.Mul64(a.Hi^0x9e3779b97f4a7c15, a.Lo^0xd6e8feb86659fd93)
	hi, lo = bits.Mul64(hi^lo, 0xa0761d6478bd642f)
	return (hi^lo)%sh.of == sh.number
}

// ownerOf is the address whose worker a flow belongs to: that of the client, as far as addresses and ports tell, or of a server that may
// be a proxy. It must lie with what the proxy itself does, which is its clients' use once more. It is the same for both directions. No secret
// is in it, so that the same captures give the same records: traffic that is made to fall to one worker is read as slowly as by one alone.
func ownerOf(k *decode.Key, internal func(decode.Address) bool) decode.Address {
	inA, inB := false, false
	if internal != nil {
		inA, inB = internal(k.A), internal(k.B)
	}
	if inA != inB {
		if inA {
			return k.A
		}
		return k.B
	}
	server := uint8(1)
	if k.Port(0) < k.Port(1) {
		server = 0
	}
	if servesClients(k.Port(server), inA) {
		return k.Address(1 - server)
	}
	return k.Address(server)
}

const portHTTP = 80

// servesClients says that behind a port there is no proxy: a resolver, or on the internet a web server.
func servesClients(port uint16, internal bool) bool {
	return port == portDNS || port == portDoT || !internal && (port == portHTTPS || port == portHTTP)
}

// portDNS is where name servers listen (RFC 1035, section 4.2).
const portDNS = 53

// shared takes frames as batch does, and leaves to other workers what is theirs.
func (s *Sensor) shared(frames []capture.Frame) error {
	segments, sh := s.divided(frames), s.config.Share
	from := 0
	for i := range segments {
		if sh.foreign[i] {
			if err := s.through(segments[from:i]); err != nil {
				return err
			}
			s.overhear(&segments[i])
			from = i + 1
		}
	}
	return s.through(segments[from:])
}

// divided decodes frames and returns the worker's own segments, and those of others that everyone has to hear, in their order.
func (s *Sensor) divided(frames []capture.Frame) []decode.Segment {
	headersAhead(frames)
	all, sh := s.segments[:s.decode.Batch(s.segments[:], frames)], s.config.Share
	n := 0
	for i := range all {
		seg := &all[i]
		s.advance(seg.Time)
		if !isLookup(seg) {
			sh.latest = max(sh.latest, seg.Time)
		}
		s.learner.inOrder(sh, seg)
		foreign := !sh.answersFor(ownerOf(&seg.Key, s.config.Flow.Internal))
		if foreign && !s.copies.watching && !isLookup(seg) && seg.Flags&decode.SYN == 0 {
			continue
		}
		if sh.foreign[n] = foreign; n != i {
			all[n] = *seg
		}
		n++
	}
	s.flows.Buckets(all[:n])
	s.flows.Flows(all[:n])
	return all[:n]
}

// headersAhead has the headers of frames on their way to the cache. Another core has written them, and to wait for one after the other took half
// of a worker's time on bulk traffic.
func headersAhead(frames []capture.Frame) {
	const headers, line = 54, 64 // of Ethernet, IPv4 and TCP
	for i := range frames {
		if b := frames[i].Data; len(b) > headers {
			prefetch.At(&b[0])
			prefetch.At(&b[min(line, len(b)-1)])
		}
	}
}

// isLookup says whether a datagram comes from or goes to the DNS port.
func isLookup(seg *decode.Segment) bool {
	return seg.Key.Proto == decode.UDP && seg.Key.HasPort(portDNS)
}

// overhear takes what everyone has to know of a segment of another worker.
func (s *Sensor) overhear(seg *decode.Segment) {
	found := s.copies.found
	switch {
	case s.copies.watching && s.copies.again(seg):
	case isLookup(seg):
		s.config.Share.hearing = true
		s.evidence.DNS(seg)
		s.config.Share.hearing = false
	case seg.Flags&decode.SYN != 0:
		s.copies.beganBefore(seg)
	}
	s.copies.found = found // its worker counts it
}

// answered notes what a DNS message tells of the resolver, whose worker hands it on.
func (s *Sensor) answered(f *flow.Flow, seg *decode.Segment) {
	if resolver := seg.Key.Address(seg.Dir); f != nil || s.config.Share.answersFor(resolver) {
		s.learner.sawResolver(resolver, seg.Time)
	}
}

// inOrder passes DHCP on, if no other worker was there before. All meet the same datagrams, so that each is passed on once and in order, and
// nobody is past one that was not.
func (l *learner) inOrder(sh *Share, seg *decode.Segment) {
	if l.to == nil || len(seg.Payload) == 0 || !isDHCP(seg) {
		return
	}
	sh.handed.mu.Lock()
	defer sh.handed.mu.Unlock()
	if sh.met++; sh.met > sh.handed.count {
		sh.handed.count = sh.met
		l.pass(seg)
	}
}
