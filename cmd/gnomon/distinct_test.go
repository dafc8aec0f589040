package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Up to the bound names are counted exactly, and beyond it within a few standard errors, in whatever order and however often they come; what
// is remembered stays within the bound.
func TestDistinct(t *testing.T) {
	for _, tt := range []struct {
		name        string
		each, all   int // bounds
		sets, names int
		exact       bool
	}{
		{"few", 1000, 10_000, 1, 7, true},
		{"as many as are exact", 1000, 10_000, 1, 1000, true},
		{"one more", 1000, 10_000, 1, 1001, false},
		{"many", 1000, 10_000, 1, 200_000, false},
		{"many sets, each within its bound", 1000, 2000, 20, 900, false},
		{"many sets and names", 1000, 3000, 20, 20_000, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := distincts{each: tt.each, together: tt.all}
			for range tt.sets {
				s.set()
			}
			for round := range 2 {
				for i := range tt.names {
					n := i
					if round == 1 {
						n = tt.names - 1 - i
					}
					for _, d := range s.sets {
						s.add(d, hashOf(fmt.Sprint("user", n)), round == 1 && n%4 != 0)
					}
				}
			}
			within(t, &s, tt.names, tt.exact)
		})
	}
}

// within wants every set of s to have about so many names, of which a fourth is quiet.
func within(t *testing.T, s *distincts, names int, exact bool) {
	t.Helper()
	kept := 0
	for _, d := range s.sets {
		kept += len(d.kept)
		for what, want := range map[*tally]int{ptr(d.all()): names, ptr(d.quiet()): (names + 3) / 4, ptr(d.active()): names - (names+3)/4} {
			off := math.Abs(float64(what.n-want)) / float64(want)
			if exact && (what.n != want || what.error != 0) || what.error > 0 && off > 5*what.error || what.error == 0 && what.n != want {
				t.Errorf("%d names are said to be %v (%+v)", want, what, *what)
			}
		}
		if len(d.kept) > s.each {
			t.Errorf("%d names are kept, at most %d may be", len(d.kept), s.each)
		}
	}
	if kept != s.size || kept > s.together {
		t.Errorf("%d names are kept in all sets, %d counted, at most %d may be", kept, s.size, s.together)
	}
	if sets, worst := s.estimated(); exact != (sets == 0) || exact != (worst == 0) {
		t.Errorf("%d sets are estimates, the worst by %v", sets, worst)
	}
}

func ptr[T any](v T) *T { return &v }

// An estimate is written with the digits that it is worth.
func TestTally(t *testing.T) {
	for _, tt := range []struct {
		is   tally
		want string
	}{{tally{}, "0"}, {tally{n: 65536}, "65536"}, {tally{196_608, 0.004}, "about 196600"}, {tally{196_608, 0.04}, "about 197000"}, {tally{8, 0.5}, "about 8"}} {
		if got := tt.is.String(); got != tt.want {
			t.Errorf("%+v is written %q, want %q", tt.is, got, tt.want)
		}
	}
}

// With more users than are told apart, those with the largest upload are shown, and what may be missing is said.
func TestSummaryBounds(t *testing.T) {
	s := newSummary()
	s.sets.each, s.sets.together, s.people.most = 200, 1000, 100
	counted := true
	offer := func(user string, up uint64) {
		s.Offer(&event.Event{Event: event.Meta{Dataset: event.DatasetActivity}, Source: &event.Endpoint{IP: "192.0.2.1", Bytes: &up}, Destination: &event.Endpoint{},
			User: &event.User{Name: user}, Rule: &event.Rule{ID: "openai-chatgpt", Name: "ChatGPT"},
			Gnomon: &event.Gnomon{Service: &event.Service{ID: "openai-chatgpt"}, Flow: &event.Flow{}, Evidence: &event.Evidence{Class: "sni"}, Counted: &counted,
				Visit: &event.Visit{ID: user, First: true}, Upload: &event.Upload{Bytes: up}}})
	}
	offer("heavy", 1e9)
	for i := range 5000 {
		offer(fmt.Sprint("light", i), uint64(i%3))
	}
	offer("heavy", 1e9)
	offer("late", 1e6)
	if len(s.people.by) > s.people.most {
		t.Errorf("%d users are told apart", len(s.people.by))
	}
	var text, asJSON bytes.Buffer
	c := sensor.Coverage{VisitsCut: 3}
	s.write(&text, &c, nil)
	if err := s.writeJSON(&asJSON, &blindSpots{coverage: &c}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"about ", "About: more than 200 users of one service", "heavy ", "2.0 GB", "at least 1.0 MB", "with a small upload were let go", "3 were closed early"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the summary lacks %q:\n%s", want, text.String())
		}
	}
	var out summaryJSON
	if err := json.Unmarshal(asJSON.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	got := out.Services[0]
	if got.Visits != 5003 || got.UsersError <= 0 || got.UsersError > 0.2 || math.Abs(float64(got.Users-5002)) > 5*got.UsersError*5002 || out.Estimated == nil ||
		out.Estimated.Services != 1 || out.Estimated.ExactUpTo != 200 {
		t.Errorf("as JSON %+v, %+v", got, out.Estimated)
	}
}
