package afpacket

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

const (
	// quiet is how long Next waits for a frame before it lets the caller mind its timers.
	quiet = 100 * time.Millisecond
	// tickEvery is how often the kernel's counters are read, which are 32 bits wide.
	tickEvery = time.Second
	// late is how much later than Config.Timeout the kernel may hand a block over: its timer counts in ticks of up to 10 ms.
	late = 10 * time.Millisecond
	// maxDrain is how much longer than expected Next waits after Close for the last block.
	maxDrain = time.Second
	// stepped is how far in the future a frame must lie to prove that the clock was set back meanwhile.
	stepped = int64(time.Second)
)

// input is what a worker reads of one interface.
type input struct {
	port       *port
	socket     *socket // nil while the interface was never up
	generation int
	suspect    bool // it went down, or has no socket yet: look after it
	muted      bool // poll complains about it for no reason that it can tell: do not ask until the next tick
}

// worker is a source: ring i of every interface, merged by time.
type worker struct {
	title  string
	log    *slog.Logger
	number int // i
	inputs []input
	names  *nameTable
	poll   []unix.PollFd // one for each input, and the last for wake
	hold   time.Duration // how long a frame may stay out of sight in a block that is not full

	closing  atomic.Bool
	now      atomic.Int64
	received atomic.Uint64
	nextTick time.Time
	drain    time.Time // when closing: until when frames may still be on their way into the rings
	ended    bool

	// mu guards the life of the sockets, which Stats and Close touch beside the reader.
	mu       sync.Mutex
	wake     int // an eventfd that ends poll
	started  bool
	released bool
	lost     capture.Stats // of sockets that were closed
}

func newWorker(cfg *Config, ports []*port, number int) (*worker, error) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("making an eventfd: %w", err)
	}
	w := &worker{title: cfg.title(number), log: cfg.Logger, number: number, wake: wake, hold: cfg.Timeout + late}
	w.names = newNameTable(cfg.names(), nameOf)
	for _, p := range ports {
		in := input{port: p, suspect: true}
		if s, generation := p.take(number); s != nil {
			in.generation, in.suspect = generation, false
			in.socket = s
			w.adopt(&in)
		}
		w.inputs = append(w.inputs, in)
	}
	w.poll = make([]unix.PollFd, len(w.inputs)+1)
	w.poll[len(w.inputs)] = unix.PollFd{Fd: int32(wake), Events: unix.POLLIN}
	now := time.Now()
	w.now.Store(now.Add(-w.hold).UnixNano())
	w.nextTick = now.Add(tickEvery)
	return w, nil
}

// adopt tells a new ring how its frames name their interface.
func (w *worker) adopt(in *input) {
	in.socket.iface = in.port.number
	if in.port.name == AnyInterface {
		in.socket.names = w.names
	}
}

var (
	_ capture.Source  = (*worker)(nil)
	_ capture.Named   = (*worker)(nil)
	_ capture.Counted = (*worker)(nil)
	_ capture.Clocked = (*worker)(nil)
)

// Next hands out frames in place: their Data lies in the rings until the next call. When the link is quiet it returns 0, nil after
// a tenth of a second. After Close it hands out what had been received, then io.EOF.
func (w *worker) Next(batch []capture.Frame) (int, error) {
	if !w.start() {
		return 0, io.EOF
	}
	if len(batch) == 0 {
		return 0, nil
	}
	w.release()
	var deadline time.Time
	for {
		now := time.Now()
		w.mind(now)
		n, due := w.fill(batch, now.UnixNano())
		if n > 0 {
			w.received.Add(uint64(n))
			return n, nil
		}
		if deadline.IsZero() {
			deadline = now.Add(quiet)
		}
		switch {
		case due == 0 && w.drained(now):
			return 0, w.end(io.EOF)
		case !now.Before(deadline):
			return 0, nil
		}
		if err := w.wait(w.patience(now, deadline, due)); err != nil {
			return 0, w.end(fmt.Errorf("waiting for frames on %s: %w", w.title, err))
		}
	}
}

// start says whether there is something to read; from then on the reader gives the memory back, not Close.
func (w *worker) start() bool {
	if w.started { // only the reader sets it, and ended
		return !w.ended
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started, w.ended = true, w.released
	return !w.ended
}

// release gives the blocks of the frames that were handed out back to the kernel.
func (w *worker) release() {
	for i := range w.inputs {
		if s := w.inputs[i].socket; s != nil {
			s.release()
		}
	}
}

// Name says which interfaces are read, and by which of the workers.
func (w *worker) Name() string { return w.title }

// InterfaceName is the name of interface i.
func (w *worker) InterfaceName(i uint16) string { return w.names.name(i) }

// Now is the time up to which every frame has been delivered: a little in the past, as the kernel hands frames over in blocks.
func (w *worker) Now() int64 { return w.now.Load() }

// Stats sums what all rings of the worker counted. Frames in a block that made no sense count as dropped.
func (w *worker) Stats() capture.Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	sum := w.lost
	for i := range w.inputs {
		if s := w.inputs[i].socket; s != nil {
			s.count()
			sum = s.add(sum)
		}
	}
	sum.Received = w.received.Load()
	return sum
}

// Close stops receiving and ends a waiting Next. What was received until then is still handed out by Next before io.EOF.
func (w *worker) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.released {
		return nil
	}
	if !w.started {
		return w.releaseLocked()
	}
	w.closing.Store(true)
	one := [8]byte{1: 1} // any number but 0, in either byte order
	if _, err := unix.Write(w.wake, one[:]); err != nil && err != unix.EAGAIN {
		return fmt.Errorf("closing capture on %s: %w", w.title, err)
	}
	return nil
}

// end gives everything back and passes err on.
func (w *worker) end(err error) error {
	w.ended = true
	w.mu.Lock()
	defer w.mu.Unlock()
	if closeErr := w.releaseLocked(); closeErr != nil {
		return closeErr
	}
	return err
}

func (w *worker) releaseLocked() error {
	w.released = true
	var errs []error
	for i := range w.inputs {
		in := &w.inputs[i]
		if in.socket != nil {
			errs = append(errs, w.retire(in.socket))
			in.socket = nil
		}
		in.port.leave(w.number)
	}
	errs = append(errs, unix.Close(w.wake))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing capture on %s: %w", w.title, err)
	}
	return nil
}

// retire closes a socket and keeps its counters.
func (w *worker) retire(s *socket) error {
	s.count()
	w.lost = s.add(w.lost)
	return s.close()
}
