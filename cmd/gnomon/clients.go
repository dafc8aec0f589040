package main

import (
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	// clientsAMinute is how many clients stand in a record of coverage, those that are most hidden or nameless.
	clientsAMinute = 32
	// clientsInAll is how many a scan shows.
	clientsInAll = 100
)

// clientSights says who was behind the clients, as of their latest flow, in the words in which activities are kept: the same identity, the same
// pseudonyms, and nobody who is excluded.
func (l *pipeline) clientSights(seen []sensor.ClientSeen) []event.ClientSight {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []event.ClientSight
	for i := range seen {
		c := &seen[i]
		ev := event.Event{Event: event.Meta{Dataset: event.DatasetActivity, Start: event.Time(c.Last)}, Source: &event.Endpoint{IP: c.Addr.Addr().String()},
			Gnomon: &event.Gnomon{}}
		l.who.Apply(&ev)
		if l.privacy != nil && !l.privacy.Apply(&ev) {
			continue
		}
		shared := ev.Gnomon.Attribution != nil && ev.Gnomon.Attribution.Shared
		out = append(out, event.ClientSight{Source: &event.Endpoint{IP: ev.Source.IP}, User: ev.User, Shared: shared,
			Web: c.Web, OtherPorts: c.OtherPorts})
	}
	return out
}
