package dashboard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// freshness is how late a minute's coverage may come: younger minutes are not expected yet.
const freshness = 3 * time.Minute

// Shares below or above which the line about coverage becomes a warning.
const (
	goodWatched = 0.98
	goodNamed   = 0.90
	badDropped  = 0.01
	badHidden   = 0.05
)

// seen is what the sensors saw in a period, added up.
type seen struct {
	event.Coverage
	watched, expected uint64 // minutes
	gaps              []gap
}

// gap is a time in which nothing was watched.
type gap struct{ from, to time.Time }

// coverageStep is how finely coverage is asked for: a gap is then as exact as a chart can show it.
func coverageStep(from, to time.Time) time.Duration {
	if to.Sub(from) <= 200*24*time.Hour {
		return time.Hour
	}
	return 24 * time.Hour
}

// summarize adds up the rows that begin between from and to. Rows lie step apart.
func summarize(rows []query.CoverageRow, from, to, now time.Time, step time.Duration) seen {
	s := seen{Coverage: event.Coverage{Undecodable: map[string]uint64{}, Sources: map[string]event.Source{}}}
	if late := now.Add(-freshness); to.After(late) {
		to = late
	}
	for i := range rows {
		r := &rows[i]
		if r.Start.Before(from) || !r.Start.Before(to) {
			continue
		}
		end := r.Start.Add(step)
		if end.After(to) {
			end = to
		}
		s.Add(&r.Coverage)
		expected := uint64(end.Sub(r.Start) / time.Minute)
		s.expected += expected
		s.watched += min(uint64(max(r.Minutes, 0)), expected)
		if r.Minutes == 0 {
			s.gap(r.Start, end)
		}
	}
	return s
}

// gap adds a time that was not watched to the last one, if it goes on.
func (s *seen) gap(from, to time.Time) {
	if n := len(s.gaps); n > 0 && s.gaps[n-1].to.Equal(from) {
		s.gaps[n-1].to = to
		return
	}
	s.gaps = append(s.gaps, gap{from, to})
}

// hidden is the traffic whose names somebody hides, on any port, and everything what it is a part of.
func (s *seen) hidden() event.Part { return s.Web.Hidden().Plus(s.OtherPorts.Hidden()) }

func (s *seen) everything() event.Part { return s.Web.Total().Plus(s.OtherPorts.Total()) }

// blind is how long nothing was watched.
func (s *seen) blind() time.Duration { return time.Duration(s.expected-s.watched) * time.Minute }

// silent are log sources that delivered nothing in the period.
func (s *seen) silent() []string {
	var names []string
	for name, n := range s.Sources {
		if n.Read == 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// worries says in one clause each what limits the figures; none is a good sign.
func (s *seen) worries() []string {
	var out []string
	if s.expected == 0 {
		return nil
	}
	if s.watched == 0 {
		return []string{"no sensor reported in this period"}
	}
	if float64(s.watched) < goodWatched*float64(s.expected) {
		out = append(out, "not watched for "+lasting(s.blind()))
	}
	if unnamed := s.FlowsReadable - min(s.FlowsNamed, s.FlowsReadable); float64(unnamed) > (1-goodNamed)*float64(s.FlowsReadable) {
		out = append(out, percent(unnamed, s.FlowsReadable)+" of flows carry no readable name")
	}
	if all := s.everything(); float64(s.hidden().Bytes) > badHidden*float64(all.Bytes) {
		out = append(out, percent(s.hidden().Bytes, all.Bytes)+" of bytes go where names are hidden")
	}
	if all := s.Received + s.Dropped; all > 0 && float64(s.Dropped) > badDropped*float64(all) {
		out = append(out, percent(s.Dropped, all)+" of packets were dropped")
	}
	if n := len(s.silent()); n > 0 {
		out = append(out, fmt.Sprintf("%d log %s silent", n, plural(uint64(n), "source is", "sources are")))
	}
	return out
}

// coverageLine is what stands beside every total.
type coverageLine struct {
	Level string // good, partial or none: a word, a sign and a colour
	Label string
	Text  string
	Href  string
}

func (v *view) coverageLine(s *seen) *coverageLine {
	line := &coverageLine{Level: "good", Label: "Seen", Href: v.link("/coverage")}
	var parts []string
	if s.expected > 0 {
		parts = append(parts, percent(s.watched, s.expected)+" of the period watched")
	}
	if s.FlowsReadable > 0 {
		parts = append(parts, percent(s.FlowsNamed, s.FlowsReadable)+" of flows with a readable name")
	}
	if all := s.Received + s.Dropped; all > 0 {
		parts = append(parts, percent(s.Dropped, all)+" of packets dropped")
	}
	if worries := s.worries(); len(worries) > 0 {
		line.Level, line.Label = "partial", "Partly seen"
		for _, w := range worries {
			if !strings.Contains(w, "of packets") && !strings.Contains(w, "of flows") {
				parts = append(parts, w)
			}
		}
	}
	if s.watched == 0 {
		line.Level, line.Label, parts = "none", "Not seen", []string{"no sensor reported in this period: how much was missed is not known"}
	}
	line.Text = strings.Join(parts, " · ")
	return line
}
