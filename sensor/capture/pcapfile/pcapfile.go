// Package pcapfile reads capture files: classic pcap in all its magics and pcapng, plain or under gzip or zstd, from disk or from a
// pipe. It also finds capture files in directories and writes classic pcap. It treats every file as hostile: memory is bounded whatever
// a length field claims, and a damaged or cut file gives every frame before the damage, then an error that says where it is.
//
// It does not look inside a frame (see decode) and does not pace or shift times (see capture.Replay).
package pcapfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

const (
	// maxFrame is the most bytes one frame may hold, the MAXIMUM_SNAPLEN of libpcap. A record that claims more is damage.
	maxFrame = 0x40000

	// bufferSize has room for the largest record, and readSize is how much one read(2) asks for: what it copies, from where and to where,
	// stays in the second-level cache until it is walked over.
	//
	// Measured on 1.6 GB of 809-byte frames in the page cache (Linux 6, EPYC with 1 MiB of L2): user + system seconds for the read and
	// the walk of the records, best of three.
	//
	//	read(2)  64 KiB 0.21   128 KiB 0.18   256 KiB 0.15   512 KiB 0.14   1 MiB 0.12   2 MiB 0.13
	//	read(2) alone, 512 KiB                                0.12
	//	tcpdump -w /dev/null                                  0.59
	//	mmap 0.24   and MADV_SEQUENTIAL 0.25   and MAP_POPULATE 0.27   and every line of the next 128 KiB touched first 0.11
	//
	// The walk over a mapping waits for memory at every header; the copy of read(2) brings the records into the cache. Touching
	// ahead is cheaper than the copy, but only where the page cache holds large folios (see place): over small ones the mapping alone takes the
	// kernel as long. A page-aligned target for read(2) gained nothing. In the whole
	// program, which has other things in that cache as well, the walk waited for memory 3.3 to 4.5 % of the time with 512 KiB, 1.4 to 2.0 with
	// 256 and 1.2 with 128, where the calls cost more than that saves.
	bufferSize = 512 << 10
	readSize   = 256 << 10
)

// File is a capture file that is being read. Next, InterfaceName and the frames belong to one goroutine; Close, Stats and Progress may
// be called from others.
type File struct {
	name   string
	in     io.Reader // the bytes of the capture, decompressed
	closer io.Closer // what Open opened; nil for NewReader
	disk   *meter
	packed bool  // in decompresses what disk reads
	total  int64 // bytes on disk, 0 if unknown

	place      *place // where it is read in place
	copied     []byte // buf where it is not
	records    walker
	buf        []byte
	start, end int   // the bytes of buf that are not yet walked
	offset     int64 // where buf[0] stands in the capture
	skip       int64 // bytes of an oversized block that are still to be thrown away
	skipped    int64 // where that block starts in the capture
	eof        bool  // in has come to its end
	readErr    error // or to this

	first    *DamagedError // the first record that was passed over
	final    error         // what Next returns from now on
	received atomic.Uint64
	dropped  atomic.Uint64
	closed   atomic.Bool
}

// walker turns the bytes of a format into frames. It keeps what the format says of itself (byte order, interfaces) and no bytes.
type walker interface {
	walk(b []byte, batch []capture.Frame) step
}

// step is what one walk over the buffered bytes came to.
type step struct {
	frames  int    // frames put into the batch
	used    int    // bytes done with
	need    int    // bytes that must follow the used ones before the walk can go on; 0 if the batch is full
	skip    int64  // bytes to throw away after the used ones: a block that is not wanted and too big to hold
	dropped uint64 // frames that the file says the capturing machine lost, since the file's start
	damage  string // why the record after the used bytes cannot be read and nothing after it either
	passed  passed // the first sound block that holds no usable frame
}

// passed is a record that was passed over: its borders are sound, what is in it is not.
type passed struct {
	reason string // empty if there is none
	at     int    // where it starts in the walked bytes
	frames int    // frames of this walk before it
}

