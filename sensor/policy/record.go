package policy

import (
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// finding is what a finding's record is made from.
type finding struct {
	action      string
	subject     []string // whom and what it is about
	severity    int      // 1 to 99: above 70 somebody should look today
	day         Date     // the period; none: once for ever
	about       *event.Event
	user        *event.User // who is named, nil for nobody
	named       bool        // the client's address stands in for a user who is not known
	allServices bool
	reason      string
	limit       uint64
	value       uint64
	upload      *event.Upload
	evidence    []string
}

// raise writes a finding, unless it was written before. The id follows from site, action, subject and period alone.
func (f *Findings) raise(n *finding) *event.Event {
	begin, end := event.Time(0), event.Time(0)
	if !n.day.IsZero() {
		begin, end = n.day.begin(f.location), n.day.end(f.location)
	}
	site := ""
	if n.about.Gnomon != nil {
		site = n.about.Gnomon.Site
	}
	id := event.KeyID(int64(begin), event.DatasetFinding, site, append([]string{n.action, n.day.String()}, n.subject...)...)
	if _, before := f.raised[id]; before {
		return nil
	}
	f.remember(id, begin)
	ev := &event.Event{
		Timestamp: n.about.Timestamp,
		ECS:       &event.ECS{Version: event.ECSVersion},
		Event: event.Meta{ID: id, Start: begin, End: end, Dataset: event.DatasetFinding, Kind: "alert", Category: []string{"network"},
			Action: n.action, Severity: n.severity, Reason: n.reason},
		Gnomon: &event.Gnomon{Schema: event.SchemaVersion, Site: site, Upload: n.upload,
			Finding: &event.Finding{Period: n.day.String(), Limit: n.limit, Value: n.value, Evidence: n.evidence}},
	}
	if n.about.Observer != nil {
		observer := *n.about.Observer
		observer.Ingress = nil
		ev.Observer = &observer
	}
	n.client(ev)
	n.service(ev)
	return ev
}

// client names the user, in the words of the record that gave rise to the finding.
func (n *finding) client(ev *event.Event) {
	if n.user != nil {
		user := *n.user
		ev.User = &user
	}
	if !n.named {
		return
	}
	if a := n.about.Gnomon.Attribution; a != nil {
		attribution := *a
		ev.Gnomon.Attribution = &attribution
	}
	if (n.user == nil || n.user.ID == "") && n.about.Source != nil {
		ev.Source = &event.Endpoint{IP: n.about.Source.IP}
	}
}

// service says what was used, where it is one service.
func (n *finding) service(ev *event.Event) {
	g := n.about.Gnomon
	if g == nil || g.Service == nil || n.allServices {
		return
	}
	service := *g.Service
	ev.Gnomon.Service, ev.Gnomon.Policy = &service, g.Policy
	ev.Network = &event.Network{Application: service.ID}
	if n.about.Rule != nil {
		rule := *n.about.Rule
		ev.Rule = &rule
	}
}

// remember notes that a finding was raised. If there are too many, those of days long past go, and if need be all: then one may be
// raised again, with the same id.
func (f *Findings) remember(id string, period event.Time) {
	if len(f.raised) >= maxRaised {
		for old, at := range f.raised {
			if at != 0 && at < period-event.Time(keepDays*24*time.Hour) {
				delete(f.raised, old)
			}
		}
	}
	if len(f.raised) >= maxRaised {
		clear(f.raised)
	}
	f.raised[id] = period
}
