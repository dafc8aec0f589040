package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// daemonParts are what `gnomon run` has opened.
type daemonParts struct {
	*parts
	sources  []capture.Source
	log      *slog.Logger
	queueAge func() time.Duration                   // of the oldest record that waits for an output
	coverage atomic.Pointer[func() sensor.Coverage] // what the workers have seen so far; nil: there are none yet
	replay   bool                                   // the sources end, and can wait for a slow disk
	stay     bool                                   // after a replay, the pages go on until a stop
}

// daemon runs the workers until ctx ends or every source is at its end.
func (p *program) daemon(ctx context.Context, c *settings, f *runFlags, d *daemonParts) (err error) {
	defer func() { err = errors.Join(err, closeAll(d.sources)) }()
	outs, err := p.openOutputs(c, outputOptions{wait: d.replay || len(d.sources) == 0}, d.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, outs.close()) }()
	d.queueAge = outs.queueAge
	stopMetrics, err := p.serveMetrics(ctx, c, d, outs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopMetrics()) }()
	stopPages, err := p.servePages(ctx, c, d, outs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopPages()) }()

	err = p.observe(ctx, c, f, d, outs)
	if d.replay && d.stay && err == nil && ctx.Err() == nil {
		p.note("\nThe replay has ended; its pages stay at %s until you press Ctrl-C.", pagesURL(c))
		<-ctx.Done()
	}
	return err
}

// observe runs the workers to their end and prints what they saw.
func (p *program) observe(ctx context.Context, c *settings, f *runFlags, d *daemonParts, outs *outputs) error {
	sum := newSummary()
	out := &lockedWriter{w: bufio.NewWriterSize(p.stdout, 64<<10), columns: widthOf(p.stdout)}
	sinks := append([]sensor.Sink{sum}, outs.sinks()...)
	if f.asJSON {
		sinks = append(sinks, newJSONSink(out))
	} else {
		sinks = append(sinks, lines{out})
	}
	pipe, err := p.newPipeline(c, true, d.log)
	if err != nil {
		return err
	}
	pipe.next = &fanOut{sinks: sinks, now: time.Now}
	outs.settle(ctx) // findings start from what the store has
	if err := pipe.findings(ctx, c, outs, !d.replay && len(d.sources) > 0); err != nil {
		return err
	}
	d.learner = pipe
	stopCounting, err := p.keepUnlisted(ctx, c, d, pipe, outs)
	if err != nil {
		return err
	}
	defer stopCounting()
	keeper := p.keepCatalogue(c, d, outs)
	stopReload := onReload(pipe.reload, keeper.reload)
	defer stopReload()
	stopLooking := keeper.start(ctx)
	defer stopLooking()
	workers, err := d.workers(c, pipe)
	if err != nil {
		return err
	}
	set, err := p.openLogs(c, d, pipe, outs)
	if err != nil {
		shut(workers)
		return err
	}
	senses := newSenses(workers, set, d.visits)
	seen := senses.seen
	d.coverage.Store(&seen)
	coverage, err := d.work(ctx, senses, pipe, out)
	if !f.asJSON {
		fmt.Fprintln(out)
		sum.write(out, &coverage, nil)
	}
	return errors.Join(err, out.Flush())
}

// workers makes a sensor for each source.
func (d *daemonParts) workers(c *settings, sink sensor.Sink) ([]*sensor.Sensor, error) {
	d.lasting = true
	if err := d.share(len(d.sources)); err != nil {
		return nil, err
	}
	var workers []*sensor.Sensor
	for _, source := range d.sources {
		w, err := sensor.New(d.sensor(c), source, d.classify, sink)
		if err != nil {
			return nil, err
		}
		workers = append(workers, w)
	}
	return workers, nil
}

// work runs the workers and reads the logs, and returns what they saw.
func (d *daemonParts) work(ctx context.Context, s *senses, pipe *pipeline, out *lockedWriter) (sensor.Coverage, error) {
	ended, running, stopLogs := s.run(ctx)
	defer stopLogs()
	s.startedWith(d, d.log)
	manager := serviceManager{d.log}
	manager.say(sd.SdNotifyReady)
	alive, cancel := context.WithCancel(ctx)
	defer cancel()
	go manager.watch(alive, s.alive())
	w := watching{senses: s, ended: ended, running: running, stopLogs: stopLogs}
	errs := d.watch(ctx, &w, pipe, out)
	manager.say(sd.SdNotifyStopping)
	coverage := s.seen()
	shut(s.workers)
	return coverage, errors.Join(errs...)
}