// Open opens the capture file path, or standard input if path is "-". It reads as much as it takes to know the format.
// A file in no known format is an error that wraps ErrNotCapture.
func Open(path string) (*File, error) {
	if path == "-" {
		in := newStdin(os.Stdin)
		return open(in, in, "standard input", in.size())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening capture file %s: %w; check the path and the permission to read it", path, bare(err))
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("opening capture file %s: %w; check the file system", path, bare(err))
	}
	if info.IsDir() {
		file.Close()
		return nil, fmt.Errorf("opening capture file %s: it is a directory; name the files in it (see Find)", path)
	}
	if !info.Mode().IsRegular() {
		return open(file, file, path, 0)
	}
	readAhead(file)
	return open(filling{fromCache(file)}, file, path, info.Size())
}

// filling reads as much as there is room for, until the end: a kernel may give less when it is busy, and where batches end, and with that the
// order in which flows that fell idle are written, must follow from the file alone.
type filling struct{ in io.Reader }

func (f filling) Read(b []byte) (int, error) {
	n, err := io.ReadFull(f.in, b)
	if n > 0 && (err == io.EOF || err == io.ErrUnexpectedEOF) {
		err = nil // the next read says so
	}
	return n, err
}

// bare takes the path out of an error of the file system: the message around it has one already.
func bare(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// NewReader reads a capture from r; name is for messages. Close does not close r.
func NewReader(r io.Reader, name string) (*File, error) {
	return open(r, nil, name, 0)
}

// open detects compression and format. It closes closer if that fails.
func open(r io.Reader, closer io.Closer, name string, size int64) (*File, error) {
	f := &File{name: name, closer: closer, total: size, disk: &meter{in: r}, buf: make([]byte, bufferSize)}
	if err := f.detect(); err != nil {
		_ = f.Close() // nothing was written; err says what is wrong
		return nil, err
	}
	return f, nil
}

// detect reads the first bytes, puts a decompressor under the reader if they ask for one, and reads the header of the capture.
func (f *File) detect() error {
	f.in = f.disk
	head := f.peek(magicSize)
	if c := compressionOf(head); c != plain {
		f.packed = true
		begun := bytes.NewReader(bytes.Clone(f.buf[f.start:f.end]))
		f.eof = false
		f.in, f.readErr = c.reader(io.MultiReader(begun, f.disk))
		f.start, f.end = 0, 0
		head = f.peek(magicSize)
	}
	switch {
	case len(head) == 0 && f.eof:
		return fmt.Errorf("reading %s: the file is empty: %w", f.name, ErrNotCapture)
	case len(head) < magicSize && !f.eof:
		return f.ended(magicSize)
	case isClassic(head):
		return f.openClassic()
	case isNG(head):
		return f.openNG()
	}
	return fmt.Errorf("reading %s: it starts with bytes %x: %w", f.name, head, ErrNotCapture)
}

// openClassic reads the header of a classic pcap file.
func (f *File) openClassic() error {
	head := f.peek(classicHeaderSize)
	if len(head) < classicHeaderSize {
		return f.ended(classicHeaderSize)
	}
	f.records = newClassic(head)
	f.start += classicHeaderSize
	return nil
}

// openNG looks at the first section header; the walk reads it.
func (f *File) openNG() error {
	head := f.peek(blockProbe)
	if len(head) < blockProbe {
		return f.ended(blockProbe)
	}
	if _, ok := sectionOrder(head); !ok {
		return fmt.Errorf("reading %s: it starts as pcapng does, but byte-order magic %x is none: %w", f.name, head[8:12], ErrNotCapture)
	}
	f.records = newNG()
	return nil
}

// peek reads until n bytes are there and returns them; fewer if the input ends.
func (f *File) peek(n int) []byte {
	for f.end-f.start < n && !f.over() {
		f.read()
	}
	return f.buf[f.start:min(f.start+n, f.end)]
}

var (
	_ capture.Source  = (*File)(nil)
	_ capture.Named   = (*File)(nil)
	_ capture.Counted = (*File)(nil)
)

// Next fills batch with the frames that are buffered and reads on only when there is none. Frames alias the buffer and are valid until
// the next call. The end is io.EOF, or a *DamagedError if not everything could be read.
func (f *File) Next(batch []capture.Frame) (int, error) {
	if len(batch) == 0 {
		return 0, nil
	}
	for f.final == nil {
		s := f.records.walk(f.buf[f.start:f.end], batch)
		if s.passed.reason != "" {
			f.pass(s.passed)
		}
		f.start += s.used
		f.skip = s.skip
		if s.frames > 0 {
			f.received.Add(uint64(s.frames))
			f.dropped.Store(s.dropped)
			return s.frames, nil
		}
		if s.damage != "" {
			f.final = f.settle(f.damageAt(f.start, s.damage))
			break
		}
		if err := f.advance(s.need); err != nil {
			f.dropped.Store(s.dropped)
			f.final = f.settle(err)
		}
	}
	f.unplace()
	return 0, f.final
}

// advance makes the next walk see more than the last one. Its error is the end: io.EOF, damage, or what reading met.
func (f *File) advance(need int) error {
	if f.skip > 0 {
		return f.discard()
	}
	if f.over() {
		return f.ended(need)
	}
	f.read()
	return nil
}

// discard throws away the bytes that are to be skipped.
func (f *File) discard() error {
	f.skipped = f.offset + int64(f.start)
	for {
		n := min(f.skip, int64(f.end-f.start))
		f.start += int(n)
		f.skip -= n
		if f.skip == 0 {
			return nil
		}
		if f.over() {
			return f.ended(0)
		}
		f.read()
	}
}

// read moves what is left to the front and reads once behind it.
func (f *File) read() {
	if f.extend() {
		return
	}
	f.offset += int64(f.start)
	f.end = copy(f.buf, f.buf[f.start:f.end])
	f.start = 0
	for range maxEmptyReads {
		n, err := f.in.Read(f.buf[f.end:min(f.end+readSize, len(f.buf))])
		f.end += n
		if err == io.EOF {
			f.eof = true
		} else {
			f.readErr = err
		}
		if n > 0 || err != nil {
			return
		}
	}
	f.readErr = io.ErrNoProgress
}

// over says that there is nothing more to read.
func (f *File) over() bool { return f.eof || f.readErr != nil }

// maxEmptyReads is how often a reader may return nothing and no error before it is given up.
const maxEmptyReads = 100

// ended says what the end of the input means when need more bytes were wanted for the record at f.start.
func (f *File) ended(need int) error {
	have := f.end - f.start
	switch {
	case errors.Is(f.readErr, os.ErrClosed) || f.closed.Load():
		return fmt.Errorf("reading %s: %w", f.name, os.ErrClosed)
	case !f.eof:
		return f.broken()
	case f.skip > 0:
		d := f.damageAt(f.start, fmt.Sprintf("claims %d bytes more than the file has", f.skip))
		d.Offset = f.skipped
		return d
	case have == 0 && f.records != nil:
		return io.EOF
	}
	return f.damageAt(f.start, fmt.Sprintf("takes %d bytes, of which the file has %d", need, have))
}

// broken tells damage of compressed data from a disk or a pipe that failed.
func (f *File) broken() error {
	if f.packed && f.disk.err == nil {
		return f.damageAt(f.end, compressionReason(f.readErr))
	}
	return fmt.Errorf("reading %s at byte %d: %w; the %d frames before it were used",
		f.name, f.disk.done.Load(), bare(f.readErr), f.received.Load())
}

// InterfaceName returns the name that the file gives interface i, or "".
func (f *File) InterfaceName(i uint16) string {
	if s, ok := f.records.(*ng); ok && int(i) < len(s.names) {
		return s.names[i]
	}
	return ""
}

// Name returns the path the file was opened with.
func (f *File) Name() string { return f.name }

// Stats counts the frames read so far, and those that the file itself says were lost while it was captured.
func (f *File) Stats() capture.Stats {
	return capture.Stats{Received: f.received.Load(), Dropped: f.dropped.Load()}
}

// Progress returns how many bytes have been read from the disk and how many there are, before decompression; total is 0 if it cannot
// be known. It may be called from any goroutine.
func (f *File) Progress() (done, total int64) {
	return f.disk.done.Load(), f.total
}

// Close closes the file and ends a Next that waits for a pipe.
func (f *File) Close() error {
	if f.closed.Swap(true) || f.closer == nil {
		return nil
	}
	return f.closer.Close()
}
