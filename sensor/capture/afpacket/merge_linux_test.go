package afpacket

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// fakeWorker merges rings of synthetic memory; nothing of it waits or asks the kernel.
func fakeWorker(rings int) (*worker, []*socket) {
	w := &worker{hold: 30 * time.Millisecond, names: newNameTable(nil, nameOf)}
	var sockets []*socket
	for i := range rings {
		s := fakeRing(4)
		s.iface = uint16(i)
		sockets = append(sockets, s)
		w.inputs = append(w.inputs, input{socket: s})
	}
	return w, sockets
}

const ms = int64(time.Millisecond)

// at makes a frame whose first byte is its time in milliseconds.
func at(times ...int64) (frames []fakeFrame) {
	for _, t := range times {
		frames = append(frames, fakeFrame{time: t * ms, data: []byte{byte(t), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}})
	}
	return frames
}

func TestMergeOrdersByTime(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rings [][]fakeFrame
		now   int64 // ms
		want  []byte
		due   int64 // ms; 0: nothing is held back
		upTo  int64 // ms: Now
	}{
		{"nothing", [][]fakeFrame{nil}, 200, nil, 0, 170},
		{"one ring", [][]fakeFrame{at(100, 101, 150)}, 151, []byte{100, 101, 150}, 0, 150},
		{"two rings in sight", [][]fakeFrame{at(100, 103, 106), at(101, 102, 107)}, 107, []byte{100, 101, 102, 103, 106}, 107 + 30, 106},
		{"the same time", [][]fakeFrame{at(100, 100), at(100, 101)}, 200, []byte{100, 100, 100, 101}, 0, 170},
		{"one quiet, young frames wait", [][]fakeFrame{at(100, 120), nil}, 125, nil, 130, 95},
		{"one quiet, old frames go", [][]fakeFrame{at(100, 120), nil}, 131, []byte{100}, 150, 101},
		{"one quiet, all old", [][]fakeFrame{at(100, 120), nil}, 151, []byte{100, 120}, 0, 121},
		{"quiet but has shown later ones", [][]fakeFrame{at(100, 110, 120), at(115)}, 121, []byte{100, 110, 115}, 150, 115},
		{"three rings", [][]fakeFrame{at(100, 104), at(101, 105), at(102, 103)}, 200, []byte{100, 101, 102, 103, 104, 105}, 0, 170},
		{"the clock was set back", [][]fakeFrame{at(5000, 5001), nil}, 100, []byte{136, 137}, 0, 70},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, sockets := fakeWorker(len(tt.rings))
			for i, frames := range tt.rings {
				if frames != nil {
					sockets[i].fill(0, frames...)
				}
			}
			batch := make([]capture.Frame, 64)
			n, due := w.fill(batch, tt.now*ms)
			var got []byte
			for _, f := range batch[:n] {
				got = append(got, f.Data[0])
			}
			if !bytes.Equal(got, tt.want) {
				t.Errorf("frames %v, want %v", got, tt.want)
			}
			if due != tt.due*ms {
				t.Errorf("the next is due at %d, want %d", due/ms, tt.due)
			}
			if w.Now() != tt.upTo*ms {
				t.Errorf("delivered up to %d, want %d", w.Now()/ms, tt.upTo)
			}
		})
	}
}

// TestMergeInSmallBatches sees that the order does not hang on where batches and blocks end.
func TestMergeInSmallBatches(t *testing.T) {
	for size := 1; size <= 9; size++ {
		w, sockets := fakeWorker(2)
		sockets[0].fill(0, at(100, 103)...)
		sockets[0].fill(1, at(104, 105, 120)...)
		sockets[1].fill(0, at(101, 102, 106, 107)...)
		sockets[1].fill(1, at(108)...)
		batch := make([]capture.Frame, size)
		var got []byte
		for upTo := int64(0); ; {
			n, _ := w.fill(batch, 200*ms)
			if n == 0 {
				break
			}
			for _, f := range batch[:n] {
				if got = append(got, f.Data[0]); f.Time <= upTo {
					t.Errorf("in batches of %d: a frame of %d after Now was %d", size, f.Time/ms, upTo/ms)
				}
			}
			upTo = w.Now()
			sockets[0].release()
			sockets[1].release()
		}
		if want := []byte{100, 101, 102, 103, 104, 105, 106, 107, 108, 120}; !bytes.Equal(got, want) {
			t.Errorf("in batches of %d: %v, want %v", size, got, want)
		}
	}
}

// TestNowSurvivesClock sees that small steps back do not turn the time of delivery back, and that great ones do.
func TestNowSurvivesClock(t *testing.T) {
	w, _ := fakeWorker(1)
	for _, tt := range []struct {
		name      string
		now, want int64 // ms
	}{
		{"start", 10_000_000, 9_999_970},
		{"goes on", 10_000_100, 10_000_070},
		{"a step back", 10_000_050, 10_000_070},
		{"an hour back", 6_400_100, 6_400_070},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.fill(make([]capture.Frame, 1), tt.now*ms)
			if w.Now() != tt.want*ms {
				t.Errorf("Now is %d, want %d", w.Now()/ms, tt.want)
			}
		})
	}
}

