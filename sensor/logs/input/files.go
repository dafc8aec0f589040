package input

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	// chunk is how much is read at once; it grows for a long line, up to twice logs.MaxLine.
	chunk = 128 << 10
	// turn is how much of a file is read before others have theirs.
	turn = 8 << 20
	// quiet is how long a file that is not written any more must have been left alone for its last line to be taken without its end, and
	// for a file that has gone to be closed.
	quiet = 10 * time.Second
	// maxFiles bounds how many files of a source are remembered; of those that have gone, for goneFor.
	maxFiles = 16384
	goneFor  = 35 * 24 * time.Hour
	// awaited is how long a file that has gone before it was read may take to come back under another name before it counts as lost.
	awaited = time.Hour
	// maxOpen bounds how many files are open between two turns.
	maxOpen = 256
)

// files reads the files of a source.
type files struct {
	source *source
	buf    []byte
	first  bool            // no round has been made, nor a state read
	noted  map[string]bool // problems of this round

	// Guarded by the source's mu where the state is written; changed by run alone.
	tails   map[key]*tail
	retired []*tail // gone, or truncated: what a copy of them, or what they have been compressed to, goes on from
}

// tail is a file that is being read.
type tail struct {
	place
	stream  stream
	file    *os.File
	unpack  io.Reader // of a compressed file
	rest    []byte    // of what was unpacked, not taken yet
	here    bool      // it is there now
	rotated bool
	still   time.Time // since when it has not changed
}

func newFiles(s *source) *files { return &files{source: s, first: true, tails: map[key]*tail{}} }

var _ reader = (*files)(nil)

// run implements reader.
func (f *files) run(ctx context.Context) error {
	tick := time.NewTicker(f.source.o.Poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		if f.round(ctx) {
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

// close implements reader.
func (f *files) close() error {
	for _, t := range f.tails {
		t.shut()
	}
	for _, t := range f.retired {
		t.shut()
	}
	return nil
}

// round looks at what is there and reads on, each file for its turn. It says whether there is more to read at once.
func (f *files) round(ctx context.Context) (more bool) {
	now := f.source.o.Now()
	all := f.find()
	f.recognise(all, now)
	for i := range all {
		if _, known := f.tails[all[i].key]; !known {
			f.adopt(&all[i], now)
		}
	}
	f.first = false
	for _, t := range f.order() {
		if ctx.Err() != nil {
			return false
		}
		more = f.read(ctx, t, now) || more
	}
	f.forget(now)
	f.source.problem.prune(func(about string) bool {
		kind, path, _ := strings.Cut(about, " ")
		return kind != "file" && kind != "read" || f.noted[about] || slices.ContainsFunc(all, func(is found) bool { return is.path == path })
	})
	return more
}

// order is what has gone first, then what was changed first.
func (f *files) order() []*tail {
	list := slices.Clone(f.retired)
	for _, t := range f.tails {
		list = append(list, t)
	}
	slices.SortStableFunc(list[len(f.retired):], func(a, b *tail) int { return cmp.Or(cmp.Compare(a.Changed, b.Changed), cmp.Compare(a.Path, b.Path)) })
	return list
}

// recognise notes of every known file what has become of it.
func (f *files) recognise(all []found, now time.Time) {
	f.source.mu.Lock()
	defer f.source.mu.Unlock()
	for _, t := range f.tails {
		t.here = false
	}
	for i := range all {
		if t := f.tails[all[i].key]; t != nil {
			f.update(t, &all[i], now)
		}
	}
	for k, t := range f.tails {
		if !t.here {
			t.Gone = now.Unix()
			f.retired = append(f.retired, t)
			delete(f.tails, k)
			f.source.moved = true
		}
	}
}

// update notes of a file that is there how it is now. mu is held.
func (f *files) update(t *tail, is *found, now time.Time) {
	t.here, t.rotated = true, is.rotated
	if t.Path != is.path {
		t.Path, f.source.moved = is.path, true
	}
	if t.Size != is.size || t.Changed != is.changed {
		t.still, t.Ended = now, false
		f.cannot("read "+is.path, nil)
	}
	if !t.Packed && is.size < max(t.Offset, int64(t.Prefix.Len)) { // an empty one is never read, and a copy would wait for it
		f.retire(t, now)
		return
	}
	t.Size, t.Changed = is.size, is.changed
	t.stream.written = is.changed
}

// retire makes a file that holds something else now one that is new; what it was is remembered for a copy of it. mu is held.
func (f *files) retire(t *tail, now time.Time) {
	delete(f.tails, key{t.Dev, t.Ino})
	t.shut() // what it held is not in there any more
	t.Gone = now.Unix()
	f.retired = append(f.retired, t)
	f.source.moved = true
}

// forget drops what has been gone for long; what was never read of it is lost.
func (f *files) forget(now time.Time) {
	f.source.mu.Lock()
	defer f.source.mu.Unlock()
	room := max(0, maxFiles-len(f.tails))
	surplus := max(0, len(f.retired)-room)
	f.retired = slices.DeleteFunc(f.retired, func(t *tail) bool {
		gone := now.Sub(time.Unix(t.Gone, 0))
		if t.file == nil && t.unread() > 0 && gone > awaited {
			f.source.o.Log.Error("a file went before it was read, and has not come back under another name", "source", f.source.config.Name, "file", t.Path,
				"unread_bytes", t.unread())
			f.source.lost++
			t.Size, f.source.moved = t.Offset, true
			t.Ended = t.Packed
		}
		if gone > goneFor || surplus > 0 && t.file == nil {
			surplus = max(0, surplus-1)
			t.shut()
			f.source.moved = true
			return true
		}
		return false
	})
}

// places are how far files have been read. mu is held.
func (f *files) places() []place {
	out := make([]place, 0, len(f.tails)+len(f.retired))
	for _, t := range f.order() {
		p := t.place
		p.Skip = t.stream.skip
		if !p.Ended {
			p.Header = t.stream.header.lines
		}
		out = append(out, p)
	}
	return out
}

// restore takes places back; where the files are is seen in the first round.
func (f *files) restore(places []place) {
	f.first = false
	for _, p := range places {
		t := &tail{place: p}
		t.stream.header.lines, t.stream.skip = slices.Clone(p.Header), p.Skip
		if k := (key{p.Dev, p.Ino}); p.Gone == 0 && f.tails[k] == nil {
			f.tails[k] = t
			continue
		}
		f.retired = append(f.retired, t)
	}
}

// behind is how much is there and has not been read. mu is held.
func (f *files) behind() (n int64) {
	for _, t := range f.tails {
		n += t.unread()
	}
	return n
}

// crowded says whether so many files are open that one that can be opened again should be closed.
func (f *files) crowded() bool {
	n := 0
	for _, t := range f.tails {
		if t.file != nil {
			n++
		}
	}
	return n > maxOpen
}

// shut closes the file.
func (t *tail) shut() {
	if t.file != nil {
		_ = t.file.Close() // it was only read
	}
	t.file, t.unpack, t.rest = nil, nil, nil
}

// gone says whether an error only means that a file is not there any more, or is another one by now.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errReplaced) }
