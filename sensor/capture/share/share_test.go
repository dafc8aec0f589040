package share

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// made is a source that gives batches of frames which it overwrites with the next ones, as a ring or a buffer does.
type made struct {
	batches [][]capture.Frame
	err     error // after them; nil: the batches begin anew, for ever
	files   int   // batches after which the source goes on to another file; 0: never
	at      int
	given   uint64
	buffer  []byte
}

func (m *made) Next(to []capture.Frame) (int, error) {
	if m.at >= len(m.batches) && m.err != nil {
		return 0, m.err
	}
	batch := m.batches[m.at%len(m.batches)]
	m.at++
	for i := range m.buffer {
		m.buffer[i] = 0xee
	}
	m.buffer = m.buffer[:0]
	for i := range batch {
		at := len(m.buffer)
		m.buffer = append(m.buffer, batch[i].Data...)
		to[i] = batch[i]
		to[i].Data = m.buffer[at:len(m.buffer):len(m.buffer)]
	}
	m.given += uint64(len(batch))
	return len(batch), nil
}

func (m *made) file() int {
	if m.files == 0 {
		return 0
	}
	return m.at / m.files
}

func (m *made) Name() string {
	if m.files == 0 {
		return "made"
	}
	return fmt.Sprintf("made%d", m.file())
}
func (m *made) InterfaceName(i uint16) string { return fmt.Sprintf("eth%d.%d", m.file(), i) }
func (m *made) Stats() capture.Stats          { return capture.Stats{Received: m.given, Dropped: 3} }
func (m *made) Close() error                  { return nil }

// framesOf makes batches of so many frames of so many bytes.
func framesOf(batches, frames, size int) [][]capture.Frame {
	var all [][]capture.Frame
	for b := range batches {
		var batch []capture.Frame
		for f := range frames {
			n := b*frames + f
			batch = append(batch, capture.Frame{Data: bytes.Repeat([]byte{byte(n)}, size), Time: int64(n), WireLen: uint32(size), Interface: uint16(b % 3)})
		}
		all = append(all, batch)
	}
	return all
}

// seen is what a worker was given at once.
type seen struct {
	frames []capture.Frame
	name   string
	iface  string // of the first frame
	err    string
}

// readAll reads a source to its end, or so many batches.
func readAll(source capture.Source, most int) (all []seen) {
	var frames [Batch]capture.Frame
	for range most {
		n, err := source.Next(frames[:])
		s := seen{name: source.Name(), err: fmt.Sprint(err)}
		for _, f := range frames[:n] {
			f.Data = bytes.Clone(f.Data)
			s.frames = append(s.frames, f)
		}
		if n > 0 {
			s.iface = source.(capture.Named).InterfaceName(frames[0].Interface)
		}
		all = append(all, s)
		if err != nil {
			return all
		}
	}
	return all
}

const toItsEnd = 1 << 30

