package pcapfile

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// placeNG writes a pcapng capture of at least size bytes.
func placeNG(t *testing.T, size int) string {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	n := &ngFile{}
	n.section(binary.LittleEndian)
	n.iface(1, 0)
	for i := 0; len(n.b) < size; i++ {
		n.enhanced(0, 1_700_000_000_000_000+uint64(i), 1600, payload(random.IntN(1600)))
		if i%1000 == 500 {
			n.block(0x0bad, make([]byte, 1<<20)) // thrown away over several reads
		}
	}
	return placed(t, n.b)
}

func placed(t *testing.T, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "place")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// placeFile writes a classic capture of at least size bytes, of frames of all sizes.
func placeFile(t *testing.T, size int, o binary.AppendByteOrder) string {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	b := make([]byte, 0, size+1<<20)
	word := func(v uint32) { b = o.AppendUint32(b, v) }
	word(magicMicro)
	b = o.AppendUint16(o.AppendUint16(b, 2), 4)
	word(0)
	word(0)
	word(maxFrame)
	word(1)
	for i := 0; len(b) < size; i++ {
		n := random.IntN(1600)
		if i%997 == 0 {
			n = maxFrame - random.IntN(100) // a window may end in it
		}
		word(uint32(1_700_000_000 + i/100))
		word(uint32(i % 100))
		word(uint32(n))
		word(uint32(n + 7))
		at := random.IntN(len(noise) - n)
		b = append(b, noise[at:at+n]...)
	}
	return placed(t, b)
}

// story is what a file gives: for each call of Next how many frames, and their sum.
func story(t *testing.T, f *File, batch int) (calls []string) {
	t.Helper()
	frames := make([]capture.Frame, batch)
	seed := storySeed
	for {
		n, err := f.Next(frames)
		var h maphash.Hash
		h.SetSeed(seed)
		for i := range frames[:n] {
			fmt.Fprint(&h, frames[i].Time, frames[i].WireLen, len(frames[i].Data))
			_, _ = h.Write(frames[i].Data)
		}
		calls = append(calls, fmt.Sprintf("%d frames, %x, %v", n, h.Sum64(), err))
		if err != nil {
			return calls
		}
	}
}

var storySeed = maphash.MakeSeed()

// What is read in place is what is read otherwise, in the same batches.
func TestInPlace(t *testing.T) {
	yes := func([]byte) bool { return true }
	turns := 0
	for _, tt := range []struct {
		name  string
		order binary.AppendByteOrder
		most  int64
		step  int64
		worth func([]byte) bool
		spoil func(b []byte) []byte
		later bool // bytes are added when the file is open
	}{
		{"in one window", binary.LittleEndian, 64 << 20, 64 << 20, yes, nil, false},
		{"in steps", binary.LittleEndian, 64 << 20, 3 << 20, yes, nil, false},
		{"in steps that fill no window", binary.LittleEndian, 5 << 20, 3 << 20, yes, nil, false},
		{"in steps, now and then", binary.LittleEndian, 5 << 20, 3 << 20, func([]byte) bool { turns++; return turns%3 != 0 }, nil, false},
		{"in steps, growing", binary.LittleEndian, 64 << 20, 3 << 20, yes, nil, true},
		{"in many windows", binary.LittleEndian, 3 << 20, 3 << 20, yes, nil, false},
		{"big-endian", binary.BigEndian, 3 << 20, 3 << 20, yes, nil, false},
		{"pcapng", nil, 3 << 20, 3 << 20, yes, nil, false},
		{"pcapng that ends in a block", nil, 3 << 20, 3 << 20, yes, func(b []byte) []byte { return b[:len(b)-5] }, false},
		{"never", binary.LittleEndian, 3 << 20, 3 << 20, func([]byte) bool { return false }, nil, false},
		{"now and then", binary.LittleEndian, 3 << 20, 3 << 20, func([]byte) bool { turns++; return turns%2 == 0 }, nil, false},
		{"as it comes", binary.LittleEndian, placeSize, placeStep, cheap, nil, false},
		{"cut in a record", binary.LittleEndian, 3 << 20, 3 << 20, yes, func(b []byte) []byte { return b[:len(b)-5] }, false},
		{"cut in a header", binary.LittleEndian, 3 << 20, 3 << 20, yes, func(b []byte) []byte { return append(b, 1, 2, 3) }, false},
		{"damaged", binary.LittleEndian, 3 << 20, 3 << 20, yes, func(b []byte) []byte { return append(b[:9<<20], slices.Repeat([]byte{0xff}, 5<<20)...) }, false},
		{"growing", binary.LittleEndian, 3 << 20, 3 << 20, yes, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var name string
			if tt.order != nil {
				name = placeFile(t, 14<<20, tt.order)
			} else {
				name = placeNG(t, 14<<20)
			}
			if tt.spoil != nil {
				b, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, tt.spoil(b), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, batch := range []int{64, 1000} {
				placed := opened(t, name)
				placed.inPlace()
				if placed.place == nil {
					t.Fatal("the file is not read in place")
				}
				placed.place.most, placed.place.step, placed.place.worth = tt.most, tt.step, tt.worth
				if tt.later {
					lengthen(t, name)
				}
				got, want := story(t, placed, batch), story(t, opened(t, name), batch)
				if !slices.Equal(got, want) {
					t.Errorf("batches of %d: %d calls of Next, last %s; want %d, last %s", batch, len(got), got[len(got)-1], len(want), want[len(want)-1])
				}
				if placed.place != nil {
					t.Error("the window is kept after the end")
				}
				if done, total := placed.Progress(); strings.HasSuffix(got[len(got)-1], "EOF") && (done < total || total == 0) {
					t.Errorf("%d of %d bytes done", done, total)
				}
			}
		})
	}
}

