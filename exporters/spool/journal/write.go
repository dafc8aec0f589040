package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Flush brings everything that was appended before it to the disk. After an error nothing is lost: the next Flush tries again. Files that
// are over the bounds go then.
func (j *Journal) Flush() error {
	j.flushing.Lock()
	defer j.flushing.Unlock()
	defer j.bound()
	for range 2 { // what failed before, then what came since
		g := j.begin()
		if g.records == 0 {
			continue
		}
		if err := j.write(g, j.o.Only); err != nil {
			return j.failed(err)
		}
		j.mu.Lock()
		j.inflight.records, j.inflight.bytes = 0, recycle(g.bytes)
		j.mu.Unlock()
	}
	return nil
}

// recycled is the largest buffer that is kept for the next group.
const recycled = 1 << 20

func recycle(b []byte) []byte {
	if cap(b) > recycled {
		return nil
	}
	return b[:0]
}

// begin makes what is pending the group in flight, unless there still is one.
func (j *Journal) begin() group {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.inflight.records == 0 {
		j.inflight, j.pending = j.pending, group{bytes: j.inflight.bytes[:0]}
	}
	return j.inflight
}

func (j *Journal) failed(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.counts.Failures++
	return fmt.Errorf("writing records to the spool: %w", err)
}

// AppendFor writes records for one reader alone, into a file of their own.
func (j *Journal) AppendFor(only string, payloads [][]byte) error {
	if len(payloads) == 0 {
		return nil
	}
	if err := j.Flush(); err != nil {
		return err
	}
	j.flushing.Lock()
	defer j.flushing.Unlock()
	defer j.bound()
	var g group
	for _, p := range payloads {
		g.bytes = reserveFrame(g.bytes, p)
		g.records++
	}
	if err := errors.Join(j.seal(), j.write(g, only)); err != nil {
		return j.failed(err)
	}
	return j.seal()
}

// write brings a group to the disk, as a whole. flushing is held.
func (j *Journal) write(g group, only string) error {
	s, err := j.writable(only)
	if err != nil {
		return err
	}
	end := numberFrames(g.bytes, s.epoch, s.end)
	if _, err := j.active.Write(g.bytes); err != nil {
		if j.active.Truncate(s.bytes) != nil {
			return errors.Join(err, j.seal()) // half a group is behind what is valid; reading stops before it
		}
		return err
	}
	if err := j.sync(s); err != nil {
		// What the disk has now is not known, and another try would not tell: the group goes into another file.
		_ = j.active.Truncate(s.bytes)
		return errors.Join(err, j.seal())
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	s.bytes += int64(len(g.bytes))
	s.end, j.next = end, end
	j.counts.Written += uint64(g.records)
	j.announce()
	return nil
}

// writable is the file that records for a reader go to now.
func (j *Journal) writable(only string) (*segment, error) {
	if s := j.last(); j.active != nil && (s.bytes >= j.o.FileBytes || s.only != only || j.longSince(s)) {
		if err := j.seal(); err != nil {
			return nil, err
		}
	}
	if j.active == nil {
		if err := j.create(only); err != nil {
			return nil, err
		}
	}
	return j.last(), nil
}

// perAge is how many files there are within MaxAge, at least.
const perAge = 8

// longSince says whether a file has been written for so long that its oldest record should not wait for its newest to be old.
func (j *Journal) longSince(s *segment) bool {
	return j.o.MaxAge > 0 && j.o.Now().Sub(s.begun) >= j.o.MaxAge/perAge
}

// sync brings what was written to the disk and, of a new file, its name, before anyone relies on it.
func (j *Journal) sync(s *segment) error {
	if err := j.active.Sync(); err != nil || s.end > s.first {
		return err
	}
	return j.dir.Sync()
}

// last is the newest file; nil: there is none. flushing is held, under which alone files are added.
func (j *Journal) last() *segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.files) == 0 {
		return nil
	}
	return j.files[len(j.files)-1]
}

