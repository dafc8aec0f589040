package sensor

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dns"
)

// Explainer writes, packet by packet, what the sensor read of chosen flows, what was missing, and why a name was or was not given. Where
// a Config has one, the sensor takes frames one by one. It belongs to the goroutine of that sensor.
type Explainer struct {
	out   *bufio.Writer
	want  []*FlowFilter
	flows map[decode.Key]*explained
	notes []string // of the packet under way
	name  string   // of the capture
	frame int
	shown int
}

// maxExplained bounds how many flows are explained: nobody reads more.
const maxExplained = 1000

// explained is a flow that is being explained.
type explained struct {
	number  int
	start   int64
	state   string // what is half read
	verdict string
	quiet   quiet
}

// quiet are packets of which there is nothing to say, summed up.
type quiet struct {
	first, last int // frames
	packets     [2]int
	bytes       [2]uint64
	why         string
}

// NewExplainer explains to w the flows that any of the filters means. Flush ends it.
func NewExplainer(w io.Writer, flows []*FlowFilter) *Explainer {
	return &Explainer{out: bufio.NewWriter(w), want: flows, flows: map[decode.Key]*explained{}}
}

// Begin says that another capture begins.
func (e *Explainer) Begin() { e.frame, e.name = 0, "" }

// Flush writes what is held back. It returns how many flows were explained.
func (e *Explainer) Flush() (flows int, err error) {
	if err = e.out.Flush(); err != nil {
		err = fmt.Errorf("writing the explanation: %w", err)
	}
	return e.shown, err
}

// meant says whether the flow is to be explained.
func (e *Explainer) meant(k *decode.Key) bool {
	if e == nil {
		return false
	}
	for _, w := range e.want {
		if w.match(k) {
			return true
		}
	}
	return false
}

// note keeps something for the packet under way.
func (e *Explainer) note(format string, args ...any) {
	e.notes = append(e.notes, fmt.Sprintf(format, args...))
}

// explained is Sensor.batch with a word on each frame.
func (s *Sensor) explained(frames []capture.Frame) error {
	e := s.config.Explain
	for i := range frames {
		e.frame++
		e.notes = e.notes[:0]
		decoded, copies := s.decode.Stats().Segments, s.copies.found
		if err := s.batch(frames[i : i+1]); err != nil {
			return err
		}
		if seg := &s.segments[0]; s.decode.Stats().Segments > decoded && e.meant(&seg.Key) {
			if s.copies.found > copies {
				e.note("captured before: not counted again")
			}
			e.packet(s, seg)
		}
	}
	return nil
}

// packet writes what there is to say of a packet.
func (e *Explainer) packet(s *Sensor, seg *decode.Segment) {
	x := e.flows[seg.Key]
	if x == nil && e.shown == maxExplained {
		return
	}
	if x == nil {
		x = e.open(s, seg)
	}
	f := s.flows.Find(seg)
	client := e.clientOf(f, seg)
	why := "acknowledgements"
	if f != nil {
		why = e.state(s, x, f, seg)
	}
	shape := shapeOf(seg)
	if len(e.notes) == 0 && (seg.Len == 0 && seg.Flags&(decode.SYN|decode.FIN|decode.RST) == 0 || why == settledWords) {
		x.quiet.add(e.frame, seg, client, why)
		return
	}
	e.flushQuiet(x)
	arrow := "->"
	if seg.Dir != client {
		arrow = "<-"
	}
	fmt.Fprintf(e.out, "%4d %8d %+12.6f %s %s\n", x.number, e.frame, float64(seg.Time-x.start)/1e9, arrow, shape)
	e.writeNotes()
}

func (e *Explainer) writeNotes() {
	for _, note := range e.notes {
		fmt.Fprintf(e.out, "%30s %s\n", "", note)
	}
	e.notes = e.notes[:0]
}

func (e *Explainer) open(s *Sensor, seg *decode.Segment) *explained {
	if name := s.source.Name(); name != e.name {
		e.name = name
		fmt.Fprintf(e.out, "%s\n", name)
	}
	e.shown++
	x := &explained{number: e.shown, start: seg.Time}
	e.flows[seg.Key] = x
	a, b := seg.Key.Endpoint(seg.Dir), seg.Key.Endpoint(1-seg.Dir)
	fmt.Fprintf(e.out, "\nflow %d: %s %s to %s, community id %s\n", x.number, transportName(seg.Key.Proto), a, b,
		event.CommunityID(a, b, uint8(seg.Key.Proto)))
	fmt.Fprintf(e.out, "flow %8s %12s    (-> from the client, <- from the server; time since %s)\n", "frame", "seconds", event.Time(seg.Time))
	if tunnels := seg.Link.Tunnels.Names(); len(tunnels) > 0 {
		e.note("inside %s", strings.Join(tunnels, ", "))
	}
	return x
}

// clientOf is the side of the client, as far as it is known.
func (e *Explainer) clientOf(f *flow.Flow, seg *decode.Segment) uint8 {
	switch {
	case f != nil:
		return f.Client()
	case seg.Key.Port(seg.Dir) == 53: // a look-up, of which no flow is kept
		return 1 - seg.Dir
	}
	return seg.Dir
}

// settledWords is why nothing is said of a packet.
const settledWords = "payload is not looked at any more"

