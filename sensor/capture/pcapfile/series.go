package pcapfile

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// overlap is how far before the end of one capture the next may begin and still go on with it: rotated captures of several
// interfaces are not cut at exactly one time. In nanoseconds.
const overlap = int64(60e9)

// Series reads several captures as one source, in the order of their first frames: a flow that a rotation cut in two is one flow again.
// A capture that overlaps the one before is another view or another time: Next ends with io.EOF there, and after Resume goes on with it.
type Series struct {
	files    []string
	open     func(name string) (*File, error)
	complain func(error)

	current *File
	next    *File // opened, its first frame looked at; begins before the latest time
	peeked  []capture.Frame
	latest  int64
	began   bool // frames were delivered since the last Resume
	guarded bool // within Guard
	ifaces  interfaces
	stats   capture.Stats
}

// NewSeries orders the captures by their first frames. open opens one by its name; complain is told of damaged ones, which give what
// could be read.
func NewSeries(files []string, open func(string) (*File, error), complain func(error)) (*Series, error) {
	s := &Series{open: open, complain: complain, files: files}
	if len(files) < 2 || slices.Contains(files, "-") { // stdin cannot be looked at twice: the order given stands
		return s, nil
	}
	type start struct {
		name string
		time int64
	}
	starts := make([]start, len(files))
	for i, name := range files {
		t, err := s.firstTime(name)
		if err != nil {
			return nil, fmt.Errorf("ordering the captures by time: %w", err)
		}
		starts[i] = start{name, t}
	}
	slices.SortStableFunc(starts, func(a, b start) int {
		switch {
		case a.time < b.time:
			return -1
		case a.time > b.time:
			return 1
		}
		return 0
	})
	s.files = make([]string, len(files))
	for i := range starts {
		s.files[i] = starts[i].name
	}
	return s, nil
}

// firstTime looks at the first frame. A file that cannot be opened or is damaged from its start stands first: it is complained about when
// its turn comes.
func (s *Series) firstTime(name string) (int64, error) {
	f, err := s.open(name)
	if err != nil {
		return 0, nil //nolint:nilerr // opening it again says it again, in its turn
	}
	var one [1]capture.Frame
	n, _ := f.Next(one[:])
	t := int64(0)
	if n == 1 {
		t = one[0].Time
	}
	return t, f.Close()
}

var (
	_ capture.Source  = (*Series)(nil)
	_ capture.Named   = (*Series)(nil)
	_ capture.Counted = (*Series)(nil)
	_ capture.Guarded = (*Series)(nil)
)

// Next implements capture.Source.
func (s *Series) Next(batch []capture.Frame) (int, error) {
	for {
		if s.current == nil {
			if err := s.begin(); err != nil {
				return 0, err
			}
		}
		n, err := s.read(batch)
		s.ifaces.renumber(s.current, batch[:n])
		for i := range batch[:n] {
			s.latest = max(s.latest, batch[i].Time)
		}
		if err != nil {
			s.finish(err)
		}
		if n > 0 || err == nil {
			s.began = true
			return n, nil
		}
	}
}

// read delivers the frame that was looked at, then what follows it.
func (s *Series) read(batch []capture.Frame) (int, error) {
	if len(s.peeked) > 0 {
		n := copy(batch, s.peeked)
		s.peeked = s.peeked[n:]
		return n, nil
	}
	return s.current.Next(batch)
}

// begin opens the next capture. It returns io.EOF at the end, and before a capture that does not go on with the one before.
func (s *Series) begin() error {
	if s.next == nil {
		if err := s.peek(); err != nil {
			return err
		}
	}
	if s.began && len(s.peeked) > 0 && s.peeked[0].Time < s.latest-overlap {
		return io.EOF
	}
	s.current, s.next = s.next, nil
	s.ifaces.next()
	return nil
}

// peek opens the next capture that can be opened and looks at its first frame, which its buffer holds until the one after is read.
func (s *Series) peek() error {
	for len(s.files) > 0 {
		name := s.files[0]
		s.files = s.files[1:]
		f, err := s.open(name)
		if err != nil {
			s.complain(err)
			continue
		}
		if s.guarded {
			f.inPlace()
		}
		s.next, s.peeked = f, make([]capture.Frame, 1)
		n, err := f.Next(s.peeked)
		s.peeked = s.peeked[:n]
		if n > 0 || err == nil {
			return nil
		}
		s.current, s.next = f, nil
		s.finish(err)
	}
	return io.EOF
}

// finish closes the current capture and says what was wrong with it.
func (s *Series) finish(err error) {
	if err != nil && !errors.Is(err, io.EOF) {
		s.complain(err)
	}
	stats := s.current.Stats()
	s.stats.Received += stats.Received
	s.stats.Dropped += stats.Dropped
	if err := s.current.Close(); err != nil {
		s.complain(err)
	}
	s.current = nil
}

// Resume says whether captures are left after io.EOF, and begins a new run of them.
func (s *Series) Resume() bool {
	s.began, s.latest, s.stats = false, 0, capture.Stats{}
	return s.next != nil || len(s.files) > 0
}

// Name implements capture.Source.
func (s *Series) Name() string {
	if s.current == nil {
		return "captures"
	}
	return s.current.Name()
}

// InterfaceName implements capture.Named, for the frames of all captures so far.
func (s *Series) InterfaceName(i uint16) string { return s.ifaces.name(i) }

// Stats implements capture.Counted, for the captures since Resume.
func (s *Series) Stats() capture.Stats {
	sum := s.stats
	if s.current != nil {
		stats := s.current.Stats()
		sum.Received += stats.Received
		sum.Dropped += stats.Dropped
	}
	return sum
}

// Progress is that of the current capture; see File.Progress.
func (s *Series) Progress() (done, total int64) {
	if s.current == nil {
		return 0, 0
	}
	return s.current.Progress()
}

// Close implements capture.Source.
func (s *Series) Close() error {
	var errs []error
	for _, f := range []*File{s.current, s.next} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	s.current, s.next, s.files = nil, nil, nil
	return errors.Join(errs...)
}