// create begins a file. Its head is written with the first group.
func (j *Journal) create(only string) error {
	h := head{epoch: j.o.Epoch(), first: j.next, begun: j.o.Now(), only: only, meta: j.o.Meta}
	name := nameOf(h.first)
	f, err := j.dir.Create(name)
	if errors.Is(err, fs.ErrExist) { // it was begun and never held a record that was safe
		if err = j.dir.Remove(name); err == nil {
			f, err = j.dir.Create(name)
		}
	}
	if err != nil {
		return err
	}
	b := appendHead(nil, &h)
	if _, err := f.Write(b); err != nil {
		return errors.Join(err, f.Close(), j.dir.Remove(name))
	}
	h.size = int64(len(b))
	j.active = f
	j.mu.Lock()
	defer j.mu.Unlock()
	j.files = append(j.files, &segment{head: h, name: name, end: h.first, bytes: h.size, closed: h.begun, open: true})
	return nil
}

// seal ends the file that is being written; one without a record goes. flushing is held.
func (j *Journal) seal() error {
	if j.active == nil {
		return nil
	}
	err := j.active.Close()
	j.active = nil
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.files[len(j.files)-1]
	s.open, s.closed = false, j.o.Now()
	if s.end > s.first {
		return err
	}
	j.files = j.files[:len(j.files)-1]
	return errors.Join(err, j.dir.Remove(s.name))
}

// settled is how long after the start nothing goes for its age: the clock of a machine may be wrong until it has asked for the time.
const settled = 10 * time.Minute

// bound removes what no reader needs, and then what is over the bounds. flushing is held.
func (j *Journal) bound() {
	now := j.o.Now()
	j.mu.Lock()
	gone := j.unneeded()
	for len(j.files) > 0 {
		s := j.files[0]
		over := j.total() > j.o.MaxBytes && !(j.o.Keep && j.neededNow(s))
		old := j.o.MaxAge > 0 && now.Sub(s.closed) > j.o.MaxAge && now.Sub(j.opened) > settled
		if s.open || !over && !old {
			break
		}
		j.drop(s, over)
		gone = append(gone, s)
		j.files = j.files[1:]
	}
	if len(gone) > 0 {
		j.announce()
	}
	j.mu.Unlock()
	j.dispose(gone)
}

// drop counts for each reader what it loses with a file. mu is held.
func (j *Journal) drop(s *segment, over bool) {
	why, bound := "the spool is as large as it may be", slogValue(j.o.MaxBytes)
	if over {
		j.counts.Capped++
	} else {
		j.counts.Expired++
		why, bound = "they are older than the spool keeps records", j.o.MaxAge.String()
	}
	for _, r := range j.readers {
		if n := r.lose(s); n > 0 {
			j.o.Log.Error("records are lost: nobody took them in time", "reader", r.name, "records", n, "reason", why, "bound", bound,
				"since", s.begun.UTC().Format(time.RFC3339))
		}
	}
}

// slogValue is a size for a message.
func slogValue(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

// unneeded takes the files out that every reader is past. mu is held.
func (j *Journal) unneeded() []*segment {
	var gone []*segment
	kept := j.files[:0]
	for _, s := range j.files {
		if s.open || j.needed(s) {
			kept = append(kept, s)
			continue
		}
		gone = append(gone, s)
		for _, r := range j.readers {
			r.pass(s)
		}
	}
	clear(j.files[len(kept):])
	j.files = kept
	return gone
}

// needed says whether a reader, open or not, has yet to say that it is past the file, or past what is before a file that is not for it: it
// would take the missing numbers for lost records. mu is held.
func (j *Journal) needed(s *segment) bool {
	for _, r := range j.readers {
		if r.forIt(s) && r.saved < s.end || r.saved < s.first {
			return true
		}
	}
	return false
}

// dispose removes files, after the places of those whom they were not for have been moved past them; one that was found damaged is set
// aside.
func (j *Journal) dispose(gone []*segment) {
	for _, r := range j.passed() {
		if err := j.keepPlace(r); err != nil {
			j.o.Log.Warn("the place of a reader could not be kept", "reader", r.name, "error", err)
		}
	}
	for _, s := range gone {
		if s.damaged {
			j.setAside(s.name)
			continue
		}
		if err := j.dir.Remove(s.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			j.o.Log.Warn("a file of the spool that nobody needs could not be removed; the next start tries again", "file", s.name, "error", err)
		}
	}
}

// passed returns the readers that were moved without their doing.
func (j *Journal) passed() []*Reader {
	j.mu.Lock()
	defer j.mu.Unlock()
	var moved []*Reader
	for _, r := range j.readers {
		if r.moved {
			r.moved = false
			moved = append(moved, r)
		}
	}
	return moved
}
