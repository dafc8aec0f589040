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
	used int64 // when the service was used last: a look-up is none
	use  bool  // there was any
}

// NewVisits returns an empty set.
func NewVisits() *Visits { return &Visits{open: map[visitor]visit{}, legs: map[visitor]leg{}} }

// ID returns the visit that a contact with the service from start to last (packet times) belongs to.
func (v *Visits) ID(observer, client, service string, start, last int64) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := visitor{client, service}
	now := v.at(observer, key, start, last)
	v.open[key] = now
	return now.id
}

// Use is ID for use of the service by itself, which others may Join.
func (v *Visits) Use(observer, client, service string, start, last int64) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := visitor{client, service}
	now := v.at(observer, key, start, last)
	now.used, now.use = max(now.used, last), true
	v.open[key] = now
	return now.id
}

// Join returns the visit that a contact from start to last belongs to which is no use by itself: that of use no further away than a visit
// may pause, before it or after. It opens no visit and keeps none open.
func (v *Visits) Join(client, service string, start, last int64) (id string, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.open[visitor{client, service}]
	if !now.use || start-now.used > visitPause || now.used-last > visitPause {
		return "", false
	}
	return now.id, true
}

// at returns the visit as of last, a new one if need be.
func (v *Visits) at(observer string, key visitor, start, last int64) visit {
	now, ok := v.open[key]
	if !ok || start-now.last > visitPause {
		if len(v.open) >= maxVisits {
			v.prune(start)
		}
		now = visit{id: event.KeyID(start, "visit", observer, key.client, key.service)}
	}
	now.last = max(now.last, last)
	return now
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