func opened(t *testing.T, name string) *File {
	t.Helper()
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// lengthen adds three frames.
func lengthen(t *testing.T, name string) {
	t.Helper()
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for range 3 {
		if _, err := file.Write(append(binary.LittleEndian.AppendUint32(make([]byte, 8), 4), 4, 0, 0, 0, 'm', 'o', 'r', 'e')); err != nil {
			t.Fatal(err)
		}
	}
}

// guardedSeries is a series of one file that is read in place whatever the page cache holds.
func guardedSeries(t *testing.T, name string) *Series {
	t.Helper()
	s, err := NewSeries([]string{name}, Open, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Whoever cuts a file while it is looked at gets an error told, wherever the fault is, and no crash.
func TestGuardCut(t *testing.T) {
	frames := make([]capture.Frame, 64)
	first := func(t *testing.T, s *Series) {
		t.Helper()
		if _, err := s.Next(frames); err != nil {
			t.Fatal(err)
		}
		s.current.place.most, s.current.place.worth = 4<<20, func([]byte) bool { return true }
		for s.current.place.at == 0 { // the second window: what was read before is no part of it
			if _, err := s.Next(frames); err != nil {
				t.Fatal(err)
			}
		}
	}
	drainAll := func(s *Series) error {
		for {
			if n, err := s.Next(frames); err != nil || n == 0 {
				return err
			}
		}
	}
	cut := func(t *testing.T, name string) {
		t.Helper()
		if err := os.Truncate(name, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		look func(t *testing.T, s *Series, name string) error
	}{
		{"in Next", func(t *testing.T, s *Series, name string) error {
			cut(t, name)
			return drainAll(s)
		}},
		{"in a frame", func(t *testing.T, _ *Series, name string) error {
			cut(t, name)
			return fmt.Errorf("%d", frames[0].Data[0])
		}},
		{"in a new window", func(t *testing.T, s *Series, name string) error {
			s.current.place.worth = func(window []byte) bool {
				cut(t, name)
				return cheap(window)
			}
			return drainAll(s)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := placeFile(t, 14<<20, binary.LittleEndian)
			s := guardedSeries(t, name)
			err := s.Guard(func() error {
				first(t, s)
				return tt.look(t, s, name)
			})
			if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "shorter") {
				t.Errorf("error %v", err)
			}
			if s.guarded {
				t.Error("still within Guard")
			}
		})
	}
}

// A panic that has nothing to do with the file goes on.
func TestGuardOther(t *testing.T) {
	var nothing *Series
	var low *[64]byte
	for _, tt := range []struct {
		name string
		run  func() error
	}{
		{"a panic", func() error { panic("other") }},
		{"no pointer", func() error { return nothing.Guard(nil) }},
		{"a fault elsewhere", func() error { low[63]++; return nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := guardedSeries(t, placeFile(t, 5<<20, binary.LittleEndian))
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			t.Errorf("Guard returned %v", s.Guard(tt.run))
		})
	}
}

// Small and packed files, and those that are read outside of Guard, are read as ever.
func TestPlaceOnlyWhere(t *testing.T) {
	name := placeFile(t, 5<<20, binary.LittleEndian)
	small := placeFile(t, 1<<20, binary.LittleEndian)
	for _, tt := range []struct {
		name    string
		file    string
		guarded bool
		want    bool
	}{
		{"guarded", name, true, true},
		{"not guarded", name, false, false},
		{"small", small, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := guardedSeries(t, tt.file)
			frames := make([]capture.Frame, 1)
			look := func() error {
				_, err := s.Next(frames)
				return err
			}
			var err error
			if tt.guarded {
				err = s.Guard(look)
			} else {
				err = look()
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := s.current.place != nil; got != tt.want {
				t.Errorf("in place: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestCheap(t *testing.T) {
	for _, tt := range []struct {
		name   string
		filled bool
		want   bool
	}{{"mapped already", true, true}, {"a fault for each page", false, false}} {
		t.Run(tt.name, func(t *testing.T) {
			window, err := unix.Mmap(-1, 0, placeStep, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = unix.Munmap(window) }()
			_ = unix.Madvise(window, unix.MADV_NOHUGEPAGE) // a kernel without huge pages refuses, and has none
			if tt.filled {
				for i := range window {
					window[i] = 1
				}
			}
			if got := cheap(window); got != tt.want {
				t.Errorf("cheap: %v, want %v", got, tt.want)
			}
		})
	}
}
