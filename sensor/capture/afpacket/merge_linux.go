package afpacket

import (
	"math"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// fill merges the rings into batch by time and says how many frames that were. When the next frame must wait, due is the time
// from which it may be handed out.
func (w *worker) fill(batch []capture.Frame, now int64) (n int, due int64) {
	for {
		pick, first, until := w.survey(now)
		switch {
		case pick == nil:
			w.settle(until, now)
			return n, 0
		case n == len(batch):
			w.settle(min(first-1, until), now)
			return n, 0
		case first > until && first-now < stepped:
			w.settle(until, now)
			return n, first + int64(w.hold)
		}
		n += pick.take(batch[n:], max(first, until))
	}
}

// survey finds the ring with the earliest frame, that frame's time, and until when the ring's frames come before all others: the
// frames in sight elsewhere, and those that may still come to sight. A ring without a frame in sight may have some in the block
// that the kernel is filling, but none older than hold, nor than what it has shown.
func (w *worker) survey(now int64) (pick *socket, first, until int64) {
	first, until = math.MaxInt64, math.MaxInt64
	for i := range w.inputs {
		s := w.inputs[i].socket
		if s == nil {
			continue
		}
		if s.last-now > stepped {
			s.last = 0 // the clock was set back
		}
		t := max(now-int64(w.hold), s.last)
		if s.ready() {
			if t = s.head(); t < first {
				pick, first, t = s, t, first
			}
		}
		until = min(until, t)
	}
	return pick, first, until
}

// settle sets the time up to which every frame has been delivered. It only goes back when the clock was set back.
func (w *worker) settle(t, now int64) {
	if t == math.MaxInt64 { // no ring at all
		t = now - int64(w.hold)
	}
	if was := w.now.Load(); t > was || was-t > stepped {
		w.now.Store(t)
	}
}

// mind does what is due beside handing out frames.
func (w *worker) mind(now time.Time) {
	if w.drain.IsZero() && w.closing.Load() {
		w.stop(now)
	}
	if !now.Before(w.nextTick) {
		w.tick(now)
	}
}

// stop keeps further frames out.
func (w *worker) stop(now time.Time) {
	w.poll[len(w.inputs)].Fd = -1 // it has done its work
	for i := range w.inputs {
		if s := w.inputs[i].socket; s != nil && s.refuse() != nil {
			return // short of memory for a filter of eight bytes: try at the next call
		}
	}
	w.drain = now.Add(late)
}

// drained says whether all frames that were received before Close have come to sight: those that were on their way, and those in
// blocks that are not full, which the kernel hands over within hold. It does not wait for ever for a kernel that does not.
func (w *worker) drained(now time.Time) bool {
	if w.drain.IsZero() || now.Before(w.drain) {
		return false
	}
	if now.Sub(w.drain) > w.hold+maxDrain {
		return true
	}
	for i := range w.inputs {
		if s := w.inputs[i].socket; s != nil && s.filling() {
			return false
		}
	}
	return true
}

// tick reads the counters and looks after interfaces that have gone down.
func (w *worker) tick(now time.Time) {
	w.nextTick = now.Add(tickEvery)
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.inputs {
		in := &w.inputs[i]
		in.muted = false
		if in.socket != nil {
			in.socket.count()
			w.ask(in, now) // under load nobody polls
		}
		if !in.suspect || !w.drain.IsZero() {
			continue
		}
		if in.socket != nil && in.socket.ready() {
			w.tickBy(now.Add(w.hold)) // its last frames first
			continue
		}
		w.look(in, now)
	}
}

// tickBy makes the next tick come sooner.
func (w *worker) tickBy(t time.Time) {
	if t.Before(w.nextTick) {
		w.nextTick = t
	}
}

// look has a suspect interface looked at, and takes its new ring if it was made anew.
func (w *worker) look(in *input, now time.Time) {
	fresh, well := in.port.look(w.number, in, now)
	in.suspect = !well
	if fresh == nil {
		return
	}
	if in.socket != nil {
		if err := w.retire(in.socket); err != nil {
			w.log.Warn("closing the ring of an interface that is gone", "interface", in.port.name, "error", err)
		}
	}
	in.socket = fresh
	w.adopt(in)
}

// ask takes an error off a socket and notes that its interface needs to be looked at.
func (w *worker) ask(in *input, now time.Time) (trouble bool) {
	if in.socket.fault() == nil {
		return false
	}
	if in.port.name != AnyInterface {
		in.suspect = true
		w.tickBy(now.Add(w.hold)) // when its last block has come to sight
	}
	return true
}

// patience is how long to wait: to the deadline, or until a frame that is held back is due; when closing, briefly.
func (w *worker) patience(now, deadline time.Time, due int64) time.Duration {
	d := deadline.Sub(now)
	if due != 0 {
		d = min(d, time.Duration(due-now.UnixNano()))
	}
	if !w.drain.IsZero() {
		d = min(d, late)
	}
	return max(d, 0)
}

// wait waits for a block of a ring that has no frame in sight, or for Close.
func (w *worker) wait(d time.Duration) error {
	for i := range w.inputs {
		in, p := &w.inputs[i], &w.poll[i]
		p.Fd, p.Events, p.Revents = -1, 0, 0
		if in.socket == nil || in.muted {
			continue
		}
		p.Fd = int32(in.socket.fd)
		if !in.socket.ready() { // else poll would return at once for the frames that are held back
			p.Events = unix.POLLIN
		}
	}
	ms := int((d + time.Millisecond - 1) / time.Millisecond)
	n, err := unix.Poll(w.poll, ms)
	if err != nil {
		if err == unix.EINTR { // a signal of the Go runtime; Next looks around and comes back
			return nil
		}
		return err
	}
	if n == 0 {
		return nil
	}
	now := time.Now()
	for i := range w.inputs {
		in := &w.inputs[i]
		if w.poll[i].Revents&^unix.POLLIN != 0 {
			in.muted = !w.ask(in, now)
		}
	}
	return nil
}
