package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"sync"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/identity"
	"github.com/gnomon-sensor/gnomon/sensor/privacy"
)

// pipeline is what a record goes through between the sensor and the outputs: who it was, what the organisation says of it, what may be
// kept of it.
type pipeline struct {
	who     *identity.Who
	privacy *privacy.Filter // nil: nothing is kept, so nothing is taken away
	next    sensor.Sink
	log     *slog.Logger

	mu sync.Mutex // workers share it
}

// newPipeline reads the table of users and, where records are kept, the key of pseudonyms.
func (p *program) newPipeline(c *settings, kept bool, log *slog.Logger) (*pipeline, error) {
	location, err := c.Report.location()
	if err != nil {
		return nil, err
	}
	l := &pipeline{log: log}
	if l.who, err = identity.New(c.Identity, identity.Options{Infrastructure: c.Networks.Infrastructure, Location: location}); err != nil {
		return nil, err
	}
	if !kept {
		return l, nil
	}
	key, err := privacy.OpenKey(&c.Privacy, stateDir(&c.Config, p.environ))
	if err != nil {
		return nil, err
	}
	if l.privacy, err = privacy.New(c.Privacy, key, l.who.Names()); err != nil {
		return nil, fmt.Errorf("checking the configuration: %w", err)
	}
	return l, nil
}

// Offer implements sensor.Sink.
func (l *pipeline) Offer(ev *event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.who.Apply(ev)
	if l.privacy == nil || l.privacy.Apply(ev) {
		l.next.Offer(ev)
	}
}

// reload reads again what SIGHUP is for. What is broken stays as it was, and is said.
func (l *pipeline) reload() {
	if err := l.who.Reload(); err != nil {
		l.log.Error("the table of users was not reloaded", "error", err)
		return
	}
	l.log.Info("reloaded the table of users", "rows", l.who.Table().Len())
}

var _ sensor.Learner = (*pipeline)(nil)

// Resolver implements sensor.Learner.
func (l *pipeline) Resolver(addr netip.Addr, at int64) {
	l.who.Shared().SawResolver(addr, event.Time(at))
}

// Proxy implements sensor.Learner.
func (l *pipeline) Proxy(addr netip.Addr, at int64) {
	l.who.Shared().SawProxy(addr, event.Time(at))
}

// DHCP implements sensor.Learner.
func (l *pipeline) DHCP(payload []byte, v6 bool, at int64) {
	read := l.who.DHCP().Datagram4
	if v6 {
		read = l.who.DHCP().Datagram6
	}
	_ = read(payload, event.Time(at)) // hostile or cut, it binds nothing
}
