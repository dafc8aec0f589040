package sensor

import (
	"maps"
	"sync"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dns"
)

// Coverage says how much of the traffic a sensor saw and could read, since its start.
type Coverage struct {
	Received uint64 `json:"received"` // frames
	Dropped  uint64 `json:"dropped"`  // frames that the kernel had no room for
	Freezes  uint64 `json:"freezes"`  // times that the ring was full
	Segments uint64 `json:"segments"` // frames that held TCP or UDP
	// Copies are segments that were captured before, and are not counted again: the mirror sends them twice.
	Copies      uint64            `json:"copies"`
	Undecodable map[string]uint64 `json:"undecodable,omitempty"`
	Flows       uint64            `json:"flows"`
	Live        uint64            `json:"flows_live"`
	// Readable are the flows that ended so far and carried payload to or from a server's port 443 or began with a hello or a request;
	// Named are those of them whose name could be read.
	Readable uint64 `json:"flows_readable"`
	Named    uint64 `json:"flows_named"`
	// ECH, EncryptedDNS and Relay are flows whose names somebody hides, on any port; see Web and OtherPorts.
	ECH          uint64 `json:"ech"`
	EncryptedDNS uint64 `json:"encrypted_dns"`
	Relay        uint64 `json:"relay"`
	// ECHOffered counts hellos that carry an encrypted one or a dummy of it (GREASE).
	ECHOffered uint64 `json:"hellos_ech"`
	// Web divides the traffic to port 443, OtherPorts what hides names on other ports; HiddenBy says by what.
	Web        event.Sight           `json:"web"`
	OtherPorts event.Sight           `json:"other_ports"`
	HiddenBy   map[string]event.Part `json:"hidden_by,omitempty"`
	OneSided   uint64                `json:"one_sided"`
	Cut        uint64                `json:"cut"` // flows of which the snaplen cut payload off
	Hellos     uint64                `json:"hellos"`
	Requests   uint64                `json:"requests"`
	DNS        uint64                `json:"dns_messages"`
	Evicted    uint64                `json:"evicted"`
	Resumed    uint64                `json:"resumed"`
	GivenUp    uint64                `json:"given_up"` // beginnings of streams that were let go for want of memory
	// VisitsCut are visits that were closed early for want of memory, and count again if they go on.
	VisitsCut uint64 `json:"visits_cut"`
	// Sources are the log sources, by name.
	Sources map[string]event.Source `json:"sources,omitempty"`
	// TwoEyes says what packets and logs saw both; nil: there was but one of them.
	TwoEyes *event.TwoEyes `json:"two_eyes,omitempty"`
}

// Add adds what another worker saw.
func (c *Coverage) Add(o *Coverage) {
	for _, p := range []struct {
		to   *uint64
		from uint64
	}{{&c.Received, o.Received}, {&c.Dropped, o.Dropped}, {&c.Freezes, o.Freezes}, {&c.Segments, o.Segments}, {&c.Copies, o.Copies},
		{&c.Flows, o.Flows}, {&c.Live, o.Live}, {&c.Readable, o.Readable}, {&c.Named, o.Named}, {&c.ECH, o.ECH}, {&c.EncryptedDNS, o.EncryptedDNS},
		{&c.Relay, o.Relay}, {&c.ECHOffered, o.ECHOffered}, {&c.OneSided, o.OneSided}, {&c.Cut, o.Cut},
		{&c.Hellos, o.Hellos}, {&c.Requests, o.Requests}, {&c.DNS, o.DNS}, {&c.Evicted, o.Evicted}, {&c.Resumed, o.Resumed},
		{&c.GivenUp, o.GivenUp}, {&c.VisitsCut, o.VisitsCut}} {
		*p.to += p.from
	}
	c.Web.Add(&o.Web)
	c.OtherPorts.Add(&o.OtherPorts)
	for by, p := range o.HiddenBy {
		if c.HiddenBy == nil {
			c.HiddenBy = map[string]event.Part{}
		}
		c.HiddenBy[by] = c.HiddenBy[by].Plus(p)
	}
	for reason, n := range o.Undecodable {
		if c.Undecodable == nil {
			c.Undecodable = map[string]uint64{}
		}
		c.Undecodable[reason] += n
	}
	for name, n := range o.Sources {
		if c.Sources == nil {
			c.Sources = map[string]event.Source{}
		}
		c.Sources[name] = c.Sources[name].Plus(n)
	}
}

