// Package evidence follows what the payload of flows shows of names: it puts the beginnings of streams together, hands them to the
// parsers below wire and says what they found. It counts no bytes (see flow) and judges no names (see classifiers).
package evidence

import (
	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dns"
	"github.com/gnomon-sensor/gnomon/sensor/wire/http"
	"github.com/gnomon-sensor/gnomon/sensor/wire/quic"
	"github.com/gnomon-sensor/gnomon/sensor/wire/tls"
)

// Observation is something that a flow showed. Its fields alias the frame or the reader's buffers and are valid during the call of
// Found only. Name is empty where a hello or request carries none.
type Observation struct {
	Class   classifiers.Class
	Name    []byte
	Hello   *tls.Hello    // SNI and QUIC-SNI
	Request *http.Request // HTTP host and CONNECT
	// Awaits says that the hello carries no name and that the server's certificate is waited for: another observation of the same flow
	// follows, with what it shows or without names.
	Awaits      bool
	Certificate *Certificate // certificate
}

// Sink is told what was found.
type Sink interface {
	// Found is called for every hello and every request, before the segment that completed it is counted.
	Found(f *flow.Flow, seg *decode.Segment, o *Observation)
	// Nameless is called when the search for a name in f is given up; it may be called again for the same flow.
	Nameless(f *flow.Flow, at int64)
	// Message is called for every DNS message over UDP or TCP; f is nil over UDP, where no flow is kept.
	Message(f *flow.Flow, seg *decode.Segment, m *dns.Message, raw []byte)
}

// Config bounds what a reader holds.
type Config struct {
	// AssemblyBytes bounds the beginnings of TCP streams that are being put together.
	AssemblyBytes int
	// QUICHandshakes bounds how many QUIC connections may be half-way through their first flight.
	QUICHandshakes int
}

// Default returns the defaults.
func Default() Config { return Config{AssemblyBytes: 32 << 20, QUICHandshakes: 8192} }

// Stats are the counters since New.
type Stats struct {
	GivenUp uint64 // half-read beginnings that were let go for want of memory
}

// Reader reads the payload of one worker's flows and belongs to its goroutine.
type Reader struct {
	flows   *flow.Table
	sink    Sink
	shop    shop
	streams []*stream // for the next flows
	clients clients

	hello   tls.Hello
	message []byte // where a hello over several records is put together; as large as it may be, so that no caller's bytes are kept as a buffer
	request http.Request
	dns     dns.Message
	leaf    tls.Certificate
	shown   Certificate
	awaited int         // flows whose certificate is waited for
	refused uint64      // flows whose certificate was not waited for, because too many were
	seen    Observation // here because what an interface is given would be allocated
}

// New returns a reader of the table's flows. The table's owner passes Ending on to it.
func New(config Config, flows *flow.Table, sink Sink) *Reader {
	return &Reader{flows: flows, sink: sink, shop: shop{budget: config.AssemblyBytes}, message: make([]byte, 0, maxAssembly),
		clients: clients{limit: config.QUICHandshakes}}
}

// Stats are the counters since New.
func (r *Reader) Stats() Stats { return Stats{GivenUp: r.shop.givenUp + r.clients.refused + r.refused} }

// From reads the payload of a segment that belongs to f, which is not settled, and has not been counted yet.
func (r *Reader) From(f *flow.Flow, seg *decode.Segment) {
	if len(seg.Payload) == 0 {
		return
	}
	if seg.Key.Proto == decode.UDP {
		r.udp(f, seg)
		return
	}
	if seg.Flags&decode.RST == 0 {
		r.tcp(f, seg)
	}
}

// Ending lets go of what is held for a flow that ends, and uses what was half read.
func (r *Reader) Ending(f *flow.Flow, side *flow.Side) {
	if side == nil {
		return
	}
	switch held := side.Reader.(type) {
	case *stream:
		r.endStream(f, held) // the stream itself goes with the side state: Body is still asked
	case *handshake:
		r.clients.giveBack(held)
	}
}

// settle marks that nothing more is to be read of f.
func (r *Reader) settle(f *flow.Flow) {
	f.State |= flow.Settled
	side := r.flows.Peek(f)
	if side == nil {
		return
	}
	switch held := side.Reader.(type) {
	case *stream:
		r.drop(held)
		r.stopWaiting(held)
		r.putStream(held)
	case *handshake:
		r.clients.giveBack(held)
	}
	side.Reader = nil
	r.flows.Forget(f)
}

// tellHello parses a whole ClientHello and tells the sink. It returns false if it is none.
func (r *Reader) tellHello(f *flow.Flow, seg *decode.Segment, class classifiers.Class, msg []byte) bool {
	if r.hello.Parse(msg) != nil {
		return false
	}
	f.SetClient(seg.Dir)
	if len(r.hello.ServerName) > 0 {
		f.State |= flow.Named
	}
	if r.hello.ECH {
		f.State |= flow.ECH
	}
	awaits := f.State&flow.Named == 0 && class == classifiers.ClassSNI && r.await(f, seg)
	o := &r.seen
	o.Class, o.Name, o.Hello, o.Awaits = class, r.hello.ServerName, &r.hello, awaits // one by one: a literal would be copied, and stall
	o.Request, o.Certificate = nil, nil
	r.sink.Found(f, seg, o)
	return true
}

// portDNS is where name servers listen (RFC 1035, section 4.2). mDNS and LLMNR look the same and mean something else: who announces
// what on the link, not who looked up what.
const portDNS = 53

// DNS reads a UDP datagram from or to the DNS port. It returns false if it is no DNS message, which is then a flow's like any other.
func (r *Reader) DNS(seg *decode.Segment) bool {
	if seg.Key.Proto != decode.UDP || !seg.Key.HasPort(portDNS) {
		return false
	}
	if !dns.Plausible(seg.Payload) || r.dns.Parse(seg.Payload) != nil {
		return false
	}
	r.sink.Message(nil, seg, &r.dns, seg.Payload)
	return true
}

// tellMessage reads one DNS message of a TCP stream.
func (r *Reader) tellMessage(f *flow.Flow, seg *decode.Segment, msg []byte) bool {
	if !dns.Plausible(msg) || r.dns.Parse(msg) != nil {
		return false
	}
	r.sink.Message(f, seg, &r.dns, msg)
	return true
}

// handshake is Side.Reader of a UDP flow: the QUIC client that each side may turn out to be.
type handshake struct {
	client [2]*quic.Client
}

// clients lends QUIC clients, at most limit at a time.
type clients struct {
	free    []*quic.Client
	pairs   []*handshake
	lent    int
	limit   int
	refused uint64
}

func (c *clients) lend() *quic.Client {
	if c.lent >= c.limit {
		c.refused++
		return nil
	}
	c.lent++
	if n := len(c.free); n > 0 {
		client := c.free[n-1]
		c.free = c.free[:n-1]
		client.Reset()
		return client
	}
	return new(quic.Client)
}

// pair returns the state of a flow that may be QUIC.
func (c *clients) pair() *handshake {
	if n := len(c.pairs); n > 0 {
		h := c.pairs[n-1]
		c.pairs = c.pairs[:n-1]
		return h
	}
	return new(handshake)
}

// put takes one client back.
func (c *clients) put(client *quic.Client) {
	c.lent--
	c.free = append(c.free, client)
}

func (c *clients) giveBack(h *handshake) {
	for i, client := range h.client {
		if client != nil {
			c.put(client)
			h.client[i] = nil
		}
	}
	c.pairs = append(c.pairs, h)
}
