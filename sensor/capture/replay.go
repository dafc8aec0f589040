package capture

import (
	"fmt"
	"os"
	"sync"
	"time"
)

const (
	// longestWait is how long one call of Next may wait for a frame that is not due.
	longestWait = 100 * time.Millisecond

	// shortestWait lets frames that follow each other closely become due together.
	shortestWait = time.Millisecond

	// replayBatch is how many frames a paced replay reads ahead.
	replayBatch = 256
)

// Replayed is a finite source whose frames happen now; see Replay. Next, Now and InterfaceName belong to one goroutine; Close and Stats
// may be called from others.
type Replayed struct {
	source Source
	now    func() time.Time
	speed  float64
	wait   func(time.Duration) // returns early once the replay is closed
	closed chan struct{}
	once   sync.Once

	begun bool
	start int64 // when the first frame was read, and so its new time
	shift int64 // what is added to every time
	last  int64 // the latest time among the frames handed out

	held []Frame // read ahead, shifted
	rest []Frame // of held: not yet handed out
	err  error   // what the source said after held
}

// Replay shifts the times of all frames of source by one constant, so that the first frame happens when it is read.
//
// With speed 1, frames are handed out no earlier than their new times, so the file takes as long as its capture did; with speed 10, a
// tenth of that. A call of Next then waits for 100 ms at most and returns 0, nil if nothing became due. With speed 0, frames come as
// fast as they can be read, and their times run ahead of the clock. A gap in a capture is kept, however long it is.
//
// The replay owns source and closes it.
func Replay(source Source, now func() time.Time, speed float64) *Replayed {
	r := &Replayed{source: source, now: now, speed: speed, closed: make(chan struct{})}
	r.wait = r.pause
	if r.paced() {
		r.held = make([]Frame, replayBatch)
	}
	return r
}

func (r *Replayed) paced() bool { return r.speed > 0 }

var (
	_ Source  = (*Replayed)(nil)
	_ Named   = (*Replayed)(nil)
	_ Counted = (*Replayed)(nil)
	_ Clocked = (*Replayed)(nil)
)

// Next fills batch with frames that are due.
func (r *Replayed) Next(batch []Frame) (int, error) {
	if !r.paced() {
		n, err := r.source.Next(batch)
		r.shiftTimes(batch[:n])
		r.handedOut(batch[:n])
		return n, err
	}
	if len(r.rest) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		var n int
		n, r.err = r.source.Next(r.held)
		r.rest = r.held[:n]
		r.shiftTimes(r.rest)
		if n == 0 {
			return 0, r.err
		}
	}
	if early := time.Duration(float64(r.rest[0].Time-r.clock()) / r.speed); early > 0 {
		r.wait(min(max(early, shortestWait), longestWait))
	}
	select {
	case <-r.closed:
		return 0, fmt.Errorf("replaying %s: %w", r.Name(), os.ErrClosed)
	default:
	}
	n, due := 0, r.clock()
	for n < min(len(batch), len(r.rest)) && r.rest[n].Time <= due {
		n++
	}
	copy(batch, r.rest[:n])
	r.handedOut(r.rest[:n])
	r.rest = r.rest[n:]
	return n, nil
}

// shiftTimes moves frames to the time of the replay.
func (r *Replayed) shiftTimes(frames []Frame) {
	if len(frames) > 0 && !r.begun {
		r.begun = true
		r.start = r.now().UnixNano()
		r.shift = r.start - frames[0].Time
	}
	for i := range frames {
		frames[i].Time += r.shift
	}
}

// handedOut remembers how far the frames have come. They need not be in order.
func (r *Replayed) handedOut(frames []Frame) {
	for i := range frames {
		r.last = max(r.last, frames[i].Time)
	}
}

// clock is the time of the replay: it starts with the first frame and goes at its speed.
func (r *Replayed) clock() int64 {
	return r.start + int64(float64(r.now().UnixNano()-r.start)*r.speed)
}

// Now returns the time up to which all frames have been handed out: while a paced replay waits for a frame that it knows, its clock,
// but not more than the time of that frame; else the latest time of a frame. It is 0 before the first frame.
func (r *Replayed) Now() int64 {
	if len(r.rest) == 0 {
		return r.last
	}
	return max(r.last, min(r.clock(), r.rest[0].Time))
}

// pause waits on the wall clock.
func (r *Replayed) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.closed:
	}
}

// Name returns the name of the source.
func (r *Replayed) Name() string { return r.source.Name() }

// InterfaceName returns what the source calls interface i, or "".
func (r *Replayed) InterfaceName(i uint16) string {
	if named, ok := r.source.(Named); ok {
		return named.InterfaceName(i)
	}
	return ""
}

// Stats returns the counters of the source, if it has any.
func (r *Replayed) Stats() Stats {
	if counted, ok := r.source.(Counted); ok {
		return counted.Stats()
	}
	return Stats{}
}

// Close ends a Next that waits, and closes the source.
func (r *Replayed) Close() error {
	r.once.Do(func() { close(r.closed) })
	return r.source.Close()
}
