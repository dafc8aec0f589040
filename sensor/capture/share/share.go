// Package share lets several workers read one capture source: each is given every frame, in order, in the batches in which the source
// gave them. Which frames a worker cares for is its own business (see package sensor): nothing here looks inside a frame.
//
//	                      copied once                    ┌── worker 0
//	source ── one reader ─────────────> chunk ── chunk ──┼── worker 1
//	   one goroutine           ^                         └── worker 2
//	                           └── free, when all are done with it
//
// The chunks are few and used again, so that the reader is at most so far ahead of the slowest worker. A worker that stops holds up nobody.
package share

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

const (
	// Batch is how many frames the source is asked for at once. Workers that ask for as many see them in the batches in which one that
	// reads the source by itself would.
	Batch = 64
	// chunkBytes is how much is handed over at once: enough that handing over costs nothing, little enough for the cache.
	chunkBytes = 1 << 20
	// chunkBatches bounds a chunk of small frames, and of batches without any.
	chunkBatches = 128
	// chunks is how many there are: the slowest worker may be that far behind.
	chunks = 4
)

// Reader reads a source for several workers.
type Reader struct {
	source  capture.Source
	workers []*worker
	free    chan *chunk
	made    int // chunks, at most as many as chunks says
	names   names
	ended   chan struct{}

	mu   sync.Mutex // guards what follows, and that a chunk is handed to a worker before it closes or not at all
	open int        // workers that have not closed
}

// New begins to read source for so many workers. The source is its opener's, who must not touch it before Wait has returned.
func New(source capture.Source, workers int) *Reader {
	r := &Reader{source: source, workers: make([]*worker, workers), free: make(chan *chunk, chunks), ended: make(chan struct{}), open: workers}
	for i := range r.workers {
		r.workers[i] = &worker{reader: r, first: i == 0, full: make(chan *chunk, chunks)}
	}
	r.names.latest = source.Name()
	go r.run()
	return r
}

// Source is what the worker of a number reads. Every one has to be closed; the first alone tells the source's counters, so that they are
// there once.
func (r *Reader) Source(worker int) capture.Source { return r.workers[worker] }

// Close closes for all workers, and returns when the source is read no more.
func (r *Reader) Close() error {
	for _, w := range r.workers {
		if err := w.Close(); err != nil {
			return err
		}
	}
	r.Wait()
	return nil
}

// Wait returns when the source is read no more: at its end, or when every worker has closed.
func (r *Reader) Wait() { <-r.ended }

// run reads to the end, under the source's guard if it has one: the workers see copies alone.
func (r *Reader) run() {
	defer close(r.ended)
	c := r.chunk()
	guard := func(run func() error) error { return run() }
	if guarded, ok := r.source.(capture.Guarded); ok {
		guard = guarded.Guard
	}
	err := guard(func() error {
		r.read(&c)
		return nil
	})
	if err != nil { // in the middle of a batch
		c.fail(batch{err: err, names: r.names.known, source: r.names.latest})
		r.publish(c)
	}
}

// read fills *c, and the chunks after it, until the source ends or nobody reads any more.
func (r *Reader) read(c **chunk) {
	var frames [Batch]capture.Frame
	for *c != nil {
		n, err := r.source.Next(frames[:])
		r.names.look(r.source, frames[:n])
		b := batch{err: err, names: r.names.known, source: r.names.latest}
		if *c = r.room(*c, frames[:n]); *c == nil {
			return
		}
		(*c).add(frames[:n], b)
		if err != nil {
			r.publish(*c)
			return
		}
		if n == 0 { // a quiet source: what there is goes on its way
			*c = r.next(*c)
		}
	}
}

// room returns c, or the next chunk if c has no room for the frames; nil if nobody reads any more.
func (r *Reader) room(c *chunk, frames []capture.Frame) *chunk {
	need := 0
	for i := range frames {
		need += len(frames[i].Data)
	}
	if len(c.batches) > 0 && (len(c.data)+need > cap(c.data) || len(c.batches) == chunkBatches) {
		if c = r.next(c); c == nil {
			return nil
		}
	}
	if need > cap(c.data) { // frames as long as they may be
		c.data = make([]byte, 0, need)
	}
	return c
}

// next hands c over and returns a chunk that is free.
func (r *Reader) next(c *chunk) *chunk {
	if r.publish(c); r.left() == 0 {
		return nil
	}
	return r.chunk()
}

// chunk returns one that is free, or waits for it.
func (r *Reader) chunk() *chunk {
	select {
	case c := <-r.free:
		return c.empty()
	default:
	}
	if r.made < chunks {
		r.made++
		return &chunk{data: make([]byte, 0, chunkBytes)}
	}
	return (<-r.free).empty()
}

