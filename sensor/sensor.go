package sensor

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"sync/atomic"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/pdns"
	"github.com/gnomon-sensor/gnomon/sensor/wire/quic"
)

// Sink takes records. Offer keeps nothing of ev after it returns but what it copied; it may wait (a file waits for a slow disk).
type Sink interface {
	Offer(ev *event.Event)
}

// Config says how a sensor works.
type Config struct {
	Observer event.Observer
	Site     string
	// Ruleset names the catalogue that the classifier uses, as in rule.ruleset. It is asked at every record: the catalogue may be
	// swapped.
	Ruleset func() string
	// All reports every flow and every DNS transaction, AI or not: what `inspect` shows.
	All bool
	// SliceAll reports the slices of every flow, not whole flows only; with All.
	SliceAll bool
	// Sums says that records are only added up and none is kept: what tells one from another (identifiers, fingerprints of hellos) is left out. It
	// took 4 % of reading handshakes of which one in twenty-five leads to a record.
	Sums bool
	// FirstSlice and Slice are nanoseconds: how long after the verdict the first record is written, and how far apart the next are.
	FirstSlice, Slice int64
	Flow              flow.Config
	Evidence          evidence.Config
	// Seed is secret: it keeps hostile traffic from aiming at one place of the flow table.
	Seed [3]uint64
	// Visits is shared by the workers of one sensor.
	Visits *Visits
	// PDNS is shared by the workers of one sensor; nil: addresses are given no names.
	PDNS *pdns.Table
	// Fronts is shared by the workers of one sensor; nil: only the catalogue knows outer names of encrypted hellos.
	Fronts *Fronts
	// Clients is shared by the workers of one sensor; nil: blind spots are measured in total, not for each client.
	Clients *Clients
	// Unlisted is shared by the workers of one sensor, and counts names that are in no catalogue; nil: nobody does.
	Unlisted *candidates.Table
	// Uncounted leaves clients out of that; nil: none.
	Uncounted Uncounted
	// Explain says in words what was read of chosen flows; nil: nobody asks.
	Explain *Explainer
	// Learner is told of resolvers, proxies and DHCP; nil: nobody is.
	Learner Learner
	// Share is the part of the source that the worker answers for, if others read the same one; nil: all of it. Such workers have PDNS, Fronts
	// and Unlisted each for itself, so that none knows what lies ahead of it in the capture.
	Share *Share
}

// batchSize is how many frames go through the stages together: enough to overlap the table's misses, few enough to stay in the
// first-level cache (measured on small packets: 32 to 128 are alike, 256 is slower).
const batchSize = 64

// Sensor is one capture worker: it owns a source and the flows that come from it.
type Sensor struct {
	config     Config
	source     capture.Source
	decode     *decode.Decoder
	flows      *flow.Table
	evidence   *evidence.Reader
	classify   classifiers.Classifier
	sink       Sink
	lookups    lookups
	copies     copies
	learner    learner
	tunnels    tunnels
	counters   counters
	unlisted   unlisted
	segments   [batchSize]decode.Segment
	now        int64                // latest packet time
	doubted    int64                // a time far ahead that one frame claimed
	asked      classifiers.Evidence // here because what an interface is given would be allocated
	listed     bool                 // whether the catalogue knows the name that was judged last
	nameBuffer [256]byte
	hider      hider // of the observation that is looked at
	ways       clientWaysKnown
	strangers  strangers
	met        *stranger   // whose name the observation shows; nil: none that is remembered
	metHash    uint64      // of the name of a hello
	told       []pdns.Told // of one answer
	draft      draft
	category   []string // of every record (ECS event.category)
	batches    uint
	beats      atomic.Uint64
}

// New returns a sensor that reads source. Close frees its memory.
func New(config Config, source capture.Source, classify classifiers.Classifier, sink Sink) (*Sensor, error) {
	s := &Sensor{config: config, source: source, decode: decode.New(config.Seed), classify: classify, sink: sink,
		learner: learner{to: config.Learner, shared: config.Share != nil}, unlisted: unlisted{seed: maphash.MakeSeed()}, category: []string{"network"}}
	var err error
	if s.flows, err = flow.New(config.Flow, s); err != nil {
		return nil, err
	}
	s.evidence = evidence.New(config.Evidence, s.flows, s)
	s.lookups = newLookups(s)
	s.strangers.of, _ = classify.(steady)
	return s, nil
}

// Close frees the flow table. The source is its opener's.
func (s *Sensor) Close() { s.flows.Close() }

// Run is the life of a batch of frames. It returns nil at the end of a capture file, and when ctx ends, after every open flow has been
// written.
func (s *Sensor) Run(ctx context.Context) error {
	var batch [batchSize]capture.Frame // frame.Data is valid until the next call of Next
	take := s.batch
	switch {
	case s.config.Explain != nil:
		take = s.explained
	case s.config.Share != nil:
		take = s.shared
	}
	for ctx.Err() == nil {
		n, err := s.source.Next(batch[:])
		s.beats.Add(1)
		if flowErr := take(batch[:n]); flowErr != nil {
			return flowErr
		}
		s.due(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			s.finish()
			return err // it names the source
		}
	}
	s.finish()
	return nil
}

