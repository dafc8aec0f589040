package main

import (
	"bytes"
	"context"
	"errors"
	"net/netip"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/config"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

// activities is the configuration of one log's records.
func (w *parts) activities(c *settings, log *logInput) logs.Config {
	return logs.Config{Observer: w.observer, Site: c.Observer.Site, Source: log.name, Visits: w.visits, Eye: log.eye,
		Ruleset: func() string { return "catalogue " + w.catalogue.Load().Version() }, Written: log.written,
		Unlisted: logs.Unlisted{Table: w.unlisted, Uncounted: w.uncounted}}
}

// newEyes makes what joins packets and logs.
func newEyes(c *settings, key []byte, whole bool) *sensor.Eyes {
	own := internal(c.Networks.Internal)
	return sensor.NewEyes(sensor.EyesConfig{PreferPackets: c.Visit.Prefer == config.PreferPackets, Covered: c.Visit.Covered,
		Patience: c.Visit.Patience.Nanoseconds(), Key: key, Whole: whole, Internal: func(a netip.Addr) bool { return own(decode.AddressOf(a)) }})
}

// scan takes all captures and all logs through the pipeline, what counts first before the rest: by visit.prefer the logs that tell of
// uploads or the captures. The result is errReported if one of them was damaged.
func (in *inputs) scan(ctx context.Context, parts *parts, c *settings, pipe *pipeline) (coverage sensor.Coverage, err error) {
	if in.pipe {
		if err := in.addStdin(in.format); err != nil {
			return coverage, err
		}
	}
	first, then := []*logInput(nil), in.logs
	if len(in.captures) > 0 && len(in.logs) > 0 {
		pipe.eyes = newEyes(c, pipe.key, true)
		if first, then, err = in.sorted(pipe.eyes, c.Visit.Prefer); err != nil {
			return coverage, err
		}
	}
	readLogs := func(list []*logInput) error {
		return in.read(ctx, list, func(log *logInput) logUse {
			a := logs.NewActivities(parts.activities(c, log), parts.classify, pipe)
			return func(line []byte, r *logs.Record) (bool, error) { return a.Add(r, line), nil }
		})
	}
	readCaptures := func() error { return in.readCaptures(ctx, parts, c, pipe, &coverage) }
	for _, read := range []func() error{func() error { return readLogs(first) }, readCaptures, func() error { return readLogs(then) }} {
		if one := read(); one != nil {
			if err = one; !errors.Is(err, errReported) {
				return coverage, err
			}
		}
	}
	coverage.Add(&sensor.Coverage{Sources: in.sources(), VisitsCut: parts.visits.Cut()})
	if pipe.eyes != nil {
		both := pipe.eyes.Stats()
		coverage.TwoEyes = &both
	}
	return coverage, err
}

// readCaptures takes the captures through the pipeline and adds up what was seen.
func (in *inputs) readCaptures(ctx context.Context, parts *parts, c *settings, pipe *pipeline, coverage *sensor.Coverage) error {
	workers, err := newCrew(parts, c, pipe, crewSize(in.workers, in.captures))
	if err != nil {
		return err
	}
	return in.p.replay(ctx, in.captures, true, func(source capture.Source) error {
		seen, err := workers.run(ctx, source, pipe)
		coverage.Add(&seen)
		return err
	})
}

// sorted tells the eyes of every log, and which of them to read before the captures.
func (in *inputs) sorted(eyes *sensor.Eyes, prefer string) (first, then []*logInput, err error) {
	library, err := in.formats()
	if err != nil {
		return nil, nil, err
	}
	for _, log := range in.logs {
		info, _ := library.Info(log.format) // it was looked up before
		log.eye = eyes.Source(log.name, log.format, info.Uploads)
		if info.Uploads && (info.Upload == "" || in.tellsUploads(log)) && prefer == config.PreferLogs {
			first = append(first, log)
		} else {
			then = append(then, log)
		}
	}
	return first, then, nil
}

// tellsUploads looks whether the first lines of a log, whose format leaves it open, tell how much went up.
func (in *inputs) tellsUploads(log *logInput) bool {
	if log.name == "-" {
		return false
	}
	head, err := sniff(log.name)
	if err != nil { // it is said when the log is read
		return false
	}
	format, err := in.reader(log)
	if err != nil {
		return false
	}
	var r logs.Record
	for line := range bytes.Lines(head) {
		if format.Parse(line, &r) == nil && r.HasUp {
			return true
		}
	}
	return false
}
