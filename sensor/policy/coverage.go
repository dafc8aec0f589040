package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	// enoughFlows is how many flows of a minute make a share of them worth looking at.
	enoughFlows = 20
	// enoughBytes is the same of bytes.
	enoughBytes = 1 << 20
	// gap ends a run: the sensor was off, which it cannot see itself.
	gap = event.Time(150e9)
	// minute is how long a coverage record is that does not say so.
	minute = event.Time(60e9)
)

// watch is what is remembered of a sensor.
type watch struct {
	dropped, unreadable, resolvers, relays, deaf run
	sources                                      map[string]event.Time // when each delivered last, or was first heard of
}

// run is bad minutes in a row.
type run struct {
	begin, end  event.Time
	part, whole uint64 // added up
	evidence    []string
}

// Coverage takes a coverage record and returns what it gives rise to: at most one finding for each cause, sensor and day. Records of one
// sensor come in order.
func (f *Findings) Coverage(ev *event.Event) []*event.Event {
	if ev.Event.Dataset != event.DatasetCoverage || ev.Gnomon == nil || ev.Gnomon.Coverage == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.watch(ev)
	if w == nil {
		return nil
	}
	var out []*event.Event
	for _, find := range [...]func(*watch, *event.Event) *event.Event{f.droppedFrames, f.unreadable, f.resolvers, f.relays, f.deaf} {
		if found := find(w, ev); found != nil {
			out = append(out, found)
		}
	}
	return append(out, f.silent(w, ev)...)
}

// watch finds or makes the memory of the sensor that wrote a record.
func (f *Findings) watch(ev *event.Event) *watch {
	id := observerID(ev)
	w := f.sensors[id]
	if w == nil {
		if len(f.sensors) >= maxSensors {
			f.forgotten++
			return nil
		}
		w = &watch{sources: map[string]event.Time{}}
		f.sensors[id] = w
	}
	return w
}

func observerID(ev *event.Event) string {
	if ev.Observer == nil {
		return ""
	}
	return ev.Observer.ID
}

func span(ev *event.Event) (begin, end event.Time) {
	end = cmp.Or(ev.Event.End, ev.Timestamp)
	return cmp.Or(ev.Event.Start, end-minute), end
}

// bad goes on with a run by a minute.
func (r *run) bad(ev *event.Event, part, whole uint64) {
	begin, end := span(ev)
	if r.end == 0 || begin-r.end > gap || begin < r.begin {
		*r = run{begin: begin}
	}
	r.end = end
	r.part, r.whole = r.part+part, r.whole+whole
	if len(r.evidence) < maxEvidence && ev.Event.ID != "" {
		r.evidence = append(r.evidence, ev.Event.ID)
	}
}

func (r *run) good() { *r = run{} }

// percent is the share that was added up.
func (r *run) percent() float64 { return 100 * float64(r.part) / float64(max(1, r.whole)) }

func (f *Findings) droppedFrames(w *watch, ev *event.Event) *event.Event {
	c := ev.Gnomon.Coverage
	whole := c.Received + c.Dropped
	if f.config.DroppedPercent == 0 || float64(c.Dropped)*100 <= f.config.DroppedPercent*float64(whole) {
		w.dropped.good()
		return nil
	}
	w.dropped.bad(ev, c.Dropped, whole)
	return f.blind(&w.dropped, ev, f.config.BlindAfter, blindness{"dropped", 60,
		fmt.Sprintf("%.1f %% of all frames were lost since %s: what they carried is in no figure; enlarge capture.ring or add capture.workers", w.dropped.percent(), w.dropped.begin)})
}

func (f *Findings) unreadable(w *watch, ev *event.Event) *event.Event {
	c := ev.Gnomon.Coverage
	switch {
	case f.config.ReadablePercent == 0 || c.FlowsReadable < enoughFlows:
		return nil // few flows say nothing, neither good nor bad
	case float64(c.FlowsNamed)*100 >= f.config.ReadablePercent*float64(c.FlowsReadable):
		w.unreadable.good()
		return nil
	}
	w.unreadable.bad(ev, c.FlowsNamed, c.FlowsReadable)
	return f.blind(&w.unreadable, ev, f.config.BlindAfter, blindness{"unreadable", 50,
		fmt.Sprintf("only %.1f %% of the flows that should have a name had one that could be read since %s; look for one-sided traffic, cut frames or tunnels (gnomon doctor)", w.unreadable.percent(), w.unreadable.begin)})
}

