package search

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

func ptr[T any](v T) *T { return &v }

// activity makes a whole record.
func activity(at time.Time, user, service string, n int) event.Event {
	ts := event.At(at)
	return event.Event{
		Timestamp: ts, ECS: &event.ECS{Version: event.ECSVersion},
		Event: event.Meta{ID: event.KeyID(int64(ts), event.DatasetActivity, "sensor", user, service, fmt.Sprint(n)), Start: ts, End: ts,
			Dataset: event.DatasetActivity, Kind: "event", Category: []string{"network"}},
		Observer: &event.Observer{ID: "id of berlin-1", Name: "berlin-1", Type: "sensor", Version: "1.0"},
		Source:   &event.Endpoint{IP: fmt.Sprintf("10.1.%d.%d", n/250%250, n%250), Port: ptr(uint16(40000 + n%20000)), Bytes: ptr(uint64(1000 + n))},
		Destination: &event.Endpoint{IP: fmt.Sprintf("104.18.%d.47", n%256), Port: ptr(uint16(443)), Domain: service + ".example",
			Bytes: ptr(uint64(9000 + n))},
		Network: &event.Network{Transport: "tcp", Protocol: "tls", Application: service},
		User:    &event.User{ID: user, Group: &event.Group{Name: "sales"}},
		Rule:    &event.Rule{ID: service, Name: "The " + service, Category: "chat-assistant", Ruleset: "catalogue 2026.11.1"},
		Gnomon: &event.Gnomon{Schema: event.SchemaVersion, Site: "berlin", Flow: &event.Flow{ID: "f"}, Counted: ptr(true), Use: "interactive",
			Service:     &event.Service{ID: service, Vendor: "Vendor of " + service, Category: "chat-assistant", Kind: "web"},
			Evidence:    &event.Evidence{Class: "sni", Confidence: "high"},
			Upload:      &event.Upload{Bytes: uint64(800 + n), Low: uint64(700 + n), High: uint64(900 + n), Method: "tls-records"},
			Attribution: &event.Attribution{Source: "kerberos", Confidence: "high"},
			Policy:      &event.Policy{Status: "unreviewed"}},
	}
}

// random makes a record of few users and services with everything that sums depend on.
func random(r *rand.Rand, at time.Time, spread time.Duration) event.Event {
	when := at.Add(time.Duration(r.Int64N(int64(spread))))
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	user := pick("u1", "u2", "u3", "u4", "u5", "u6", "u7", "shared", "")
	ev := activity(when, user, pick("chat", "code", "paint", "voice"), r.IntN(1e6))
	if user == "" {
		ev.User, ev.Source.IP = nil, pick("10.0.0.1", "10.0.0.2", "fd00::17", "")
	} else {
		ev.User.Group.Name = pick("sales", "research", "")
		if user == "u1" || user == "u2" {
			ev.User.Name = "Person " + user
		}
	}
	g := ev.Gnomon
	g.Site, g.Policy.Status = pick("berlin", "paris", ""), pick("approved", "unreviewed", "prohibited", "")
	g.Service.Category, g.Service.Kind = pick("chat-assistant", "code"), pick("web", "api")
	ev.Rule.Category = g.Service.Category
	g.Flow.Slice = uint32(r.IntN(3))
	g.Use = pick("interactive", "interactive", "unknown", query.UseBackground, query.UseBackground, "")
	g.Counted = ptr(r.IntN(10) > 0)
	g.Attribution.Shared = r.IntN(12) == 0
	g.Visit = &event.Visit{ID: event.KeyID(int64(event.At(when.Truncate(3*time.Hour))), "visit", user, g.Service.ID)}
	if r.IntN(20) == 0 {
		g.Visit = nil
	}
	if r.IntN(4) == 0 {
		g.Upload = nil
	}
	if g.Policy.Status == "" {
		g.Policy = nil
	}
	return ev
}

