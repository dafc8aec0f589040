package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/jsonl"
	"github.com/gnomon-sensor/gnomon/exporters/spool"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/config"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// daemonParts are what `gnomon run` has opened.
type daemonParts struct {
	*parts
	sources []capture.Source
	log     *slog.Logger
	wait    bool // a replay: the sources can wait for a slow disk
}

// closeWithin is how long a stop may take to hand the last records over.
const closeWithin = 20 * time.Second

// daemon runs the workers until ctx ends or every source is at its end.
func (p *program) daemon(ctx context.Context, c *config.Config, f *runFlags, d *daemonParts) (err error) {
	sum := newSummary()
	out := &lockedWriter{w: bufio.NewWriterSize(p.stdout, 64<<10)}
	sinks := []sensor.Sink{sum}
	if f.asJSON {
		sinks = append(sinks, newJSONSink(out))
	} else {
		sinks = append(sinks, lines{out})
	}
	if c.File.Path != "" {
		queue, err := d.fileQueue(c)
		if err != nil {
			return errors.Join(err, closeAll(d.sources))
		}
		defer func() { err = errors.Join(err, d.closeQueue(queue)) }()
		sinks = append(sinks, queue)
	}
	sink := &fanOut{sinks: sinks, now: time.Now}
	workers, err := d.workers(c, sink)
	if err != nil {
		return errors.Join(err, closeAll(d.sources))
	}
	ended := make(chan error, len(workers))
	for _, w := range workers {
		go func() { ended <- w.Run(context.Background()) }() // a stop closes the source: what the ring holds is still read
	}
	d.log.Info("started", "sources", sourceNames(d.sources), "observer", d.observer.ID, "catalogue", d.catalogue.Load().Version())
	errs := d.watch(ctx, workers, ended, sink, out)
	coverage := total(workers)
	for _, w := range workers {
		w.Close()
	}
	errs = append(errs, closeAll(d.sources))
	if !f.asJSON {
		fmt.Fprintln(out)
		sum.write(out, &coverage)
	}
	return errors.Join(append(errs, out.Flush())...)
}

// workers makes a sensor for each source.
func (d *daemonParts) workers(c *config.Config, sink sensor.Sink) ([]*sensor.Sensor, error) {
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

// watch writes coverage every minute and waits for the end.
func (d *daemonParts) watch(ctx context.Context, workers []*sensor.Sensor, ended <-chan error, sink sensor.Sink, out *lockedWriter) []error {
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	flush := time.NewTicker(500 * time.Millisecond)
	defer flush.Stop()
	var before sensor.Coverage
	var errs []error
	stop := ctx.Done()
	cover := func() {
		now := total(workers)
		sink.Offer(d.coverageEvent(&before, &now))
		before = now
	}
	for left := len(workers); left > 0; {
		select {
		case err := <-ended:
			errs = append(errs, err)
			left--
		case <-stop:
			d.log.Info("stopping: reading what has arrived and writing open flows")
			stop = nil
			errs = append(errs, closeAll(d.sources))
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

// coverageEvent says what was seen since the last one.
func (d *daemonParts) coverageEvent(before, now *sensor.Coverage) *event.Event {
	ev := &event.Event{Timestamp: event.At(time.Now()), ECS: &event.ECS{Version: event.ECSVersion}, Observer: &d.observer}
	minute := int64(ev.Timestamp) / 60e9 * 60e9
	ev.Event = event.Meta{Dataset: event.DatasetCoverage, Kind: "metric", ID: event.KeyID(minute, event.DatasetCoverage, d.observer.ID)}
	undecodable := map[string]uint64{}
	for reason, n := range now.Undecodable {
		if n -= before.Undecodable[reason]; n > 0 {
			undecodable[reason] = n
		}
	}
	ev.Gnomon = &event.Gnomon{Schema: event.SchemaVersion, Coverage: &event.Coverage{
		Received: now.Received - before.Received, Dropped: now.Dropped - before.Dropped, Undecodable: undecodable,
		Flows: now.Flows - before.Flows, FlowsNamed: now.Named - before.Named, ECH: now.ECH - before.ECH,
		OneSided: now.OneSided - before.OneSided, Evicted: now.Evicted - before.Evicted}}
	return ev
}

func (d *daemonParts) fileQueue(c *config.Config) (*spool.Queue, error) {
	file, err := jsonl.Open(jsonl.Config{Path: c.File.Path, MaxBytes: int64(c.File.MaxBytes), Keep: c.File.Keep})
	if err != nil {
		return nil, err
	}
	conf := spool.Default()
	conf.Name, conf.Wait = "file", d.wait
	return spool.New(conf, file, d.log), nil
}

// closeQueue hands the last records over and says what was lost, if anything.
func (d *daemonParts) closeQueue(q *spool.Queue) error {
	err := q.Close(closeWithin)
	if s := q.Stats(); s.Dropped+s.Never > 0 {
		d.log.Error("records were lost", "exporter", "file", "dropped", s.Dropped, "refused", s.Never, "stored", s.Stored)
		return errors.Join(err, fmt.Errorf("writing records to the file: %d were lost; see the log for the reason", s.Dropped+s.Never))
	}
	return err
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
	mu sync.Mutex
	w  *bufio.Writer
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

var _ io.Writer = (*lockedWriter)(nil)
