package pcapfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

func TestDamage(t *testing.T) {
	le := binary.LittleEndian
	for _, c := range []struct {
		name   string
		file   func() []byte
		frames int
		want   string // "" is a sound file
	}{
		{"record claims too much", func() []byte {
			f := newClassicFile(le, magicMicro, 4, 1)
			for range 16 {
				f.record(start, 0, 60, 60, 0, payload(60))
			}
			f.record(start, 0, 70_000_000, 70_000_000, 0, payload(60))
			return f.b
		}, 16, "reading x.pcap: record 17 at byte 1240: claims 70000000 bytes; the 16 frames before it were used"},
		{"record is cut", func() []byte {
			f := newClassicFile(le, magicMicro, 4, 1)
			f.record(start, 0, 60, 60, 0, payload(60))
			f.record(start, 0, 60, 60, 0, payload(60))
			return f.b[:len(f.b)-1]
		}, 1, "reading x.pcap: record 2 at byte 100: takes 76 bytes, of which the file has 75; the 1 frame before it was used"},
		{"largest frame, over the snaplen", func() []byte {
			f := newClassicFile(le, magicMicro, 4, 1)
			f.record(start, 0, 0x40000, 0x40000, 0, payload(0x40000))
			f.record(start, 0, 0x40001, 0x40001, 0, payload(0x40001))
			return f.b
		}, 1, "reading x.pcap: record 2 at byte 262184: claims 262145 bytes; the 1 frame before it was used"},
		{"nonsense fraction", func() []byte {
			f := newClassicFile(le, magicMicro, 4, 1)
			f.record(start, 0xffffffff, 60, 60, 0, payload(60))
			return f.b
		}, 1, ""},
		{"block shorter than a block", func() []byte {
			n := sound()
			n.b = append(n.b, 6, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0)
			return n.b
		}, 1, "reading x.pcap: record 2 at byte 156: claims a block of 8 bytes, which is less than 12 or no multiple of 4; the 1 frame before it was used"},
		{"lengths differ", func() []byte {
			n := sound()
			n.enhanced(0, 0, 60, payload(60))
			n.b[len(n.b)-4]++
			return n.b
		}, 1, "reading x.pcap: record 2 at byte 156: claims a block of 92 bytes at its start and of 93 at its end; the 1 frame before it was used"},
		{"packet block is too big", func() []byte {
			n := sound()
			n.enhanced(0, 0, 60, payload(maxBlock))
			return n.b
		}, 1, "reading x.pcap: record 2 at byte 156: claims 524320 bytes; the 1 frame before it was used"},
		{"big unknown block", func() []byte {
			n := sound()
			n.block(0x0bad, make([]byte, 3*maxBlock))
			n.enhanced(0, 0, 60, payload(60))
			return n.b
		}, 2, ""},
		{"big unknown block is cut", func() []byte {
			n := sound()
			n.block(0x0bad, make([]byte, 3*maxBlock))
			return n.b[:len(n.b)-100]
		}, 1, "reading x.pcap: record 2 at byte 156: claims 100 bytes more than the file has; the 1 frame before it was used"},
		{"frame too long for its block", func() []byte {
			n := sound()
			n.enhanced(0, 0, 60, payload(60))
			le.PutUint32(n.b[156+20:], 61)
			n.simple(40, payload(40))
			return n.b
		}, 2, "reading x.pcap: record 2 at byte 156: claims 61 bytes, and its block has room for 60; it was passed over and the other 2 frames were used"},
		{"unknown interface", func() []byte {
			n := sound()
			n.old(3, 0, 60, payload(60))
			n.enhanced(4, 0, 60, payload(60))
			n.enhanced(0, 0, 60, payload(60))
			n.b = append(n.b, 1)
			return n.b
		}, 2, "reading x.pcap: record 2 at byte 156: is of interface 3, and the section describes 1; it was passed over and the other 2 frames were used"},
		{"section forgets interfaces", func() []byte {
			n := sound()
			n.section(binary.BigEndian)
			n.simple(40, payload(40))
			return n.b
		}, 1, "reading x.pcap: record 2 at byte 200: is of interface 0, and the section describes 0; the 1 frame before it was used"},
		{"section of another version", func() []byte {
			n := sound()
			n.section(binary.BigEndian)
			n.b[156+12+1] = 2
			return n.b
		}, 1, "reading x.pcap: record 2 at byte 156: starts a section in version 2 of pcapng; version 1 can be read; the 1 frame before it was used"},
		{"section in no byte order", func() []byte {
			n := sound()
			n.section(binary.BigEndian)
			n.b[156+8] = 2
			return n.b
		}, 1, "reading x.pcap: record 2 at byte 156: starts a section with the unknown byte-order magic 022b3c4d; the 1 frame before it was used"},
		{"short bodies", func() []byte {
			n := sound()
			for _, kind := range []uint32{blockInterface, blockPacketOld, blockSimple, blockStatistics, blockEnhanced} {
				n.block(kind, nil)
			}
			n.enhanced(0, 0, 60, payload(60))
			return n.b
		}, 2, "reading x.pcap: record 2 at byte 156: is a block with a body of 0 bytes, where 8 is the least; it was passed over and the other 2 frames were used"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := readAll(t, bytes.NewReader(c.file()), 4)
			if len(got) != c.frames {
				t.Errorf("got %d frames, want %d", len(got), c.frames)
			}
			if c.want == "" {
				if !errors.Is(err, io.EOF) {
					t.Errorf("got %v, want EOF", err)
				}
				return
			}
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			var damaged *DamagedError
			if !errors.As(err, &damaged) || damaged.Used != uint64(c.frames) {
				t.Errorf("got %#v, want a DamagedError after %d frames", err, c.frames)
			}
		})
	}
}