// resolvers are judged by flows: look-ups are few bytes.
func (f *Findings) resolvers(w *watch, ev *event.Event) *event.Event {
	c := ev.Gnomon.Coverage
	part, whole := c.Web.EncryptedDNS.Plus(c.OtherPorts.EncryptedDNS).Flows, c.Web.Total().Flows+c.OtherPorts.EncryptedDNS.Flows
	if f.config.EncryptedDNSPercent == 0 || whole < enoughFlows {
		return nil
	}
	if float64(part)*100 <= f.config.EncryptedDNSPercent*float64(whole) {
		w.resolvers.good()
		return nil
	}
	w.resolvers.bad(ev, part, whole)
	return f.blind(&w.resolvers, ev, f.config.BlindAfter, blindness{"encrypted-dns", 40,
		fmt.Sprintf("%.1f %% of flows to port 443 and to resolvers went to encrypted resolvers since %s%s: what clients look up there is not seen; the page Coverage says whose they are",
			w.resolvers.percent(), w.resolvers.begin, hiders(c))})
}

// relays are judged by bytes: a tunnel is one flow.
func (f *Findings) relays(w *watch, ev *event.Event) *event.Event {
	c := ev.Gnomon.Coverage
	part, whole := c.Web.Relay.Plus(c.OtherPorts.Relay).Bytes, c.Web.Total().Bytes+c.OtherPorts.Relay.Bytes
	if f.config.RelayPercent == 0 || whole < enoughBytes {
		return nil
	}
	if float64(part)*100 <= f.config.RelayPercent*float64(whole) {
		w.relays.good()
		return nil
	}
	w.relays.bad(ev, part, whole)
	return f.blind(&w.relays, ev, f.config.BlindAfter, blindness{"relay", 50,
		fmt.Sprintf("%.1f %% of the bytes to port 443 and into tunnels went into relays and VPNs since %s%s: services behind them are in no figure; the page Coverage says whose they are",
			w.relays.percent(), w.relays.begin, hiders(c))})
}

// hiders lists by what names were hidden in a minute: the three with the most flows and bytes.
func hiders(c *event.Coverage) string {
	names := slices.SortedFunc(maps.Keys(c.HiddenBy), func(a, b string) int {
		x, y := c.HiddenBy[a], c.HiddenBy[b]
		return cmp.Or(cmp.Compare(y.Flows, x.Flows), cmp.Compare(y.Bytes, x.Bytes), strings.Compare(a, b))
	})
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names[:min(3, len(names))], ", ") + ")"
}

func (f *Findings) deaf(w *watch, ev *event.Event) *event.Event {
	c := ev.Gnomon.Coverage
	if f.config.NoTraffic == 0 || !f.captures || c.Received+c.Dropped > 0 {
		w.deaf.good()
		return nil
	}
	w.deaf.bad(ev, 0, 0)
	return f.blind(&w.deaf, ev, f.config.NoTraffic, blindness{"no-traffic", 80,
		fmt.Sprintf("no frame was received since %s; look at the tap, the cable and the interface", w.deaf.begin)})
}

// blindness is a kind of blind spot.
type blindness struct {
	cause    string
	severity int
	reason   string
}

// blind raises a finding once a run is long enough.
func (f *Findings) blind(r *run, ev *event.Event, after time.Duration, b blindness) *event.Event {
	if r.end-r.begin < event.Time(after) {
		return nil
	}
	return f.raise(&finding{action: BlindSpot, subject: []string{observerID(ev), b.cause}, severity: b.severity, day: dayOf(r.end, f.location), about: ev,
		evidence: slices.Clone(r.evidence), reason: b.reason})
}

// silent finds sources of logs that have delivered nothing for long. What has never delivered counts from when it was first heard of.
func (f *Findings) silent(w *watch, ev *event.Event) (out []*event.Event) {
	begin, end := span(ev)
	for _, name := range sourceNames(ev.Gnomon.Coverage) {
		last, known := w.sources[name]
		switch {
		case !known && len(w.sources) >= maxSensors:
			f.forgotten++
			continue
		case ev.Gnomon.Coverage.Sources[name].Read > 0:
			w.sources[name] = end
			continue
		case !known:
			w.sources[name], last = begin, begin
		}
		if after := f.silentAfter(name); after == 0 || end-last < event.Time(after) {
			continue
		}
		if found := f.raise(&finding{action: SilentSource, subject: []string{observerID(ev), name}, severity: 50, day: dayOf(end, f.location), about: ev,
			evidence: []string{ev.Event.ID}, reason: fmt.Sprintf("the source %q has delivered nothing since %s; look at what writes or sends it", name, last)}); found != nil {
			out = append(out, found)
		}
	}
	return out
}

// silentAfter is how long a source may be silent; 0: for ever.
func (f *Findings) silentAfter(name string) time.Duration {
	if after, own := f.silence[name]; own {
		return after
	}
	return f.config.SourceSilent
}

// sourceNames are in order, so that findings are.
func sourceNames(c *event.Coverage) []string {
	names := make([]string, 0, len(c.Sources))
	for name := range c.Sources {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
