package spool

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// flushAt is how many bytes are written before Sync has passed.
const flushAt = 512 << 10

// sayEvery is how often what lasts is said again.
const sayEvery = time.Minute

// flusher brings what is pending to the disk until Close, and then for as long as Close gives.
func (s *Spool) flusher() {
	defer close(s.flushed)
	tick := time.NewTicker(s.config.Sync)
	defer tick.Stop()
	told := teller{spool: s}
	for {
		select {
		case <-tick.C:
		case <-s.kick:
			if told.failing { // it would be tried for every record
				continue
			}
		case <-s.closing:
			for told.flush() != nil {
				select {
				case <-tick.C:
				case <-s.ctx.Done():
					return
				}
			}
			return
		}
		_ = told.flush() // said by itself; the next tick tries again
	}
}

// teller flushes, and says what goes wrong once and then now and then.
type teller struct {
	spool    *Spool
	failing  bool
	said     time.Time
	refused  uint64
	saidLost time.Time
}

func (t *teller) flush() error {
	s := t.spool
	err := s.journal.Flush()
	now := s.config.Now()
	switch {
	case err != nil && (!t.failing || now.Sub(t.said) >= sayEvery):
		t.failing, t.said = true, now
		records, _ := s.journal.Pending()
		s.config.Log.Error("records could not be written; they stay in memory and are tried again", "dir", s.config.Dir, "records", records, "error", explain(err))
	case err == nil && t.failing:
		t.failing = false
		s.config.Log.Info("records are written again", "dir", s.config.Dir)
	}
	if refused := s.journal.Counts().Refused; refused > t.refused && now.Sub(t.saidLost) >= sayEvery {
		s.config.Log.Error("records are lost: there was no room in memory while the disk did not take those before", "dir", s.config.Dir,
			"records", refused-t.refused)
		t.refused, t.saidLost = refused, now
	}
	return err
}

// explain says what to do about an error of the disk.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w; there is no room: free some on that disk or lower spool.max_bytes", err)
	case errors.Is(err, syscall.EIO):
		return fmt.Errorf("%w; look for errors of the device in the kernel's log", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w; the file system has become read-only", err)
	}
	return err
}