// rewind gives the sockets' blocks to the worker once more, as if the kernel had filled them again, with so many frames each.
func rewind(sockets []*socket, frames []uint32) {
	for _, s := range sockets {
		s.release()
		s.last = 0
		for i := range s.blocks {
			binary.NativeEndian.PutUint32(s.mem[i*s.blockSize+blockPackets:], frames[i])
			*status(s.mem[i*s.blockSize:]) = unix.TP_STATUS_USER
		}
	}
}

// counts is how many frames each block of a ring holds.
func counts(s *socket) (frames []uint32) {
	for i := range s.blocks {
		frames = append(frames, binary.NativeEndian.Uint32(s.mem[i*s.blockSize+blockPackets:]))
	}
	return frames
}

// fillAll takes all that is in sight and says how much that was.
func fillAll(w *worker, batch []capture.Frame) (frames int) {
	for {
		n, _ := w.fill(batch, 1<<60)
		if frames += n; n == 0 {
			return frames
		}
	}
}

func TestFillDoesNotAllocate(t *testing.T) {
	w, sockets := fakeWorker(2)
	w.names.byIndex[1] = 0
	for _, s := range sockets {
		s.names = w.names
		for i := range int64(s.blocks) {
			var frames []fakeFrame
			for j := range int64(20) {
				frames = append(frames, fakeFrame{time: i*1000 + j, data: payload(int(j)), status: unix.TP_STATUS_VLAN_VALID, tci: 7, index: 1})
			}
			s.fill(int(i), frames...)
		}
	}
	batch := make([]capture.Frame, 64)
	filled := counts(sockets[0])
	total := 0
	allocs := testing.AllocsPerRun(100, func() {
		rewind(sockets, filled)
		total += fillAll(w, batch)
	})
	if want := 101 * 2 * 4 * 20; total != want || allocs != 0 {
		t.Errorf("%d frames with %v allocations per round, want %d and 0", total, allocs, want)
	}
}

// BenchmarkFill walks full blocks as Next does, without the kernel: ns per frame.
func BenchmarkFill(b *testing.B) {
	for _, tt := range []struct {
		name  string
		rings int
	}{{"one ring", 1}, {"a tap", 2}} {
		b.Run(tt.name, func(b *testing.B) {
			w, sockets := fakeWorker(tt.rings)
			per := 0
			for r, s := range sockets {
				for i := range s.blocks {
					var frames []fakeFrame
					for j := range int64(50) {
						frames = append(frames, fakeFrame{time: int64(i)*1000 + j*10 + int64(r), data: payload(int(j))})
					}
					s.fill(i, frames...)
					per += len(frames)
				}
			}
			batch := make([]capture.Frame, 64)
			filled := counts(sockets[0])
			b.ReportAllocs()
			b.ResetTimer()
			frames := 0
			for frames < b.N {
				rewind(sockets, filled)
				got := fillAll(w, batch)
				if got != per {
					b.Fatalf("%d frames, want %d", got, per)
				}
				frames += got
			}
		})
	}
}

// BenchmarkFillCold walks a ring of the default size, larger than the caches, filled with frames of 54 to 1,514 bytes, and touches
// the data of each as a decoder would: ns per frame.
func BenchmarkFillCold(b *testing.B) {
	const size, blocks = 1 << 20, 64
	s := fakeRingOf(blocks, size)
	w := &worker{hold: 30 * time.Millisecond, inputs: []input{{socket: s}}}
	random := rand.New(rand.NewPCG(1, 2))
	whole := make([]byte, 1514)
	per := 0
	for i := range blocks {
		var frames []fakeFrame
		for room := size - blockHeader; room > 1700; {
			f := fakeFrame{data: whole}
			if random.IntN(2) == 0 {
				f.data = whole[:54+random.IntN(300)]
			}
			frames = append(frames, f)
			room -= 100 + len(f.data)
		}
		s.fill(i, frames...)
		per += len(frames)
	}
	batch := make([]capture.Frame, 256)
	filled := counts(s)
	b.ReportAllocs()
	b.ResetTimer()
	var sum byte
	for frames := 0; frames < b.N; {
		rewind([]*socket{s}, filled)
		got := 0
		for {
			n, _ := w.fill(batch, 1<<60)
			for j := range batch[:n] {
				sum += batch[j].Data[12]
			}
			if got += n; n == 0 {
				break
			}
		}
		if frames += got; got != per {
			b.Fatalf("%d frames, want %d", got, per)
		}
	}
	if sum != 0 {
		b.Error("the frames hold zeroes")
	}
}