// sound is a pcapng file of 156 bytes with one frame.
func sound() *ngFile {
	n := &ngFile{}
	n.section(binary.LittleEndian)
	n.iface(1, 0)
	n.enhanced(0, 0, 60, payload(60))
	return n
}

func TestDamagedCompression(t *testing.T) {
	v := variants()[0]
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"gzip is cut", gzipOf(t, v.file)[:100], "reading x.pcap: record 1 at byte 37: the compressed data ends in the middle; the 0 frames before it were used"},
		{"gzip with a wrong sum", flip(gzipOf(t, v.file), -8), "the compressed data is damaged (gzip: invalid checksum); the 5 frames before it were used"},
		{"gzip with garbage behind", append(gzipOf(t, v.file), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), "(gzip: invalid header); the 5 frames before it were used"},
		{"zstd is cut", zstdOf(t, v.file)[:100], "the compressed data ends in the middle; the 0 frames before it were used"},
		{"zstd with too big a window", []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0x00, 0x00}, "record 1 at byte 0: the compressed data is damaged (window size exceeded)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := readAll(t, bytes.NewReader(c.file), 4)
			var damaged *DamagedError
			if !errors.As(err, &damaged) || !bytes.Contains([]byte(err.Error()), []byte(c.want)) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// flip returns b with one byte changed; a negative index counts from the end.
func flip(b []byte, i int) []byte {
	b[(i+len(b))%len(b)] ^= 0xff
	return b
}

// TestTruncation cuts every variant at every length: what comes before the cut is read as if there were none, and the cut is noticed.
func TestTruncation(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			full := borders(v.file)
			for cut := range v.file {
				got, _, err := readAll(t, bytes.NewReader(v.file[:cut]), 4)
				switch {
				case full[cut]:
					if !errors.Is(err, io.EOF) {
						t.Fatalf("cut at %d, between two records: got %v, want EOF", cut, err)
					}
				case !errors.As(err, new(*DamagedError)) && !errors.Is(err, ErrNotCapture):
					t.Fatalf("cut at %d: got %v, want a DamagedError", cut, err)
				}
				if len(got) > len(v.want) {
					t.Fatalf("cut at %d: got %d frames of %d", cut, len(got), len(v.want))
				}
				same(t, got, v.want[:len(got)])
			}
		})
	}
}

// borders finds where a file may end, by a walk of its own.
func borders(file []byte) map[int]bool {
	at := map[int]bool{}
	var o binary.ByteOrder = binary.LittleEndian
	if !isNG(file) {
		if !classicMagic(o.Uint32(file)) {
			o = binary.BigEndian
		}
		head := 16
		if o.Uint32(file) == magicModified {
			head = 24
		}
		for i := 24; i < len(file); i += head + int(o.Uint32(file[i+8:])) {
			at[i] = true
		}
		return at
	}
	for i := 0; i < len(file); {
		at[i] = i > 0
		if file[i] == 0x0a {
			o = binary.LittleEndian
			if file[i+8] == 0x1a {
				o = binary.BigEndian
			}
		}
		i += int(o.Uint32(file[i+4:]))
	}
	return at
}

// TestBitFlips turns every single bit of every variant: whatever comes of it, it ends, and the frames are within the limits.
func TestBitFlips(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			f := &File{buf: make([]byte, bufferSize)} // one buffer for all: a fresh one each time would be most of the work
			for bit := range len(v.file) * 8 {
				file := bytes.Clone(v.file)
				file[bit/8] ^= 1 << (bit % 8)
				*f = File{name: "x.pcap", disk: &meter{in: bytes.NewReader(file)}, buf: f.buf}
				err := f.detect()
				if err == nil {
					var frames []capture.Frame
					frames, err = drain(f, 4)
					check(t, frames, len(file))
				}
				if !errors.Is(err, io.EOF) && !errors.As(err, new(*DamagedError)) && !errors.Is(err, ErrNotCapture) {
					t.Fatalf("bit %d: got %v", bit, err)
				}
			}
		})
	}
}

// check holds frames against the limits that are promised, for a file of so many bytes.
func check(t *testing.T, frames []capture.Frame, size int) {
	t.Helper()
	total := 0
	for i, frame := range frames {
		total += len(frame.Data)
		if len(frame.Data) > maxFrame || uint64(frame.WireLen) < uint64(len(frame.Data)) || frame.Time < 0 || frame.Time > maxTime {
			t.Fatalf("frame %d is out of bounds: %d bytes of %d at %d", i, len(frame.Data), frame.WireLen, frame.Time)
		}
	}
	if total > size {
		t.Fatalf("got %d bytes of frames out of a file of %d", total, size)
	}
}
