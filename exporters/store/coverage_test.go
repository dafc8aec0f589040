package store

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

func coverage(sensor string, minute time.Time, c event.Coverage) event.Event {
	at := event.At(minute)
	return event.Event{Timestamp: at + 60e9, Event: event.Meta{ID: event.KeyID(int64(at), event.DatasetCoverage, sensor), Dataset: event.DatasetCoverage,
		Start: at, End: at + 60e9}, Gnomon: &event.Gnomon{Schema: event.SchemaVersion, Coverage: &c}}
}

// Minutes of two sensors are added up in steps of any length, before and after the minutes themselves have expired.
func TestCoverage(t *testing.T) {
	c := testConfig(t)
	now := newClock(noon)
	c.Now, c.RawRetention = now.now, 24*time.Hour
	s := open(t, c)
	maintain(t, s)
	for i := range 150 { // the second sensor sleeps for an hour
		minute := noon.Add(time.Duration(i) * time.Minute)
		batch := []event.Event{coverage("a", minute, event.Coverage{Received: 10, Undecodable: map[string]uint64{"short": 1}, QueueAgeS: float64(i)})}
		if i < 30 || i >= 90 {
			batch = append(batch, coverage("b", minute, event.Coverage{Received: 1, Flows: 2, Sources: map[string]event.Source{"squid": {Read: 3, Used: 2, Rejected: 1}}}))
		}
		if i >= 40 && i < 50 { // and for ten minutes there is nobody
			continue
		}
		export(t, s, batch)
		export(t, s, batch) // again
	}
	ask := func(from, to time.Time, step time.Duration) []query.CoverageRow {
		t.Helper()
		rows, err := s.Coverage(context.Background(), from, to, step)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	hours := func(name string) {
		t.Helper()
		rows := ask(noon.Add(-time.Hour), noon.Add(4*time.Hour), time.Hour)
		want := []query.CoverageRow{
			{Start: noon.Add(-time.Hour)},
			{Start: noon, Minutes: 50, Coverage: event.Coverage{Received: 530, Flows: 60, Undecodable: map[string]uint64{"short": 50}, QueueAgeS: 59,
				Sources: map[string]event.Source{"squid": {Read: 90, Used: 60, Rejected: 30}}}},
			{Start: noon.Add(time.Hour), Minutes: 60, Coverage: event.Coverage{Received: 630, Flows: 60, Undecodable: map[string]uint64{"short": 60}, QueueAgeS: 119,
				Sources: map[string]event.Source{"squid": {Read: 90, Used: 60, Rejected: 30}}}},
			{Start: noon.Add(2 * time.Hour), Minutes: 30, Coverage: event.Coverage{Received: 330, Flows: 60, Undecodable: map[string]uint64{"short": 30}, QueueAgeS: 149,
				Sources: map[string]event.Source{"squid": {Read: 90, Used: 60, Rejected: 30}}}},
			{Start: noon.Add(3 * time.Hour)},
		}
		if !reflect.DeepEqual(rows, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, rows, want)
		}
	}
	hours("while there are minutes")
	var got []string
	for _, r := range ask(noon.Add(30*time.Minute), noon.Add(61*time.Minute), 10*time.Minute) {
		got = append(got, fmt.Sprint(r.Minutes, " ", r.Received))
	}
	if want := []string{"10 100", "0 0", "10 100", "1 10"}; !reflect.DeepEqual(got, want) {
		t.Errorf("ten minutes each: %q, want %q", got, want)
	}
	for range 3 {
		now.add(24 * time.Hour)
		maintain(t, s)
	}
	if n := len(pages(t, s, query.RecordRequest{Dataset: event.DatasetCoverage})); n != 0 {
		t.Fatalf("%d minutes are left", n)
	}
	hours("after the minutes have expired")
	if rows := ask(noon, noon.Add(time.Hour), 30*time.Minute); rows[0].Minutes != 50 || rows[0].Received != 530 || rows[1].Minutes != 0 {
		t.Errorf("in half hours after the minutes have expired: %+v", rows)
	}
}

// What is kept is said.
func TestSpan(t *testing.T) {
	s := open(t, testConfig(t))
	span := func() query.Span {
		t.Helper()
		span, err := s.Span(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return span
	}
	if got := span(); got != (query.Span{}) {
		t.Errorf("an empty store has %+v", got)
	}
	export(t, s, []event.Event{activity(noon.AddDate(0, -2, 0), "u", "chat", 1), activity(noon, "u", "chat", 2)})
	maintain(t, s)
	want := query.Span{RecordsFrom: noon.AddDate(0, -2, 0), SumsFrom: noon.AddDate(0, -2, 0).Truncate(24 * time.Hour), To: noon}
	if got := span(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
