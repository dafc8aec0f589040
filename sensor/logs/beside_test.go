package logs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// roles knows chat.example and what lies beside it.
type roles struct{ service signatures.Service }

func (o *roles) Classify(ev *classifiers.Evidence) (classifiers.Verdict, bool) {
	role, ok := map[string]signatures.Role{"chat.example": signatures.RolePrimary, "static.example": signatures.RoleSupporting,
		"shared.example": signatures.RoleShared}[string(ev.Name)]
	return classifiers.Verdict{Service: &o.service, Role: role, Class: ev.Class, Confidence: classifiers.ConfidenceHigh}, ok
}

// Names that are no use by themselves are written beside use of their service, as they are where packets show them.
func TestBeside(t *testing.T) {
	const minute = 60
	for _, tt := range []struct {
		name  string
		lines []string // minute, client, host
		want  []string
	}{
		{"alone", []string{"0 1 static.example", "5 1 shared.example"}, nil},
		{"after use", []string{"0 1 chat.example", "5 1 static.example", "6 1 shared.example"},
			[]string{"chat.example true", "static.example true supporting", "shared.example false shared"}},
		{"before use", []string{"0 1 static.example", "1 1 shared.example", "5 1 chat.example"},
			[]string{"chat.example true", "static.example true supporting"}},
		{"too long before", []string{"0 1 static.example", "31 1 chat.example"}, []string{"chat.example true"}},
		{"too long after", []string{"0 1 chat.example", "31 1 static.example"}, []string{"chat.example true"}},
		{"of another client", []string{"0 1 chat.example", "1 2 static.example"}, []string{"chat.example true"}},
		{"within a tunnel that ends later", []string{"10 1 static.example", "70 1 chat.example:443 3600"}, []string{"chat.example true", "static.example true supporting"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var text strings.Builder
			for _, line := range tt.lines {
				var at, elapsed int64
				var client, host string
				_, _ = fmt.Sscan(line+" 0", &at, &client, &host, &elapsed)
				fmt.Fprintf(&text, "%d.000 %d 192.0.2.%s TCP_MISS/200 100 GET http://%s/x - HIER_DIRECT/203.0.113.1 -\n", 1795248312+at*minute, elapsed*1000, client, host)
			}
			r := besides(t, text.String())
			var got []string
			visits := map[string]bool{}
			for i := range r {
				ev := &r[i]
				got = append(got, strings.TrimSpace(fmt.Sprint(ev.URL.Domain, " ", *ev.Gnomon.Counted, " ", ev.Gnomon.Evidence.Role)))
				visits[ev.Gnomon.Visit.ID] = true
			}
			if strings.Join(got, ", ") != strings.Join(tt.want, ", ") || len(visits) > 1 {
				t.Errorf("got  %q\nwant %q, of one visit", got, tt.want)
			}
		})
	}
}

func besides(t *testing.T, text string) []event.Event {
	t.Helper()
	f, err := library(t).Open("squid-native", Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	var r recorder
	var account Account
	a := NewActivities(Config{Observer: event.Observer{ID: "o"}, Source: "test.log", Visits: sensor.NewVisits(), Written: now(),
		Ruleset: func() string { return "test" }}, &roles{signatures.Service{ID: "chat", Name: "Chat"}}, &r)
	err = Read(NewLines(strings.NewReader(text)), f, &account, func(line []byte, rec *Record, err error) error {
		if err == nil {
			a.Add(rec, line)
		}
		return nil
	})
	if err != nil || account.Rejected() > 0 {
		t.Fatalf("%v, %d lines rejected", err, account.Rejected())
	}
	return r.events
}

// What waits is bounded, and nothing is left of what was given up or released.
func TestHeldBounds(t *testing.T) {
	h := newHeld()
	for i := range 5 * maxHeld {
		ev := &event.Event{Timestamp: event.Time(int64(i) * second / 100), Source: &event.Endpoint{IP: fmt.Sprint(i % 7)}, Gnomon: &event.Gnomon{Service: &event.Service{ID: "chat"}}}
		h.add(ev)
		if i%3 == 0 { // released
			key := holder{fmt.Sprint(i % 7), "chat"}
			h.n -= len(h.by[key])
			delete(h.by, key)
		}
	}
	n := 0
	for _, list := range h.by {
		n += len(list)
	}
	if n != h.n || n > maxHeld || len(h.order) > 2*maxHeld {
		t.Errorf("%d records wait, counted %d, %d in order", n, h.n, len(h.order))
	}
}