// publish hands c to every worker that has not closed. There is room in the channels for all chunks that there are.
func (r *Reader) publish(c *chunk) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.users.Store(int32(r.open))
	for _, w := range r.workers {
		if !w.closed {
			w.full <- c
		}
	}
}

// left is how many workers have not closed.
func (r *Reader) left() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open
}

// done takes c back from one of its workers.
func (r *Reader) done(c *chunk) {
	if c.users.Add(-1) == 0 {
		r.free <- c
	}
}

// chunk is a piece of the source.
type chunk struct {
	users   atomic.Int32
	data    []byte // what the frames alias
	frames  []capture.Frame
	batches []batch
}

// batch is what one call of the source's Next gave.
type batch struct {
	end    int // of its frames in those of the chunk
	err    error
	names  []string // of the interfaces, then
	source string   // its name, then
}

func (c *chunk) empty() *chunk {
	c.data, c.frames, c.batches = c.data[:0], c.frames[:0], c.batches[:0]
	return c
}

// add copies frames, for which there is room.
func (c *chunk) add(frames []capture.Frame, b batch) {
	for i := range frames {
		f := frames[i]
		at := len(c.data)
		c.data = append(c.data, f.Data...)
		f.Data = c.data[at:len(c.data):len(c.data)]
		c.frames = append(c.frames, f)
	}
	b.end = len(c.frames)
	c.batches = append(c.batches, b)
}

// fail ends c with an error, behind the last batch that was added whole.
func (c *chunk) fail(b batch) {
	if n := len(c.batches); n > 0 {
		b.end = c.batches[n-1].end
	}
	c.frames = c.frames[:b.end]
	c.batches = append(c.batches, b)
}

// names follows what the source calls itself and its interfaces.
type names struct {
	latest string
	known  []string // by interface, up to the highest that a frame has named; what was handed out is not changed
}

// look asks for the names of the interfaces that frames come from, and anew for all when the source goes on to another file.
func (n *names) look(source capture.Source, frames []capture.Frame) {
	named, ok := source.(capture.Named)
	if now := source.Name(); now != n.latest {
		n.latest = now
		n.known = make([]string, len(n.known))
		for i := range n.known {
			if ok {
				n.known[i] = named.InterfaceName(uint16(i))
			}
		}
	}
	for i := range frames {
		for ok && len(n.known) <= int(frames[i].Interface) {
			n.known = append(n.known, named.InterfaceName(uint16(len(n.known))))
		}
	}
}

// worker is the source of one worker.
type worker struct {
	reader *Reader
	first  bool
	full   chan *chunk
	closed bool // guarded by reader.mu

	now    *chunk // the one that is read; nil: none yet
	at     int    // the batch of it that comes next, or is read in part
	frame  int    // the frame that comes next
	batch  batch  // the latest
	closer sync.Once
}

var (
	_ capture.Source  = (*worker)(nil)
	_ capture.Named   = (*worker)(nil)
	_ capture.Counted = (*worker)(nil)
)

// Next implements capture.Source. The end of the source, and its error, are every worker's.
func (w *worker) Next(to []capture.Frame) (int, error) {
	if w.batch.err != nil {
		return 0, w.batch.err
	}
	if w.now == nil || w.at == len(w.now.batches) {
		if w.now != nil {
			w.reader.done(w.now)
		}
		c, ok := <-w.full
		if w.now, w.at, w.frame = c, 0, 0; !ok {
			return 0, os.ErrClosed
		}
	}
	b := &w.now.batches[w.at]
	n := copy(to, w.now.frames[w.frame:b.end])
	w.frame += n
	w.batch = *b
	if w.frame < b.end { // the batch goes on
		w.batch.err = nil
		return n, nil
	}
	w.at++
	return n, b.err
}

// Name implements capture.Source.
func (w *worker) Name() string { return w.batch.source }

// InterfaceName implements capture.Named: what the source said when it gave the frames that were read last.
func (w *worker) InterfaceName(i uint16) string {
	if int(i) < len(w.batch.names) {
		return w.batch.names[i]
	}
	return ""
}

// Stats implements capture.Counted.
func (w *worker) Stats() capture.Stats {
	if counted, ok := w.reader.source.(capture.Counted); ok && w.first {
		return counted.Stats()
	}
	return capture.Stats{}
}

// Close lets go of what the worker has not read, so that nobody waits for it. It belongs to the goroutine that calls Next. The source stays
// open.
func (w *worker) Close() error {
	w.closer.Do(func() {
		r := w.reader
		r.mu.Lock()
		w.closed = true
		r.open--
		close(w.full)
		r.mu.Unlock()
		for c := range w.full {
			r.done(c)
		}
		if w.now != nil {
			r.done(w.now)
		}
		w.now, w.at = nil, 0
		if w.batch.err == nil {
			w.batch.err = errClosed
		}
	})
	return nil
}

var errClosed = errors.New("reading a shared capture: the worker has closed it")
