package journal

import (
	"errors"
	"fmt"
	"io"
)

// Reader reads the journal from where it was last. Read and Commit are called from one goroutine.
type Reader struct {
	j    *Journal
	name string

	// guarded by the journal's mu
	open      bool
	known     bool   // it has been here before
	committed uint64 // everything before it was taken
	saved     uint64 // committed, as it is on the disk: what a start would begin with
	position  uint64 // what Read returns next
	lost      uint64 // records before committed that were never read
	gap       gap
	moved     bool // past a file that is not for it, which has to be saved

	// of the goroutine that reads
	file    File
	at      *segment // what file is
	off     int64    // in the file, of the next record
	buf     []byte   // what was read of the file from off on
	held    []byte   // room for buf
	batch   Batch
	failing int
}

// gap is what went unread while records before it were still under way: it counts once they have been taken.
type gap struct {
	from, to uint64
	lost     uint64
}

// Batch is records of one file, in order. Its memory is the reader's and is valid until the next Read.
type Batch struct {
	Payloads [][]byte
	Meta     []byte
	Next     uint64 // the number after the last; for Commit
	Lost     uint64 // how many before or among them could not be read
}

// Open begins to read for a name that is among Options.Readers; Close ends it.
func (j *Journal) Open(name string) (*Reader, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.readers[name]
	if r == nil || r.open {
		return nil, fmt.Errorf("reading the spool as %q: the name is not known or is in use", name)
	}
	r.open = true
	return r, nil
}

// forIt says whether a file is for this reader.
func (r *Reader) forIt(s *segment) bool { return s.only == "" || s.only == r.name }

// lose counts what goes with a file before it was read. mu is held.
func (r *Reader) lose(s *segment) uint64 {
	if r.position >= s.end {
		return 0
	}
	n := s.end - r.position // it is the oldest: what is before it is missing
	if !r.forIt(s) {
		n -= s.end - max(r.position, s.first)
	}
	if n == 0 {
		r.position = s.end
		return 0
	}
	if r.gap.to == 0 {
		r.gap.from = r.position
	}
	r.gap.to, r.gap.lost = s.end, r.gap.lost+n
	r.position = s.end
	return n
}

// pass moves the reader past a file that goes and is not for it. mu is held.
func (r *Reader) pass(s *segment) {
	if !r.forIt(s) && r.saved >= s.first && r.saved < s.end {
		r.committed, r.position, r.moved = max(r.committed, s.end), max(r.position, s.end), true
		r.saved = s.end
	}
}

// Read returns the next records, at most so many; none if there are no more now. A file that cannot be read is tried again, then skipped.
func (r *Reader) Read(most int) (*Batch, error) {
	r.batch = Batch{Payloads: r.batch.Payloads[:0]}
	for {
		s, size := r.locate()
		if s == nil {
			return &r.batch, nil
		}
		if err := r.load(s, size); err != nil {
			if r.failing++; r.failing < triesToRead {
				return nil, fmt.Errorf("reading %s of the spool: %w", s.name, err)
			}
			r.j.o.Log.Error("a file of the spool cannot be read and is skipped", "file", s.name, "error", err)
			r.skipTo(s, s.end)
			continue
		}
		r.failing = 0
		r.parse(s, size, most)
		if len(r.batch.Payloads) > 0 {
			return &r.batch, nil
		}
	}
}

// triesToRead is how often a file that cannot be read is tried.
const triesToRead = 5

// readAhead is how much of a file is read at once.
const readAhead = 256 << 10

// locate finds the file that holds the next record and how much of it is valid.
func (r *Reader) locate() (s *segment, size int64) {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	for _, s := range r.j.files {
		if r.position >= s.end {
			continue
		}
		if r.position < s.first { // a file is missing
			r.batch.Lost += s.first - r.position
			r.position = s.first
		}
		if !r.forIt(s) {
			r.position = s.end
			continue
		}
		r.batch.Next = r.position
		r.batch.Meta = s.meta
		found := *s
		return &found, s.bytes
	}
	if r.position < r.j.next { // the files between are missing
		r.batch.Lost += r.j.next - r.position
		r.position = r.j.next
	}
	r.batch.Next = r.position
	return nil, 0
}

// load makes buf hold the next record as a whole, if it is whole in the file.
func (r *Reader) load(s *segment, size int64) error {
	if r.at == nil || r.at.name != s.name || r.at.epoch != s.epoch {
		r.closeFile()
		f, err := r.j.dir.Open(s.name)
		if err != nil {
			return err
		}
		r.file, r.at, r.off = f, s, s.size
	}
	if _, err := parseFrame(r.buf, s.epoch); errors.As(err, new(errShort)) {
		return r.fill(size, readAhead)
	}
	return nil
}

// fill reads want bytes from off on, or as many as are valid; more if the next record needs them.
func (r *Reader) fill(size int64, want int) error {
	n := int(min(int64(want), size-r.off))
	if cap(r.held) < n {
		r.held = make([]byte, max(n, readAhead))
	}
	got, err := r.file.ReadAt(r.held[:n], r.off)
	r.buf = r.held[:got]
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var short errShort
	if _, err := parseFrame(r.buf, r.at.epoch); errors.As(err, &short) && short.need > want && r.off+int64(short.need) <= size {
		return r.fill(size, short.need)
	}
	return nil
}

