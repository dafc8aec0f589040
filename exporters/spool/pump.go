package spool

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/spool/codec"
	"github.com/gnomon-sensor/gnomon/exporters/spool/journal"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// batchSize is how many records are handed over at once, unless the exporter says otherwise.
const batchSize = 1024

// saveEvery is how far apart a busy exporter's cursor is saved, unless the exporter wants it after each batch.
const saveEvery = time.Second

// pump hands the records of the journal to one exporter.
type pump struct {
	spool    *Spool
	name     string
	reader   *journal.Reader
	exporter exporters.Exporter
	log      *slog.Logger
	most     int
	careful  bool // the cursor is saved after each batch
	ended    chan struct{}

	batch   []event.Event
	out     []exporters.Outcome
	upTo    journal.Batch // what the batch ends with
	decoder *codec.Decoder
	schema  string
	saved   time.Time
	dirty   bool

	mu    sync.Mutex // guards what follows
	stats ExporterStats
	taken uint64 // numbers below are done
}

func newPump(s *Spool, name string, r *journal.Reader, e exporters.Exporter) *pump {
	p := &pump{spool: s, name: name, reader: r, exporter: e, most: batchSize, ended: make(chan struct{}), saved: s.config.Now()}
	if sized, ok := e.(exporters.Sized); ok {
		p.most = max(sized.BatchSize(), 1)
	}
	if forgetful, ok := e.(exporters.Forgetful); ok {
		p.careful = forgetful.Forgets()
	}
	p.batch, p.out = make([]event.Event, 0, p.most), make([]exporters.Outcome, p.most)
	p.stats.Name = name
	p.log = s.config.Log.With("exporter", name)
	return p
}

// run goes on until ctx ends, or until all is handed over after Close has begun.
func (p *pump) run(ctx context.Context) {
	defer close(p.ended)
	for ctx.Err() == nil {
		changed := p.spool.journal.Changed()
		if err := p.fill(); err != nil {
			p.log.Error("reading records that wait for an exporter; trying again", "error", err)
			p.pause(ctx, p.spool.config.Retry)
			continue
		}
		if len(p.batch) == 0 {
			p.commit(true)
			if !p.idle(ctx, changed) {
				return
			}
			continue
		}
		if !p.deliver(ctx) {
			return
		}
		p.commit(p.careful)
	}
}

// fill reads the next batch.
func (p *pump) fill() error {
	p.batch, p.upTo.Lost = p.batch[:0], 0
	for len(p.batch) < p.most {
		b, err := p.reader.Read(p.most - len(p.batch))
		if err != nil && len(p.batch) == 0 {
			return err
		}
		if err != nil {
			break
		}
		p.dirty = p.dirty || b.Next != p.upTo.Next || b.Lost > 0
		p.upTo.Next, p.upTo.Lost = b.Next, p.upTo.Lost+b.Lost
		if len(b.Payloads) == 0 {
			break
		}
		p.decode(b)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.oldest = 0
	if len(p.batch) > 0 {
		p.stats.oldest = p.batch[0].Event.Ingested
	}
	return nil
}

// decode moves records into the batch.
func (p *pump) decode(b *journal.Batch) {
	if p.decoder == nil || p.schema != string(b.Meta) {
		d, err := p.spool.codec.Decoder(b.Meta)
		if err != nil {
			p.unreadable(len(b.Payloads), err)
			return
		}
		p.decoder, p.schema = d, string(b.Meta)
	}
	for _, payload := range b.Payloads {
		p.batch = append(p.batch, event.Event{})
		if err := p.decoder.Decode(payload, &p.batch[len(p.batch)-1]); err != nil {
			p.batch = p.batch[:len(p.batch)-1]
			p.unreadable(1, err)
		}
	}
}

func (p *pump) unreadable(records int, err error) {
	p.log.Error("records cannot be read and are lost", "records", records, "error", err)
	p.upTo.Lost += uint64(records)
}

// deliver hands the batch over until every record is stored or refused for good. It returns false if there is no time left.
func (p *pump) deliver(ctx context.Context) bool {
	pause := p.spool.config.Retry
	for rest := p.batch; len(rest) > 0; {
		out := p.out[:len(rest)]
		clear(out)
		err := p.exporter.Export(ctx, rest, out)
		if err != nil && ctx.Err() != nil {
			return false // that is the reason
		}
		if err == nil {
			p.spool.dead.add(p.name, rest, out)
		}
		before := len(rest)
		rest = p.settle(rest, out, err)
		if len(rest) == 0 {
			break
		}
		if len(rest) < before {
			pause = p.spool.config.Retry
		}
		if ctx.Err() != nil || !p.pause(ctx, pause) {
			return false
		}
		pause = min(2*pause, p.spool.config.RetryMost)
	}
	return true
}

// settle counts what became of records and moves those that are to be tried again to the front; it returns them.
func (p *pump) settle(rest []event.Event, out []exporters.Outcome, err error) []event.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	again, reason := 0, ""
	if err != nil {
		again, reason = len(rest), explain(err).Error()
	} else {
		for i := range rest {
			switch out[i].State {
			case exporters.Stored:
				p.stats.Stored++
				if out[i].Duplicate {
					p.stats.Duplicates++
				}
			case exporters.Never:
				p.stats.Never++
			case exporters.Again:
				reason = out[i].Reason
				rest[again], rest[i] = rest[i], rest[again]
				again++
			}
		}
	}
	p.stats.Retried += uint64(again)
	p.say(again, len(rest), reason)
	return rest[:again]
}

