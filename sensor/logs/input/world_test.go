package input

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/logs"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// anyChat calls every host under chat.example a service.
type anyChat struct{ service signatures.Service }

func (c *anyChat) Classify(ev *classifiers.Evidence) (classifiers.Verdict, bool) {
	if !strings.HasSuffix(string(ev.Name), "chat.example") {
		return classifiers.Verdict{}, false
	}
	return classifiers.Verdict{Service: &c.service, Role: signatures.RolePrimary, Class: ev.Class, Confidence: classifiers.ConfidenceHigh}, true
}

// formats are those of the program: reading them takes longer than most tests.
var formats = sync.OnceValues(func() (*logs.Library, error) { return logs.Load("") })

// world is a machine with logs on it: a directory of them, a state directory, a clock, and what a durable sink has.
type world struct {
	t        *testing.T
	dir      string // of logs
	state    string
	conf     Config
	library  *logs.Library
	warnings *strings.Builder

	mu      sync.Mutex
	clock   time.Time
	pending []string // identifiers that were offered and are not durable
	durable map[string]int
	full    chan struct{} // not nil: there is no room until it is closed
	broken  error         // what Sync says
	syncs   int
}

func newWorld(t *testing.T, c Config) *world {
	t.Helper()
	library, err := formats()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: t.TempDir(), state: t.TempDir(), conf: c, library: library, durable: map[string]int{}, clock: time.Unix(1_798_000_000, 0),
		warnings: &strings.Builder{}}
	if w.conf.Name == "" {
		w.conf.Name = "proxy"
	}
	return w
}

// Offer implements sensor.Sink.
func (w *world) Offer(ev *event.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = append(w.pending, ev.Event.ID)
}

func (w *world) sync() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.syncs++
	if w.broken != nil {
		return w.broken
	}
	for _, id := range w.pending {
		w.durable[id]++
	}
	w.pending = nil
	return nil
}

func (w *world) room(ctx context.Context) error {
	w.mu.Lock()
	full := w.full
	w.mu.Unlock()
	if full == nil {
		return nil
	}
	select {
	case <-full:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// start starts the sensor, as it was left.
func (w *world) start() *Set {
	w.t.Helper()
	c := w.conf
	for i, path := range c.Files {
		if !filepath.IsAbs(path) {
			c.Files = slices.Clone(c.Files)
			c.Files[i] = filepath.Join(w.dir, path)
		}
	}
	if c.Directory != "" {
		c.Directory = filepath.Join(w.dir, c.Directory)
	}
	set, err := Open([]Config{c}, w.options())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = set.close() })
	return set
}

func (w *world) options() Options {
	log := slog.New(slog.NewTextHandler(w.warnings, nil))
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(io.MultiWriter(w.warnings, os.Stderr), nil))
	}
	return Options{Library: w.library, Classify: &anyChat{signatures.Service{ID: "chat"}}, Sink: w, Room: w.room, Sync: w.sync, Dir: w.state, Kept: 400 * 24 * time.Hour,
		Poll: time.Millisecond, Now: w.now, Log: log,
		Activities: func(source string) logs.Config {
			return logs.Config{Observer: event.Observer{ID: "here"}, Source: source, Visits: sensor.NewVisits(), Ruleset: func() string { return "" }}
		}}
}

// kill ends the sensor as kill -9 does: what is not durable is gone.
func (w *world) kill(set *Set) {
	_ = set.close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = nil
}

// rounds reads until there is nothing more.
func rounds(set *Set) {
	for set.sources[0].files.round(context.Background()) {
	}
}

func (w *world) commit(set *Set) {
	w.t.Helper()
	if err := set.commit(true, set.sources...); err != nil {
		w.t.Fatal(err)
	}
}

// read reads until there is nothing more and keeps the places.
func (w *world) read(set *Set) {
	w.t.Helper()
	rounds(set)
	w.commit(set)
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// append writes lines to a log.
func (w *world) append(name, text string) {
	w.t.Helper()
	f, err := os.OpenFile(w.path(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		w.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) rename(from, to string) {
	w.t.Helper()
	if err := os.Rename(w.path(from), w.path(to)); err != nil {
		w.t.Fatal(err)
	}
}

// want says that so many records are durable, and that each was written once.
func (w *world) want(records int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.durable) != records {
		w.t.Errorf("%d records are there, not %d", len(w.durable), records)
	}
}

// once says that no record was handed over twice: there was no crash that would excuse it.
func (w *world) once() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, n := range w.durable {
		if n != 1 {
			w.t.Errorf("record %s was handed over %d times", id, n)
		}
	}
}

// squid is n lines, of which each shows a use, from number first on.
func squid(first, n int) string {
	var b strings.Builder
	for i := first; i < first+n; i++ {
		fmt.Fprintf(&b, "%d.%03d %6d 192.0.2.%d TCP_TUNNEL/200 %d CONNECT chat.example:443 - HIER_DIRECT/198.51.100.1 -\n", 1797990000+i/10, i%1000, i%77, i%250, 1000+i)
	}
	return b.String()
}
