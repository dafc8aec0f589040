package pcapfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"
)

func TestClock(t *testing.T) {
	for _, c := range []struct {
		name       string
		resolution byte
		offset     int64
		ts         uint64
		want       int64
	}{
		{"microseconds", 6, 0, start*1e6 + 1, startNano + 1000},
		{"nanoseconds", 9, 0, uint64(startNano) + 1, startNano + 1},
		{"seconds", 0, 0, start, startNano},
		{"seconds, as a power of two", 0x80, 0, start, startNano},
		{"tenths of nanoseconds", 10, 0, 12_345, 1_234},
		{"10^-28", 28, 0, math.MaxUint64, 1},
		{"10^-127", 127, 0, math.MaxUint64, 1},
		{"halves", 0x81, 0, 3, 1_500_000_000},
		{"2^-20", 0x80 | 20, 0, start<<20 | 1<<19, startNano + 500_000_000},
		{"2^-30, rounded down", 0x80 | 30, 0, 1, 0},
		{"2^-32, as NTP has it", 0x80 | 32, 0, start<<32 | 1<<31, startNano + 500_000_000},
		{"2^-63", 0x80 | 63, 0, math.MaxUint64, 1_999_999_999},
		{"2^-64", 0x80 | 64, 0, math.MaxUint64, 999_999_999},
		{"2^-65", 0x80 | 65, 0, math.MaxUint64, 499_999_999},
		{"2^-127", 0xff, 0, math.MaxUint64, 0},
		{"offset", 6, start, 7, startNano + 7000},
		{"negative offset", 9, -1, uint64(startNano), startNano - 1_000_000_000},
		{"before 1970", 6, -10, 7, 0},
		{"nonsense offset", 6, math.MinInt64, 7, 0},
		{"nonsense offset ahead", 6, math.MaxInt64, math.MaxUint64, maxTime},
		{"nonsense seconds", 0, 0, math.MaxUint64, maxTime},
		{"nonsense microseconds", 6, 0, math.MaxUint64, maxTime},
		{"nonsense tenths", 10, 0, math.MaxUint64, math.MaxUint64 / 10},
		{"nonsense halves", 0x81, 0, math.MaxUint64, maxTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newClock(c.resolution, c.offset)
			if got := k.nanos(c.ts); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestTsoffsetOption(t *testing.T) {
	for _, o := range []order{binary.LittleEndian, binary.BigEndian} {
		t.Run(o.String(), func(t *testing.T) {
			n := &ngFile{}
			n.section(o)
			n.iface(1, 0, option{14, o.AppendUint64(nil, start)}, option{9, []byte{3}}, option{14, nil})
			n.enhanced(0, 42, 60, payload(60))
			got, _, err := readAll(t, bytes.NewReader(n.b), 4)
			if !errors.Is(err, io.EOF) || len(got) != 1 || got[0].Time != startNano+42_000_000 {
				t.Errorf("got %+v and %v, want one frame 42 ms after the offset", got, err)
			}
		})
	}
}

func TestOldLengths(t *testing.T) {
	for _, c := range []struct {
		name       string
		minor      uint16
		have, wire uint32
		wantWire   uint32
	}{
		{"2.4", 4, 60, 90, 90},
		{"2.4, none on the wire", 4, 60, 0, 60},
		{"2.3, in order", 3, 60, 90, 90},
		{"2.3, exchanged", 3, 90, 60, 90},
		{"2.1, exchanged", 1, 90, 60, 90},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newClassicFile(binary.LittleEndian, magicMicro, c.minor, 12)
			f.record(start, 0, c.have, c.wire, 0, payload(60))
			got, _, err := readAll(t, bytes.NewReader(f.b), 4)
			if !errors.Is(err, io.EOF) || len(got) != 1 || len(got[0].Data) != 60 || got[0].WireLen != c.wantWire {
				t.Fatalf("got %+v and %v, want 60 bytes of %d", got, err, c.wantWire)
			}
			if got[0].Link != 101 {
				t.Errorf("got link type %d for DLT_RAW, want LINKTYPE_RAW, 101", got[0].Link)
			}
		})
	}
}

func TestSimpleSnaplen(t *testing.T) {
	n := &ngFile{}
	n.section(binary.LittleEndian)
	n.iface(1, 20)
	n.simple(1500, payload(20))
	n.simple(18, payload(18)) // two bytes of padding are not the frame's
	got, _, err := readAll(t, bytes.NewReader(n.b), 4)
	if !errors.Is(err, io.EOF) || len(got) != 2 || len(got[0].Data) != 20 || got[0].WireLen != 1500 || len(got[1].Data) != 18 {
		t.Errorf("got %+v and %v, want 20 bytes of 1500, then 18", got, err)
	}
}

// TestInterfaceLimit floods a file with interfaces: frames of those that can be counted are read, memory stays bounded.
func TestInterfaceLimit(t *testing.T) {
	n := &ngFile{}
	n.section(binary.LittleEndian)
	for range maxInterfaces + 5 {
		n.iface(1, 0)
	}
	n.enhanced(maxInterfaces-1, 0, 60, payload(60))
	n.enhanced(maxInterfaces, 0, 60, payload(60))
	n.section(binary.LittleEndian)
	n.iface(7, 0) // one of another kind: there is no index left
	n.enhanced(0, 0, 60, payload(60))
	got, f, err := readAll(t, bytes.NewReader(n.b), 4)
	if len(got) != 2 || got[0].Interface != maxInterfaces-1 || got[1].Link != linkUnknown {
		t.Errorf("got %d frames, want one of the last interface and one of an unknown link", len(got))
	}
	if g := f.records.(*ng); len(g.names) != maxInterfaces || len(g.index) != maxInterfaces {
		t.Errorf("got %d names, want %d at most", len(g.names), maxInterfaces)
	}
	if want := "record 1 at byte 1310764: describes one interface more than 65536 in a section; it was passed over"; err == nil ||
		!bytes.Contains([]byte(err.Error()), []byte(want)) {
		t.Errorf("got %v, want %q", err, want)
	}
}
