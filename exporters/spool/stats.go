package spool

import (
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Stats are what the spool holds now and what happened since Open.
type Stats struct {
	Bytes    int64 // on the disk
	MaxBytes int64
	Files    int
	Pending  int    // records in memory
	Written  uint64 // records
	Refused  uint64 // records that were lost because the disk did not take them
	Failures uint64 // writes that failed
	Torn     uint64 // bytes that a crash had left behind the last whole record
	SetAside uint64 // damaged files
	Dead     Dead

	Exporters []ExporterStats // of those that are attached
}

// Dead says how many dead letters there are.
type Dead struct {
	Records uint64
	Bytes   int64
}

// ExporterStats are those of one exporter.
type ExporterStats struct {
	Name        string
	Stored      uint64        // duplicates too
	Duplicates  uint64        // were there already
	Retried     uint64        // tries that ended with again
	Never       uint64        // refused for good: dead letters
	Lost        uint64        // went before the exporter took them, or were damaged; over all starts
	Waiting     uint64        // are on the disk and not taken
	Age         time.Duration // of the oldest that waits
	Failing     bool
	LastError   string
	LastErrorAt time.Time
	LastSuccess time.Time
	// FailingSince is set while Failing is.
	FailingSince time.Time

	oldest event.Time
	said   time.Time
}

// Stats may be called at any time.
func (s *Spool) Stats() Stats {
	c := s.journal.Counts()
	st := Stats{MaxBytes: s.config.MaxBytes, Written: c.Written, Refused: c.Refused, Failures: c.Failures, Torn: c.Torn, SetAside: c.SetAside,
		Dead: s.dead.stats()}
	st.Bytes, st.Files = s.journal.Size()
	st.Pending, _ = s.journal.Pending()
	s.mu.Lock()
	pumps := s.pumps
	s.mu.Unlock()
	now := s.config.Now()
	for _, p := range pumps {
		st.Exporters = append(st.Exporters, p.snapshot(now))
	}
	return st
}

func (p *pump) snapshot(now time.Time) ExporterStats {
	waiting, lost := p.reader.Behind()
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.stats
	st.Waiting, st.Lost = waiting, lost
	if st.oldest > 0 && waiting > 0 {
		st.Age = max(0, now.Sub(st.oldest.Time()))
	}
	return st
}
