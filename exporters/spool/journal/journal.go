package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Options tune a journal.
type Options struct {
	// Readers are those for whom records are kept until they have read them, whether they read now or not.
	Readers []string
	// Only names the one reader that what is appended is for; empty: all.
	Only string
	// Meta is kept at the head of every file and comes back with each batch that is read from it.
	Meta []byte
	// FileBytes is the size at which a file is full.
	FileBytes int64
	// MaxBytes bounds all files together; beyond it the oldest goes, read or not.
	MaxBytes int64
	// MaxAge is after how long a file goes, read or not; 0 is never.
	MaxAge time.Duration
	// PendingBytes bounds what waits in memory to be flushed.
	PendingBytes int
	// Keep leaves a file that an open reader still needs in place beyond MaxBytes: whoever appends then waits until Full says no more.
	Keep bool
	// Epoch gives a random number for each file.
	Epoch func() uint64
	// Now is the clock.
	Now func() time.Time
	// Log hears what an operator has to know.
	Log *slog.Logger
}

// Journal is the one writer of a directory and all its readers. Its methods may be called from several goroutines.
type Journal struct {
	dir      Dir
	o        Options
	opened   time.Time
	flushing sync.Mutex // held by who writes files
	placing  sync.Mutex // held by who writes a cursor

	mu       sync.Mutex // guards what follows; never held while a file is written
	pending  group      // appended, not being written yet
	inflight group      // being written
	files    []*segment // oldest first
	next     uint64     // number of the next record that is written
	readers  map[string]*Reader
	changed  chan struct{} // is closed when there is more to read, or more room
	counts   Counts

	active File // of the last segment; nil: none is open. Guarded by flushing.
}

// Counts are what happened since Open.
type Counts struct {
	Written  uint64 // records that have reached the disk
	Refused  uint64 // records that Append had no room for
	Failures uint64 // writes that failed
	Torn     uint64 // bytes that a crash had left behind the last whole record
	SetAside uint64 // files whose head could not be read
	Capped   uint64 // files that went unread for the sake of MaxBytes
	Expired  uint64 // files that went unread for the sake of MaxAge
}

// group is records on their way to the disk.
type group struct {
	bytes   []byte
	records int
}

// segment is a file.
type segment struct {
	head
	name    string
	end     uint64    // number after its last record
	bytes   int64     // how much of it is valid
	closed  time.Time // when the last record can have been written
	open    bool      // it is still being written
	damaged bool
}

// errLarge is a record that is too large to be kept.
var errLarge = errors.New("the record is too large")

// errFull is memory that is full of records which could not be written yet.
var errFull = errors.New("no room for another record in memory")

// Append takes a record in; it is safe once Flush has returned without an error. It returns an error if the record is too large, or if
// there is no room in memory because the disk does not take what was appended before.
func (j *Journal) Append(payload []byte) error {
	if len(payload) > MaxPayload {
		return fmt.Errorf("appending a record of %d bytes: %w; at most %d are kept", len(payload), errLarge, MaxPayload)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.pending.bytes)+frameHead+len(payload) > j.o.PendingBytes && j.pending.records > 0 {
		j.counts.Refused++
		return errFull
	}
	j.pending.bytes = reserveFrame(j.pending.bytes, payload)
	j.pending.records++
	return nil
}

// Pending is how many records and bytes wait to be flushed.
func (j *Journal) Pending() (records, bytes int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.pending.records + j.inflight.records, len(j.pending.bytes) + len(j.inflight.bytes)
}

// Room says whether a record of so many bytes fits into memory now.
func (j *Journal) Room(payload int) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.pending.records == 0 || len(j.pending.bytes)+frameHead+payload <= j.o.PendingBytes
}

// Abandon forgets what was never written, and returns how many records that were.
func (j *Journal) Abandon() int {
	j.flushing.Lock()
	defer j.flushing.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	n := j.pending.records + j.inflight.records
	j.pending, j.inflight = group{}, group{}
	j.counts.Refused += uint64(n)
	return n
}

// Changed returns a channel that is closed when there is more to read, or more room, than now.
func (j *Journal) Changed() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.changed
}

// announce wakes everyone who waits on Changed. mu is held.
func (j *Journal) announce() {
	close(j.changed)
	j.changed = make(chan struct{})
}

// Counts may be called at any time.
func (j *Journal) Counts() Counts {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.counts
}

// Size is how many bytes and files there are.
func (j *Journal) Size() (bytes int64, files int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.total(), len(j.files)
}

// End is the number of the next record that Flush will write.
func (j *Journal) End() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.next
}

// total is the size of all files. mu is held.
func (j *Journal) total() int64 {
	var n int64
	for _, s := range j.files {
		n += s.bytes
	}
	return n
}

// Full says whether what was appended fills so many hundredths of MaxBytes that an open reader would lose records soon.
func (j *Journal) Full(hundredths int64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	waiting := int64(len(j.pending.bytes) + len(j.inflight.bytes))
	if j.total()+waiting < j.o.MaxBytes/100*hundredths {
		return false
	}
	if len(j.files) == 0 || j.files[0].end == j.files[0].first {
		return waiting > 0 // nothing has reached the disk yet, and what comes would be too much at once
	}
	return j.neededNow(j.files[0])
}

// neededNow says whether an open reader is not past the file yet, as far as the disk knows. mu is held.
func (j *Journal) neededNow(s *segment) bool {
	for _, r := range j.readers {
		if r.open && r.forIt(s) && r.saved < s.end {
			return true
		}
	}
	return false
}

// Close closes the file that is being written. What is pending is not written: Flush does that.
func (j *Journal) Close() error {
	j.flushing.Lock()
	defer j.flushing.Unlock()
	return j.seal()
}
