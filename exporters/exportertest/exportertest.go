// Package exportertest holds the contract that every exporter runs in its own test: what a queue in front of it relies on. What an
// exporter does with records beyond that (files, indices, sums) is tested beside the exporter.
package exportertest

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Subject is an exporter under test.
type Subject struct {
	// Open returns a new exporter that has nothing yet, and a function that says how often it has each record, by event.id. The function
	// is called after Close; it is nil where that cannot be known.
	Open func(t *testing.T) (e exporters.Exporter, has func(t *testing.T) map[string]int)
	// Idempotent says that a record that is exported again is there once.
	Idempotent bool
}

// Run holds an exporter to the contract.
func Run(t *testing.T, s Subject) {
	t.Run("every event has its outcome", s.outcomes)
	t.Run("events stay as they are", s.unchanged)
	t.Run("again", s.again)
	t.Run("cancelled", s.cancelled)
	t.Run("odd events harm no other", s.odd)
	t.Run("an empty batch", s.empty)
}

// Event makes a plain record; records of different n are different.
func Event(n int) event.Event {
	at := event.Time(1_760_000_000e9 + int64(n)*1e9)
	up, down, yes := uint64(n), uint64(10*n), true
	user := fmt.Sprintf("user %d", n%7)
	return event.Event{
		Timestamp: at, ECS: &event.ECS{Version: event.ECSVersion},
		Event:       event.Meta{ID: event.KeyID(int64(at), event.DatasetActivity, "exportertest", fmt.Sprint(n)), Start: at, End: at, Dataset: event.DatasetActivity, Kind: "event"},
		Source:      &event.Endpoint{IP: "192.0.2.1", Bytes: &up},
		Destination: &event.Endpoint{IP: "203.0.113.9", Domain: "assistant.example", Bytes: &down},
		User:        &event.User{ID: user},
		Rule:        &event.Rule{ID: "assistant", Name: "Assistant", Category: "chat-assistant"},
		Gnomon: &event.Gnomon{Schema: event.SchemaVersion, Site: "site", Counted: &yes, Flow: &event.Flow{ID: fmt.Sprint(n)},
			Visit:   &event.Visit{ID: event.KeyID(int64(at), "visit", "exportertest", user)},
			Service: &event.Service{ID: "assistant", Category: "chat-assistant"}, Policy: &event.Policy{Status: "unreviewed"}},
	}
}

// Full makes a record with all that a sensor knows of a use: 1.7 KB as JSON.
func Full(n int) event.Event {
	ev := Event(n)
	port, to, packets, age := uint16(51514), uint16(443), uint64(40), int64(7200)
	ev.Event.Category, ev.Event.Ingested = []string{"network"}, ev.Timestamp+1e9
	ev.Observer = &event.Observer{ID: "0b6ad1b5-5d6a-4c77-9d3e-0c5d0f6f2b11", Name: "berlin-1", Type: "sensor", Version: "1.0.0",
		Ingress: &event.Ingress{Interface: event.Interface{Name: "eth1"}}}
	ev.Source.Port, ev.Source.MAC, ev.Source.Packets = &port, "02-00-00-00-00-01", &packets
	ev.Destination.Port, ev.Destination.Packets = &to, &packets
	ev.Network = &event.Network{Transport: "tcp", Protocol: "tls", Type: "ipv4", Application: "assistant",
		CommunityID: "1:d/FP5EW3wiY1vCndhwleRRKHowQ=", VLAN: &event.VLAN{ID: "12"}}
	ev.TLS = &event.TLS{Client: &event.TLSClient{ServerName: "assistant.example", JA4: "t13d1516h2_8daaf6152771_b186095e22b6"},
		NextProtocol: "h2", Version: "1.3"}
	ev.User.Group = &event.Group{Name: "Research"}
	ev.Rule.Ruleset = "catalogue 2026.11.1"
	g := ev.Gnomon
	g.Flow.End, g.Use = "fin", "interactive"
	g.Service.Vendor, g.Service.Kind = "Example", "web"
	g.Evidence = &event.Evidence{Class: "sni", Confidence: "high", Also: []string{"dns"}}
	g.Upload = &event.Upload{Bytes: 15820, Low: 15500, High: 16400, Method: "tls-records", Bursts: 3, LargestBurst: 9100}
	g.Attribution = &event.Attribution{Source: "dhcp", Confidence: "high", AgeS: &age}
	g.Policy = &event.Policy{Status: "approved", Owner: "it-platform", Rule: "own"}
	return ev
}

func events(from, n int) []event.Event {
	batch := make([]event.Event, n)
	for i := range batch {
		batch[i] = Event(from + i)
	}
	return batch
}

