package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

const (
	suffix = ".seg"
	bad    = ".bad"
	// maxFile bounds what can be a file of ours: one is full far below.
	maxFile = 1 << 30
	// keptBad is how many files that were set aside stay for whoever wants to look into them.
	keptBad = 4
)

// nameOf is the file that begins with a record.
func nameOf(first uint64) string { return fmt.Sprintf("%020d%s", first, suffix) }

// firstOf reads the number out of a name.
func firstOf(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	first, err := strconv.ParseUint(digits, 10, 63)
	return first, ok && err == nil && nameOf(first) == name
}

// New opens the journal in a directory. Whatever lies in it, damaged or not, is no reason for an error: that comes from the directory
// itself.
func New(dir Dir, o Options) (*Journal, error) {
	j := &Journal{dir: dir, o: o, opened: o.Now(), readers: map[string]*Reader{}, changed: make(chan struct{})}
	entries, err := dir.List()
	if err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	var firsts []uint64
	for _, e := range entries {
		if strings.HasSuffix(e.Name, temporary) {
			j.remove(e.Name)
		}
		if first, ok := firstOf(e.Name); ok {
			firsts = append(firsts, first)
			j.adopt(e, first)
		}
	}
	j.link(firsts)
	j.trimTail()
	if n := len(j.files); n > 0 {
		j.next = max(j.next, j.files[n-1].end)
	}
	for _, name := range o.Readers {
		if !validName(name) {
			return nil, fmt.Errorf("opening the spool: a reader cannot be called %q", name)
		}
	}
	j.placeReaders()
	return j, nil
}

// placeReaders puts each reader where it was, and a new one at the oldest record.
func (j *Journal) placeReaders() {
	for _, name := range j.o.Readers {
		r := &Reader{j: j, name: name}
		if c, ok := j.readCursor(name); ok {
			r.committed, r.lost, r.known = c.next, c.lost, true
			j.next = max(j.next, c.next) // the records that it has read are gone, with their file; their numbers are not used again
		}
		j.readers[name] = r
	}
	oldest := j.next
	if len(j.files) > 0 {
		oldest = j.files[0].first
	}
	for _, r := range j.readers {
		if r.known && r.committed < oldest {
			r.lost += oldest - r.committed
		}
		r.committed = max(r.committed, oldest)
		r.position, r.saved = r.committed, r.committed
		if err := j.keepPlace(r); err != nil { // without it a loss before the first Save would not be counted
			j.o.Log.Warn("the place of a reader could not be kept", "reader", r.name, "error", err)
		}
	}
}

// adopt takes up a file that an earlier process left.
func (j *Journal) adopt(e Entry, first uint64) {
	s, err := j.readHead(e, first)
	if err == nil {
		j.files = append(j.files, s)
		return
	}
	f, openErr := j.dir.Open(e.Name)
	if openErr != nil {
		j.o.Log.Error("a file of the spool cannot be opened and is left out", "file", e.Name, "error", openErr)
		return
	}
	defer f.Close()
	records, empty := census(f, e.Size)
	if empty { // a crash came before its head was safe, so before any record was
		j.remove(e.Name)
		return
	}
	j.o.Log.Error("a file of the spool is damaged and set aside", "file", e.Name, "error", err, "records", records)
	j.counts.SetAside++
	j.next = max(j.next, first+records)
	j.setAside(e.Name)
}

// census counts what looks like records in a file whose head cannot be read, and says whether there is nothing at all.
func census(f File, size int64) (records uint64, empty bool) {
	block := make([]byte, readAhead)
	empty = true
	for off := int64(0); off < size; off += int64(len(block)) {
		n, err := f.ReadAt(block, off)
		records += uint64(bytes.Count(block[:n], []byte(marker)))
		empty = empty && len(bytes.Trim(block[:n], "\x00")) == 0
		if err != nil {
			return records, empty && errors.Is(err, io.EOF)
		}
	}
	return records, empty
}

// readHead reads the head of a file.
func (j *Journal) readHead(e Entry, first uint64) (*segment, error) {
	f, err := j.dir.Open(e.Name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, min(e.Size, headMost+16))
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	h, err := parseHead(b[:n])
	if err != nil {
		return nil, err
	}
	if e.Size > maxFile {
		return nil, fmt.Errorf("it has %d bytes; no file is larger than %d", e.Size, maxFile)
	}
	if h.first != first {
		return nil, fmt.Errorf("its head says that it begins with record %d", h.first)
	}
	s := &segment{head: h, name: e.Name, bytes: e.Size, closed: j.opened}
	if latest := h.begun.Add(j.o.MaxAge / perAge); j.o.MaxAge > 0 && latest.Before(s.closed) {
		s.closed = latest
	}
	return s, nil
}

// link finds the end of each file but the last: where the next begins.
func (j *Journal) link(firsts []uint64) {
	for i := range len(j.files) - 1 {
		s, next := j.files[i], j.files[i+1]
		after, _ := slices.BinarySearch(firsts, s.first+1)
		s.end = firsts[after]
		if next.begun.Before(s.closed) {
			s.closed = next.begun
		}
	}
}

// trimTail finds the end of the last file, and cuts off what a crash left behind its last whole record. A file without a record goes.
func (j *Journal) trimTail() {
	for len(j.files) > 0 {
		s := j.files[len(j.files)-1]
		if err := j.scan(s); err != nil {
			j.o.Log.Error("the newest file of the spool cannot be read to its end", "file", s.name, "error", err)
		}
		j.next = max(j.next, s.end)
		if s.end > s.first {
			return
		}
		j.files = j.files[:len(j.files)-1]
		j.remove(s.name)
	}
}

// scan reads a file to its last whole record and cuts what follows.
func (j *Journal) scan(s *segment) error {
	s.end = s.first
	f, err := j.dir.Open(s.name)
	if err != nil {
		return err
	}
	defer f.Close()
	b := make([]byte, s.bytes)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		b = b[:max(n, int(s.size))]
	}
	valid := s.size
	for at := s.size; at < int64(len(b)); {
		frame, err := parseFrame(b[at:], s.epoch)
		if err != nil || frame.number < s.end {
			skip, found := nextFrame(b[at:], s.epoch, s.end, s.first+uint64(len(b)/frameHead))
			if !found {
				break
			}
			at += int64(skip)
			continue
		}
		at += int64(frame.size)
		valid, s.end = at, frame.number+1
	}
	if torn := s.bytes - valid; torn > 0 {
		j.counts.Torn += uint64(torn)
		j.o.Log.Warn("cutting off what a crash left behind the last whole record", "file", s.name, "bytes", torn)
		s.bytes = valid
		return errors.Join(f.Truncate(valid), f.Sync())
	}
	return nil
}

func (j *Journal) remove(name string) {
	if err := j.dir.Remove(name); err != nil {
		j.o.Log.Warn("a file of the spool could not be removed", "file", name, "error", err)
	}
}

// setAside renames a damaged file, and removes the oldest of those that were set aside before.
func (j *Journal) setAside(name string) {
	if err := j.dir.Rename(name, name+bad); err != nil {
		j.o.Log.Error("a damaged file of the spool could not be set aside", "file", name, "error", err)
		return
	}
	entries, err := j.dir.List()
	if err != nil {
		return
	}
	var aside []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name, suffix+bad) {
			aside = append(aside, e.Name)
		}
	}
	slices.Sort(aside)
	for len(aside) > keptBad {
		j.o.Log.Warn("removing a damaged file that was set aside long ago", "file", aside[0])
		j.remove(aside[0])
		aside = aside[1:]
	}
}
