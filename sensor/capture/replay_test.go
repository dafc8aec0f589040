package capture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"
)

// list is a source of frames at the given times, at most per of them with each call.
type list struct {
	times  []int64
	per    int
	end    error
	closed bool
}

func (l *list) Next(batch []Frame) (int, error) {
	n := min(len(l.times), len(batch), l.per)
	for i := range n {
		batch[i] = Frame{Time: l.times[i]}
	}
	l.times = l.times[n:]
	if len(l.times) == 0 {
		return n, l.end
	}
	return n, nil
}

func (l *list) Name() string                  { return "x.pcap" }
func (l *list) Close() error                  { l.closed = true; return nil }
func (l *list) InterfaceName(i uint16) string { return []string{"eth0", "eth1"}[i] }
func (l *list) Stats() Stats                  { return Stats{Received: 7} }

// hands is a clock that only goes on when somebody waits.
type hands struct {
	at    time.Time
	waits []time.Duration
}

func (h *hands) now() time.Time { return h.at }

func (h *hands) wait(d time.Duration) {
	h.waits = append(h.waits, d)
	h.at = h.at.Add(d)
}

const (
	noon = int64(1_800_000_000) * int64(time.Second)
	ms   = int64(time.Millisecond)
)

// arrival is when a frame came and what time it bore, both since noon.
type arrival struct{ at, time int64 }

func TestReplay(t *testing.T) {
	for _, c := range []struct {
		name  string
		speed float64
		times []int64 // since 1970, in milliseconds
		want  []arrival
		waits []time.Duration
	}{
		{"as fast as can be", 0, []int64{5000, 5001, 9000, 8000},
			[]arrival{{0, 0}, {0, 1 * ms}, {0, 4000 * ms}, {0, 3000 * ms}}, nil},
		{"as captured", 1, []int64{5000, 5030, 5030, 5040},
			[]arrival{{0, 0}, {30 * ms, 30 * ms}, {30 * ms, 30 * ms}, {40 * ms, 40 * ms}},
			[]time.Duration{30 * time.Millisecond, 10 * time.Millisecond}},
		{"long gap, in pieces", 1, []int64{5000, 5250},
			[]arrival{{0, 0}, {250 * ms, 250 * ms}},
			[]time.Duration{100 * time.Millisecond, 100 * time.Millisecond, 50 * time.Millisecond}},
		{"ten times as fast", 10, []int64{5000, 5500, 5501, 5505},
			[]arrival{{0, 0}, {50 * ms, 500 * ms}, {51 * ms, 501 * ms}, {51 * ms, 505 * ms}},
			[]time.Duration{50 * time.Millisecond, time.Millisecond}},
		{"out of order", 1, []int64{5000, 5020, 4000, 5030},
			[]arrival{{0, 0}, {20 * ms, 20 * ms}, {20 * ms, -1000 * ms}, {30 * ms, 30 * ms}},
			[]time.Duration{20 * time.Millisecond, 10 * time.Millisecond}},
		{"nothing", 1, nil, nil, nil},
	} {
		for _, per := range []int{1, 3, 1000} {
			t.Run(fmt.Sprintf("%s/%d read at once", c.name, per), func(t *testing.T) {
				source := &list{per: per, end: io.EOF}
				for _, at := range c.times {
					source.times = append(source.times, at*ms)
				}
				clock := &hands{at: time.Unix(0, noon)}
				r := Replay(source, clock.now, c.speed)
				r.wait = clock.wait
				got := arrivals(t, r, clock)
				if !slices.Equal(got, c.want) {
					t.Errorf("got  %v\nwant %v", got, c.want)
				}
				if !slices.Equal(clock.waits, c.waits) {
					t.Errorf("waited %v, want %v", clock.waits, c.waits)
				}
			})
		}
	}
}