// try exports a batch; what was left in out must not show through.
func try(ctx context.Context, e exporters.Exporter, batch []event.Event) ([]exporters.Outcome, error) {
	out := make([]exporters.Outcome, len(batch))
	for i := range out {
		out[i] = exporters.Outcome{State: exporters.Never, Reason: leftOver}
	}
	err := e.Export(ctx, batch, out)
	return out, err
}

const leftOver = "left over from before"

// store exports a batch that has to be stored.
func store(t *testing.T, e exporters.Exporter, batch []event.Event) {
	t.Helper()
	out, err := try(context.Background(), e, batch)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		if o.State != exporters.Stored {
			t.Fatalf("event %d of %d: state %d, reason %q; want stored", i, len(batch), o.State, o.Reason)
		}
	}
}

// check closes the exporter and compares what it has.
func check(t *testing.T, e exporters.Exporter, has func(*testing.T) map[string]int, want map[string]int) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatalf("closing: %v", err)
	}
	if has == nil {
		return
	}
	if got := has(t); !reflect.DeepEqual(got, want) {
		t.Fatalf("there are %d records, want %d, or some are not there once:\n got %v\nwant %v", len(got), len(want), got, want)
	}
}

func (s *Subject) outcomes(t *testing.T) {
	e, has := s.Open(t)
	want := map[string]int{}
	from := 0
	for _, n := range []int{1, 2, 7, 512, 1500} {
		batch := events(from, n)
		from += n
		store(t, e, batch)
		for i := range batch {
			want[batch[i].Event.ID] = 1
		}
	}
	check(t, e, has, want)
}

func (s *Subject) unchanged(t *testing.T) {
	e, has := s.Open(t)
	batch, before := events(0, 20), events(0, 20)
	store(t, e, batch)
	if !reflect.DeepEqual(batch, before) {
		t.Fatal("Export has changed the caller's events")
	}
	want := map[string]int{}
	for i := range batch {
		want[batch[i].Event.ID] = 1
		batch[i] = event.Event{} // they are the caller's again
	}
	check(t, e, has, want)
}

func (s *Subject) again(t *testing.T) {
	e, has := s.Open(t)
	batch := append(events(0, 10), events(5, 10)...) // twice in one batch
	store(t, e, batch)
	store(t, e, events(0, 20)) // and once more
	want := map[string]int{}
	for _, list := range [][]event.Event{batch, events(0, 20)} {
		for i := range list {
			if id := list[i].Event.ID; !s.Idempotent || want[id] == 0 {
				want[id]++
			}
		}
	}
	check(t, e, has, want)
}

func (s *Subject) cancelled(t *testing.T) {
	e, has := s.Open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	batch := events(0, 5)
	out, err := try(ctx, e, batch)
	want := map[string]int{}
	for i := range batch {
		// An error means that none was tried; without one, the outcomes are true.
		if err == nil && out[i].State == exporters.Stored {
			want[batch[i].Event.ID]++
		}
	}
	rest := events(5, 5)
	store(t, e, rest) // and the exporter goes on
	for i := range rest {
		want[rest[i].Event.ID] = 1
	}
	check(t, e, has, want)
}

func (s *Subject) odd(t *testing.T) {
	e, has := s.Open(t)
	odd := []func(*event.Event){
		func(ev *event.Event) { ev.User.ID = "\xff\xfe not UTF-8 \x00 and a zero" },
		func(ev *event.Event) {
			ev.User.ID, ev.Rule.ID = strings.Repeat("long ", 2000), "'; DROP TABLE user; --"
		},
		func(ev *event.Event) { ev.Message = "line\nbreak\r\n\u2028 and \x1b[31m colour" },
		func(ev *event.Event) { ev.Timestamp, ev.Event.Start, ev.Event.End = -1, -1, -1 },
		func(ev *event.Event) { *ev.Source.Bytes, *ev.Destination.Bytes = 1<<64-1, 1<<64-1 },
		func(ev *event.Event) {
			*ev = event.Event{Timestamp: ev.Timestamp, Event: event.Meta{ID: ev.Event.ID, Dataset: event.DatasetActivity}}
		},
	}
	batch := events(0, 2*len(odd))
	for i, change := range odd {
		change(&batch[2*i])
	}
	out, err := try(context.Background(), e, batch)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for i, o := range out {
		switch {
		case o.State == exporters.Stored:
			want[batch[i].Event.ID] = 1
		case i%2 == 1:
			t.Errorf("event %d is like any other: state %d, reason %q; want stored", i, o.State, o.Reason)
		case o.State != exporters.Never || o.Reason == "" || o.Reason == leftOver:
			t.Errorf("event %d: state %d, reason %q; want it stored, or refused for good with a reason", i, o.State, o.Reason)
		}
	}
	check(t, e, has, want)
}

func (s *Subject) empty(t *testing.T) {
	e, has := s.Open(t)
	store(t, e, nil)
	store(t, e, []event.Event{})
	check(t, e, has, map[string]int{})
}
