package pcapfile

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// again is a file without end: a header, then the same records over and over.
type again struct {
	head, records []byte
	at            int
}

func (a *again) Read(b []byte) (int, error) {
	if len(a.head) > 0 {
		n := copy(b, a.head)
		a.head = a.head[n:]
		return n, nil
	}
	n := 0
	for n < len(b) {
		k := copy(b[n:], a.records[a.at:])
		n += k
		a.at = (a.at + k) % len(a.records)
	}
	return n, nil
}

// endless makes sources of frames of the given size in both formats.
func endless(size int) map[string]*again {
	c := newClassicFile(binary.LittleEndian, magicMicro, 4, 1)
	n := &ngFile{}
	n.section(binary.LittleEndian)
	n.iface(1, 0)
	heads := [2]int{len(c.b), len(n.b)}
	for i := range 1000 {
		c.record(start, uint32(i), uint32(size), uint32(size), 0, payload(size))
		n.enhanced(0, start*1_000_000+uint64(i), uint32(size), payload(size))
	}
	return map[string]*again{
		"pcap":   {head: c.b[:heads[0]], records: c.b[heads[0]:]},
		"pcapng": {head: n.b[:heads[1]], records: n.b[heads[1]:]},
	}
}

func TestNextDoesNotAllocate(t *testing.T) {
	for name, source := range endless(809) {
		t.Run(name, func(t *testing.T) {
			f, err := NewReader(source, name)
			if err != nil {
				t.Fatal(err)
			}
			batch := make([]capture.Frame, 64)
			allocs := testing.AllocsPerRun(1000, func() { // about a hundred fills of the buffer
				if n, err := f.Next(batch); n == 0 || err != nil {
					t.Fatalf("got %d frames and %v", n, err)
				}
			})
			if allocs != 0 {
				t.Errorf("got %v allocations in Next, want none", allocs)
			}
		})
	}
}

func BenchmarkNext(b *testing.B) {
	for _, size := range []struct {
		name string
		size int
	}{{"89 bytes", 89}, {"809 bytes", 809}} {
		for name, source := range endless(size.size) {
			b.Run(name+"/"+size.name, func(b *testing.B) {
				fresh := *source
				f, err := NewReader(&fresh, name)
				if err != nil {
					b.Fatal(err)
				}
				batch := make([]capture.Frame, 64)
				b.ReportAllocs()
				b.SetBytes(int64(size.size))
				for left := b.N; left > 0; {
					n, err := f.Next(batch)
					if err != nil {
						b.Fatal(err)
					}
					left -= n
				}
			})
		}
	}
}

// BenchmarkWalk leaves reading out: it walks records that are in the cache.
func BenchmarkWalk(b *testing.B) {
	for name, source := range endless(89) {
		b.Run(name, func(b *testing.B) {
			f, err := NewReader(io.MultiReader(bytes.NewReader(source.head), bytes.NewReader(source.records)), name)
			if err != nil {
				b.Fatal(err)
			}
			batch := make([]capture.Frame, 64)
			if _, err := f.Next(batch); err != nil { // describes the interface
				b.Fatal(err)
			}
			b.ReportAllocs()
			for left := b.N; left > 0; left -= len(batch) {
				if s := f.records.walk(source.records, batch); s.frames != len(batch) {
					b.Fatalf("got %d frames", s.frames)
				}
			}
		})
	}
}
