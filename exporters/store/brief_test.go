package store

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// briefly leaves of a record what query.RecordRequest.Brief asks for.
func briefly(ev *event.Event) event.Event {
	out := event.Event{Event: event.Meta{ID: ev.Event.ID}}
	if ev.Source != nil {
		out.Source = &event.Endpoint{IP: ev.Source.IP}
	}
	if u := ev.User; u != nil {
		out.User = &event.User{ID: u.ID}
		if u.Group != nil {
			out.User.Group = &event.Group{Name: u.Group.Name}
		}
	}
	g := ev.Gnomon
	if g == nil {
		return out
	}
	out.Gnomon = &event.Gnomon{Site: g.Site, Counted: g.Counted, Use: g.Use}
	if g.Service != nil {
		out.Gnomon.Service = &event.Service{ID: g.Service.ID}
	}
	if g.Evidence != nil {
		out.Gnomon.Evidence = &event.Evidence{Class: g.Evidence.Class, Confidence: g.Evidence.Confidence}
	}
	if g.Attribution != nil {
		out.Gnomon.Attribution = &event.Attribution{Shared: g.Attribution.Shared}
	}
	if g.Policy != nil {
		out.Gnomon.Policy = &event.Policy{Status: g.Policy.Status}
	}
	return out
}

// A brief record says what the whole one says, whatever words it has.
func TestBrief(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var batch []event.Event
	for range 300 {
		batch = append(batch, random(r, noon, 24*time.Hour))
	}
	awkward := activity(noon, `u"1\`, "R&D <chat>", 7)
	awkward.User.Group.Name, awkward.Message = "Forschung \u2028 & \"Lehre\"\\", `","gnomon":{"site":"else"}`
	bare := activity(noon, "u1", "chat", 8)
	bare.User, bare.Source, bare.Gnomon = nil, nil, nil
	batch = append(batch, awkward, bare)
	s := open(t, testConfig(t))
	export(t, s, batch)
	whole := pages(t, s, query.RecordRequest{Dataset: event.DatasetActivity, Limit: 1000})
	short := pages(t, s, query.RecordRequest{Dataset: event.DatasetActivity, Limit: 1000, Brief: true})
	if len(whole) < 300 || len(short) != len(whole) {
		t.Fatalf("%d records, %d brief ones", len(whole), len(short))
	}
	for i := range whole {
		if want := briefly(&whole[i]); !reflect.DeepEqual(short[i], want) {
			t.Fatalf("record %d:\n got %s\nwant %s", i, text(t, &short[i]), text(t, &want))
		}
	}
}

func text(t testing.TB, ev *event.Event) []byte {
	t.Helper()
	b, err := json.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A text that is cut is never taken for a record.
func TestBriefCut(t *testing.T) {
	ev := activity(noon, "u1", "chat", 1)
	whole := text(t, &ev)
	for n := range whole {
		w := walk{b: whole[:n]}
		if w.event(); !w.bad {
			t.Fatalf("%s is taken for a record", whole[:n])
		}
	}
}

// FuzzBrief reads anything: what is a record of ours says the same in brief.
func FuzzBrief(f *testing.F) {
	ev := activity(noon, `u"1`, "R&D", 1)
	f.Add(text(f, &ev))
	f.Add([]byte(`{"event":{"id":"1"},"gnomon":{"schema":1,"finding":{"evidence":["a","}"]}},"message":"\\\""}`))
	f.Add([]byte(`{"event":{"id":"1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		any := walk{b: data}
		any.event()
		var ev event.Event
		if json.Unmarshal(data, &ev) != nil {
			return
		}
		w := walk{b: text(t, &ev)}
		got := w.event()
		if want := briefly(&ev); w.bad || !reflect.DeepEqual(got, want) {
			t.Fatalf("bad %t\n got %s\nwant %s", w.bad, text(t, &got), text(t, &want))
		}
	})
}

func BenchmarkBrief(b *testing.B) {
	ev := activity(noon, "u1", "chat", 1)
	data := text(b, &ev)
	b.Run("brief", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w := walk{b: data}
			if w.event(); w.bad {
				b.Fatal("it was not read")
			}
		}
	})
	b.Run("whole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var ev event.Event
			if err := json.Unmarshal(data, &ev); err != nil {
				b.Fatal(err)
			}
		}
	})
}