// Every worker sees what one that reads the source by itself does: the same batches, names and end.
func TestWorkers(t *testing.T) {
	damaged := errors.New("reading made: it is damaged")
	small := framesOf(700, 8, 60)
	with := func(batches [][]capture.Frame, extra ...[]capture.Frame) [][]capture.Frame {
		return append(batches, extra...)
	}
	for _, tt := range []struct {
		name   string
		source made
	}{
		{"nothing", made{err: io.EOF}},
		{"one frame", made{batches: framesOf(1, 1, 60), err: io.EOF}},
		{"many chunks", made{batches: small, err: io.EOF}},
		{"long frames", made{batches: framesOf(12, 7, 100_000), err: io.EOF}},
		{"a batch longer than a chunk", made{batches: framesOf(3, Batch, 0x8000), err: io.EOF}},
		{"damage", made{batches: small[:3], err: damaged}},
		{"damage at the start", made{err: damaged}},
		{"several files", made{batches: small, files: 9, err: io.EOF}},
		{"quiet now and then", made{batches: with(framesOf(3, 5, 60), nil, small[0], nil, nil), err: io.EOF}},
	} {
		for _, workers := range []int{1, 2, 5} {
			t.Run(fmt.Sprintf("%s, %d", tt.name, workers), func(t *testing.T) {
				alone, together := tt.source, tt.source
				want := readAll(&alone, toItsEnd)
				r := New(&together, workers)
				got := make([][]seen, workers)
				var running sync.WaitGroup
				for i := range workers {
					running.Go(func() { got[i] = readAll(r.Source(i), toItsEnd) })
				}
				running.Wait()
				r.Wait()
				for i := range got {
					if !reflect.DeepEqual(got[i], want) {
						t.Errorf("worker %d saw %d batches, want %d, or they differ", i, len(got[i]), len(want))
					}
				}
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// A worker that asks for fewer frames than the source gives is given the rest next time, and the end after all of them.
func TestSmallBatches(t *testing.T) {
	source := made{batches: framesOf(3, 10, 60), err: io.EOF}
	w := New(&source, 1).Source(0)
	var frames [4]capture.Frame
	var sizes []int
	times := int64(0)
	for {
		n, err := w.Next(frames[:])
		for _, f := range frames[:n] {
			if f.Time != times {
				t.Fatalf("frame %d came where %d was due", f.Time, times)
			}
			times++
		}
		sizes = append(sizes, n)
		if err != nil {
			break
		}
	}
	if want := []int{4, 4, 2, 4, 4, 2, 4, 4, 2, 0}; !reflect.DeepEqual(sizes, want) {
		t.Errorf("read %v frames at once, want %v", sizes, want)
	}
}

// A worker that stops, at any time, holds nobody up: the others see all, and when the last has stopped the source is read no more.
func TestWorkerStops(t *testing.T) {
	for _, after := range []int{0, 1, 200, 650} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			source := made{batches: framesOf(700, 4, 60), err: io.EOF}
			r := New(&source, 3)
			stopper := r.Source(1)
			var running sync.WaitGroup
			for _, i := range []int{0, 2} {
				running.Go(func() {
					if n := len(readAll(r.Source(i), toItsEnd)); n != 701 {
						t.Errorf("worker %d saw %d batches, want 701", i, n)
					}
				})
			}
			readAll(stopper, after)
			if err := stopper.Close(); err != nil {
				t.Error(err)
			}
			if n, err := stopper.Next(make([]capture.Frame, Batch)); n != 0 || err == nil {
				t.Errorf("a closed worker read %d frames, %v", n, err)
			}
			running.Wait()
			r.Wait()
		})
	}
	t.Run("all of an endless source", func(t *testing.T) {
		source := made{batches: framesOf(3, Batch, 1000)}
		r := New(&source, 2)
		readAll(r.Source(0), 20)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("nobody ever reads", func(t *testing.T) {
		source := made{batches: framesOf(3, Batch, 1000)}
		if err := New(&source, 4).Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// The reader is ahead of a worker that reads nothing by no more than the chunks that there are, and one when all are given up.
func TestSlowWorker(t *testing.T) {
	source := made{batches: framesOf(10*chunkBatches, 2, 60), err: io.EOF}
	r := New(&source, 2)
	readAll(r.Source(0), 3*chunkBatches)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if most := (chunks + 2) * chunkBatches; source.at > most {
		t.Errorf("the reader read %d batches while a worker read none, want at most %d", source.at, most)
	}
}

// The counters are there once.
func TestStats(t *testing.T) {
	source := made{batches: framesOf(4, 5, 60), err: io.EOF}
	r := New(&source, 3)
	var sum capture.Stats
	for i := range 3 {
		readAll(r.Source(i), toItsEnd)
		stats := r.Source(i).(capture.Counted).Stats()
		sum.Received += stats.Received
		sum.Dropped += stats.Dropped
	}
	if want := (capture.Stats{Received: 20, Dropped: 3}); sum != want {
		t.Errorf("the workers together count %+v, want %+v", sum, want)
	}
}

// Once its chunks are made, nothing is allocated.
func TestAllocations(t *testing.T) {
	source := made{batches: framesOf(50, Batch, 900)}
	r := New(&source, 2)
	var frames [Batch]capture.Frame
	read := func() {
		for range 200 {
			for i := range 2 {
				if n, err := r.Source(i).Next(frames[:]); n != Batch || err != nil {
					t.Fatal(n, err)
				}
			}
		}
	}
	for i := range 2 { // every chunk is made while the other one waits, however busy the machine
		readAll(r.Source(i), 3*(chunkBytes/(Batch*900)))
	}
	read()
	if allocs := testing.AllocsPerRun(20, read); allocs > 0 {
		t.Errorf("%v allocations for 200 batches", allocs)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkTwoWorkers(b *testing.B) {
	source := made{batches: framesOf(50, Batch, 800)}
	r := New(&source, 2)
	b.SetBytes(Batch * 800)
	b.ReportAllocs()
	var running sync.WaitGroup
	for i := range 2 {
		running.Go(func() {
			var frames [Batch]capture.Frame
			for range b.N {
				if _, err := r.Source(i).Next(frames[:]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
}

// taken is a source whose memory goes away before a batch.
type taken struct {
	made
	before int
}

var errTaken = errors.New("reading taken: its memory is gone")

func (s *taken) Guard(run func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errTaken
		}
	}()
	return run()
}

func (s *taken) Next(to []capture.Frame) (int, error) {
	if s.at == s.before {
		panic("fault")
	}
	return s.made.Next(to)
}

// What was copied before the memory of the source went away every worker sees, then the error.
func TestGuarded(t *testing.T) {
	for _, before := range []int{0, 1, chunkBatches, chunkBatches + 3, 700} {
		t.Run(fmt.Sprint(before), func(t *testing.T) {
			source := taken{made: made{batches: framesOf(701, 4, 60), err: io.EOF}, before: before}
			r := New(&source, 2)
			alone := made{batches: framesOf(701, 4, 60), err: io.EOF}
			want := readAll(&alone, before)
			var running sync.WaitGroup
			for i := range 2 {
				running.Go(func() {
					got := readAll(r.Source(i), toItsEnd)
					if len(got) != before+1 || before > 0 && !reflect.DeepEqual(got[:before], want) {
						t.Errorf("worker %d saw %d batches, want the %d before the fault and its error", i, len(got), before)
						return
					}
					if last := got[before]; len(last.frames) != 0 || last.err != errTaken.Error() {
						t.Errorf("worker %d saw %d frames at last, %s", i, len(last.frames), last.err)
					}
				})
			}
			running.Wait()
			r.Wait()
		})
	}
}
