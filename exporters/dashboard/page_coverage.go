package dashboard

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// mostGaps is how many gaps are listed.
const mostGaps = 20

// coveragePage says what the sensors saw and what they could not see.
func coveragePage(ctx context.Context, v *view) (*page, error) {
	var rows []query.CoverageRow
	var clients []query.BlindRow
	q := ask(ctx, v.s.parts.Query)
	v.askCoverage(q, &rows)
	v.askBlind(q, &clients)
	if err := q.answers(); err != nil {
		return nil, err
	}
	s := v.summarize(rows)
	p := &page{Nav: "/coverage", Title: "Coverage", Lead: "What the sensors saw and what they could not see. Every other page rests on this one.", Coverage: v.coverageLine(&s)}
	p.Coverage.Href = ""
	if s.watched == 0 {
		p.Empty = &emptiness{"No sensor has reported", "Is the sensor running, and does the tap or the log source deliver? Run gnomon doctor on the sensor: it names what " +
			"makes it blind, such as a missing permission, an interface that is down, or traffic of one direction only.", nil}
		return p, nil
	}
	p.Tiles = coverageTiles(&s)
	p.Chart = v.coverageChart(rows, &s)
	p.Panels = append(v.blindPanels(&s, clients), lossPanel(&s), sourcePanel(&s))
	if s.TwoEyes != nil {
		p.Panels = append(p.Panels, eyesPanel(&s))
	}
	p.Panels = append(p.Panels, v.gapPanel(&s))
	return p, nil
}

func coverageTiles(s *seen) []tile {
	all := s.Received + s.Dropped
	return []tile{
		{Label: "Watched", Value: percent(s.watched, s.expected), Note: blindNote(s)},
		{Label: "Readable names", Value: percent(s.FlowsNamed, s.FlowsReadable), Note: count(s.FlowsNamed) + " of " + count(s.FlowsReadable) + " flows that should have one"},
		{Label: "Packets dropped", Value: percent(s.Dropped, all), Note: count(s.Dropped) + " of " + count(all)},
		{Label: "Bytes with a known user", Value: size(s.BytesWithUser)},
	}
}

func blindNote(s *seen) string {
	if s.blind() == 0 {
		return "without a gap"
	}
	return "not watched for " + lasting(s.blind())
}

// coverageChart draws how much of each step was watched.
func (v *view) coverageChart(rows []query.CoverageRow, s *seen) *chart {
	c := &chart{ID: "time", Title: "Share of each " + v.period.stepName() + " that was watched", Gaps: chartGaps(s.gaps, v.period), top: 100,
		write: func(n uint64) string { return decimal(n) + thin + "%" }, Series: []series{{"Watched", "s-watched"}}}
	every := coverageStep(v.period.from, v.period.to)
	for _, start := range v.period.starts() {
		part := summarize(rows, maxTime(start, v.period.from), minTime(v.period.next(start), v.period.to), v.now, every)
		step := chartStep{short: v.period.shortLabel(start), long: v.period.longLabel(start), values: []uint64{0}}
		if part.expected > 0 {
			step.values[0] = 100 * part.watched / part.expected
			if part.blind() > 0 {
				step.note = blindNote(&part)
			}
		}
		c.Steps = append(c.Steps, step)
	}
	c.Desc = "Columns for " + v.period.String() + ". " + percent(s.watched, s.expected) + " of the period was watched. Hatched times were not."
	c.Table = c.asTable(v)
	c.Table.Columns[len(c.Table.Columns)-1].Title = "Note"
	return c
}

// lossPanel lists what was on the wire and could not be read, whatever it was.
func lossPanel(s *seen) panel {
	t := &table{ID: "loss", Caption: "Losses", Columns: []column{{Title: "Loss", CSV: []string{"loss"}}, {Title: "Number", Class: "num", CSV: []string{"number"}},
		{Title: "Share", Class: "num", CSV: []string{}}}}
	line := func(name, note string, n, whole uint64) {
		t.Rows = append(t.Rows, []cell{{Text: name, Note: note, CSV: []string{name}}, number(n), {Text: percent(n, whole), CSV: []string{}}})
	}
	line("One direction only", "the tap delivers half of these flows", s.OneSided, s.Flows)
	line("Cut by a snaplen", "the device that mirrors, or capture.snaplen", s.Cut, s.Flows)
	line("Evicted early", "the flow table was full: raise flow.max_flows", s.Evicted, s.Flows)
	line("Packets dropped", "the sensor was too slow or its ring too small", s.Dropped, s.Received+s.Dropped)
	for _, reason := range slices.Sorted(maps.Keys(s.Undecodable)) {
		line("Packets not decoded: "+clean(reason), "", s.Undecodable[reason], s.Received)
	}
	return panel{ID: "losses", Title: "Losses", Half: true, Table: t, Lead: "What the sensors should have seen whole and did not."}
}

// gapPanel lists when nothing was watched, the longest first.
func (v *view) gapPanel(s *seen) panel {
	gaps := slices.Clone(s.gaps)
	slices.SortStableFunc(gaps, func(a, b gap) int { return cmp.Compare(b.to.Sub(b.from), a.to.Sub(a.from)) })
	t := &table{ID: "gaps", Caption: "Gaps", Empty: "There was no gap of an hour or longer.", Columns: []column{{Title: "From", CSV: []string{"from"}},
		{Title: "To", CSV: []string{"to"}}, {Title: "Length", Class: "num", CSV: []string{"minutes"}}}}
	if v.csv != t.ID && len(gaps) > mostGaps {
		gaps, t.More = gaps[:mostGaps], "The longest "+decimal(mostGaps)+" are shown; the CSV file has all."
	}
	for _, g := range gaps {
		length := g.to.Sub(g.from)
		t.Rows = append(t.Rows, []cell{v.when(g.from), v.when(g.to), {Text: lasting(length), CSV: []string{decimal(uint64(length / time.Minute))}}})
	}
	return panel{ID: "gap-list", Title: "Gaps", Table: t, Lead: strings.TrimSpace("Times in which no sensor wrote what it saw.")}
}
