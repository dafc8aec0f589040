package sensor

import (
	"strconv"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// Ending implements flow.Owner.
func (s *Sensor) Ending(f *flow.Flow, side *flow.Side) {
	s.evidence.Ending(f, side)
	if f.State&(flow.Named|flow.Denied) == 0 && f.Half[0].Bytes+f.Half[1].Bytes > 0 {
		s.Nameless(f, f.Last)
	}
	s.counters.ended(f)
	s.endName(f, true)
	s.account(f, s.storyOf(f))
	measured(f, s.flows.Peek(f))
	lastCall(f, s.flows.Peek(f))
}

// Soon implements flow.Owner.
func (s *Sensor) Soon(f *flow.Flow) {
	if s.config.Clients != nil {
		s.config.Clients.ahead(f.Key.Address(f.Client()), &s.ways)
	}
	if spot := s.unlisted.spotIf(s.flows.Slot(f)); spot != nil && spot.ref != 0 {
		s.config.Unlisted.Ahead(spot.ref)
	}
}

// Emit implements flow.Owner: a slice of a flow that is reported, or the end of any other flow.
func (s *Sensor) Emit(f *flow.Flow, side *flow.Side, end flow.End) {
	var st *story
	if side != nil {
		st, _ = side.Owner.(*story)
	}
	s.accountSlice(f, st, end)
	s.config.Explain.end(f, st, end)
	switch {
	case s.config.All && !s.config.SliceAll:
		if end != flow.EndNone {
			s.offerFlow(f, st, end)
		}
	case f.State&flow.Matched != 0 && st != nil && (st.verdict.Service != nil || s.config.SliceAll):
		s.offerSlice(f, side, st, end)
	case s.config.SliceAll:
		s.offerFlow(f, st, end)
	}
}

// slices begins slices for f, unless whole flows are reported: those are written once, at their end.
func (s *Sensor) slices(f *flow.Flow, at int64) {
	if !s.config.All || s.config.SliceAll {
		s.flows.Slices(f, at, s.config.FirstSlice, s.config.Slice)
	}
}

// offerFlow writes a whole flow.
func (s *Sensor) offerFlow(f *flow.Flow, st *story, end flow.End) {
	ev := s.flowEvent(f, st)
	ev.Timestamp, ev.Event.Start, ev.Event.End = event.Time(f.Last), event.Time(f.First), event.Time(f.Last)
	up, down := f.Up(), f.Down()
	s.draft.source.carried(up.Bytes, uint64(up.Packets))
	s.draft.destination.carried(down.Bytes, uint64(down.Packets))
	ev.Gnomon.Flow.End = end.String()
	t := s.tuple(f)
	if st != nil {
		if len(st.hosts) > 0 {
			s.setHost(ev, st, st.hosts[0])
		}
		s.setVerdict(ev, st)
		s.setUpload(ev, f, st)
	}
	ev.Event.ID = s.sliceID(&t, f.First, serviceID(st))
	s.sink.Offer(ev)
}

// offerSlice writes what the flow carried for its current service since the slice before.
func (s *Sensor) offerSlice(f *flow.Flow, side *flow.Side, st *story, end flow.End) {
	if st.verdict.Service != nil && !st.verdict.Use() {
		s.beside(f, side, st, end)
		return
	}
	slice := st.pending(&side.Slice)
	ev := s.sliceEvent(f, slice, st, end)
	if st.verdict.Service != nil {
		s.setVerdict(ev, st)
		start := f.First
		if ev.Gnomon.Flow.Slice > 0 {
			start = slice.Start
		}
		who, onward := s.person(ev.Source.IP, st.verdict.Service.ID, start)
		id := s.config.Visits.Use(s.config.Observer.ID, who, st.verdict.Service.ID, start, f.Last)
		st.onward = st.onward || onward && ev.Gnomon.Flow.Slice == 0
		s.draft.setVisit(id, !st.onward)
	}
	s.offerSliceEvent(ev, f, slice, st)
}

// sliceEvent fills in what a record of a slice says, but for the service.
func (s *Sensor) sliceEvent(f *flow.Flow, slice *flow.Slice, st *story, end flow.End) *event.Event {
	ev := s.flowEvent(f, st)
	ev.Timestamp, ev.Event.Start, ev.Event.End = event.Time(f.Last), event.Time(slice.Start), event.Time(f.Last)
	client := f.Client()
	s.draft.source.carried(delta(f, slice, client))
	s.draft.destination.carried(delta(f, slice, 1-client))
	ev.Gnomon.Flow.Slice = st.nextSlice()
	ev.Gnomon.Flow.End = end.String()
	s.setUpload(ev, f, st)
	return ev
}

func (s *Sensor) offerSliceEvent(ev *event.Event, f *flow.Flow, slice *flow.Slice, st *story) {
	t := s.tuple(f)
	ev.Event.ID = s.sliceID(&t, slice.Start, serviceID(st))
	s.sink.Offer(ev)
}

func delta(f *flow.Flow, slice *flow.Slice, side uint8) (bytes, packets uint64) {
	h := &f.Half[side]
	return h.Bytes - slice.Bytes[side], uint64(h.Packets - slice.Packets[side])
}

// offerName writes a further name of a flow, without byte counts.
func (s *Sensor) offerName(f *flow.Flow, now int64, st *story) {
	ev := s.flowEvent(f, st)
	ev.Timestamp, ev.Event.Start, ev.Event.End = event.Time(now), event.Time(now), event.Time(now)
	s.setHost(ev, st, st.host)
	s.setVerdict(ev, st)
	t := s.tuple(f)
	ev.Event.ID = s.sliceID(&t, now, "name:"+st.host)
	s.sink.Offer(ev)
}

// flowEvent fills in what every record of a flow says.
func (s *Sensor) flowEvent(f *flow.Flow, st *story) *event.Event {
	client := f.Client()
	ev := s.newEvent(&f.Key, client, f.VLAN, f.Iface)
	t, d := s.tuple(f), &s.draft
	if !s.config.Sums {
		d.flow.ID = event.FlowID(s.config.Observer.ID, &t)
	}
	ev.Gnomon.Flow = &d.flow
	ev.Gnomon.Tunnel = decode.Tunnels(f.Tunnels).Names()
	if st == nil {
		return ev
	}
	ev.Destination.Domain = st.dnsName
	ev.Network.Protocol = st.protocol
	ev.Source.MAC = macString(st.mac)
	if st.hello {
		ev.Gnomon.Flow.Multiplexed = st.nextProtocol == "h2" || st.nextProtocol == "h3"
		d.client = event.TLSClient{ServerName: st.serverName, JA4: st.ja4}
		d.tls = event.TLS{NextProtocol: st.nextProtocol, Version: st.version, Client: &d.client}
		ev.TLS = &d.tls
		st.certificate.set(ev)
		if st.serverName != "" && st.class != classifiers.ClassIPFromDNS {
			ev.Destination.Domain = st.serverName
		}
		if st.ech {
			d.ech = true
			ev.Gnomon.ECH = &d.ech
		}
	}
	s.setHost(ev, st, st.host)
	if st.userAgent != "" {
		ev.UserAgent = &event.UserAgent{Original: st.userAgent}
	}
	if st.proxyUser != "" {
		ev.User = &event.User{Name: st.proxyUser}
	}
	return ev
}

// setHost says which host a request was for.
func (s *Sensor) setHost(ev *event.Event, st *story, host string) {
	if st.method == "" {
		return
	}
	ev.HTTP = &event.HTTP{Request: &event.HTTPRequest{Method: st.method}}
	if host == "" {
		return
	}
	ev.URL = &event.URL{Domain: host}
	if st.serverName == "" {
		ev.Destination.Domain = host
	}
}

// setVerdict says which service it was and on what evidence.
func (s *Sensor) setVerdict(ev *event.Event, st *story) {
	svc := st.verdict.Service
	if svc == nil {
		return
	}
	s.draft.setService(st.verdict, s.config.Ruleset())
	s.draft.setEvidence(st.class, st.verdict, st.also)
	if !st.verdict.Use() {
		ev.Gnomon.Evidence.Role = st.verdict.Role.String()
	}
}

// setUpload says what left since the slice before.
func (s *Sensor) setUpload(ev *event.Event, f *flow.Flow, st *story) {
	if total, ok := s.uploaded(f, st); ok {
		ev.Gnomon.Upload = st.delta(total)
		ev.Gnomon.Use = st.use()
	}
}

// sliceID is the identifier of a record, unless records are only added up.
func (s *Sensor) sliceID(t *event.Tuple, start int64, what string) string {
	if s.config.Sums {
		return ""
	}
	return event.SliceID(s.config.Observer.ID, event.DatasetActivity, t, start, what)
}

func serviceID(st *story) string {
	if st == nil || st.verdict.Service == nil {
		return ""
	}
	return st.verdict.Service.ID
}

func (s *Sensor) tuple(f *flow.Flow) event.Tuple {
	return tuple(&f.Key, f.Client(), f.VLAN, f.First)
}

func tuple(k *decode.Key, client uint8, vlan uint16, start int64) event.Tuple {
	return event.Tuple{Source: k.Endpoint(client), Destination: k.Endpoint(1 - client), Protocol: uint8(k.Proto), VLAN: vlan, Start: start}
}

// newEvent fills in what every record says: the five-tuple, seen from the client, and the observer. It is the worker's draft, and that of the
// record before is over.
func (s *Sensor) newEvent(k *decode.Key, client uint8, vlan, iface uint16) *event.Event {
	src, dst := k.Endpoint(client), k.Endpoint(1-client)
	d := &s.draft
	*d = draft{ecs: event.ECS{Version: event.ECSVersion}, observer: s.config.Observer, gnomon: event.Gnomon{Schema: event.SchemaVersion, Site: s.config.Site},
		network: event.Network{Transport: transportName(k.Proto), Type: "ipv4"}}
	if !s.config.Sums {
		d.network.CommunityID = event.CommunityID(src, dst, uint8(k.Proto))
	}
	if named, ok := s.source.(capture.Named); ok {
		if name := named.InterfaceName(iface); name != "" {
			d.ingress.Interface.Name = name
			d.observer.Ingress = &d.ingress
		}
	}
	d.event = event.Event{ECS: &d.ecs, Event: event.Meta{Dataset: event.DatasetActivity, Kind: "event", Category: s.category},
		Observer: &d.observer, Source: d.source.of(src), Destination: d.destination.of(dst), Network: &d.network, Gnomon: &d.gnomon}
	ev := &d.event
	if src.Addr().Is6() {
		ev.Network.Type = "ipv6"
	}
	if vlan > 0 {
		ev.Network.VLAN = &event.VLAN{ID: strconv.Itoa(int(vlan) - 1)}
	}
	return ev
}

func transportName(proto uint32) string {
	if proto == decode.UDP {
		return "udp"
	}
	return "tcp"
}
