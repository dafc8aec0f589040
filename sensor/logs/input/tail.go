package input

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

// read reads on in a file, for its turn. It says whether there is more at once.
func (f *files) read(ctx context.Context, t *tail, now time.Time) (more bool) {
	if !f.wants(t, now) {
		return false
	}
	if err := f.ready(ctx, t); err != nil {
		f.broken(ctx, t, err)
		return false
	}
	more = f.turn(ctx, t, now)
	if !t.Packed && t.here && f.crowded() {
		t.shut()
	}
	return more
}

// turn reads on in an open file for its turn, and says whether there is more at once.
func (f *files) turn(ctx context.Context, t *tail, now time.Time) (more bool) {
	for left := turn; left > 0; {
		n, end, err := f.step(ctx, t, now)
		if err != nil {
			f.broken(ctx, t, err)
			end = true
		}
		if end {
			return false
		}
		left -= n
	}
	return true
}

// wants says whether there is anything to be had from a file.
func (f *files) wants(t *tail, now time.Time) bool {
	if t.Ended {
		t.shut()
		return false
	}
	waiting := t.unread() > 0
	if t.file != nil && now.Sub(t.still) >= quiet && (!t.here || !waiting) {
		if waiting && !t.Packed {
			return true // its last line
		}
		t.shut()
		return false
	}
	return waiting || t.file != nil
}

// ready opens a file, and looks whether it still is the one that it was.
func (f *files) ready(ctx context.Context, t *tail) error {
	if t.file == nil {
		if !t.here {
			return errReplaced
		}
		file, err := openSame(t.Path, key{t.Dev, t.Ino})
		if err != nil {
			return err
		}
		t.file = file
	}
	if t.Packed && t.unpack == nil {
		return f.unpack(ctx, t)
	}
	return nil
}

// unpack opens a compressed file and goes to its place.
func (f *files) unpack(ctx context.Context, t *tail) error {
	r, err := unpacked(t.file)
	if err != nil {
		return err
	}
	for at := int64(0); at < t.Offset; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n, err := io.CopyN(io.Discard, r, min(t.Offset-at, turn))
		if at += n; err != nil && !errors.Is(err, io.EOF) {
			return err
		} else if n == 0 {
			break // it holds less than what it is a copy of: there is nothing in it to be read
		}
	}
	t.unpack = r
	return nil
}

// step takes the lines of one chunk. n is how far it came; end says that there is no more now, or no room for it.
func (f *files) step(ctx context.Context, t *tail, now time.Time) (n int, end bool, err error) {
	have, end, err := f.fill(t)
	if err != nil {
		return 0, true, err
	}
	if !t.Packed && !f.same(t) {
		f.source.mu.Lock()
		defer f.source.mu.Unlock()
		f.retire(t, now)
		return 0, true, nil
	}
	f.cannot("read "+t.Path, nil)
	last := end && f.complete(t, now)
	if n = f.take(ctx, t, f.buf[:have], last); n > 0 {
		t.still = now
	}
	if t.Packed {
		t.rest = append(t.rest[:0], f.buf[n:have]...)
		f.packedEnd(t, end && len(t.rest) == 0)
	}
	return n, end || !f.fit(n, have), nil
}

// fit makes the buffer one that a line fits into, and says whether it is worth while to go on.
func (f *files) fit(n, have int) bool {
	switch {
	case n == 0 && have == len(f.buf):
		f.buf = make([]byte, 2*len(f.buf)) // a long line: take lets none be longer than it may be
		return true
	case n > 0 && len(f.buf) > chunk && have < len(f.buf)/2:
		f.buf = make([]byte, chunk)
	}
	return n > 0
}

// fill reads a chunk.
func (f *files) fill(t *tail) (have int, end bool, err error) {
	if f.buf == nil {
		f.buf = make([]byte, chunk)
	}
	if !t.Packed {
		have, err = t.file.ReadAt(f.buf, t.Offset)
		end = errors.Is(err, io.EOF)
		if end {
			err = nil
		}
		return have, end, err
	}
	have = copy(f.buf, t.rest)
	for have < len(f.buf) && err == nil {
		var n int
		n, err = t.unpack.Read(f.buf[have:])
		have += n
	}
	switch {
	case errors.Is(err, io.EOF):
		return have, true, nil
	case have > len(t.rest): // what came before the fault is good; it is met again
		return have, false, nil
	}
	return have, false, err
}

