package sensor

import (
	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/upload"
)

// meter estimates the uploads of one encrypted connection: upload.TLS or upload.QUIC.
type meter interface {
	Add(seg *decode.Segment, client bool)
	// Method is empty while nothing can be known.
	Method() string
	Total() upload.Estimate
	Use() upload.Use
	// End decides what was left open: no further segment belongs to it.
	End()
}

var (
	_ meter = (*upload.TLS)(nil)
	_ meter = (*upload.QUIC)(nil)
)

// leastDatagram is what every path takes of QUIC (RFC 9000, section 14).
const leastDatagram = 1200

// clearHead is the least that a request's head takes of a connection in the clear on which the heads could not all be read: a request line,
// Host and a length.
const clearHead = 100

// measure follows a flow that has a meter.
func (s *Sensor) measure(f *flow.Flow, seg *decode.Segment) {
	if st := s.storyOf(f); st != nil && st.meter != nil {
		st.meter.Add(seg, seg.Dir == f.Client())
	}
}

// measureHello begins to measure a connection at its hello, if this is one; the segment completes it.
func (s *Sensor) measureHello(f *flow.Flow, st *story, seg *decode.Segment, o *evidence.Observation) {
	if o.Hello == nil {
		return
	}
	f.State |= flow.Metered
	if o.Class == classifiers.ClassQUICSNI {
		st.meter = upload.NewQUIC(seg.Len)
		return
	}
	next := seg.Seq // the hello lies in one segment, or ends with it
	if p := seg.Payload; len(p) < 2 || p[0] != 0x16 || p[1] != 3 {
		next += seg.Len
		if h := &f.Half[seg.Dir]; f.State&(flow.SeenA<<seg.Dir) != 0 && int32(h.Next-next) > 0 {
			next = h.Next
		}
	}
	hello := upload.Hello{Early: o.Hello.EarlyData}
	for name := range o.Hello.NextProtocols() {
		hello.HTTP2 = hello.HTTP2 || string(name) == "h2"
	}
	st.meter = upload.NewTLS(hello, next)
}

// measureUnknown begins to measure a connection that has shown no hello yet.
func (s *Sensor) measureUnknown(f *flow.Flow, st *story) {
	switch {
	case st.meter != nil:
		return
	case f.Key.Proto == decode.TCP:
		st.meter = upload.NewTCP()
	case f.Key.HasPort(portHTTPS): // QUIC that has not shown its hello (RFC 9114, section 3.1.2)
		st.meter = upload.NewQUIC(leastDatagram)
	default:
		return
	}
	f.State |= flow.Metered
}

// begin measures every flow from its first payload on, where every flow is shown.
func (s *Sensor) begin(f *flow.Flow, seg *decode.Segment) {
	if !s.config.All || f.State&flow.Metered != 0 || seg.Len == 0 || seg.Key.Proto != decode.TCP && !seg.Key.HasPort(portHTTPS) {
		return
	}
	st := s.storyOf(f)
	if st == nil {
		st = &story{}
		s.flows.SideOf(f).Owner = st
	}
	s.measureUnknown(f, st)
}

// measured ends the measurement of a flow. What is decided only now goes into a last slice, even if no segment came since the one before.
func measured(f *flow.Flow, side *flow.Side) {
	if side == nil {
		return
	}
	st, _ := side.Owner.(*story)
	if st == nil || st.meter == nil {
		return
	}
	before := st.meter.Total()
	st.meter.End()
	if slice := &side.Slice; f.State&flow.Matched != 0 && !slice.Pending && st.meter.Total() != before {
		slice.Pending, slice.Start = true, f.Last
	}
}

// uploaded estimates what the flow has uploaded so far; ok is false if it cannot be known.
func (s *Sensor) uploaded(f *flow.Flow, st *story) (up event.Upload, ok bool) {
	if m := st.meter; m != nil && m.Method() != "" {
		e := m.Total()
		return event.Upload{Bytes: e.Bytes, Low: e.Low, High: e.High, Method: m.Method(), Bursts: e.Bursts, Turns: e.Turns, LargestBurst: e.Largest}, true
	}
	if st.protocol != "http" {
		return event.Upload{}, false
	}
	body, known := s.evidence.Body(f)
	if known {
		return event.Upload{Bytes: uint64(body), Low: uint64(body), High: uint64(body), Method: "http-body"}, true
	}
	sent := f.Up().Bytes + s.flows.Missing(f, f.Client())
	if st.method == "CONNECT" {
		sent = less(sent, st.tunnelAt)
		return event.Upload{Bytes: sent, Low: sent, High: sent, Method: "tunnel-bytes"}, true
	}
	sent = max(less(sent, clearHead*st.requests), uint64(body))
	return event.Upload{Bytes: sent, Low: uint64(body), High: sent, Method: "http-payload"}, true
}

// use says what the flow is for. What the catalogue knows for background outweighs sizes and rhythm.
func (st *story) use() string {
	switch {
	case st.verdict.Service != nil && st.verdict.Service.Kind == "background":
		return upload.Background.String()
	case st.meter == nil:
		return upload.Unknown.String()
	}
	return st.meter.Use().String()
}

// delta returns what was added since the last call. Totals do not shrink, so that the deltas add up to the last of them.
func (st *story) delta(total event.Upload) *event.Upload {
	was := &st.uploaded
	d := event.Upload{Bytes: less(total.Bytes, was.Bytes), Low: less(total.Low, was.Low), High: less(total.High, was.High),
		Method: total.Method, Bursts: total.Bursts - min(was.Bursts, total.Bursts), Turns: total.Turns - min(was.Turns, total.Turns)}
	if total.LargestBurst > was.LargestBurst || d.Bytes > 0 {
		d.LargestBurst = min(total.LargestBurst, max(d.Bytes, total.LargestBurst-was.LargestBurst))
	}
	*was = event.Upload{Bytes: max(was.Bytes, total.Bytes), Low: max(was.Low, total.Low), High: max(was.High, total.High),
		Bursts: max(was.Bursts, total.Bursts), Turns: max(was.Turns, total.Turns), LargestBurst: max(was.LargestBurst, total.LargestBurst)}
	return &d
}

// less is a-b, and 0 where that would be negative.
func less(a, b uint64) uint64 {
	if a < b {
		return 0
	}
	return a - b
}
