package afpacket

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// retryEvery is how often an interface that is down or gone is looked at.
const retryEvery = time.Second

// health is the state of an interface as it was last reported.
type health int

const (
	healthUp health = iota
	healthDown
	healthGone
)

// port is one interface, with a ring for every worker. The workers share it: its rings are opened together, because the kernel
// gives a flow to the n-th socket that joined the fanout, and the n-th must be the same worker on every interface.
type port struct {
	cfg    *Config
	name   string
	number uint16 // position among the interfaces of the source

	mu         sync.Mutex
	health     health
	changed    time.Time // when that was last reported
	trouble    string    // the last reason for not opening it again
	nextTry    time.Time // not before
	closed     bool
	generation int       // grows whenever the rings are opened anew
	parked     []*socket // rings of this generation that their worker has not taken yet
}

// open opens the rings of all workers, in order. On an interface that is down it may leave that for later.
func (p *port) open(now time.Time) error {
	index, up := 0, true
	if p.name != AnyInterface {
		state, err := stateOf(p.name)
		if err != nil {
			return err
		}
		index, up = state.Index, state.Up
	}
	sockets, err := openGroup(p.cfg, index)
	switch {
	case err == nil:
		for _, s := range p.parked { // those of a worker that slept through a generation
			if s != nil {
				_ = s.close() // nothing was read from it
			}
		}
		p.parked = sockets
		p.generation++
	case errors.Is(err, unix.EINVAL) && !up && p.cfg.Workers > 1:
		// Before Linux 6.13 a socket on an interface that is down cannot join a fanout: wait until it is up.
	default:
		return err
	}
	if !up {
		p.report(healthDown, now)
	}
	return nil
}

// openGroup opens a ring for every worker on one interface, and lets frames in when all are there.
func openGroup(cfg *Config, index int) (sockets []*socket, err error) {
	defer func() {
		if err != nil {
			for _, s := range sockets {
				_ = s.close() // nothing was read from it
			}
			sockets = nil
		}
	}()
	group := newGroup
	for range cfg.Workers {
		s, err := openSocket(cfg, index)
		if err != nil {
			return sockets, err
		}
		sockets = append(sockets, s)
		if cfg.Workers > 1 {
			if group, err = s.fanout(group); err != nil {
				return sockets, err
			}
		}
	}
	for _, s := range sockets {
		if err := s.accept(cfg.Snaplen); err != nil {
			return sockets, err
		}
	}
	return sockets, nil
}

// take hands a parked ring to its worker, with the generation it belongs to; nil when the worker has that already.
func (p *port) take(worker int) (*socket, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.takeLocked(worker)
}

func (p *port) takeLocked(worker int) (*socket, int) {
	if p.parked == nil {
		return nil, p.generation
	}
	s := p.parked[worker]
	p.parked[worker] = nil
	return s, p.generation
}

// look finds out how the interface is doing, for a worker whose ring has this generation and the kernel's index, and opens the
// rings anew when the interface was made anew. It returns the ring that takes the place of the worker's own, if there is one, and
// whether all is well.
func (p *port) look(worker int, own *input, now time.Time) (fresh *socket, well bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.generation == own.generation {
		index := -1
		if own.socket != nil {
			index = own.socket.index
		}
		state, err := stateOf(p.name)
		switch {
		case err != nil:
			p.report(healthGone, now)
			return nil, false
		case state.Index == index && !state.Up:
			p.report(healthDown, now)
			return nil, false
		case state.Index == index:
			p.blink(now)
			return nil, true
		case p.closed || now.Before(p.nextTry):
			return nil, false
		}
		p.nextTry = now.Add(retryEvery)
		p.reopen(state.Up, now)
	}
	fresh, own.generation = p.takeLocked(worker)
	return fresh, false
}

// reopen opens an interface that was made anew or was down at the start.
func (p *port) reopen(up bool, now time.Time) {
	before := p.generation
	if err := p.open(now); err != nil {
		if p.trouble != err.Error() {
			p.trouble = err.Error()
			p.cfg.Logger.Warn("interface cannot be captured again yet", "interface", p.name, "error", err)
		}
		return
	}
	p.trouble = ""
	if up && p.generation > before {
		p.report(healthUp, now)
	}
}

// report says it once when the interface has changed, however many workers notice.
func (p *port) report(h health, now time.Time) {
	if h == p.health {
		return
	}
	p.health, p.changed = h, now
	switch h {
	case healthUp:
		p.cfg.Logger.Info("interface is up again", "interface", p.name)
	case healthDown:
		p.cfg.Logger.Warn("interface is down; capture goes on when it is up", "interface", p.name)
	case healthGone:
		p.cfg.Logger.Warn("interface is gone; capture goes on when it is back", "interface", p.name)
	}
}

// blink reports an interface that a worker took for down and that is up.
func (p *port) blink(now time.Time) {
	if p.health == healthUp && now.Sub(p.changed) > 2*retryEvery { // else another worker has reported it already
		p.cfg.Logger.Warn("interface was down for a moment", "interface", p.name)
		p.changed = now
	}
	p.report(healthUp, now)
}

// leave closes the ring that a worker has not taken. A port that a worker has left is not opened anew: the capture is ending.
func (p *port) leave(worker int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if s, _ := p.takeLocked(worker); s != nil {
		_ = s.close() // nothing was read from it
	}
}
