package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/spool/codec"
	"github.com/gnomon-sensor/gnomon/exporters/spool/journal"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Letter is a dead letter: a record that an exporter refused for good, and why.
type Letter struct {
	Number   uint64      `json:"number"`
	At       time.Time   `json:"at"`
	Exporter string      `json:"exporter"`
	Reason   string      `json:"reason"`
	Event    event.Event `json:"event"`
}

// Selection says which dead letters are meant: all that every part of it allows.
type Selection struct {
	Numbers  []uint64 `json:"numbers,omitempty"`  // empty: all
	Exporter string   `json:"exporter,omitempty"` // empty: all
}

func (s *Selection) has(l *Letter) bool {
	if s.Exporter != "" && s.Exporter != l.Exporter {
		return false
	}
	for _, n := range s.Numbers {
		if n == l.Number {
			return true
		}
	}
	return len(s.Numbers) == 0
}

// keeper is the reader for whom dead letters are kept. It never takes any: they go when somebody says so, or for the bound.
const keeper = "dead"

// maxReason bounds what an exporter says, in bytes.
const maxReason = 1 << 10

// deadLetters keeps what exporters refuse. Several pumps use it at once.
type deadLetters struct {
	dir   string
	codec *codec.Codec
	o     journal.Options

	mu      sync.Mutex // guards what follows
	journal *journal.Journal
	kept    *journal.Reader
	scratch []byte
}

func openDead(c *Config, codec *codec.Codec) (*deadLetters, error) {
	d := &deadLetters{dir: deadDir(c.Dir), codec: codec}
	d.o = journal.Options{Readers: []string{keeper}, Meta: codec.Schema(), FileBytes: max(c.DeadBytes/perBound, fileLeast), MaxBytes: c.DeadBytes,
		PendingBytes: int(max(c.DeadBytes/perBound, fileLeast)), Epoch: randomEpoch, Now: c.Now, Log: c.Log}
	return d, d.open()
}

func (d *deadLetters) open() (err error) {
	if d.journal, err = openJournal(d.dir, d.o); err != nil {
		return err
	}
	d.kept, err = d.journal.Open(keeper)
	return err
}

// add keeps the refused ones of a batch. Where the disk does not take them they become ones to try again: nothing is given up before it is
// written down.
func (d *deadLetters) add(exporter string, batch []event.Event, out []exporters.Outcome) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var err error
	some := false
	for i := range out {
		if out[i].State != exporters.Never || err != nil {
			continue
		}
		some = true
		reason := out[i].Reason[:min(len(out[i].Reason), maxReason)]
		d.scratch = appendLetter(d.scratch[:0], d.o.Now(), exporter, reason)
		d.scratch = d.codec.Append(d.scratch, &batch[i])
		if err = d.journal.Append(d.scratch); err != nil && d.journal.Flush() == nil {
			err = d.journal.Append(d.scratch)
		}
	}
	if !some {
		return
	}
	if err = errors.Join(err, d.journal.Flush()); err == nil {
		return
	}
	d.journal.Abandon()
	for i := range out {
		if out[i].State == exporters.Never {
			out[i] = exporters.Outcome{State: exporters.Again, Reason: fmt.Sprintf("it was refused for good (%s) and cannot be kept as a dead letter: %v",
				out[i].Reason, explain(err))}
		}
	}
}

func (d *deadLetters) stats() Dead {
	d.mu.Lock()
	defer d.mu.Unlock()
	records, _ := d.kept.Behind()
	bytes, _ := d.journal.Size()
	return Dead{Records: records, Bytes: bytes}
}

func (d *deadLetters) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.journal.Close()
}

// take gives the selected letters to use, and removes them when it has had them all.
func (d *deadLetters) take(sel Selection, use func([]Letter) error) (n int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var letters []Letter
	numbers := map[uint64]bool{}
	err = walkLetters(d.dir, d.codec, func(l *Letter) error {
		if sel.has(l) {
			letters = append(letters, *l)
			numbers[l.Number] = true
		}
		return nil
	})
	if err != nil || len(letters) == 0 {
		return 0, err
	}
	if err := use(letters); err != nil {
		return 0, err
	}
	if err := d.journal.Close(); err != nil {
		return 0, err
	}
	err = journal.Delete(journal.Disk(d.dir), func(number uint64) bool { return numbers[number] })
	return len(letters), errors.Join(err, d.open())
}

// A letter lies in its file as time in ms, exporter, reason and record.
func appendLetter(b []byte, at time.Time, exporter, reason string) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(at.UnixMilli()))
	for _, s := range []string{exporter, reason} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

// errLetter is a dead letter that cannot be read.
var errLetter = errors.New("the dead letter is damaged")

// parseLetter reads what is before the record, and returns the record.
func parseLetter(b []byte, l *Letter) (record []byte, err error) {
	if len(b) < 8 {
		return nil, errLetter
	}
	l.At = time.UnixMilli(int64(binary.LittleEndian.Uint64(b))).UTC()
	b = b[8:]
	for _, s := range []*string{&l.Exporter, &l.Reason} {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return nil, errLetter
		}
		*s, b = string(b[size:size+int(n)]), b[size+int(n):]
	}
	return b, nil
}

// Letters reads the dead letters of a spool, oldest first, beside the process that has it open. A spool that is not there has none.
func Letters(dir string, visit func(*Letter) error) error {
	return walkLetters(deadDir(dir), codec.New(), visit)
}

func walkLetters(dir string, c *codec.Codec, visit func(*Letter) error) error {
	decoders := map[string]*codec.Decoder{}
	err := journal.Walk(journal.Disk(dir), func(number uint64, meta, payload []byte) error {
		d := decoders[string(meta)]
		if d == nil {
			var err error
			if d, err = c.Decoder(meta); err != nil {
				return fmt.Errorf("%w; a newer gnomon may have written it", err)
			}
			decoders[string(meta)] = d
		}
		l := Letter{Number: number}
		record, err := parseLetter(payload, &l)
		if err == nil {
			err = d.Decode(record, &l.Event)
		}
		if err != nil {
			return err
		}
		return visit(&l)
	})
	if err != nil {
		return fmt.Errorf("reading the dead letters in %s: %w", dir, err)
	}
	return nil
}
