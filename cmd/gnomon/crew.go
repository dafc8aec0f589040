package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/capture/pcapfile"
	"github.com/gnomon-sensor/gnomon/sensor/capture/share"
	"github.com/gnomon-sensor/gnomon/sensor/pdns"
)

const (
	// maxCrew is the most workers that read captures together, as of capture.workers.
	maxCrew = 64
	// usualCrew is the most that are chosen where nobody says how many: every one decodes every frame, so that more gain little.
	usualCrew = 4
)

// workersFlag says what is wrong with a number of workers.
func workersFlag(n int) error {
	if n < 0 || n > maxCrew {
		return usageError{fmt.Errorf("--workers %d: 1 to %d, or 0 to choose by what there is to read", n, maxCrew)}
	}
	return nil
}

// crewSize is how many workers read the captures: as many as were asked for, else one for one file, and one for each processor but the one that
// reads, and no more than a few, for several. Two workers on two cores took 1.7 to 2 times the processor time of one to be done 11 % sooner
// with handshakes, and no sooner with bulk traffic.
func crewSize(asked int, captures []string) int {
	if asked > 0 {
		return asked
	}
	files, err := pcapfile.Find(captures)
	if err != nil || len(files) < 2 { // what is wrong is said when they are read
		return 1
	}
	return min(max(1, runtime.GOMAXPROCS(0)-1), usualCrew)
}

// crew is the workers that read captures together. Each has what it learns of names to itself; see sensor.Share.
type crew struct {
	parts  *parts
	config *settings
	own    []ownParts
}

type ownParts struct {
	pdns     *pdns.Table
	fronts   *sensor.Fronts
	unlisted *candidates.Table
}

// newCrew makes what each worker has to itself. The first has what one alone would have.
func newCrew(w *parts, c *settings, pipe *pipeline, workers int) (*crew, error) {
	all := &crew{parts: w, config: c, own: make([]ownParts, workers)}
	all.own[0] = ownParts{w.pdns, w.fronts, w.unlisted}
	for i := range all.own[1:] {
		own := &all.own[1+i]
		var err error
		if own.pdns, err = newPDNS(1, w.lasting); err != nil {
			return nil, err
		}
		own.fronts = sensor.NewFronts()
		if w.unlisted != nil {
			own.unlisted = w.unlisted.Beside()
			pipe.names.beside = append(pipe.names.beside, own.unlisted)
		}
	}
	return all, nil
}

// run takes a source through the workers to its end.
func (w *crew) run(ctx context.Context, source capture.Source, sink sensor.Sink) (sensor.Coverage, error) {
	if len(w.own) == 1 {
		return w.parts.runOne(ctx, w.parts.sensor(w.config), source, sink)
	}
	sensors, reader, err := w.sensors(source, sink)
	defer func() {
		for _, s := range sensors {
			s.Close()
		}
	}()
	if err != nil {
		return sensor.Coverage{}, err
	}
	err = w.together(ctx, sensors, reader)
	var seen sensor.Coverage
	for _, s := range sensors {
		one := s.Coverage()
		seen.Add(&one)
	}
	return seen, err
}

// sensors makes one for each worker. They are returned even if not all could be made.
func (w *crew) sensors(source capture.Source, sink sensor.Sink) (all []*sensor.Sensor, reader *share.Reader, err error) {
	reader = share.New(source, len(w.own))
	shares := sensor.Shares(len(w.own))
	for i := range w.own {
		conf, own := w.parts.sensor(w.config), &w.own[i]
		conf.Share, conf.PDNS, conf.Fronts, conf.Unlisted = shares[i], own.pdns, own.fronts, own.unlisted
		s, err := sensor.New(conf, reader.Source(i), w.parts.classify, sink)
		if err != nil {
			return all, reader, errors.Join(err, reader.Close())
		}
		all = append(all, s)
	}
	return all, reader, nil
}

// together runs them until the last has ended and the source is read no more. If one cannot go on the others stop too. What is wrong with the
// source all of them say, and it is said once.
func (w *crew) together(ctx context.Context, sensors []*sensor.Sensor, reader *share.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(sensors))
	var running sync.WaitGroup
	for i, s := range sensors {
		running.Go(func() {
			if errs[i] = s.Run(ctx); errs[i] != nil {
				cancel()
			}
			errs[i] = errors.Join(errs[i], reader.Source(i).Close())
		})
	}
	running.Wait()
	reader.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
