package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/jsonl"
	"github.com/gnomon-sensor/gnomon/exporters/spool"
	"github.com/gnomon-sensor/gnomon/exporters/store"
	"github.com/gnomon-sensor/gnomon/exporters/syslog"
	"github.com/gnomon-sensor/gnomon/sensor"
)

// Names of the outputs, as the spool, messages and metrics have them.
const (
	storeOutput   = "store"
	fileOutput    = "file"
	syslogOutput  = "syslog"
	elasticOutput = "elasticsearch"
)

// output is a way out of the sensor.
type output struct {
	name string
	on   bool // the settings want it
	open func() (exporters.Exporter, error)
}

// outputs are where records go: all through one spool.
type outputs struct {
	store *store.Store // nil: not enabled
	spool *spool.Spool // nil: records go nowhere
	names []string
	log   *slog.Logger
	scan  bool // what is not in its place at the end is an error
}

// outputOptions say how the outputs are used.
type outputOptions struct {
	wait bool   // the sensor waits for a slow output instead of losing records: replays and files can
	only string // the one output that is opened, and that records are for; empty: all that are on
}

// How long a stop may take: a scan is done when its records are where they belong; a daemon's records go on at the next start.
const (
	closeScan   = 20 * time.Second
	closeDaemon = 8 * time.Second
)

// list names every output; adding one is a line here.
func (p *program) list(o *outputs, c *settings) []output {
	return []output{
		{storeOutput, c.Store.Enabled, func() (e exporters.Exporter, err error) { o.store, err = p.openStore(c, o.log); return o.store, err }},
		{fileOutput, c.File.Path != "", func() (exporters.Exporter, error) {
			return jsonl.Open(jsonl.Config{Path: c.File.Path, MaxBytes: int64(c.File.MaxBytes), Keep: c.File.Keep})
		}},
		{syslogOutput, c.Syslog.Address != "", func() (exporters.Exporter, error) { return syslog.Open(c.Syslog) }},
		{elasticOutput, len(c.Elastic.Addresses) > 0, func() (exporters.Exporter, error) {
			return elasticsearch.Open(c.Elastic, p.environ, o.log.With("exporter", elasticOutput))
		}},
	}
}

// configured are the outputs that the settings want.
func (p *program) configured(o *outputs, c *settings) []output {
	return slices.DeleteFunc(p.list(o, c), func(out output) bool { return !out.on })
}

// openOutputs opens what the settings say, and the spool in front of it.
func (p *program) openOutputs(c *settings, options outputOptions, log *slog.Logger) (o *outputs, err error) {
	o = &outputs{log: log, scan: options.only != ""}
	conf := c.spoolConfig(p.environ, log)
	conf.Wait, conf.Only = options.wait, options.only
	opened := map[string]exporters.Exporter{}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.undo(opened))
		}
	}()
	for _, out := range p.configured(o, c) {
		conf.Exporters = append(conf.Exporters, out.name)
		if options.only != "" && options.only != out.name {
			continue
		}
		if opened[out.name], err = out.open(); err != nil {
			delete(opened, out.name)
			return o, err
		}
		o.names = append(o.names, out.name)
	}
	if len(opened) == 0 {
		return o, nil
	}
	if o.spool, err = spool.Open(conf); err != nil {
		return o, err
	}
	for _, name := range o.names {
		if err := o.spool.Attach(name, opened[name]); err != nil {
			return o, err
		}
		delete(opened, name) // the spool closes it
	}
	return o, nil
}

// undo closes what a start that failed has opened.
func (o *outputs) undo(opened map[string]exporters.Exporter) error {
	errs := []error{o.close()}
	for _, e := range opened {
		errs = append(errs, e.Close())
	}
	return errors.Join(errs...)
}

func (p *program) openStore(c *settings, log *slog.Logger) (*store.Store, error) {
	location, err := c.Report.location()
	if err != nil {
		return nil, err
	}
	conf := store.Default(c.storePath(p.environ))
	conf.RawRetention, conf.RollupMonths, conf.MaxBytes = c.Store.RawRetention, c.Store.RollupMonths, int64(c.Store.MaxBytes)
	conf.Location, conf.Log = location, log
	return store.Open(conf)
}

// spoolConfig is that of the spool, but for its exporters.
func (s *settings) spoolConfig(environ []string, log *slog.Logger) spool.Config {
	conf := spool.Default(s.Spool.Dir)
	if conf.Dir == "" {
		conf.Dir = filepath.Join(stateDir(&s.Config, environ), "spool")
	}
	conf.MaxBytes, conf.MaxAge, conf.Sync = int64(s.Spool.MaxBytes), s.Spool.MaxAge, s.Spool.Sync
	conf.Memory, conf.DeadBytes, conf.Log = int(s.Spool.Memory), int64(s.Spool.DeadLetters), log
	if len(s.Logs.Sources) > 0 {
		conf.Witness = "visits" // see keptVisits
	}
	return conf
}

// sinks are where the sensor puts records.
func (o *outputs) sinks() []sensor.Sink {
	if o.spool == nil {
		return nil
	}
	return []sensor.Sink{o.spool}
}

// settle waits until the store has what an earlier process left in the spool, for as long as a start may take.
func (o *outputs) settle(ctx context.Context) {
	if o.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	if err := o.spool.Drain(ctx, storeOutput); err != nil {
		o.log.Warn("the store does not have yet what was left in the spool", "error", err)
	}
}

// settleWithin bounds how long a start waits for the store.
const settleWithin = 30 * time.Second

// queueAge is how long the oldest record has waited for an output.
func (o *outputs) queueAge() time.Duration {
	var oldest time.Duration
	if o.spool != nil {
		for _, e := range o.spool.Stats().Exporters {
			oldest = max(oldest, e.Age)
		}
	}
	return oldest
}

// close hands the last records over and says what was lost, if anything, and what has to wait.
func (o *outputs) close() error {
	if o.spool == nil {
		return nil
	}
	within := closeDaemon
	if o.scan {
		within = closeScan
	}
	errs := []error{o.spool.Close(within)}
	for _, e := range o.spool.Stats().Exporters {
		if e.Never > 0 {
			o.log.Error("records were refused for good; gnomon dlq shows them", "exporter", e.Name, "records", e.Never)
		}
		if e.Waiting > 0 && o.scan {
			errs = append(errs, fmt.Errorf("handing records to the %s: %d are in the spool and go on when gnomon starts again: %s", e.Name, e.Waiting, e.LastError))
		} else if e.Waiting > 0 {
			o.log.Warn("records wait in the spool for the next start", "exporter", e.Name, "records", e.Waiting, "reason", e.LastError)
		}
	}
	o.spool = nil
	return errors.Join(errs...)
}
