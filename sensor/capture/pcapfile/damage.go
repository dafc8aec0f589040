package pcapfile

import (
	"errors"
	"fmt"
	"io"
)

// ErrNotCapture says that a file is in none of the formats that are read.
var ErrNotCapture = errors.New("not a capture file; give a pcap or pcapng file, plain or compressed with gzip or zstd")

// DamagedError says that a capture file could not be read to its end, or not all of it. All frames that could be read were delivered
// before it.
type DamagedError struct {
	Name   string // the file
	Offset int64  // where the damaged record starts, in bytes of the decompressed capture
	Frame  uint64 // the number of the record, counted from 1
	Reason string // what is wrong with it
	Used   uint64 // the frames that were delivered: Frame-1, or more where the records after it could be read
}

// Error says in one line where the damage is and what it cost.
func (e *DamagedError) Error() string {
	frames, were := "frames", "were"
	if e.Used == 1 {
		frames, were = "frame", "was"
	}
	used := fmt.Sprintf("the %d %s before it %s used", e.Used, frames, were)
	if e.Used >= e.Frame {
		used = fmt.Sprintf("it was passed over and the other %d %s %s used", e.Used, frames, were)
	}
	return fmt.Sprintf("reading %s: record %d at byte %d: %s; %s", e.Name, e.Frame, e.Offset, e.Reason, used)
}

// damageAt is damage of the record at position at of the buffer, after all frames delivered so far.
func (f *File) damageAt(at int, reason string) *DamagedError {
	frames := f.received.Load()
	return &DamagedError{Name: f.name, Offset: f.offset + int64(at), Frame: frames + 1, Reason: reason, Used: frames}
}

// pass remembers the first record that was passed over.
func (f *File) pass(p passed) {
	if f.first != nil {
		return
	}
	f.first = f.damageAt(f.start+p.at, p.reason)
	f.first.Frame += uint64(p.frames)
}

// settle chooses between how the file ended and a record that was passed over before: the first damage is the one to report, unless the
// disk failed.
func (f *File) settle(end error) error {
	var damaged *DamagedError
	if f.first == nil || (!errors.Is(end, io.EOF) && !errors.As(end, &damaged)) {
		return end
	}
	f.first.Used = f.received.Load()
	return f.first
}
