package spool

import (
	"errors"
	"fmt"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// errNoWitness is a spool that was opened without one.
var errNoWitness = errors.New("the spool keeps no place for a witness")

// End is the number of the next record that is brought to the disk: every record with a smaller one is there.
func (s *Spool) End() uint64 { return s.journal.End() }

// Recall gives visit every record that is there since Pass, oldest first, and says how many there were that cannot be read any more. What visit
// gets it may keep.
func (s *Spool) Recall(visit func(*event.Event)) (lost uint64, err error) {
	if s.config.Witness == "" {
		return 0, errNoWitness
	}
	r, err := s.journal.Open(s.config.Witness)
	if err != nil {
		return 0, err
	}
	defer r.Close() // from now on nobody waits for the witness
	for {
		b, err := r.Read(batchSize)
		if err != nil {
			return lost, err
		}
		lost += b.Lost
		if len(b.Payloads) == 0 {
			return lost, nil
		}
		d, err := s.codec.Decoder(b.Meta)
		if err != nil {
			lost += uint64(len(b.Payloads))
			continue
		}
		for _, payload := range b.Payloads {
			var ev event.Event
			if d.Decode(payload, &ev) != nil {
				lost++
				continue
			}
			visit(&ev)
		}
	}
}

// Pass says that records with smaller numbers need not be recalled.
func (s *Spool) Pass(to uint64) error {
	if s.config.Witness == "" {
		return errNoWitness
	}
	if err := s.journal.Pass(s.config.Witness, to); err != nil {
		return fmt.Errorf("moving the place of %s in the spool: %w", s.config.Witness, err)
	}
	return nil
}
