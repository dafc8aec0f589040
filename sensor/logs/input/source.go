package input

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

// source is where the lines of one log come from, and what has become of them.
type source struct {
	config  Config
	o       *Options
	keep    func() error // keeps the place, now
	reader  reader
	problem problems

	mu       sync.Mutex // guards what follows
	use      *logs.Activities
	account  logs.Account
	record   logs.Record
	detected string // what Auto found
	seen     string // the format whose eye the lines belong to
	lost     uint64
	last     time.Time      // when a line came
	newest   int64          // the latest time of a record
	eye      *sensor.LogEye // nil: nobody asks
	heard    int64          // what eye had heard when the state was kept
	doubted  int64
	moved    bool   // since the state was kept
	since    int    // lines since Room was asked
	files    *files // nil: the source listens
	bodies   digests
	holding  map[*stream]bool
	// whole is held for reading by who takes several lines of which all or none must be in the state, and by who writes the state.
	whole sync.RWMutex
	// spoiled says that lines were taken whose rest nobody took: the state must stay what it was before.
	spoiled bool
}

// roomEvery is how many lines are taken for each time that Room is asked.
const roomEvery = 64

func newSource(c Config, o *Options) *source {
	s := &source{config: c, o: o, holding: map[*stream]bool{}, problem: problems{log: o.Log.With("source", c.Name)}}
	s.use = logs.NewActivities(o.Activities(c.Name), o.Classify, o.Sink)
	if c.Protocol == "" {
		s.files = newFiles(s)
	}
	return s
}

// room waits for the sink while mu is not held. mu is held before and after.
func (s *source) room(ctx context.Context) error {
	if s.since++; s.since < roomEvery {
		return nil
	}
	s.since = 0
	s.mu.Unlock()
	defer s.mu.Lock()
	return s.o.Room(ctx)
}

// line takes a line whose format may not be known yet. mu is held.
func (s *source) line(st *stream, line []byte) {
	s.moved, s.last = true, s.o.Now()
	if line = bytes.TrimLeft(line, "\x00"); st.format == nil {
		s.hold(st, line)
		return
	}
	s.take(st, line)
}

// take takes a line of a known format. mu is held.
func (s *source) take(st *stream, line []byte) {
	r := &s.record
	err := st.format.Parse(line, r)
	s.account.Add(line, r, err)
	if err != nil {
		if errors.Is(err, logs.ErrHeader) {
			st.header.note(line)
		}
		return
	}
	s.account.Age(r, s.last.UnixNano(), int64(s.o.Kept))
	s.newest = max(s.newest, r.Time)
	s.use.Written(st.writtenAt(s.last))
	if s.use.Add(r, line) {
		s.account.Used++
	}
}

// reject accounts for a line that nobody could read. mu is held.
func (s *source) reject(line []byte, why error) {
	s.moved, s.last = true, s.o.Now()
	s.record = logs.Record{}
	s.account.Add(line, &s.record, why)
}

// lives says whether the source does something, or could: a line that nobody gets to the end of must not look alive.
func (s *source) lives() bool {
	if !s.mu.TryLock() {
		return false
	}
	s.mu.Unlock()
	return true
}

// lose counts what was lost before it could be read.
func (s *source) lose(n uint64) {
	if n == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost += n
	s.moved = true
}

// touch makes the state one that has to be kept.
func (s *source) touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved = true
}

// figures are the counts of lines.
func (s *source) figures() event.Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, _ := s.o.Library.Info(s.format()) // nobody may know yet
	out := s.account.Counts(s.format(), info.Upload)
	out.Lost, out.Problem = s.lost, s.problem.worst()
	return out
}

// format is what the lines are of; empty: nobody knows yet. mu is held.
func (s *source) format() string {
	if s.config.Format != Auto {
		return s.config.Format
	}
	return s.detected
}

// Status says how a source is.
type Status struct {
	Name     string
	Counts   event.Source
	Last     time.Time // when a line came; zero: never
	Newest   time.Time // the latest time that a record told
	Behind   int64     // bytes of files that are there and have not been read
	Problems []string
	Rejected []logs.Rejection
}

func (s *source) status() Status {
	st := Status{Name: s.config.Name, Counts: s.figures(), Problems: s.problem.list()}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Last, st.Rejected = s.last, s.account.Rejections()
	if s.newest != 0 {
		st.Newest = time.Unix(0, s.newest)
	}
	if s.files != nil {
		st.Behind = s.files.behind()
	}
	return st
}