// arrivals reads a replay to its end, two frames at a time, and checks its clock on the way.
func arrivals(t *testing.T, r *Replayed, clock *hands) []arrival {
	t.Helper()
	var got []arrival
	var batch [2]Frame
	before := int64(0)
	for {
		n, err := r.Next(batch[:])
		for _, frame := range batch[:n] {
			got = append(got, arrival{clock.at.UnixNano() - noon, frame.Time - noon})
			if frame.Time > r.Now() {
				t.Errorf("a frame of %d came, but the replay says it is %d", frame.Time, r.Now())
			}
		}
		if r.Now() < before {
			t.Errorf("the time went back from %d to %d", before, r.Now())
		}
		before = r.Now()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestReplayNow looks at the time that a paced replay tells while it waits.
func TestReplayNow(t *testing.T) {
	clock := &hands{at: time.Unix(0, noon)}
	r := Replay(&list{times: []int64{0, 150 * ms}, per: 9, end: io.EOF}, clock.now, 1)
	r.wait = clock.wait
	if r.Now() != 0 {
		t.Errorf("got %d before the first frame, want 0", r.Now())
	}
	for i, want := range []struct {
		frames int
		now    int64
	}{{1, noon}, {0, noon + 100*ms}, {1, noon + 150*ms}} {
		var batch [4]Frame
		n, err := r.Next(batch[:])
		if n != want.frames || err != nil || r.Now() != want.now {
			t.Errorf("call %d: got %d frames, time %d and %v, want %d and %d", i, n, r.Now()-noon, err, want.frames, want.now-noon)
		}
	}
	clock.at = clock.at.Add(time.Hour)
	if r.Now() != noon+150*ms {
		t.Errorf("got %d after the last known frame, want its time", r.Now()-noon)
	}
}

func TestReplayClose(t *testing.T) {
	source := &list{times: []int64{0, int64(time.Hour)}, per: 9, end: io.EOF}
	r := Replay(source, time.Now, 1)
	var batch [4]Frame
	if n, err := r.Next(batch[:]); n != 1 || err != nil {
		t.Fatalf("got %d frames and %v, want the first", n, err)
	}
	waiting := make(chan struct{})
	pause := r.wait
	r.wait = func(time.Duration) {
		close(waiting)
		pause(time.Hour) // for ever, if Close did not end it
	}
	ended := make(chan error)
	go func() {
		_, err := r.Next(batch[:])
		ended <- err
	}()
	<-waiting
	if err := errors.Join(r.Close(), r.Close()); err != nil || !source.closed {
		t.Errorf("got %v, source closed: %v", err, source.closed)
	}
	if err := <-ended; !errors.Is(err, os.ErrClosed) || err.Error() != "replaying x.pcap: file already closed" {
		t.Errorf("got %v, want os.ErrClosed", err)
	}
}

func TestReplayError(t *testing.T) {
	damaged := errors.New("damaged")
	for _, speed := range []float64{0, 1} {
		clock := &hands{at: time.Unix(0, noon)}
		r := Replay(&list{times: []int64{0, 1}, per: 2, end: damaged}, clock.now, speed)
		r.wait = clock.wait
		var batch [1]Frame
		var err error
		frames := 0
		for calls := 0; err == nil && calls < 10; calls++ {
			var n int
			n, err = r.Next(batch[:])
			frames += n
		}
		if frames != 2 || !errors.Is(err, damaged) {
			t.Errorf("speed %v: got %d frames and %v, want 2, then the source's error", speed, frames, err)
		}
	}
}

func TestReplayPassesOn(t *testing.T) {
	with := Replay(&list{}, time.Now, 1)
	without := Replay(struct{ Source }{&list{}}, time.Now, 1)
	if with.Name() != "x.pcap" || with.InterfaceName(1) != "eth1" || with.Stats().Received != 7 {
		t.Errorf("got %q, %q and %+v", with.Name(), with.InterfaceName(1), with.Stats())
	}
	if without.Name() != "x.pcap" || without.InterfaceName(1) != "" || without.Stats() != (Stats{}) {
		t.Errorf("got %q, %q and %+v", without.Name(), without.InterfaceName(1), without.Stats())
	}
}
