package pcapfile

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// maxUnpacked bounds what a fuzzed file may unpack to. Time, not memory, is what a larger one takes.
const maxUnpacked = 4 << 20

func FuzzReader(f *testing.F) {
	for _, v := range variants() {
		f.Add(v.file, uint8(4))
		f.Add(gzipOf(f, v.file), uint8(1))
		f.Add(zstdOf(f, v.file), uint8(64))
		f.Add(v.file[:len(v.file)*2/3], uint8(2))
	}
	f.Fuzz(func(t *testing.T, file []byte, batch uint8) {
		r, err := NewReader(bytes.NewReader(file), "x.pcap")
		if err != nil {
			if !errors.As(err, new(*DamagedError)) && !errors.Is(err, ErrNotCapture) {
				t.Fatalf("opening: %v", err)
			}
			return
		}
		r.in = io.LimitReader(r.in, maxUnpacked)
		frames, err := drain(r, int(batch)+1)
		check(t, frames, bufferSize+maxUnpacked)
		var damaged *DamagedError
		if !errors.Is(err, io.EOF) && !errors.As(err, &damaged) {
			t.Fatalf("reading: %v", err)
		}
		if damaged != nil && (damaged.Used != uint64(len(frames)) || damaged.Frame > damaged.Used+1) {
			t.Fatalf("%v: after %d frames", damaged, len(frames))
		}
		if len(r.buf) != bufferSize {
			t.Fatalf("the buffer has grown to %d bytes", len(r.buf))
		}
	})
}