// Beats counts the rounds of Run: it grows many times a second even on a quiet link, so that a worker that hangs can be told. It may be
// called from another goroutine.
func (s *Sensor) Beats() uint64 { return s.beats.Load() }

// batch takes frames through decoding, the flow table and the search for names.
func (s *Sensor) batch(frames []capture.Frame) error { return s.through(s.decoded(frames)) }

// through takes segments through the flow table and the search for names.
func (s *Sensor) through(segments []decode.Segment) error {
	for i := range segments {
		if i%flow.Group == 0 {
			s.flows.Flows(segments[min(i+flow.Group, len(segments)):])
		}
		seg := &segments[i]
		s.advance(seg.Time)
		if s.copies.watching && s.copies.again(seg) {
			continue
		}
		if seg.Key.HasPort(portDNS) && s.evidence.DNS(seg) { // a transaction of its own: no flow is kept
			continue
		}
		f, err := s.flows.Open(seg) // ended flows and slices that are over leave here, by packet time
		if err == nil {
			err = s.segment(f, seg)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// decoded decodes frames, and counts what cannot be, by reason. It has the flow table on its way to the cache meanwhile: the look-ups of the
// first half wait for nothing while the second is decoded.
func (s *Sensor) decoded(frames []capture.Frame) []decode.Segment {
	half := len(frames) / 2
	n := s.decode.Batch(s.segments[:], frames[:half])
	s.flows.Buckets(s.segments[:n])
	more := s.decode.More(s.segments[n:], frames[half:])
	s.flows.Flows(s.segments[:n])
	s.flows.Buckets(s.segments[n : n+more])
	return s.segments[:n+more]
}

// segment looks at what a segment of f says, and counts it.
func (s *Sensor) segment(f *flow.Flow, seg *decode.Segment) error {
	if begins(f, seg) && s.copies.beganBefore(seg) {
		return nil
	}
	if quic.IsLong(seg.Lead) && f.State&flow.Settled != 0 { // only of a datagram is there one
		var err error
		if f, err = s.renewed(f, seg); err != nil {
			return err
		}
	}
	if f.State&flow.Settled == 0 { // a hello, a request: most segments hold none
		s.read(f, seg)
	}
	if f.State&(flow.Metered|flow.Watched) != 0 {
		s.follow(f, seg)
	}
	s.flows.Add(f, seg)
	return nil
}

// follow looks at every segment of the few flows of which more than bytes is wanted.
func (s *Sensor) follow(f *flow.Flow, seg *decode.Segment) {
	if f.State&flow.Metered != 0 {
		s.measure(f, seg)
	}
	if f.State&flow.Watched != 0 {
		s.pace(f, seg)
	}
}

// read looks for names in a segment.
func (s *Sensor) read(f *flow.Flow, seg *decode.Segment) {
	if len(seg.Payload) == 0 && !s.config.All {
		return // of a handshake's packets, half
	}
	s.evidence.From(f, seg)
	s.learner.datagram(f, seg)
	if mayClaim(f, seg) {
		s.tunnels.look(s, f, seg)
	}
	s.begin(f, seg)
}

// renewed returns the flow of a segment that has a QUIC packet of a handshake: f, or another if it begins another connection.
func (s *Sensor) renewed(f *flow.Flow, seg *decode.Segment) (*flow.Flow, error) {
	if s.evidence.Renewed(f, seg) {
		return s.flows.Renew(f, seg)
	}
	return f, nil
}

// outOfOrder is how far behind the latest packet others may still be: captures of several interfaces are not quite in order, and a slice
// must not end by the clock before a packet that belongs to it.
const outOfOrder = int64(1e9)

// farAhead is a jump of packet time that one frame alone is not believed: a damaged time stamp must not end every flow.
const farAhead = int64(3600e9)

// advance moves packet time on. It never goes back: captures of several interfaces are not quite in order.
func (s *Sensor) advance(t int64) {
	if t <= s.now {
		return
	}
	if t-s.now > farAhead && s.now != 0 && (s.doubted == 0 || t < s.doubted-farAhead || t > s.doubted+farAhead) {
		s.doubted = t
		return
	}
	s.now, s.doubted = t, 0
}

// publishEvery is after how many batches others see the counters anew: well under a second on a busy link, and at once on a quiet one.
const publishEvery = 256

// due writes what is over by now: in a file by packet time, on an interface by the clock. n is how many frames just came.
func (s *Sensor) due(n int) {
	if live, ok := s.source.(capture.Clocked); ok {
		s.now = max(s.now, live.Now())
	}
	s.strangers.renew()
	s.flows.Due(s.now - outOfOrder)
	s.lookups.due(s.now)
	if s.batches++; n == 0 || s.batches%publishEvery == 0 {
		s.publish()
	}
}

// finish writes every open flow.
func (s *Sensor) finish() {
	if sh := s.config.Share; sh != nil {
		s.flows.Reached(sh.latest)
	}
	s.flows.Finish()
	s.lookups.finish()
	s.publish()
}
