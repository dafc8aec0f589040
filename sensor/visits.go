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

// Visits joins the records of one client's use of one service. It is shared by the workers of a sensor and by what reads logs; a record
// exists when it is asked. Lines of a log may come long after what they tell of, so that it knows the last few visits of each.
type Visits struct {
	mu   sync.Mutex
	open map[visitor]*visit
	legs map[visitor]leg // by proxy
	cut  uint64          // visits that were closed early
}

type visitor struct{ client, service string }

type visit struct {
	id          string
	first, last int64
	since, used int64  // when the service was used first and last: a look-up is no use
	use         bool   // there was any
	before      *visit // the one before it, for lines of a log that come late
}

// maxBefore bounds how many visits of one client to one service are remembered behind the latest.
const maxBefore = 4

// NewVisits returns an empty set.
func NewVisits() *Visits { return &Visits{open: map[visitor]*visit{}, legs: map[visitor]leg{}} }

// ID returns the visit that a contact with the service from start to last (packet times) belongs to.
func (v *Visits) ID(observer, client, service string, start, last int64) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.at(observer, visitor{client, service}, start, last).id
}

// Use is ID for use of the service by itself, which others may Join.
func (v *Visits) Use(observer, client, service string, start, last int64) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.at(observer, visitor{client, service}, start, last)
	if !now.use {
		now.since, now.used, now.use = start, last, true
	}
	now.since, now.used = min(now.since, start), max(now.used, last)
	return now.id
}

// Join returns the visit that a contact from start to last belongs to which is no use by itself: that of use no further away than a visit
// may pause, before it or after. It opens no visit and keeps none open.
func (v *Visits) Join(client, service string, start, last int64) (id string, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for now := v.open[visitor{client, service}]; now != nil; now = now.before {
		if now.use && start-now.used <= visitPause && now.since-last <= visitPause {
			return now.id, true
		}
	}
	return "", false
}

// at returns the visit of a contact, a new one if need be.
func (v *Visits) at(observer string, key visitor, start, last int64) *visit {
	latest := v.open[key]
	for now := latest; now != nil && start-now.last <= visitPause; now = now.before {
		if now.first-last <= visitPause {
			now.first, now.last = min(now.first, start), max(now.last, last)
			return now
		}
	}
	now := &visit{id: event.KeyID(start, "visit", observer, key.client, key.service), first: start, last: last}
	v.enter(key, latest, now)
	return now
}

// enter puts a visit where its time is among those of its client and service.
func (v *Visits) enter(key visitor, latest, now *visit) {
	if latest == nil && len(v.open) >= maxVisits {
		v.prune(now.first)
	}
	if latest == nil || now.first > latest.first {
		now.before = latest
		v.open[key], latest = now, now
	} else {
		later := latest
		for later.before != nil && later.before.first > now.first {
			later = later.before
		}
		now.before, later.before = later.before, now
	}
	for range maxBefore {
		if latest = latest.before; latest == nil {
			return
		}
	}
	latest.before = nil
}

// prune closes the visits that are over, and if all go on, a part of them.
func (v *Visits) prune(at int64) {
	for pause := visitPause; len(v.open) >= maxVisits/2 && pause > 0; pause /= 2 {
		for key, visit := range v.open {
			if at-visit.last > pause {
				v.drop(key, visit, at)
			}
		}
		if pause < 1e9 {
			v.cut += uint64(len(v.open))
			clear(v.open)
		}
	}
}

// drop closes a visit, at a time when it may go on.
func (v *Visits) drop(key visitor, now *visit, at int64) {
	if at-now.last <= visitPause {
		v.cut++
	}
	delete(v.open, key)
}

// Cut is how many visits were closed before their time for want of memory; those that went on count again.
func (v *Visits) Cut() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.cut
}
