package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/config"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/identity"
	"github.com/gnomon-sensor/gnomon/sensor/policy"
	"github.com/gnomon-sensor/gnomon/sensor/privacy"
)

// pipeline is what a record goes through between the sensor and the outputs: who it was, what the organisation says of it, what may be
// kept of it.
type pipeline struct {
	who     *identity.Who
	policy  *policy.Live
	rules   func() (*policy.Policy, error) // reads them again
	privacy *privacy.Filter                // nil: nothing is kept, so nothing is taken away
	find    *policy.Findings               // nil: nothing is found
	eyes    *sensor.Eyes                   // nil: there is but one
	key     []byte                         // of pseudonyms; nil: nothing is kept
	names   *unlisted                      // nil: names that are in no catalogue are not counted
	next    sensor.Sink
	log     *slog.Logger

	kept     *keptVisits // nil: nothing outlives a restart
	mu       sync.Mutex  // workers share it
	eyesSaw  event.TwoEyes
	withUser uint64 // bytes of which the user is known, since the last record of coverage
	visits   visitMarks
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
	l.rules = func() (*policy.Policy, error) { return loadPolicy(&c.Policy, location) }
	rules, err := l.rules()
	if err != nil {
		return nil, err
	}
	l.policy = policy.NewLive(rules)
	if !kept {
		return l, nil
	}
	key, err := privacy.OpenKey(&c.Privacy, stateDir(&c.Config, p.environ))
	if err != nil {
		return nil, err
	}
	l.key = key[:]
	if l.privacy, err = privacy.New(c.Privacy, key, l.who.Names()); err != nil {
		return nil, fmt.Errorf("checking the configuration: %w", err)
	}
	return l, nil
}

// Offer implements sensor.Sink.
func (l *pipeline) Offer(ev *event.Event) {
	l.take(ev)
	if l.kept.due() {
		l.saveVisits()
	}
}

// take takes a record through all of it.
func (l *pipeline) take(ev *event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.who.Apply(ev)
	if l.eyes != nil {
		l.eyes.Join(ev)
	}
	l.countUser(ev)
	l.policy.Judge(ev)
	if l.privacy != nil && !l.privacy.Apply(ev) {
		return
	}
	l.visits.mark(ev)
	l.next.Offer(ev)
	if l.find == nil {
		return
	}
	found := l.find.Activity(ev)
	if ev.Event.Dataset == event.DatasetCoverage {
		found = l.find.Coverage(ev)
	}
	for _, finding := range found {
		l.next.Offer(finding)
	}
}

// countUser adds up of how many bytes the user is known, and tells coverage.
func (l *pipeline) countUser(ev *event.Event) {
	if ev.Gnomon == nil {
		return
	}
	if c := ev.Gnomon.Coverage; c != nil {
		c.BytesWithUser, l.withUser = l.withUser, 0
		c.TwoEyes = l.bothSaw()
		return
	}
	if ev.User == nil || ev.User.Name == "" || ev.Gnomon.Counted == nil || !*ev.Gnomon.Counted {
		return
	}
	for _, side := range [...]*event.Endpoint{ev.Source, ev.Destination} {
		if side != nil && side.Bytes != nil {
			l.withUser += *side.Bytes
		}
	}
}

// bothSaw is what packets and logs both told of since it was asked last.
func (l *pipeline) bothSaw() *event.TwoEyes {
	if l.eyes == nil {
		return nil
	}
	now := l.eyes.Stats()
	since := now.Minus(l.eyesSaw)
	l.eyesSaw = now
	return &since
}

// findings makes the pipeline find what wants a person, starting from what the store remembers.
func (l *pipeline) findings(ctx context.Context, c *settings, o *outputs, captures bool) error {
	location, err := c.Report.location()
	if err != nil {
		return err
	}
	if l.find, err = policy.NewFindings(c.Findings, policy.FindingsOptions{Location: location, Captures: captures, Silence: silentAfter(c)}); err != nil {
		return err
	}
	if o.store == nil {
		return nil
	}
	return l.find.Restore(ctx, &history{q: o.store, location: location, now: time.Now}, time.Now())
}

// reload reads again what SIGHUP is for. What is broken stays as it was, and is said.
func (l *pipeline) reload() {
	if err := l.who.Reload(); err != nil {
		l.log.Error("the table of users was not reloaded: the old one stays", "error", err)
	} else {
		l.log.Info("reloaded the table of users", "rows", l.who.Table().Len())
	}
	rules, err := l.rules()
	if err != nil {
		l.log.Error("the policy was not reloaded: the old one stays", "error", err)
		return
	}
	l.policy.Swap(rules)
	l.log.Info("reloaded the policy", "rules", rules.Len())
}

// loadPolicy reads the rules: in gnomon.toml, or in a file beside it.
func loadPolicy(c *policy.Config, location *time.Location) (*policy.Policy, error) {
	rules := c.Rules
	if c.File != "" {
		text, err := os.ReadFile(c.File)
		if err != nil {
			return nil, fmt.Errorf("reading the policy: %w", err)
		}
		var file policy.File
		if err := config.Decode(c.File, string(text), &file); err != nil {
			return nil, err
		}
		rules = file.Rules
	}
	p, err := policy.Compile(rules, location)
	if err != nil {
		return nil, fmt.Errorf("reading the policy: %w", err)
	}
	return p, nil
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