// say tells of failures once, then now and then, and of their end. mu is held.
func (p *pump) say(again, of int, reason string) {
	now := p.spool.config.Now()
	st := &p.stats
	if again < of {
		st.LastSuccess = now
	}
	if again == 0 {
		if st.Failing {
			p.log.Info("exporting again")
		}
		st.Failing, st.FailingSince = false, time.Time{}
		return
	}
	if !st.Failing || reason != st.LastError || now.Sub(st.said) >= sayEvery {
		p.log.Error("records could not be exported; trying again", "records", again, "error", reason)
		st.said = now
	}
	if !st.Failing {
		st.FailingSince = now
	}
	st.Failing, st.LastError, st.LastErrorAt = true, reason, now
}

// pause waits, a little more or less so that a fleet does not come back all at once; once Close has begun, only a moment. It returns false
// if ctx ends.
func (p *pump) pause(ctx context.Context, d time.Duration) bool {
	closing := p.spool.closing
	select {
	case <-closing:
		closing, d = nil, min(d, p.spool.config.Retry)
	default:
	}
	timer := time.NewTimer(d/2 + rand.N(d/2+1)) //nolint:gosec // nobody gains by knowing when it tries again
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-closing:
	case <-ctx.Done():
		return false
	}
	return true
}

// commit notes that the batch is done, and saves that if it is time.
func (p *pump) commit(now bool) {
	p.reader.Commit(&p.upTo)
	p.mu.Lock()
	p.taken = p.upTo.Next
	p.mu.Unlock()
	p.upTo.Lost = 0
	if at := p.spool.config.Now(); p.dirty && (now || at.Sub(p.saved) >= saveEvery || p.spool.journal.Full(50)) {
		if err := p.reader.Save(); err != nil {
			p.log.Error("the place of an exporter in the spool could not be saved; it gets some records again after a crash", "error", explain(err))
			p.saved = at // not for each batch
			return
		}
		p.saved, p.dirty = at, false
	}
}

// idle waits for more. It returns false when there will be none.
func (p *pump) idle(ctx context.Context, changed <-chan struct{}) bool {
	select {
	case <-p.spool.flushed: // nothing comes after that
		if p.upTo.Next >= p.spool.journal.End() {
			return false
		}
		return ctx.Err() == nil
	default:
	}
	select {
	case <-changed:
	case <-p.spool.flushed:
	case <-ctx.Done():
		return false
	}
	return true
}

// drained waits until the exporter has everything before a number, or fails.
func (p *pump) drained(ctx context.Context, end uint64) error {
	look := time.NewTicker(drainLook)
	defer look.Stop()
	for {
		p.mu.Lock()
		done, failing, reason := p.taken >= end, p.stats.Failing, p.stats.LastError
		p.mu.Unlock()
		if done {
			return nil
		}
		if failing {
			return fmt.Errorf("handing records to the %s: %s", p.name, reason)
		}
		select {
		case <-look.C:
		case <-p.ended:
			return errClosing
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drainLook is how often drained looks.
const drainLook = 5 * time.Millisecond

// close waits for the end and closes the exporter.
func (p *pump) close() error {
	<-p.ended
	if err := p.exporter.Close(); err != nil {
		return err
	}
	if p.dirty {
		if err := p.reader.Save(); err != nil {
			p.log.Error("the place of an exporter in the spool could not be saved; it gets some records again", "error", explain(err))
		}
	}
	p.reader.Close()
	return nil
}