// Since is what a record of coverage says of the time since before.
func (c *Coverage) Since(before *Coverage) *event.Coverage {
	r := &event.Coverage{Received: c.Received - before.Received, Dropped: c.Dropped - before.Dropped, Copies: c.Copies - before.Copies, Undecodable: map[string]uint64{},
		Flows: c.Flows - before.Flows, FlowsReadable: c.Readable - before.Readable, FlowsNamed: c.Named - before.Named,
		ECH: c.ECH - before.ECH, EncryptedDNS: c.EncryptedDNS - before.EncryptedDNS, Relay: c.Relay - before.Relay,
		OneSided: c.OneSided - before.OneSided, Cut: c.Cut - before.Cut, Evicted: c.Evicted - before.Evicted,
		Web: c.Web.Minus(before.Web), OtherPorts: c.OtherPorts.Minus(before.OtherPorts)}
	for reason, n := range c.Undecodable {
		if n -= before.Undecodable[reason]; n > 0 {
			r.Undecodable[reason] = n
		}
	}
	for by, p := range c.HiddenBy {
		if p = p.Minus(before.HiddenBy[by]); p.Flows+p.Bytes > 0 {
			if r.HiddenBy == nil {
				r.HiddenBy = map[string]event.Part{}
			}
			r.HiddenBy[by] = p
		}
	}
	for name, n := range c.Sources { // a silent one too: that it says nothing is what has to be told
		if r.Sources == nil {
			r.Sources = map[string]event.Source{}
		}
		r.Sources[name] = n.Minus(before.Sources[name])
	}
	return r
}

// counters count what the worker sees; published is the copy that others may read.
type counters struct {
	readable, named, echOffered, oneSided, cut, hellos, requests, messages uint64

	web, otherPorts event.Sight
	hiddenBy        map[string]event.Part

	mu        sync.Mutex // guards published
	published Coverage
}

func (c *counters) found(o *evidence.Observation) {
	if o.Request != nil {
		c.requests++
		return
	}
	c.hellos++
	if o.Hello.ECH {
		c.echOffered++
	}
}

func (c *counters) dns(*dns.Message) { c.messages++ }

// sight counts a part of the traffic, and what hid its names.
func (c *counters) sight(web bool, k sighting, by string, p event.Part) {
	sum := &c.web
	if !web {
		sum = &c.otherPorts
	}
	to := k.of(sum)
	*to = to.Plus(p)
	if by != "" {
		if c.hiddenBy == nil {
			c.hiddenBy = map[string]event.Part{}
		}
		c.hiddenBy[by] = c.hiddenBy[by].Plus(p) // entries of the catalogue and a few protocols: bounded
	}
}

// ended counts a flow when it is over.
func (c *counters) ended(f *flow.Flow) {
	if f.State&flow.Cut != 0 {
		c.cut++
	}
	up, down := f.Half[0].Bytes, f.Half[1].Bytes
	if up+down == 0 {
		return
	}
	if f.Key.Proto == decode.TCP && (f.Half[0].Packets == 0 || f.Half[1].Packets == 0) {
		c.oneSided++
	}
	if f.State&(flow.ByName|flow.HTTP) != 0 || f.Key.Port(1-f.Client()) == 443 {
		c.readable++
		if f.State&(flow.Named|flow.Hidden) == flow.Named {
			c.named++
		}
	}
}

// Coverage says what the sensor has seen; it may be called from another goroutine.
func (s *Sensor) Coverage() Coverage {
	s.counters.mu.Lock()
	defer s.counters.mu.Unlock()
	c := s.counters.published
	if counted, ok := s.source.(capture.Counted); ok {
		stats := counted.Stats()
		c.Received, c.Dropped, c.Freezes = stats.Received, stats.Dropped, stats.Freezes
	}
	return c
}

// publish makes the counters visible to others.
func (s *Sensor) publish() {
	c, d, t := &s.counters, s.decode.Stats(), s.flows.Stats()
	if !s.config.Share.counts() {
		d = decode.Stats{}
	}
	p := Coverage{Received: d.Frames, Segments: d.Segments, Copies: s.copies.found, Flows: t.Created, Live: uint64(t.Live),
		Readable: c.readable, Named: c.named,
		ECH: c.web.ECH.Flows, EncryptedDNS: c.web.EncryptedDNS.Flows + c.otherPorts.EncryptedDNS.Flows,
		Relay: c.web.Relay.Flows + c.otherPorts.Relay.Flows, ECHOffered: c.echOffered, OneSided: c.oneSided, Cut: c.cut,
		Web: c.web, OtherPorts: c.otherPorts, HiddenBy: maps.Clone(c.hiddenBy), Hellos: c.hellos, Requests: c.requests, DNS: c.messages,
		Evicted: t.Evicted, Resumed: t.Resumed, GivenUp: s.evidence.Stats().GivenUp + s.tunnels.lost}
	for _, r := range decode.Reasons() {
		if n := d.Undecoded[r]; n > 0 {
			if p.Undecodable == nil {
				p.Undecodable = map[string]uint64{}
			}
			p.Undecodable[r.String()] = n
		}
	}
	c.mu.Lock()
	c.published = p
	c.mu.Unlock()
}

var _ evidence.Sink = (*Sensor)(nil)
var _ flow.Owner = (*Sensor)(nil)
