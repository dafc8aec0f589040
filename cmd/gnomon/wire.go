package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"sync/atomic"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/classifiers/names"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/pdns"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// parts are what the commands that read traffic share.
type parts struct {
	catalogue atomic.Pointer[signatures.Catalogue]
	classify  classifiers.Classifier
	observer  event.Observer
	site      string
	visits    *sensor.Visits
	pdns      *pdns.Table
	fronts    *sensor.Fronts
	clients   *sensor.Clients
	learner   sensor.Learner    // nil: nobody learns
	unlisted  *candidates.Table // nil: names that are in no catalogue are not counted
	uncounted sensor.Uncounted
	lasting   bool // workers go on for long: their tables ask for huge pages
	sums      bool // records are only added up
}

// assemble loads the catalogue and makes what reads traffic. It touches no state directory: the observer has no identity yet.
func (p *program) assemble(c *settings) (*parts, error) {
	catalogue, err := p.loadCatalogue(c)
	if err != nil {
		return nil, err
	}
	w := &parts{site: c.Observer.Site, visits: sensor.NewVisits(), fronts: sensor.NewFronts(), clients: sensor.NewClients(seed())}
	if err := w.share(1); err != nil {
		return nil, err
	}
	w.catalogue.Store(catalogue)
	w.classify = names.New(w.catalogue.Load)
	name := c.Observer.Name
	if name == "" {
		name, _ = os.Hostname() // without one the field is absent
	}
	w.observer = event.Observer{Name: name, Type: "sensor", Version: p.version}
	return w, nil
}

// share makes what workers share, for so many of them.
func (w *parts) share(workers int) (err error) {
	w.pdns, err = newPDNS(workers, w.lasting)
	return err
}

// newPDNS makes the table of addresses and their names for so many workers.
func newPDNS(workers int, lasting bool) (*pdns.Table, error) {
	conf := pdns.Default()
	conf.Workers, conf.Lasting = workers, lasting
	return pdns.New(conf, seed()[0])
}

// sensor is the configuration of one worker.
func (w *parts) sensor(c *settings) sensor.Config {
	table := flow.Config{TCPIdle: c.Flow.TCPIdle.Nanoseconds(), UDPIdle: c.Flow.UDPIdle.Nanoseconds(), Linger: flow.Default().Linger,
		MaxFlows: c.Flow.MaxFlows, Internal: internal(c.Networks.Internal), Lasting: w.lasting}
	return sensor.Config{
		Observer:   w.observer,
		Site:       c.Observer.Site,
		Ruleset:    func() string { return "catalogue " + w.catalogue.Load().Version() },
		Sums:       w.sums,
		FirstSlice: c.Flow.FirstSlice.Nanoseconds(),
		Slice:      c.Flow.Slice.Nanoseconds(),
		Flow:       table,
		Evidence:   evidence.Default(),
		Seed:       seed(),
		Visits:     w.visits,
		PDNS:       w.pdns,
		Fronts:     w.fronts,
		Clients:    w.clients,
		Learner:    w.learner,
		Unlisted:   w.unlisted,
		Uncounted:  w.uncounted,
	}
}

// runOne runs one worker over a source to its end.
func (w *parts) runOne(ctx context.Context, conf sensor.Config, source capture.Source, sink sensor.Sink) (sensor.Coverage, error) {
	s, err := sensor.New(conf, source, w.classify, sink)
	if err != nil {
		return sensor.Coverage{}, err
	}
	defer s.Close()
	err = s.Run(ctx)
	return s.Coverage(), err
}

// internal says which addresses are the organisation's own.
func internal(prefixes []netip.Prefix) func(decode.Address) bool {
	own := make([]decode.Prefix, len(prefixes))
	for i, p := range prefixes {
		own[i] = decode.PrefixOf(p)
	}
	return func(a decode.Address) bool {
		for i := range own {
			if own[i].Contains(a) {
				return true
			}
		}
		return false
	}
}

// seed is secret to this process.
func seed() [3]uint64 {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never returns an error
	return [3]uint64{binary.NativeEndian.Uint64(b[:]), binary.NativeEndian.Uint64(b[8:]), binary.NativeEndian.Uint64(b[16:])}
}

func (p *program) note(format string, args ...any) { fmt.Fprintf(p.stderr, format+"\n", args...) }
