package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/logs"
	"github.com/gnomon-sensor/gnomon/sensor/logs/input"
)

// logsAlone says whether the daemon reads logs and captures nothing: sources of logs are named, and interfaces are not.
func (s *settings) logsAlone() bool {
	return len(s.Logs.Sources) > 0 && len(s.Capture.Interfaces)+len(s.Capture.Taps) == 0
}

// logsDir is where the places of log sources are kept.
func (p *program) logsDir(c *settings) string {
	return filepath.Join(stateDir(&c.Config, p.environ), "logs")
}

// logConfigs are the sources of logs, as the settings have them.
func logConfigs(c *settings) ([]input.Config, error) {
	var list []input.Config
	for i := range c.Logs.Sources {
		s := &c.Logs.Sources[i]
		location, err := s.Location(&c.Logs)
		if err != nil {
			return nil, err
		}
		conf := input.Config{Name: s.Name, Files: s.Files, Directory: s.Directory, Format: s.Format, Location: location, SkipHistory: s.SkipHistory, Cert: s.Cert,
			Key: s.Key, CA: s.CA, SecretFile: s.SecretFile}
		if s.Listen != "" {
			if conf.Protocol, conf.Address, err = s.Address(); err != nil {
				return nil, err
			}
		}
		list = append(list, conf)
	}
	return list, nil
}

// openLogs opens the sources of logs that the settings name; nil: there are none.
func (p *program) openLogs(c *settings, d *daemonParts, pipe *pipeline, outs *outputs) (*input.Set, error) {
	if len(c.Logs.Sources) == 0 {
		return nil, nil
	}
	if len(d.sources) > 0 {
		pipe.eyes = newEyes(c, pipe.key, false)
	}
	if outs.spool != nil {
		pipe.keepVisits(filepath.Join(stateDir(&c.Config, p.environ), "visits.json"), outs.spool, int64(c.Spool.MaxBytes))
	}
	library, err := logs.Load(c.Logs.Formats)
	if err != nil {
		return nil, err
	}
	list, err := logConfigs(c)
	if err != nil {
		return nil, err
	}
	o := input.Options{Library: library, Classify: d.classify, Sink: pipe, Dir: p.logsDir(c), Poll: input.DefaultPoll, Now: time.Now, Log: d.log,
		Activities: func(source string) logs.Config { return d.activities(c, &logInput{name: source}) },
		Room:       func(context.Context) error { return nil }, Sync: func() error { return nil }}
	if c.Store.Enabled {
		o.Kept = time.Duration(c.Store.RollupMonths) * 30 * 24 * time.Hour
	}
	if pipe.eyes != nil {
		o.Eye = pipe.eyes.Source
	}
	if outs.spool != nil {
		o.Room, o.Sync = outs.spool.Room, outs.spool.Sync
	}
	return input.Open(list, o)
}

// senses are what the daemon sees with: workers on packets, and sources of logs. Either may be missing.
type senses struct {
	workers []*sensor.Sensor
	logs    *input.Set
	visits  *sensor.Visits
	before  map[string]event.Source // lines that earlier runs read
}

// newSenses begins to look.
func newSenses(workers []*sensor.Sensor, set *input.Set, visits *sensor.Visits) *senses {
	s := &senses{workers: workers, logs: set, visits: visits}
	if set != nil {
		s.before = set.Sources()
	}
	return s
}

// seen is what both have seen in this run.
func (s *senses) seen() sensor.Coverage {
	sum := total(s.workers)
	sum.VisitsCut = s.visits.Cut()
	if s.logs == nil {
		return sum
	}
	sources := s.logs.Sources()
	for name, n := range sources {
		sources[name] = n.Minus(s.before[name])
	}
	sum.Add(&sensor.Coverage{Sources: sources})
	return sum
}

// run runs them; each reports its end. The returned function stops what does not end by itself when its source is closed.
func (s *senses) run(ctx context.Context) (ended chan error, running int, stopLogs func()) {
	ended = make(chan error, len(s.workers)+1)
	for _, w := range s.workers {
		go func() { ended <- w.Run(context.Background()) }() // a stop closes the source: what the ring holds is still read
	}
	running = len(s.workers)
	if s.logs == nil {
		return ended, running, func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() { ended <- s.logs.Run(ctx) }()
	return ended, running + 1, cancel
}

// alive returns a function that says whether each of them has done something since it was asked last.
func (s *senses) alive() func() bool {
	workers := beating(s.workers)
	return func() bool { return workers() && (s.logs == nil || s.logs.Alive()) }
}

// silentAfter is for how long each source of logs may be silent, where it is not what holds for all.
func silentAfter(c *settings) map[string]time.Duration {
	after := map[string]time.Duration{}
	for i := range c.Logs.Sources {
		if s := &c.Logs.Sources[i]; s.SilentAfter > 0 {
			after[s.Name] = s.SilentAfter
		}
	}
	return after
}

// startedWith says in the daemon's own log what it began with.
func (s *senses) startedWith(d *daemonParts, log *slog.Logger) {
	names := sourceNames(d.sources)
	if s.logs != nil {
		for _, s := range s.logs.Status() {
			names = append(names, "log "+s.Name)
		}
	}
	log.Info("started", "sources", names, "observer", d.observer.ID, "catalogue", d.catalogue.Load().Version())
}
