package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// Config says where the store is and how long it keeps what.
type Config struct {
	// Path of the file. Beside it lie PATH-wal and PATH-shm while it is open, PATH.lock, and PATH.bad-TIME after damage.
	Path string
	// RawRetention is how long records are kept, from the moment they were taken in. Default 720h; at least 24h.
	RawRetention time.Duration
	// RollupMonths is how many months sums, findings and audit records are kept, from the end of the month they belong to or from the
	// moment they were taken in, whichever is later. Default 13; at least 1.
	RollupMonths int
	// MaxBytes bounds the size: beyond it the oldest records go before their time, sums stay. Default 20 GiB; 0 is no bound.
	MaxBytes int64
	// Location sets where days and months begin (report.timezone). Default UTC. After a change sums are brought to the new days.
	Location *time.Location
	// Every is how often Maintain is called in the background. Default 1m; below zero it is never called.
	Every time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Log hears what an operator has to know. Default is nobody.
	Log *slog.Logger
}

// Default returns the defaults for a store at path.
func Default(path string) Config {
	return Config{Path: path, RawRetention: 720 * time.Hour, RollupMonths: 13, MaxBytes: 20 << 30, Location: time.UTC,
		Every: time.Minute, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	d := Default(c.Path)
	if c.RawRetention == 0 {
		c.RawRetention = d.RawRetention
	}
	if c.RollupMonths == 0 {
		c.RollupMonths = d.RollupMonths
	}
	if c.Location == nil {
		c.Location = d.Location
	}
	if c.Every == 0 {
		c.Every = d.Every
	}
	if c.Now == nil {
		c.Now = d.Now
	}
	if c.Log == nil {
		c.Log = d.Log
	}
	return c
}

// validate names what is out of range.
func (c *Config) validate() error {
	switch {
	case c.Path == "":
		return errors.New("opening the store: no path is given; set store.path")
	case c.RawRetention < 24*time.Hour:
		return fmt.Errorf("opening the store %s: records would be kept for %v; keep them for at least 24h", c.Path, c.RawRetention)
	case c.RollupMonths < 1:
		return fmt.Errorf("opening the store %s: sums would be kept for %d months; keep them for at least 1", c.Path, c.RollupMonths)
	}
	return nil
}

// Store is the one writer of a file, and a Reader of it.
type Store struct {
	*Reader
	config Config
	lock   *lock
	stop   func()        // ends the background
	ended  chan struct{} // is closed when it has ended
	stats  struct{ expired, capped atomic.Uint64 }

	mu      sync.Mutex // guards what follows; held for one transaction
	db      *sql.DB
	conn    *sql.Conn // the only connection that writes
	w       *writer
	suspect bool // damage was seen: the next Open looks closer
	closed  bool
	exports uint64
	full    bool // it was said that nothing is left to drop
	jump    clockJump
}

var _ query.Spanned = (*Store)(nil)

// Open opens the store or begins a new one. A store that another process has open, or that a newer version wrote, is refused and left
// as it is; one that is damaged is moved aside.
func Open(config Config) (*Store, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(config.Path)
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", config.Path, err)
	}
	config.Path = path
	lock, err := takeLock(path)
	if err != nil {
		return nil, err
	}
	s := &Store{config: config, lock: lock, ended: make(chan struct{})}
	if err := s.open(lock.unclean); err != nil {
		lock.release(!lock.unclean)
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.background(ctx)
	return s, nil
}

// open does what Open does once the store is locked.
func (s *Store) open(unclean bool) error {
	ctx := context.Background()
	db, err := openWriter(ctx, &s.config, unclean)
	if err != nil {
		return err
	}
	s.db = db
	if s.conn, err = db.Conn(ctx); err != nil {
		return errors.Join(fmt.Errorf("opening the store %s: %w", s.config.Path, err), db.Close())
	}
	if s.w, err = newWriter(ctx, s.conn, &s.config); err != nil {
		return errors.Join(err, s.conn.Close(), db.Close())
	}
	if err = s.w.rezone(ctx); err != nil {
		return errors.Join(fmt.Errorf("bringing the store %s to the time zone %s: %w", s.config.Path, s.config.Location, err), s.conn.Close(), db.Close())
	}
	if s.Reader, err = OpenReader(s.config.Path); err != nil {
		return errors.Join(err, s.conn.Close(), db.Close())
	}
	return nil
}

// Close ends the background and closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.stop()
	<-s.ended
	s.mu.Lock()
	defer s.mu.Unlock()
	err := errors.Join(s.Reader.Close(), s.w.closeStatements())
	// Folding the log in now makes the file whole by itself, for whoever copies it.
	_, checkpoint := s.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	err = errors.Join(err, checkpoint, s.conn.Close(), s.db.Close())
	s.lock.release(!s.suspect && err == nil)
	if err != nil {
		return fmt.Errorf("closing the store %s: %w", s.config.Path, err)
	}
	return nil
}