// shut frees what workers hold.
func shut(workers []*sensor.Sensor) {
	for _, w := range workers {
		w.Close()
	}
}

// beating returns a function that says whether every worker has done something since it was asked last.
func beating(workers []*sensor.Sensor) func() bool {
	last := make([]uint64, len(workers))
	return func() bool {
		all := true
		for i, w := range workers {
			now := w.Beats()
			all = all && now != last[i]
			last[i] = now
		}
		return all
	}
}

// watching is what watch waits for.
type watching struct {
	*senses
	ended    <-chan error
	running  int
	stopLogs func()
}

// watch writes coverage every minute and waits for the end. Where captures are replayed, their end is that of the logs too.
func (d *daemonParts) watch(ctx context.Context, w *watching, pipe *pipeline, out *lockedWriter) []error {
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	flush := time.NewTicker(500 * time.Millisecond)
	defer flush.Stop()
	var errs []error
	stop := ctx.Done()
	before, began := sensor.Coverage{}, time.Now()
	cover := func() {
		now, at := w.seen(), time.Now()
		ev := d.coverageEvent(&before, &now, began, at)
		clients, leftOut := d.clients.Take(clientsAMinute)
		ev.Gnomon.Coverage.Clients, ev.Gnomon.Coverage.ClientsLeftOut = pipe.clientSights(clients), leftOut
		pipe.Offer(ev)
		pipe.saveVisits()
		before, began = now, at
	}
	end := func() {
		stop = nil
		w.stopLogs()
		errs = append(errs, closeAll(d.sources))
		d.sources = nil
	}
	for w.running > 0 {
		select {
		case err := <-w.ended:
			errs = append(errs, err)
			if w.running--; err != nil || w.running == 1 && w.logs != nil {
				end()
			}
		case <-stop:
			d.log.Info("stopping: reading what has arrived and writing open flows")
			end()
		case <-minute.C:
			cover()
		case <-flush.C:
			if err := out.Flush(); err != nil {
				return append(errs, fmt.Errorf("writing to stdout: %w", err))
			}
		}
	}
	cover()
	return errs
}

// coverageEvent says what was seen from one time to another.
func (d *daemonParts) coverageEvent(before, now *sensor.Coverage, from, to time.Time) *event.Event {
	ev := &event.Event{Timestamp: event.At(to), ECS: &event.ECS{Version: event.ECSVersion}, Observer: &d.observer}
	ev.Event = event.Meta{Dataset: event.DatasetCoverage, Kind: "metric", Start: event.At(from), End: event.At(to),
		ID: event.KeyID(int64(ev.Timestamp), event.DatasetCoverage, d.observer.ID)}
	ev.Gnomon = &event.Gnomon{Schema: event.SchemaVersion, Site: d.site, Coverage: now.Since(before)}
	ev.Gnomon.Coverage.QueueAgeS = d.queueAge().Seconds()
	return ev
}

func total(workers []*sensor.Sensor) sensor.Coverage {
	var sum sensor.Coverage
	for _, w := range workers {
		c := w.Coverage()
		sum.Add(&c)
	}
	return sum
}

func sourceNames(sources []capture.Source) []string {
	var names []string
	for _, s := range sources {
		names = append(names, s.Name())
	}
	return names
}

// fanOut hands each record to several sinks, one record at a time: workers share it.
type fanOut struct {
	mu    sync.Mutex
	sinks []sensor.Sink
	now   func() time.Time
}

// Offer implements sensor.Sink.
func (f *fanOut) Offer(ev *event.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ev.Event.Ingested = event.At(f.now())
	for _, s := range f.sinks {
		s.Offer(ev)
	}
}

// lockedWriter lets the ticker flush what workers write.
type lockedWriter struct {
	mu      sync.Mutex
	w       *bufio.Writer
	columns int // of the terminal; 0: none
}

// Write implements io.Writer.
func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// Flush hands everything on.
func (l *lockedWriter) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Flush()
}
