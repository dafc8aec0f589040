// Package decode turns frames into segments: five-tuple, transport header and payload, through link layers, VLAN tags and IP. It
// keeps no connections (see package flow) and reads no payload (see the packages below wire).
package decode

import (
	"encoding/binary"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// Transport protocols, as in the IP header.
const (
	TCP = 6
	UDP = 17
)

// TCP flags (RFC 9293, section 3.1).
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
)

// Segment is one TCP segment or UDP datagram. Payload aliases the frame.
type Segment struct {
	Key     Key
	Hash    uint64 // of Key, seeded per process: the same for both directions
	Time    int64  // nanoseconds since 1970-01-01 UTC
	Payload []byte // what was captured of the transport payload
	Len     uint32 // length of the transport payload by the IP header; more than len(Payload) where the snaplen cut the frame
	Seq     uint32 // TCP only
	Ack     uint32 // TCP only
	Window  uint16 // TCP only
	Flags   uint8  // TCP only
	Dir     uint8  // 0: from Key.A to Key.B; 1: the other way
	Lead    uint8  // UDP only: the first octet of the payload, 0 where there is none
	ID      uint16 // identification of the IPv4 header; where that is 0 or there is none, TCP's checksum: it tells repetitions apart
	Link    Link
	Near    uint32 // package flow's: where its index will most likely know the flow; any number does no harm
}

// Link is what lay around the innermost IP packet.
type Link struct {
	MAC       [6]byte // source address of the frame, zero where the link has none
	VLAN      uint16  // 1 + VLAN identifier of the outermost tag; 0: untagged
	Interface uint16  // of the capture source
	Tunnels   Tunnels // what was taken off
}

// Cut says that the capture lacks the end of the payload.
func (s *Segment) Cut() bool { return int(s.Len) > len(s.Payload) }

// Decoder decodes frames. It belongs to one goroutine.
type Decoder struct {
	seed  [3]uint64
	frags *reassembly
	stats Stats
	depth int // of headers within the current frame; bounds nesting
	rest  int // bytes of the current frame that the snaplen cut off
}

// maxRest bounds what a length on the wire is believed: no stack sends more in one piece (Linux's BIG TCP stops at 512 KiB).
const maxRest = 1 << 20

// maxDepth bounds how many headers below the transport one frame may nest: tags, tunnels, extension headers.
const maxDepth = 24

// New returns a decoder. Its hash is seeded from seed, which an attacker must not know: flooding one bucket would slow the flow
// table down.
func New(seed [3]uint64) *Decoder {
	d := &Decoder{seed: seed, frags: newReassembly(defaultFragmentBytes)}
	for i := range d.seed {
		d.seed[i] |= 1
	}
	return d
}

// Stats are the counters since New.
func (d *Decoder) Stats() Stats {
	s := d.stats
	s.FragmentsEvicted, s.FragmentsExpired = d.frags.evicted, d.frags.expired
	return s
}

// Batch decodes frames into segments and returns how many there are; a frame that holds no TCP or UDP is counted by reason and
// leaves none. len(segments) must be at least len(frames). The segments alias the frames.
func (d *Decoder) Batch(segments []Segment, frames []capture.Frame) int {
	if len(d.frags.ready) > 0 {
		d.frags.recycle()
	}
	return d.More(segments, frames)
}

// More goes on with a batch that Batch has begun: the segments before it stay valid.
func (d *Decoder) More(segments []Segment, frames []capture.Frame) int {
	n := 0
	for i := range frames {
		f, s := &frames[i], &segments[n]
		s.Time = f.Time
		s.Link = Link{Interface: f.Interface}
		if f.VLANValid {
			s.Link.VLAN = 1 + f.VLAN&0x0fff
		}
		if d.fast(s, f) {
			n++
			continue
		}
		d.depth = 0
		d.rest = 0
		if int(f.WireLen) > len(f.Data) {
			d.rest = min(int(f.WireLen)-len(f.Data), maxRest)
		}
		if reason := d.link(s, f.Link, f.Data); reason != Decoded {
			d.stats.Undecoded[reason]++
			continue
		}
		n++
	}
	d.stats.Frames += uint64(len(frames))
	d.stats.Segments += uint64(n)
	return n
}

// transport reads the transport header; b begins with it and length is the IP payload's length by the IP header.
func (d *Decoder) transport(s *Segment, proto uint8, b []byte, length int, ip *addresses) Reason {
	switch proto {
	case TCP:
		return d.tcp(s, b, length, ip)
	case UDP:
		return d.udp(s, b, length, ip)
	}
	return d.encapsulated(s, proto, b, length, ip)
}

func (d *Decoder) tcp(s *Segment, b []byte, length int, ip *addresses) Reason {
	if len(b) < 20 {
		return Short
	}
	off := int(b[12]>>4) * 4
	if off < 20 || off > length {
		return Malformed
	}
	s.Seq = binary.BigEndian.Uint32(b[4:])
	s.Ack = binary.BigEndian.Uint32(b[8:])
	s.Window = binary.BigEndian.Uint16(b[14:])
	s.Flags, s.Lead = b[13], 0
	if s.ID == 0 {
		s.ID = binary.BigEndian.Uint16(b[16:])
	}
	s.Len = uint32(length - off)
	s.Payload = nil
	if off < len(b) {
		s.Payload = b[off:]
	}
	s.setKey(ip, binary.BigEndian.Uint32(b), TCP)
	s.Hash = s.Key.hash(&d.seed)
	return Decoded
}

func (d *Decoder) udp(s *Segment, b []byte, length int, ip *addresses) Reason {
	if len(b) < 8 {
		return Short
	}
	ports := binary.BigEndian.Uint32(b)
	if n := int(binary.BigEndian.Uint16(b[4:])); n >= 8 && n < length { // 0: jumbogram or offload; longer than IP says: IP is right
		length = n
		b = b[:min(n, len(b))]
	}
	if tunnelPort(ports) || mayBeTeredo(b[8:], length-8) && isTeredo(b[8:], length-8) {
		if reason, ok := d.tryTunnel(s, ports, b[8:], length-8); ok {
			return reason
		}
	}
	s.Seq, s.Ack, s.Window, s.Flags = 0, 0, 0, 0
	s.Len, s.Lead = uint32(length-8), 0
	if s.Payload = b[8:]; len(s.Payload) > 0 {
		s.Lead = s.Payload[0]
	}
	s.setKey(ip, ports, UDP)
	s.Hash = s.Key.hash(&d.seed)
	return Decoded
}
