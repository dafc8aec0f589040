package input

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

// Config says where the lines of one source come from: one of Files, Directory and Address.
type Config struct {
	// Name is that of the source in records and figures, and of its state file.
	Name string
	// Files are paths, which mean their rotated files too, and patterns.
	Files []string
	// Directory is one that others put files into.
	Directory string
	// Protocol is udp, tcp, tls, http or https, at Address.
	Protocol, Address string
	// Format is one of the library's, or Auto.
	Format string
	// Location is that of times without a zone.
	Location *time.Location
	// SkipHistory begins at the end of files that are there when the source is read for the first time.
	SkipHistory bool
	// Cert and Key are the PEM files of a server; CA has the authorities that vouch for its clients.
	Cert, Key, CA string
	// SecretFile holds what senders over HTTP must show.
	SecretFile string
}

// Auto is the Format of a source whose lines are to tell it.
const Auto = "auto"

// Options say what all sources have in common.
type Options struct {
	Library *logs.Library
	// Activities is the configuration of a source's records.
	Activities func(source string) logs.Config
	Classify   classifiers.Classifier
	Sink       sensor.Sink
	// Eye is asked for the eye of a source's lines when their format is known; nil: there is none.
	Eye func(source, format string, uploads bool) *sensor.LogEye
	// Room waits until the Sink has room, or ctx ends.
	Room func(ctx context.Context) error
	// Sync makes durable what the Sink was offered before.
	Sync func() error
	// Dir keeps the state files.
	Dir string
	// Kept is how old a record may be to be of use; older ones are counted.
	Kept time.Duration
	// Poll is how often files are looked for.
	Poll time.Duration
	Now  func() time.Time
	Log  *slog.Logger
}

// DefaultPoll is how often files are looked for.
const DefaultPoll = 500 * time.Millisecond

// commitEvery is how often places are kept, at most. A kept place that took long is followed by a pause of restShare times that.
const (
	commitEvery = time.Second
	restShare   = 10
)

// Set is all sources of a sensor.
type Set struct {
	o       Options
	sources []*source
	commits sync.Mutex // held by who keeps places
}

// reader brings the lines of a source in until ctx ends.
type reader interface {
	run(ctx context.Context) error
	close() error
}

// Open opens what listens, and reads how far each source was read before. An address that is taken is an error; a file that is not there
// is none: it may come.
func Open(configs []Config, o Options) (*Set, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory for the places of log sources: %w; allow it, or name another state directory", err)
	}
	set := &Set{o: o}
	for i := range configs {
		s, err := set.open(configs[i])
		if err != nil {
			return nil, errors.Join(err, set.close())
		}
		set.sources = append(set.sources, s)
	}
	return set, nil
}

// open makes one source ready.
func (set *Set) open(c Config) (*source, error) {
	if c.Format == "" {
		c.Format = Auto
	}
	if _, ok := set.o.Library.Info(c.Format); !ok && c.Format != Auto {
		return nil, fmt.Errorf("opening the log source %q: there is no format %q; `gnomon logs formats` lists them", c.Name, c.Format)
	}
	s := newSource(c, &set.o)
	s.keep = func() error { return set.commit(true, s) }
	if err := s.restore(); err != nil {
		return nil, err
	}
	var err error
	switch c.Protocol {
	case "":
		s.reader = s.files
	case "udp":
		s.reader, err = listenUDP(s)
	case "tcp", "tls":
		s.reader, err = listenTCP(s)
	case "http", "https":
		s.reader, err = listenHTTP(s)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the log source %q: %w", c.Name, err)
	}
	return s, nil
}

// close closes what Open opened.
func (set *Set) close() error {
	var errs []error
	for _, s := range set.sources {
		errs = append(errs, s.reader.close())
	}
	return errors.Join(errs...)
}

// Run reads all sources until ctx ends, and keeps their places.
func (set *Set) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(set.sources))
	for _, s := range set.sources {
		go func() {
			err := s.reader.run(ctx)
			if err != nil {
				cancel() // one that cannot go on must be seen
			}
			ended <- err
		}()
	}
	set.keepPlaces(ctx)
	var errs []error
	for range set.sources {
		errs = append(errs, <-ended)
	}
	errs = append(errs, set.close(), set.commit(true, set.sources...))
	return errors.Join(errs...)
}

// keepPlaces keeps them now and then until ctx ends.
func (set *Set) keepPlaces(ctx context.Context) {
	timer := time.NewTimer(commitEvery)
	defer timer.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		for _, s := range set.sources {
			s.settle()
		}
		began := time.Now()
		err := set.commit(false, set.sources...)
		switch {
		case err != nil && !failing:
			set.o.Log.Error("how far logs have been read could not be kept; trying again", "error", err)
		case err == nil && failing:
			set.o.Log.Info("how far logs have been read is kept again")
		}
		failing = err != nil
		timer.Reset(max(commitEvery, restShare*time.Since(began)))
	}
}

// commit keeps the places of sources that have moved: first what came of their lines is made durable. It waits for bodies that are being
// taken, or leaves their sources out.
func (set *Set) commit(wait bool, sources ...*source) error {
	set.commits.Lock()
	defer set.commits.Unlock()
	type place struct {
		of   *source
		text []byte
	}
	var places []place
	for _, s := range sources {
		text, err := s.snapshot(wait)
		if err != nil {
			return err
		}
		if text != nil {
			places = append(places, place{s, text})
		}
	}
	if len(places) == 0 {
		return nil
	}
	err := set.o.Sync()
	for _, p := range places {
		if err == nil {
			err = writeWhole(p.of.statePath(), p.text)
		}
		if err != nil {
			p.of.touch()
		}
	}
	if err != nil {
		return fmt.Errorf("keeping how far logs have been read: %w", err)
	}
	return nil
}

// Alive says whether every source could take a line at some moment of the next second.
func (set *Set) Alive() bool {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for _, s := range set.sources {
		for tries := 0; !s.lives(); tries++ {
			if tries == 100 {
				return false
			}
			<-again.C
		}
	}
	return true
}

// Sources counts the lines of each source since it was read for the first time.
func (set *Set) Sources() map[string]event.Source {
	out := make(map[string]event.Source, len(set.sources))
	for _, s := range set.sources {
		out[s.config.Name] = s.figures()
	}
	return out
}

// Status says how each source is.
func (set *Set) Status() []Status {
	var out []Status
	for _, s := range set.sources {
		out = append(out, s.status())
	}
	return out
}
