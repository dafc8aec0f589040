package spool

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/spool/codec"
	"github.com/gnomon-sensor/gnomon/exporters/spool/journal"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Config says where records are kept and how many.
type Config struct {
	// Dir is the directory; a process has it for itself.
	Dir string
	// Exporters are all that are configured, also those that this process does not attach: records are kept for them.
	Exporters []string
	// Witness names a reader that no exporter is behind: what was offered is kept for Recall until Pass, so that a process knows after a crash what
	// it had offered and what of it reached the disk. Nobody waits for it. Empty: there is none.
	Witness string
	// Only names the one exporter that records of this process are for; empty: all.
	Only string
	// MaxBytes bounds the records on the disk; beyond it the oldest go. Default 2 GiB.
	MaxBytes int64
	// MaxAge is after how long records go that somebody has not taken. Default 168h; 0 is never.
	MaxAge time.Duration
	// Sync is how long a record may wait in memory. Default 200ms.
	Sync time.Duration
	// Memory bounds what waits there while the disk does not take it. Default 16 MiB.
	Memory int
	// DeadBytes bounds the dead letters. Default 64 MiB.
	DeadBytes int64
	// Wait makes Offer wait for room instead of losing records: for captures from files, which can wait.
	Wait bool
	// Retry is the first pause after a refusal; it doubles up to RetryMost. Defaults 200ms and 30s.
	Retry, RetryMost time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Log hears what an operator has to know. Default is nobody.
	Log *slog.Logger
}

// Default returns the defaults for a spool in dir.
func Default(dir string) Config {
	return Config{Dir: dir, MaxBytes: 2 << 30, MaxAge: 168 * time.Hour, Sync: 200 * time.Millisecond, Memory: 16 << 20, DeadBytes: 64 << 20,
		Retry: 200 * time.Millisecond, RetryMost: 30 * time.Second, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

// Sizes of files: small enough for a bound to be kept closely, large enough to be few.
const (
	fileLeast = 64 << 10
	fileMost  = 16 << 20
	perBound  = 8 // files within MaxBytes, at least
)

// Spool keeps records for exporters. Its methods may be called from several goroutines.
type Spool struct {
	config  Config
	lock    *lock
	codec   *codec.Codec
	journal *journal.Journal
	dead    *deadLetters

	offering sync.Mutex // guards scratch; held while Offer waits
	scratch  []byte
	kick     chan struct{} // enough is pending
	closing  chan struct{} // is closed when Close begins
	flushed  chan struct{} // is closed when the flusher has ended
	asked    chan struct{} // is closed when the requests' goroutine has ended
	cancel   context.CancelFunc
	ctx      context.Context // ends when the time that Close gave is over

	mu     sync.Mutex // guards what follows
	pumps  []*pump
	closed bool
}

// Open opens the spool in a directory, or begins one. What a crash or a damaged disk left there is no reason not to start; another
// process that has the directory is.
func Open(config Config) (s *Spool, err error) {
	lock, err := takeLock(config.Dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			lock.release()
		}
	}()
	s = &Spool{config: config, lock: lock, codec: codec.New(), kick: make(chan struct{}, 1), closing: make(chan struct{}),
		flushed: make(chan struct{}), asked: make(chan struct{})}
	if s.journal, err = openJournal(config.Dir, s.options()); err != nil {
		return nil, err
	}
	if s.dead, err = openDead(&s.config, s.codec); err != nil {
		return nil, errors.Join(err, s.journal.Close())
	}
	forgetAnswers(config.Dir)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.flusher()
	go s.requests()
	return s, nil
}

// options are those of the journal.
func (s *Spool) options() journal.Options {
	c := &s.config
	readers := slices.Clone(c.Exporters)
	if c.Witness != "" {
		readers = append(readers, c.Witness)
	}
	return journal.Options{Readers: readers, Only: c.Only, Meta: s.codec.Schema(), FileBytes: min(max(c.MaxBytes/perBound, fileLeast), fileMost),
		MaxBytes: c.MaxBytes, MaxAge: c.MaxAge, PendingBytes: c.Memory, Keep: c.Wait, Epoch: randomEpoch, Now: c.Now, Log: c.Log}
}

func openJournal(dir string, o journal.Options) (*journal.Journal, error) {
	disk, err := journal.OpenDisk(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the spool %s: %w", dir, err)
	}
	return journal.New(disk, o)
}

func randomEpoch() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never returns an error
	return binary.LittleEndian.Uint64(b[:])
}

