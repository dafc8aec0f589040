package sensor

import (
	"sync"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	// visitPause ends a visit: one client's use of one service with no pause over 30 minutes.
	visitPause = int64(30 * 60e9)
	// maxVisits bounds how many visits are open at once; beyond it the ones that have paused longest are closed early.
	maxVisits = 1 << 18
)

// Visits joins the records of one client's use of one service. It is shared by the workers of a sensor; a record exists when it is
// asked.
type Visits struct {
	mu   sync.Mutex
	open map[visitor]visit
	legs map[visitor]leg // by proxy
}

type visitor struct{ client, service string }

type visit struct {
	id   string
	last int64
}

// NewVisits returns an empty set.
func NewVisits() *Visits { return &Visits{open: map[visitor]visit{}, legs: map[visitor]leg{}} }

// ID returns the visit that use of the service from start to last (packet times) belongs to.
func (v *Visits) ID(observer, client, service string, start, last int64) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := visitor{client, service}
	now, ok := v.open[key]
	if !ok || start-now.last > visitPause {
		if len(v.open) >= maxVisits {
			v.prune(start)
		}
		now = visit{id: event.KeyID(start, "visit", observer, client, service)}
	}
	now.last = max(now.last, last)
	v.open[key] = now
	return now.id
}

// prune closes the visits that are over, and if all go on, a part of them.
func (v *Visits) prune(at int64) {
	for pause := visitPause; len(v.open) >= maxVisits/2 && pause > 0; pause /= 2 {
		for key, visit := range v.open {
			if at-visit.last > pause {
				delete(v.open, key)
			}
		}
		if pause < 1e9 {
			clear(v.open)
		}
	}
}
