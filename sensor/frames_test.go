package sensor_test

import (
	"encoding/binary"
	"io"
	"net/netip"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// tape is a capture made by hand, in memory: frames a millisecond apart.
type tape struct {
	frames []capture.Frame
	now    int64
	id     uint16 // of the next IP packet
	at     int
}

// start is the time before the first frame.
const start = int64(1_700_000_000_000_000_000)

func newTape() *tape { return &tape{now: start} }

// Next implements capture.Source.
func (p *tape) Next(batch []capture.Frame) (int, error) {
	n := copy(batch, p.frames[p.at:])
	if p.at += n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Name implements capture.Source.
func (p *tape) Name() string { return "tape" }

// Close implements io.Closer.
func (p *tape) Close() error { return nil }

// rewind lets the tape be read again.
func (p *tape) rewind() *tape {
	p.at = 0
	return p
}

// ip sends an IP packet over Ethernet.
func (p *tape) ip(src, dst netip.AddrPort, proto byte, transport []byte) {
	p.now += 1e6
	p.id++
	b := []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(20+len(transport)))
	b = binary.BigEndian.AppendUint16(b, p.id)
	b = append(b, 0x40, 0, 64, proto, 0, 0)
	from, to := src.Addr().As4(), dst.Addr().As4()
	b = append(append(append(b, from[:]...), to[:]...), transport...)
	p.frames = append(p.frames, capture.Frame{Data: b, Time: p.now, WireLen: uint32(len(b)), Link: 1})
}

// udp sends a datagram.
func (p *tape) udp(src, dst netip.AddrPort, payload []byte) {
	b := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, src.Port()), dst.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	p.ip(src, dst, 17, append(append(b, 0, 0), payload...))
}

// Flags of tape.tcp (RFC 9293, section 3.1).
const (
	fin = 1
	syn = 2
	rst = 4
	ack = 16
)

// tcp sends a segment.
func (p *tape) tcp(src, dst netip.AddrPort, flags byte, seq, acked uint32, payload []byte) {
	b := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, src.Port()), dst.Port())
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, seq), acked)
	p.ip(src, dst, 6, append(append(b, 5<<4, flags, 1, 0, 0, 0, 0, 0), payload...))
}

// talk is a TCP connection on a tape.
type talk struct {
	p        *tape
	src, dst netip.AddrPort
	up, down uint32 // next sequence numbers
}

// dial opens a connection with the three segments of TCP.
func (p *tape) dial(src, dst netip.AddrPort, isn uint32) *talk {
	c := &talk{p: p, src: src, dst: dst, up: isn + 1, down: isn/2 + 1}
	p.tcp(src, dst, syn, isn, 0, nil)
	p.tcp(dst, src, syn|ack, isn/2, isn+1, nil)
	p.tcp(src, dst, ack, c.up, c.down, nil)
	return c
}

// say sends payload of the client, and an acknowledgement back.
func (c *talk) say(payload []byte) {
	c.p.tcp(c.src, c.dst, ack, c.up, c.down, payload)
	c.up += uint32(len(payload))
	c.p.tcp(c.dst, c.src, ack, c.down, c.up, nil)
}

// hear sends payload of the server, and an acknowledgement back.
func (c *talk) hear(payload []byte) {
	c.p.tcp(c.dst, c.src, ack, c.down, c.up, payload)
	c.down += uint32(len(payload))
	c.p.tcp(c.src, c.dst, ack, c.up, c.down, nil)
}

var (
	client   = netip.MustParseAddrPort("10.0.0.7:40000")
	server   = netip.MustParseAddrPort("192.0.2.80:443")
	resolver = netip.MustParseAddrPort("192.0.2.53:53")
)

// question and answerA are DNS messages about the A record of a name.
func question(id uint16, name string) []byte {
	b := append(binary.BigEndian.AppendUint16(nil, id), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	return append(appendName(b, name), 0, 1, 0, 1)
}

func answerA(id uint16, name string, ttl uint32, addrs ...netip.Addr) []byte {
	b := question(id, name)
	b[2], b[3], b[7] = 0x81, 0x80, byte(len(addrs))
	for _, a := range addrs {
		b = binary.BigEndian.AppendUint32(append(b, 0xc0, 12, 0, 1, 0, 1), ttl)
		v4 := a.As4()
		b = append(append(b, 0, 4), v4[:]...)
	}
	return b
}

func appendName(b []byte, name string) []byte {
	for label := range labels(name) {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0)
}

// lookup is a question of the client, and its answer.
func (p *tape) lookup(who netip.AddrPort, id uint16, name string, addrs ...netip.Addr) {
	p.udp(who, resolver, question(id, name))
	p.udp(resolver, who, answerA(id, name, 300, addrs...))
}

// flowsOf are the documents of flows, without look-ups.
func flowsOf(r *recorder) (flows []event.Event) {
	for _, ev := range r.events {
		if ev.DNS == nil {
			flows = append(flows, ev)
		}
	}
	return flows
}

// inspected runs the tape as `inspect` does.
func inspected(t testing.TB, p *tape) *recorder {
	t.Helper()
	all := settings()
	all.All = true
	return run(t, all, p.rewind())
}
