package afpacket

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// Open starts capturing and returns one source per worker; they also implement capture.Named, Counted and Clocked. The frames of a
// flow, both directions on all interfaces, come from one source, ordered by time.
//
// Each source is to be read by a goroutine of its own until Next returns io.EOF. That comes after Close, and after the frames that
// had been received by then; only then is the memory given back. A source that was never read is given back by Close.
func Open(cfg Config) ([]capture.Source, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	ports, err := openPorts(&cfg)
	if err != nil {
		return nil, err
	}
	sources := make([]capture.Source, 0, cfg.Workers)
	for i := range cfg.Workers {
		w, err := newWorker(&cfg, ports, i)
		if err != nil {
			for _, s := range sources {
				s.Close()
			}
			for _, p := range ports {
				for j := i; j < cfg.Workers; j++ {
					p.leave(j)
				}
			}
			return nil, fmt.Errorf("opening capture on %s: %w", cfg.title(i), err)
		}
		sources = append(sources, w)
	}
	return sources, nil
}

// openPorts opens the rings of all interfaces, or none.
func openPorts(cfg *Config) ([]*port, error) {
	var ports []*port
	for i, name := range cfg.names() {
		p := &port{cfg: cfg, name: name, number: uint16(i)}
		if err := p.open(time.Now()); err != nil {
			for _, p := range ports {
				for j := range cfg.Workers {
					p.leave(j)
				}
			}
			if errors.Is(err, unix.ENODEV) {
				err = fmt.Errorf("%w; %s", err, present())
			}
			return nil, explain("opening capture on", name, err)
		}
		ports = append(ports, p)
	}
	return ports, nil
}

// present lists the interfaces that one could have meant.
func present() string {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		return "no interface is to be seen here"
	}
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	return "the interfaces here are " + strings.Join(names, ", ")
}
