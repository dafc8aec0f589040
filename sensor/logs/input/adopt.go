package input

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

// adopt takes a file in that is not known by its number: it goes on where what it is a copy of has ended, or it is new. One that is a copy
// of a file which is still being read, or that has nothing in it yet, waits.
func (f *files) adopt(is *found, now time.Time) {
	if is.size == 0 {
		return
	}
	if len(f.tails) >= maxFiles {
		f.source.problem.note("files", fmt.Sprintf("reading logs: there are more than %d files; move old ones out of the way", maxFiles))
		return
	}
	file, head, packed, err := openNew(is)
	if file == nil {
		f.unable(is, err, now)
		return
	}
	f.cannot("read "+is.path, nil)
	was, wait := f.match(head, packed, is.size)
	if wait {
		_ = file.Close() // it was only read
		return
	}
	t := &tail{place: place{Path: is.path, Dev: is.dev, Ino: is.ino, Prefix: prefixOf(head), Packed: packed, Size: is.size, Changed: is.changed},
		file: file, here: true, rotated: is.rotated, still: now}
	t.stream.written = is.changed
	f.source.mu.Lock()
	defer f.source.mu.Unlock()
	f.add(t, was)
}

// add begins to read a file, where what it is a copy of ended, if that is known. mu is held.
func (f *files) add(t, was *tail) {
	switch {
	case was != nil:
		f.inherit(t, was)
	case f.first && f.source.config.SkipHistory:
		f.toEnd(t)
	}
	f.tails[key{t.Dev, t.Ino}] = t
	f.source.moved = true
	if f.crowded() {
		t.shut()
	}
}

// openNew opens a file that has something in it by which it can be told; nil: not yet, or the error says why not.
func openNew(is *found) (file *os.File, head []byte, packed bool, err error) {
	if file, err = openSame(is.path, is.key); err != nil {
		return nil, nil, false, err
	}
	head, packed, err = headOf(file)
	broken := errors.Is(err, errUnfinished)
	if len(head) > 0 && (err == nil || broken && len(head) == maxPrefix) {
		return file, head, packed, nil
	}
	_ = file.Close() // it was only read
	return nil, nil, packed, err
}

// brought is how long a compressed file that is not whole must have been left alone to count as lost: before, somebody may still be bringing it.
const brought = 10 * time.Minute

// unable says why a file cannot be taken in now, if it is one that should be.
func (f *files) unable(is *found, err error, now time.Time) {
	broken := errors.Is(err, errUnfinished)
	switch {
	case errors.Is(err, logs.ErrArchive), broken && now.Sub(time.Unix(0, is.changed)) >= brought:
		f.refuse(is, err)
	case err != nil && !broken && !gone(err):
		f.cannot("read "+is.path, fmt.Errorf("%s: %w", is.path, err))
	}
}

// refuse takes a file in of which nothing can be read until it changes, and says why.
func (f *files) refuse(is *found, why error) {
	f.cannot("read "+is.path, fmt.Errorf("%s: %w; nothing of it has been used", is.path, why))
	f.source.mu.Lock()
	defer f.source.mu.Unlock()
	f.tails[is.key] = &tail{place: place{Path: is.path, Dev: is.dev, Ino: is.ino, Packed: true, Ended: true, Size: is.size, Changed: is.changed}, here: true}
	f.source.lost++
	f.source.moved = true
}

// match finds the file that one with the same beginning is a copy of. If that is still being read, the copy waits: what it holds is in the
// other one as well, unless it is larger, and then it is another file that begins alike.
func (f *files) match(head []byte, packed bool, size int64) (was *tail, wait bool) {
	for _, t := range f.tails {
		if t.here && t.Prefix.of(head) && (packed || t.covers(size)) {
			return nil, true
		}
	}
	was = f.ended(head)
	if was != nil && was.file != nil && was.unread() > 0 {
		return nil, true
	}
	return was, false
}

// covers says whether a file may hold all that a plain copy of a size does. What a compressed one holds is known once it has been read.
func (p *place) covers(size int64) bool {
	switch {
	case !p.Packed:
		return size <= p.Size
	case !p.Ended:
		return true
	}
	return size <= p.Offset
}

// ended is the file that began alike and is not there any more; of several the one that was read furthest.
func (f *files) ended(head []byte) (was *tail) {
	for _, t := range f.retired {
		if t.Prefix.of(head) && (was == nil || t.Offset > was.Offset) {
			was = t
		}
	}
	return was
}

// inherit makes a file go on where another one ended. mu is held.
func (f *files) inherit(t, was *tail) {
	t.Offset, t.Format = was.Offset, was.Format
	t.stream.skip, t.stream.header = was.stream.skip, was.stream.header
	was.shut()
	f.retired = slices.DeleteFunc(f.retired, func(t *tail) bool { return t == was })
}

// toEnd goes to the last line of what is there, and remembers the header at the beginning. mu is held.
func (f *files) toEnd(t *tail) {
	if t.Packed {
		t.Ended = true
		return
	}
	t.Offset = t.Size
	end := make([]byte, min(t.Size, logs.MaxLine))
	n, _ := t.file.ReadAt(end, t.Size-int64(len(end))) // short: it was truncated, which is seen when it is read
	for i := n - 1; i >= 0 && end[i] != '\n'; i-- {
		t.Offset--
	}
	head := make([]byte, chunk)
	n, _ = t.file.ReadAt(head, 0) // as above
	if head = head[:n]; !f.learn(t, head, true) || t.stream.format == nil {
		return
	}
	for line := range bytes.Lines(head) {
		var r logs.Record
		if line = bytes.TrimSuffix(line, []byte("\n")); !errors.Is(t.stream.format.Parse(line, &r), logs.ErrHeader) {
			return
		}
		t.stream.header.note(line)
	}
}
