package elasticsearch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Exporter creates records by bulk requests.
//
//	batch ──┬─ part 1 ── worker 1: JSON ── gzip ── _bulk ── answer ──┬── out
//	        └─ part 2 ── worker 2: JSON ── gzip ── _bulk ── answer ──┘
type Exporter struct {
	client  *Client
	config  Config
	log     *slog.Logger
	sent    map[string]bool // datasets
	workers []*worker
	doubt   doubt
	size    *size
}

// perRequest is how many records a request has at most.
const perRequest = 2000

// Open checks the settings and reads their files; secrets may stand in environ. It does not connect: the cluster may be away now.
func Open(config Config, environ []string, log *slog.Logger) (*Exporter, error) {
	client, err := NewClient(&config, environ)
	if err != nil {
		return nil, err
	}
	e := &Exporter{client: client, config: config, log: log, sent: map[string]bool{}, size: newSize(config.BatchMiB << 20)}
	for _, d := range config.Datasets {
		e.sent[datasets[d]] = true
	}
	for range config.Requests {
		e.workers = append(e.workers, newWorker(e))
	}
	e.doubt.start(time.Now())
	return e, nil
}

var _ interface {
	exporters.Exporter
	exporters.Sized
} = (*Exporter)(nil)

// BatchSize implements exporters.Sized.
func (e *Exporter) BatchSize() int { return perRequest * e.config.Requests }

// Export implements exporters.Exporter. Records of other datasets than those that are sent count as stored.
func (e *Exporter) Export(ctx context.Context, batch []event.Event, out []exporters.Outcome) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.doubt.begin()
	defer e.doubt.end()
	parts := min(len(e.workers), (len(batch)+worthAPart-1)/worthAPart)
	var group sync.WaitGroup
	for i := range parts {
		from, to := i*len(batch)/parts, (i+1)*len(batch)/parts
		group.Go(func() { e.workers[i].export(ctx, batch[from:to], out[from:to]) })
	}
	group.Wait()
	return nil
}

// worthAPart is how many records are worth a request of their own.
const worthAPart = 250

// Close implements exporters.Exporter.
func (e *Exporter) Close() error {
	e.client.Close()
	return nil
}

// size bounds a request in bytes. It is halved when the server, or somebody before it, finds a request too large or does not come to its
// end, and grows again; what was refused as too large is not tried again.
type size struct {
	mu   sync.Mutex // guards what follows: a worker must not set back what another has learned at the same time
	now  int
	ever int // as configured, or as a refusal has shown
}

// sizeLeast is the smallest bound: a large record.
const sizeLeast = 32 << 10

func newSize(most int) *size { return &size{now: most, ever: most} }

// bound is how large a request may be now.
func (s *size) bound() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// tooLarge hears that a request of so many bytes was refused for its size.
func (s *size) tooLarge(bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	half := max(bytes/2, sizeLeast)
	s.ever = min(s.ever, half)
	s.now = min(s.now, half)
}

// unanswered hears that a request of so many bytes got no answer.
func (s *size) unanswered(bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = min(s.now, max(bytes/2, sizeLeast))
}

// answered hears that a request got its answer.
func (s *size) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = min(int(int64(s.now)*5/4), s.ever)
}