// markVisits marks the earliest counted record of use in each visit, the earliest of all where there is only background.
func markVisits(records []event.Event) {
	quiet := func(ev *event.Event) bool { return ev.Gnomon.Use == query.UseBackground }
	first := map[string]*event.Event{}
	for i := range records {
		ev := &records[i]
		if !*ev.Gnomon.Counted || ev.Gnomon.Visit == nil {
			continue
		}
		now := first[ev.Gnomon.Visit.ID]
		if now == nil || quiet(now) && !quiet(ev) ||
			quiet(now) == quiet(ev) && cmp.Or(cmp.Compare(ev.Timestamp, now.Timestamp), cmp.Compare(ev.Event.ID, now.Event.ID)) < 0 {
			first[ev.Gnomon.Visit.ID] = ev
		}
	}
	for _, ev := range first {
		ev.Gnomon.Visit.First, ev.Gnomon.Visit.Background = !quiet(ev), quiet(ev)
	}
}

// coverage makes the records of coverage of two sensors, and their clients.
func coverage(r *rand.Rand, from time.Time, minutes int) []event.Event {
	var all []event.Event
	part := func() event.Part { return event.Part{Flows: r.Uint64N(50), Bytes: r.Uint64N(1e6)} }
	for m := range minutes {
		for s, name := range []string{"berlin-1", "paris-1"} {
			if r.IntN(10) == 0 {
				continue
			}
			start := from.Add(time.Duration(m)*time.Minute + time.Duration(s*17)*time.Second)
			c := &event.Coverage{Received: r.Uint64N(1e6), Dropped: r.Uint64N(100), Flows: r.Uint64N(500), FlowsReadable: r.Uint64N(400), FlowsNamed: r.Uint64N(300),
				ECH: r.Uint64N(9), EncryptedDNS: r.Uint64N(9), Relay: r.Uint64N(9), OneSided: r.Uint64N(9), Cut: r.Uint64N(3), BytesWithUser: r.Uint64N(1e7),
				Evicted: r.Uint64N(2), QueueAgeS: float64(r.IntN(100)) / 8, Undecodable: map[string]uint64{"cut_short": r.Uint64N(9), "not ip": 1},
				Web: event.Sight{Named: part(), ECH: part(), Nameless: part()}, OtherPorts: event.Sight{Relay: part(), EncryptedDNS: part()},
				HiddenBy: map[string]event.Part{"wire.guard": part(), "ech": part()}, Sources: map[string]event.Source{"squid access.log": {Read: 9, Used: 3, Rejected: 1}}}
			if m%5 == 0 {
				c.TwoEyes = &event.TwoEyes{Joined: 3 + r.Uint64N(9), Untold: 1}
			}
			if m%7 == 0 {
				c.Clients = []event.ClientSight{{Source: &event.Endpoint{IP: "10.0.0.9"}, User: &event.User{ID: "u3", Name: "Person u3"}, Web: event.Sight{Relay: part()}},
					{Source: &event.Endpoint{IP: fmt.Sprintf("10.0.0.%d", 1+r.IntN(4))}, Web: event.Sight{Named: part()}, OtherPorts: event.Sight{ECH: part()}}}
			}
			ev := event.Event{Timestamp: event.At(start.Add(time.Minute)), Observer: &event.Observer{ID: "id of " + name, Name: name, Version: "1." + fmt.Sprint(s)},
				Event: event.Meta{Dataset: event.DatasetCoverage, Kind: "metric", Start: event.At(start), End: event.At(start.Add(time.Minute)),
					ID: event.KeyID(start.UnixNano(), event.DatasetCoverage, name)},
				Gnomon: &event.Gnomon{Schema: 1, Site: name[:len(name)-2], Coverage: c}}
			all = append(all, ev)
		}
	}
	return all
}

// world is records of every kind from a time on.
func world(r *rand.Rand, from time.Time, spread time.Duration, n int) []event.Event {
	var all []event.Event
	for range n {
		all = append(all, random(r, from, spread))
	}
	markVisits(all)
	all = append(all, coverage(r, from, 200)...)
	for i := range 40 {
		at := event.At(from.Add(time.Duration(i) * time.Hour))
		f := event.Event{Timestamp: at, Event: event.Meta{ID: event.KeyID(int64(at), event.DatasetFinding, fmt.Sprint(i)), Dataset: event.DatasetFinding,
			Action: []string{"first-use", "upload-limit"}[i%2], Severity: 3}, Rule: &event.Rule{ID: "chat", Name: "The chat"}, Gnomon: &event.Gnomon{Schema: 1, Site: "berlin"}}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b event.Event) int { return cmp.Compare(a.Event.ID, b.Event.ID) })
	return slices.CompactFunc(all, func(a, b event.Event) bool { return a.Event.ID == b.Event.ID })
}
