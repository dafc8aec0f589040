package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/jsonl"
	"github.com/gnomon-sensor/gnomon/exporters/spool"
	"github.com/gnomon-sensor/gnomon/exporters/store"
	"github.com/gnomon-sensor/gnomon/sensor"
)

// outputs are where records go.
type outputs struct {
	store  *store.Store // nil: not enabled
	queues map[string]*spool.Queue
	names  []string // of the queues, in the order in which they were opened
	log    *slog.Logger
}

// closeWithin is how long a stop may take to hand the last records over.
const closeWithin = 20 * time.Second

// openOutputs opens what the settings say. wait makes the sensor wait for a slow output instead of losing records: replays and files can.
func (p *program) openOutputs(c *settings, wait bool, log *slog.Logger) (o *outputs, err error) {
	o = &outputs{queues: map[string]*spool.Queue{}, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.close())
		}
	}()
	if c.Store.Enabled {
		if o.store, err = p.openStore(c, log); err != nil {
			return o, err
		}
		o.add("store", o.store, wait)
	}
	if c.File.Path != "" {
		file, err := jsonl.Open(jsonl.Config{Path: c.File.Path, MaxBytes: int64(c.File.MaxBytes), Keep: c.File.Keep})
		if err != nil {
			return o, err
		}
		o.add("file", file, wait)
	}
	return o, nil
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

func (o *outputs) add(name string, e exporters.Exporter, wait bool) {
	conf := spool.Default()
	conf.Name, conf.Wait = name, wait
	o.queues[name] = spool.New(conf, e, o.log)
	o.names = append(o.names, name)
}

// sinks are the queues.
func (o *outputs) sinks() []sensor.Sink {
	var all []sensor.Sink
	for _, name := range o.names {
		all = append(all, o.queues[name])
	}
	return all
}

// close hands the last records over and says what was lost, if anything.
func (o *outputs) close() error {
	var errs []error
	for _, name := range o.names {
		q := o.queues[name]
		errs = append(errs, q.Close(closeWithin))
		if s := q.Stats(); s.Dropped+s.Never > 0 {
			errs = append(errs, fmt.Errorf("handing records to the %s: %d were lost (no room or no time), %d refused, %d stored; see the log for the reason",
				name, s.Dropped, s.Never, s.Stored))
		}
	}
	o.names, o.queues = nil, nil
	return errors.Join(errs...)
}