// same says whether a file still begins as it did; as long as it is short, more of it is remembered.
func (f *files) same(t *tail) bool {
	head := make([]byte, maxPrefix)
	n, _ := t.file.ReadAt(head, 0) // a shorter one is another
	if head = head[:n]; !t.Prefix.of(head) {
		return false
	}
	if t.Prefix.Len < n {
		f.source.mu.Lock()
		t.Prefix = prefixOf(head)
		f.source.mu.Unlock()
	}
	return true
}

// complete says whether a line that does not end can only be the file's last.
func (f *files) complete(t *tail, now time.Time) bool {
	over := !t.here || t.rotated || f.source.config.Directory != ""
	return t.Packed || over && now.Sub(t.still) >= quiet
}

// packedEnd notes that a compressed file has been read, or not yet.
func (f *files) packedEnd(t *tail, is bool) {
	if t.Ended == is {
		return
	}
	f.source.mu.Lock()
	t.Ended = is
	f.source.moved = true
	f.source.mu.Unlock()
	if is {
		t.shut()
	}
}

// broken notes an error of reading. What was read before has been used; the file is tried again when it changes.
func (f *files) broken(ctx context.Context, t *tail, err error) {
	t.shut()
	if gone(err) || ctx.Err() != nil {
		return
	}
	if t.Packed {
		f.source.mu.Lock()
		t.Ended, f.source.moved = true, true // until it changes
		if errors.Is(err, logs.ErrArchive) {
			f.source.lost++
		}
		f.source.mu.Unlock()
	}
	f.cannot("read "+t.Path, fmt.Errorf("%s: %w; what was read before has been used", t.Path, unfinished(err)))
}

// take takes the lines of b, and says how far it came: to the end of the last line, or of b if it is the file's last.
func (f *files) take(ctx context.Context, t *tail, b []byte, last bool) (n int) {
	s := f.source
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.stream.format == nil && !f.learn(t, b, last) {
		return 0
	}
	for n < len(b) {
		if s.room(ctx) != nil {
			return n
		}
		i := bytes.IndexByte(b[n:], '\n')
		end := n + i + 1
		switch {
		case i >= 0:
		case last, t.stream.skip, len(b)-n > logs.MaxLine:
			end, i = len(b), len(b)-n
		default:
			return n
		}
		f.line(t, b[n:n+i], end < len(b) || b[end-1] == '\n' || last)
		t.Offset += int64(end - n)
		n = end
		if !t.Packed {
			t.Size = max(t.Size, t.Offset)
		}
	}
	return n
}

// line takes one, or a part of one that is too long: then ends says whether it is the last. mu is held.
func (f *files) line(t *tail, line []byte, ends bool) {
	s, st := f.source, &t.stream
	switch long := len(line) > logs.MaxLine; {
	case st.skip:
		st.skip, s.moved = !ends, true
	case long:
		st.skip = !ends
		s.reject(nil, logs.ErrTooLong)
	case st.format == nil:
		s.reject(line, logs.ErrUnknown)
	default:
		s.line(st, line)
	}
}

// learn finds the format of a file in what comes next, or goes on with the one that it had. It says whether lines can be taken: from too
// few nothing can be told, and where nothing can be told from enough the lines are rejected, each time fewer are asked. mu is held.
func (f *files) learn(t *tail, b []byte, last bool) bool {
	s, st := f.source, &t.stream
	if name := t.known(s); name != "" {
		s.speak(st, name)
		t.Format = name
		return true
	}
	enough := bytes.Count(b, []byte("\n")) >= enoughHeld || last || len(b) >= maxHeld
	if enough {
		st.tries++
	}
	if st.tries&(st.tries-1) == 0 { // none yet, the first, the second, the fourth
		sample := bytes.Clone(b[:min(len(b), maxHeld)])
		if end := bytes.LastIndexByte(sample, '\n'); end >= 0 {
			sample = sample[:end]
		}
		s.detect(st, append(sample, '\n'))
	}
	if st.format != nil {
		t.Format = s.detected
	}
	return st.format != nil || enough
}

// known is the format of a file: as configured, or as it was found before; empty: nobody knows. mu is held.
func (t *tail) known(s *source) string {
	if s.config.Format != Auto {
		return s.config.Format
	}
	if _, ok := s.o.Library.Info(t.Format); ok {
		return t.Format
	}
	return ""
}