// Attach hands records to an exporter, from where it was last, until Close, which closes the exporter too. The name is among
// Config.Exporters.
func (s *Spool) Attach(name string, e exporters.Exporter) error {
	r, err := s.journal.Open(name)
	if err != nil {
		return err
	}
	p := newPump(s, name, r, e)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pumps = append(s.pumps, p)
	go p.run(s.ctx)
	return nil
}

// Offer takes a record. Where there is no room for it, because the disk has not taken those before, it waits or counts the record as
// lost, as configured.
func (s *Spool) Offer(ev *event.Event) {
	s.offering.Lock()
	defer s.offering.Unlock()
	s.scratch = s.codec.Append(s.scratch[:0], ev)
	if s.config.Wait {
		s.await(len(s.scratch))
	}
	if err := s.journal.Append(s.scratch); err != nil { // counted by the journal; the flusher says it
		return
	}
	if _, bytes := s.journal.Pending(); bytes >= flushAt {
		select {
		case s.kick <- struct{}{}:
		default:
		}
	}
}

// await waits until there is room for a record, or until there is no time left.
func (s *Spool) await(size int) {
	for {
		changed := s.journal.Changed()
		if s.journal.Room(size) && !s.journal.Full(100) {
			return
		}
		select {
		case <-changed:
		case <-s.ctx.Done():
			return
		}
	}
}

// Room waits until whoever can wait should go on: until the spool is not filling up because an exporter is behind, or memory because the
// disk is. It leaves a quarter of the spool, and half of the memory, for those who cannot wait.
func (s *Spool) Room(ctx context.Context) error {
	for {
		changed := s.journal.Changed()
		if _, pending := s.journal.Pending(); !s.journal.Full(75) && pending <= s.config.Memory/2 {
			return nil
		}
		select {
		case <-changed:
		case <-s.closing:
			return errClosing
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// errClosing is what a spool that is being closed answers.
var errClosing = errors.New("the spool is being closed")

// Sync brings everything that was offered before to the disk, now. After an error it still waits in memory, and is tried again.
func (s *Spool) Sync() error { return s.journal.Flush() }

// Drain waits until an attached exporter has all that was offered before, or is failing, or ctx ends.
func (s *Spool) Drain(ctx context.Context, name string) error {
	if err := s.journal.Flush(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pumps {
		if p.name == name {
			return p.drained(ctx, s.journal.End())
		}
	}
	return fmt.Errorf("waiting for the exporter %s: it is not attached", name)
}

// Close brings what was offered to the disk and hands it to the exporters, for at most the given time, and closes everything. What an
// exporter does not have then stays for the next start; only what never reached the disk is lost, and is an error.
func (s *Spool) Close(within time.Duration) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	pumps := s.pumps
	s.mu.Unlock()
	timer := time.AfterFunc(within, s.cancel)
	defer timer.Stop()
	close(s.closing)
	<-s.flushed
	<-s.asked
	var errs []error
	for _, p := range pumps {
		errs = append(errs, p.close())
	}
	s.cancel()
	if lost := s.journal.Abandon(); lost > 0 {
		s.config.Log.Error("records are lost: the disk did not take them in time", "records", lost)
	}
	errs = append(errs, s.journal.Close(), s.dead.close())
	if c := s.journal.Counts(); c.Refused > 0 {
		errs = append(errs, fmt.Errorf("keeping records in the spool %s: %d were lost, %d kept; the disk did not take them in time, see the log for the reason",
			s.config.Dir, c.Refused, c.Written))
	}
	s.lock.release()
	return errors.Join(errs...)
}

// deadDir is where dead letters lie.
func deadDir(dir string) string { return filepath.Join(dir, "dead") }