// parse moves records from buf into the batch.
func (r *Reader) parse(s *segment, size int64, most int) {
	position := r.batch.Next
	for len(r.batch.Payloads) < most {
		f, err := parseFrame(r.buf, s.epoch)
		var short errShort
		if errors.As(err, &short) && r.off+int64(short.need) <= size {
			break // the rest of it lies further on in the file
		}
		if err != nil {
			if len(r.batch.Payloads) == 0 {
				r.damage(s, size, position)
				return
			}
			break
		}
		r.off += int64(f.size)
		r.buf = r.buf[f.size:]
		switch {
		case f.number < position:
			continue // read before
		case f.number >= s.end:
			r.batch.Next = s.end
			r.batch.Lost += s.end - position
			r.advance(s.end)
			return
		}
		r.batch.Lost += f.number - position
		position = f.number + 1
		r.batch.Payloads = append(r.batch.Payloads, f.payload)
		if position == s.end {
			break
		}
	}
	if len(r.batch.Payloads) > 0 {
		r.spare(position)
	}
	r.batch.Next = position
	r.advance(position)
}

// spare takes what has just been read out of what was lost: its file went meanwhile.
func (r *Reader) spare(position uint64) {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	if r.gap.lost > 0 && r.gap.from < position && position <= r.gap.to {
		r.gap.lost -= min(r.gap.lost, position-r.gap.from)
		r.gap.from = position
	}
}

// advance tells the journal where Read is now; a file that went meanwhile has moved it on further.
func (r *Reader) advance(position uint64) {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	r.position = max(r.position, position)
}

// damage looks for the next whole record behind one that is not.
func (r *Reader) damage(s *segment, size int64, position uint64) {
	rest := make([]byte, size-r.off)
	n, err := r.file.ReadAt(rest, r.off)
	if err != nil && !errors.Is(err, io.EOF) {
		n = 0
	}
	at, found := nextFrame(rest[:n], s.epoch, position, s.end)
	if !found {
		r.j.o.Log.Error("the rest of a file of the spool is damaged; its records are lost", "reader", r.name, "file", s.name, "offset", r.off,
			"records", s.end-position)
		r.skipTo(s, s.end)
		return
	}
	r.j.o.Log.Error("a file of the spool is damaged; reading goes on behind the damage", "reader", r.name, "file", s.name, "offset", r.off,
		"bytes", at)
	r.off += int64(at)
	r.buf = nil
	r.mark(s)
}

// skipTo gives up what is before a number.
func (r *Reader) skipTo(s *segment, number uint64) {
	if number > r.batch.Next {
		r.batch.Lost += number - r.batch.Next
	}
	r.batch.Next = number
	r.mark(s)
	r.advance(number)
	r.closeFile()
}

// mark remembers that a file is damaged.
func (r *Reader) mark(s *segment) {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	for _, file := range r.j.files {
		if file.name == s.name {
			file.damaged = true
		}
	}
}

// Commit says that everything before b.Next was taken, durably. Save brings it to the disk.
func (r *Reader) Commit(b *Batch) {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	r.committed = max(r.committed, b.Next)
	r.lost += b.Lost
	if r.gap.to > 0 && b.Next >= r.gap.from {
		r.committed = max(r.committed, r.gap.to)
		r.lost += r.gap.lost
		r.gap = gap{}
	}
}

// Save brings the place of the reader to the disk and removes the files that nobody needs any more.
func (r *Reader) Save() error {
	if err := r.j.keepPlace(r); err != nil {
		return err
	}
	r.j.mu.Lock()
	gone := r.j.unneeded()
	if len(gone) > 0 {
		r.j.announce()
	}
	r.j.mu.Unlock()
	r.j.dispose(gone)
	return nil
}

// Pass moves a reader that nobody has open to a number that it need not have read up to, and brings its place to the disk.
func (j *Journal) Pass(name string, to uint64) error {
	j.mu.Lock()
	r := j.readers[name]
	j.mu.Unlock()
	if r == nil {
		return fmt.Errorf("the spool has no reader %q", name)
	}
	r.Commit(&Batch{Next: to})
	r.advance(to)
	return r.Save()
}

// Behind is how many records this reader has not taken yet, and how many it will never get.
func (r *Reader) Behind() (waiting, lost uint64) {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	for _, s := range r.j.files {
		if from := max(r.committed, s.first); r.forIt(s) && from < s.end {
			waiting += s.end - from
		}
	}
	return waiting, r.lost + r.gap.lost
}

// Close ends reading; the place stays where the last Save left it.
func (r *Reader) Close() {
	r.closeFile()
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	r.open, r.position = false, r.committed
}

func (r *Reader) closeFile() {
	if r.file != nil {
		_ = r.file.Close() // it was only read
	}
	r.file, r.at, r.buf = nil, nil, nil
}
