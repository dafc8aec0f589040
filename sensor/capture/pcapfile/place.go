package pcapfile

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
)

// placeMin is the size from which a file is worth mapping.
const placeMin = 4 << 20

// inPlace has a plain file on a disk mapped instead of copied, as long as what comes next lies in the page cache in large pieces. The frames are
// the same, in the same batches. If somebody cuts the file meanwhile, looking at them is a fault; see Series.Guard.
func (f *File) inPlace() {
	file, fromDisk := f.closer.(*os.File)
	if fromDisk && !f.packed && f.total >= placeMin {
		f.place, f.copied = newPlace(file, f.total), f.buf
	}
}

// extend shows the next walk as many bytes more as a read would, in the window. It returns false where they are to be read.
func (f *File) extend() bool {
	p := f.place
	if p == nil {
		return false
	}
	from, to := f.offset+int64(f.start), f.offset+int64(f.end)
	whole := to+readSize <= p.size || p.look()
	grow := min(readSize, bufferSize-(to-from), p.size-to)
	inWindow := to+grow <= p.upto
	if !whole || grow <= 0 || f.closed.Load() || !inWindow && !p.move(from, to+grow) {
		f.leave(to)
		return false
	}
	f.buf, f.offset = p.window, p.at
	f.start, f.end = int(from-p.at), int(to-p.at+grow)
	f.disk.done.Add(grow)
	fetch(f.buf[f.end-int(grow) : f.end])
	return true
}

// leave has the file read from to on. What was not walked yet is copied out of the window.
func (f *File) leave(to int64) {
	if len(f.place.window) == 0 {
		return // it is being read
	}
	f.offset += int64(f.start)
	f.start, f.end = 0, copy(f.copied, f.buf[f.start:f.end])
	f.buf = f.copied
	f.place.unmap()
	if _, err := f.closer.(*os.File).Seek(to, io.SeekStart); err != nil {
		f.readErr = err
	}
}

// unplace gives the window back: no frame of it is valid any more.
func (f *File) unplace() {
	if f.place != nil {
		f.place.release()
		f.place = nil
	}
}

// fetch brings memory to the cache before it is walked over. In its order the processor sees what comes next, and does that in half the time of a
// copy; a walk waits at every record, because where the next one is stands in it. Eight walks at once from guessed records, which fetch the lines of
// headers alone, took as long, and what they fetched first was gone again when it was wanted.
func fetch(b []byte) {
	const line = 64
	sum := byte(0)
	for ; len(b) >= 4*line; b = b[4*line:] {
		sum += b[0] + b[line] + b[2*line] + b[3*line]
	}
	runtime.KeepAlive(sum)
}

// Guard implements capture.Guarded: while run looks at the frames, files may be read in place.
func (s *Series) Guard(run func() error) (err error) {
	was := s.guarded
	s.guarded = true
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		s.guarded = was
		reason := recover()
		if reason == nil {
			return
		}
		name := s.faulted(reason)
		if name == "" {
			panic(reason)
		}
		err = fmt.Errorf("reading %s: it became shorter while it was read, or its disk failed: what it held is not told; give a copy that nobody writes to", name)
	}()
	return run()
}

// faulted names the capture in whose window a fault was; "" if it was elsewhere.
func (s *Series) faulted(reason any) string {
	fault, ok := reason.(interface{ Addr() uintptr })
	if !ok {
		return ""
	}
	for _, f := range []*File{s.current, s.next} {
		if f != nil && f.place.holds(fault.Addr()) {
			return f.name
		}
	}
	return ""
}
