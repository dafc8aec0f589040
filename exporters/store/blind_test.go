package store

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// blindMinute is a coverage record with clients: ada has a pseudonym and a kept name, the others an address alone.
func blindMinute(minute time.Time) event.Event {
	ev := coverage("a", minute, event.Coverage{Clients: []event.ClientSight{
		{Source: &event.Endpoint{IP: "10.0.0.1"}, User: &event.User{ID: "k1", Name: "ada"}, Web: event.Sight{Named: event.Part{Flows: 5, Bytes: 500}, ECH: event.Part{Flows: 1, Bytes: 10}}},
		{Source: &event.Endpoint{IP: "10.0.0.2"}, OtherPorts: event.Sight{Relay: event.Part{Bytes: 1000}}},
		{Source: &event.Endpoint{IP: "10.0.0.3"}, Web: event.Sight{Nameless: event.Part{Flows: 1, Bytes: 1}}},
	}})
	ev.Gnomon.Site = "berlin"
	return ev
}

// Clients are added up over days, in order of what was not seen, and forgotten with the records.
func TestBlindClients(t *testing.T) {
	c := testConfig(t)
	now := newClock(noon)
	c.Now, c.RawRetention = now.now, 72*time.Hour
	s := open(t, c)
	maintain(t, s)
	for day := range 3 {
		batch := []event.Event{blindMinute(noon.AddDate(0, 0, day)), blindMinute(noon.AddDate(0, 0, day).Add(time.Minute))}
		export(t, s, batch)
		export(t, s, batch) // again
	}
	ask := func(from time.Time, limit int) []query.BlindRow {
		t.Helper()
		rows, err := s.BlindClients(context.Background(), from.Truncate(24*time.Hour), noon.AddDate(0, 0, 3), limit)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	rows := func(days uint64) []query.BlindRow {
		n := 2 * days
		return []query.BlindRow{
			{Key: "ip:10.0.0.2@berlin", Label: "ip:10.0.0.2@berlin", Sight: event.Sight{Relay: event.Part{Bytes: 1000 * n}}},
			{Key: "k1", Label: "ada", Sight: event.Sight{Named: event.Part{Flows: 5 * n, Bytes: 500 * n}, ECH: event.Part{Flows: n, Bytes: 10 * n}}},
			{Key: "ip:10.0.0.3@berlin", Label: "ip:10.0.0.3@berlin", Sight: event.Sight{Nameless: event.Part{Flows: n, Bytes: n}}},
		}
	}
	if got, want := ask(noon, 0), rows(3); !reflect.DeepEqual(got, want) {
		t.Errorf("three days:\ngot  %+v\nwant %+v", got, want)
	}
	if got, want := ask(noon.AddDate(0, 0, 1), 2), rows(2)[:2]; !reflect.DeepEqual(got, want) {
		t.Errorf("two days, two clients:\ngot  %+v\nwant %+v", got, want)
	}
	for range 5 { // a day at a time: the clock does not jump
		now.add(24 * time.Hour)
		maintain(t, s)
	}
	if got, want := ask(noon, 0), rows(1); !reflect.DeepEqual(got, want) {
		t.Errorf("after the first days have expired:\ngot  %+v\nwant %+v", got, want)
	}
}
