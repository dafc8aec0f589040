package evidence

import (
	"context"
	stdtls "crypto/tls"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dns"
)

// newRand is a source of numbers that are the same in every run.
func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) }

// harness is a flow table with a reader, and a sink that writes down what it is told.
type harness struct {
	t      testing.TB
	flows  *flow.Table
	reader *Reader
	found  []string // class and name
	asked  []string // names of DNS questions
	client []uint8
	time   int64
	ports  int

	renewed int
	last    decode.Segment
}

func newHarness(t testing.TB, config Config) *harness {
	t.Helper()
	h := &harness{t: t}
	var err error
	if h.flows, err = flow.New(flow.Default(), h); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.flows.Close)
	h.reader = New(config, h.flows, h)
	return h
}

// Soon implements flow.Owner.
func (h *harness) Soon(*flow.Flow) {}

func (h *harness) Ending(f *flow.Flow, side *flow.Side) { h.reader.Ending(f, side) }

func (h *harness) Emit(*flow.Flow, *flow.Side, flow.End) {}

func (h *harness) Found(f *flow.Flow, seg *decode.Segment, o *Observation) {
	h.found = append(h.found, o.Class.String()+" "+string(o.Name))
	h.client = append(h.client, f.Client())
	if o.Class == classifiers.ClassSNI && o.Hello == nil || o.Class == classifiers.ClassConnect && o.Request == nil || (seg.Dir != f.Client()) != (o.Class == classifiers.ClassCertificate) {
		h.t.Errorf("observation %+v of direction %d, client %d", o, seg.Dir, f.Client())
	}
}

func (h *harness) Message(f *flow.Flow, _ *decode.Segment, m *dns.Message, raw []byte) {
	if len(raw) == 0 || f != nil && f.Key.Proto != decode.TCP {
		h.t.Error("a message without bytes, or with a flow of UDP")
	}
	name := string(m.QName)
	if m.Response {
		name = "re " + name
	}
	h.asked = append(h.asked, name)
}

// Nameless is heard, and has no name to write down.
func (h *harness) Nameless(f *flow.Flow, _ int64) {
	if f.Has(flow.Named) {
		h.t.Error("the search was given up for a flow that has a name")
	}
}

// send takes a segment through the stages in the sensor's order.
func (h *harness) send(seg decode.Segment) *flow.Flow {
	h.t.Helper()
	seg.Hash = (uint64(seg.Key.Ports) ^ uint64(seg.Key.Proto)<<32) * 0x9e3779b97f4a7c15 // as many as there are ports and protocols: addresses are the same
	if seg.Len == 0 {
		seg.Len = uint32(len(seg.Payload))
	}
	h.time++
	seg.Time = h.time
	h.last = seg
	f, err := h.flows.Open(&seg)
	if err != nil {
		h.t.Fatal(err)
	}
	if f.State&flow.Settled != 0 && seg.Key.Proto == decode.UDP && h.reader.Renewed(f, &seg) {
		h.renewed++
		if f, err = h.flows.Renew(f, &seg); err != nil {
			h.t.Fatal(err)
		}
	}
	if f.State&flow.Settled == 0 {
		h.reader.From(f, &seg)
	}
	h.flows.Add(f, &seg)
	return f
}

// balanced fails if anything that was lent has not been given back when all flows have ended.
func (h *harness) balanced() {
	h.t.Helper()
	h.flows.Finish()
	r := h.reader
	if r.shop.held != 0 || r.shop.oldest != nil || r.shop.newest != nil || r.clients.lent != 0 {
		h.t.Errorf("%d bytes and %d clients are still lent", r.shop.held, r.clients.lent)
	}
	seen := map[*assembly]bool{}
	for _, a := range r.shop.free {
		if seen[a] || a.owner != nil || a.older != nil || a.newer != nil {
			h.t.Errorf("assembly %p is free twice, or somebody's", a)
		}
		seen[a] = true
	}
}

// names checks what was found, in order.
func (h *harness) names(want ...string) {
	h.t.Helper()
	if !slices.Equal(h.found, want) {
		h.t.Errorf("found %q, want %q", h.found, want)
	}
}

// conn is a TCP connection whose client sends.
type conn struct {
	h    *harness
	port int
	to   int
	isn  uint32
	at   int // bytes that were sent in order
	// acked is how many bytes of the server the client has acknowledged.
	acked uint32
}

// dial begins a connection from a port of its own. ISNs are such that streams soon go around the end of the sequence space.
func (h *harness) dial(to int, syn bool) *conn {
	h.ports++
	c := &conn{h: h, port: h.ports, to: to, isn: ^uint32(700)}
	if syn {
		c.seg(0, c.isn, nil, decode.SYN)
		c.seg(1, 5000, nil, decode.SYN|decode.ACK)
	}
	return c
}

func tuple(port, to int, proto uint32) decode.Key {
	v4 := uint64(0xffff) << 32
	return decode.Key{A: decode.Address{Lo: v4 | 0x0a000001}, B: decode.Address{Lo: v4 | 0xc0000201}, Ports: uint32(port)<<16 | uint32(to), Proto: proto}
}

func (c *conn) seg(dir uint8, seq uint32, b []byte, flags uint8) *flow.Flow {
	seg := decode.Segment{Key: tuple(c.port, c.to, decode.TCP), Dir: dir, Seq: seq, Payload: b, Flags: flags}
	switch {
	case dir == 1:
		seg.Ack = c.isn + 1 // of the SYN alone
	case flags&decode.ACK != 0:
		seg.Ack = 5001 + c.acked
	}
	return c.h.send(seg)
}

// place sends b as the bytes of the client's stream from at on.
func (c *conn) place(at int, b []byte) *flow.Flow {
	return c.seg(0, c.isn+1+uint32(at), b, decode.ACK)
}

// say sends b next in order.
func (c *conn) say(b []byte) *flow.Flow {
	c.at += len(b)
	return c.place(c.at-len(b), b)
}

// reply sends bytes of the server.
func (c *conn) reply(at int, b []byte) *flow.Flow { return c.seg(1, 5001+uint32(at), b, decode.ACK) }

// helloOf is the first flight that crypto/tls sends for the name: a record with a ClientHello.
func helloOf(t testing.TB, name string, postQuantum bool) []byte {
	t.Helper()
	config := &stdtls.Config{ServerName: name, NextProtos: []string{"h2", "http/1.1"}}
	if !postQuantum {
		config.CurvePreferences = []stdtls.CurveID{stdtls.X25519}
	}
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = stdtls.Client(client, config).HandshakeContext(context.Background()) // ends when the pipe does
	}()
	b := make([]byte, 1<<14)
	n, err := server.Read(b)
	server.Close()
	<-done
	client.Close()
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// records puts a hello into records of at most n bytes each.
func records(hello []byte, n int) []byte {
	var out []byte
	for body := hello[5:]; len(body) > 0; {
		k := min(n, len(body))
		out = append(out, hello[0], hello[1], hello[2])
		out = binary.BigEndian.AppendUint16(out, uint16(k))
		out, body = append(out, body[:k]...), body[k:]
	}
	return out
}