// state notes what has changed with the packet, and returns why there may be nothing to say of it.
func (e *Explainer) state(s *Sensor, x *explained, f *flow.Flow, seg *decode.Segment) string {
	if st := s.storyOf(f); st != nil {
		if v := verdictWords(st); v != x.verdict {
			x.verdict = v
			e.note("%s", cmp.Or(v, "=> no AI service any more"))
		}
	}
	if seg.Cut() {
		e.note("the capture's snaplen cut %d of %d bytes off", int(seg.Len)-len(seg.Payload), seg.Len)
	}
	if f.State&flow.Settled != 0 {
		x.state = ""
		return settledWords
	}
	pending := s.evidence.Pending(f)
	if pending == "" && seg.Len > 0 && len(e.notes) == 0 {
		pending = evidence.Searching(f)
	}
	if pending != x.state && pending != "" {
		e.note("%s", pending)
	}
	x.state = cmp.Or(pending, x.state)
	return "acknowledgements"
}

// verdictWords says which service a flow was taken for, and on what evidence.
func verdictWords(st *story) string {
	if v := st.verdict; v.Service != nil {
		return fmt.Sprintf("=> %s (%s), evidence %s, confidence %s", v.Service.Name, v.Service.ID, st.class, v.Confidence)
	}
	return ""
}

func (q *quiet) add(frame int, seg *decode.Segment, client uint8, why string) {
	if q.first == 0 {
		q.first = frame
	}
	q.last, q.why = frame, why
	way := (seg.Dir ^ client) & 1
	q.packets[way]++
	q.bytes[way] += uint64(seg.Len)
}

// flushQuiet writes the packets that were summed up.
func (e *Explainer) flushQuiet(x *explained) {
	q := &x.quiet
	if q.first == 0 {
		return
	}
	frames := fmt.Sprint(q.first)
	if q.last != q.first {
		frames += fmt.Sprint("-", q.last)
	}
	fmt.Fprintf(e.out, "%4d %8s %12s    %d -> with %d bytes, %d <- with %d bytes: %s\n", x.number, "...", frames, q.packets[0], q.bytes[0],
		q.packets[1], q.bytes[1], q.why)
	*q = quiet{}
}

// found notes what a hello, a request or a certificate says.
func (e *Explainer) found(s *Sensor, f *flow.Flow, o *evidence.Observation) {
	if !e.meant(&f.Key) {
		return
	}
	switch {
	case o.Certificate != nil:
		e.certificate(o)
	case o.Request != nil:
		e.note("read: HTTP request %s, host %q", o.Request.Method, o.Name)
	default:
		e.hello(o)
	}
	e.judged(s, f, o)
}

func (e *Explainer) certificate(o *evidence.Observation) {
	if len(o.Certificate.Names) == 0 {
		e.note("no certificate in clear: TLS 1.3, a resumed session, or its start was not captured")
		return
	}
	e.note("read: the server's certificate, for %q", o.Certificate.Names)
	if o.Name == nil {
		e.note("it has several names or a wildcard: which was meant cannot be known")
	}
}

func (e *Explainer) hello(o *evidence.Observation) {
	switch {
	case len(o.Name) > 0:
		e.note("read: ClientHello, server name %q, ALPN %q", o.Name, o.Hello.NextProtocol())
	case o.Hello.NameExtension:
		e.note("read: ClientHello whose server name is unusable or hidden")
	default:
		e.note("read: ClientHello without a server name (SNI)")
	}
	if o.Hello.ECH || o.Hello.ESNI {
		e.note("it carries an encrypted hello, or a dummy of one (ECH)")
	}
}

// judged notes what the catalogue knows of the name.
func (e *Explainer) judged(s *Sensor, f *flow.Flow, o *evidence.Observation) {
	if len(o.Name) == 0 {
		return
	}
	s.asked = classifiers.Evidence{Class: o.Class, Time: f.Last, Name: o.Name, ECH: o.Hello != nil && o.Hello.ECH}
	v, ok := s.classify.Classify(&s.asked)
	id, category := s.infrastructure(o.Name)
	switch {
	case !ok && category == categoryFront:
		e.note("%q is the outer name of encrypted hellos: any service may be behind it", o.Name)
	case !ok && id != "":
		e.note("the catalogue has it for %s (%s), which hides services and is none", id, category)
	case !ok:
		e.note("the catalogue has no AI service of that name; see gnomon catalogue match")
	case !v.Use():
		e.note("the catalogue has it for %s, but contact with it is no use by itself (role %s)", v.Service.ID, v.Role)
	}
}

// message notes a look-up.
func (e *Explainer) message(seg *decode.Segment, m *dns.Message) {
	switch {
	case !e.meant(&seg.Key):
		return
	case !m.Response:
		e.note("read: DNS question %s %q", dns.TypeName(m.QType), m.QName)
		return
	}
	e.note("read: DNS answer %s to %s %q, addresses %v", dns.RcodeName(int(m.Rcode)), dns.TypeName(m.QType), m.QName, addressesOf(m))
}

func addressesOf(m *dns.Message) (list []string) {
	for i := range m.Addrs {
		list = append(list, m.Addrs[i].IP.String())
	}
	return list
}

// end writes what came of a flow.
func (e *Explainer) end(f *flow.Flow, st *story, end flow.End) {
	if e == nil || end == flow.EndNone || e.flows[f.Key] == nil {
		return
	}
	x := e.flows[f.Key]
	e.flushQuiet(x)
	e.writeNotes() // of what was half read
	fmt.Fprintf(e.out, "flow %d ended (%s): %d bytes up, %d bytes down\n", x.number, end, f.Up().Bytes, f.Down().Bytes)
	for _, line := range conclusion(f, st) {
		fmt.Fprintf(e.out, "  %s\n", line)
	}
	delete(e.flows, f.Key)
}
