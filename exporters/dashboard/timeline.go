package dashboard

import (
	"fmt"
	"slices"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// timelineBy is what a chart over time is grouped by: statuses are stacked, but users are not, because one person may use services of
// several statuses.
func (v *view) timelineBy() []query.Dimension {
	if v.measure == query.Users {
		return []query.Dimension{v.period.step}
	}
	return []query.Dimension{v.period.step, query.ByStatus}
}

// timeline draws rows that were asked for with timelineBy.
func (v *view) timeline(rows []query.Row, s *seen) *chart {
	c := &chart{ID: "time", Gaps: chartGaps(s.gaps, v.period), write: func(n uint64) string { return measureText(v.measure, n) }}
	c.Title = measureName(v.measure) + " per " + v.period.stepName()
	index := func(*query.Row) int { return 0 }
	if len(v.timelineBy()) > 1 {
		c.Title += ", by status"
		used := usedStatuses(rows, 1)
		for _, st := range used {
			c.Series = append(c.Series, series{st.Label, st.Class})
		}
		index = func(r *query.Row) int {
			return slices.IndexFunc(used, func(st status) bool { return st.Key == statuses[statusIndex(r.Key[1])].Key })
		}
	} else {
		c.Series = []series{{measureName(v.measure), "s-plain"}}
	}
	c.steps(v.period, rows, v.measure, index)
	c.mark(v.period, s, v.now)
	c.Desc = c.describe(v)
	c.Table = c.asTable(v)
	for _, m := range []query.Measure{query.Visits, query.Users, query.Upload} {
		c.Choices = append(c.Choices, choice{measureName(m), v.link(v.path, "measure", string(m)) + "#time", m == v.measure})
	}
	return c
}

// usedStatuses are those that occur in the rows, in their order.
func usedStatuses(rows []query.Row, at int) []status {
	var used [len(statuses)]bool
	for i := range rows {
		used[statusIndex(rows[i].Key[at])] = true
	}
	var out []status
	for i, s := range statuses {
		if used[i] {
			out = append(out, s)
		}
	}
	return out
}

// steps fills the columns.
func (c *chart) steps(p period, rows []query.Row, m query.Measure, index func(*query.Row) int) {
	at := map[string]int{}
	for _, t := range p.starts() {
		at[p.key(t)] = len(c.Steps)
		c.Steps = append(c.Steps, chartStep{short: p.shortLabel(t), long: p.longLabel(t), values: make([]uint64, len(c.Series))})
	}
	for i := range rows {
		if k, ok := at[rows[i].Key[0]]; ok {
			c.Steps[k].values[index(&rows[i])] += figure(&rows[i], m)
		}
	}
}

// mark notes beside each column how much of it was not watched.
func (c *chart) mark(p period, s *seen, now time.Time) {
	for i, start := range p.starts() {
		end := p.next(start)
		blind := time.Duration(0)
		for _, g := range s.gaps {
			if d := minTime(g.to, end).Sub(maxTime(g.from, start)); d > 0 {
				blind += d
			}
		}
		if blind > 0 {
			c.Steps[i].note = "not watched for " + lasting(blind)
		}
		if end.After(now) && start.Before(now) {
			c.Steps[i].note = join(c.Steps[i].note, "not over yet")
		}
	}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}

// describe says in a sentence what the picture shows.
func (c *chart) describe(v *view) string {
	top := -1
	for i := range c.Steps {
		if n := c.Steps[i].total(); n > 0 && (top < 0 || n > c.Steps[top].total()) {
			top = i
		}
	}
	if top < 0 {
		return "Columns for " + v.period.String() + "; all are empty."
	}
	text := fmt.Sprintf("Columns for %s. The highest is %s with %s.", v.period, c.Steps[top].long, c.write(c.Steps[top].total()))
	if len(c.Gaps) > 0 {
		text += " Hatched times were not watched."
	}
	return text + " The table below has the same figures."
}

// asTable writes the columns as rows.
func (c *chart) asTable(v *view) *table {
	t := &table{ID: "time", Caption: c.Title, Columns: []column{{Title: stepHead(v.period.step)}}}
	suffix := ""
	if v.measure == query.Upload {
		suffix = "_bytes"
	}
	for _, s := range c.Series {
		t.Columns = append(t.Columns, column{Title: s.Label, Class: "num", CSV: []string{csvName(s.Label) + suffix}})
	}
	if len(c.Series) > 1 {
		t.Columns = append(t.Columns, column{Title: "All", Class: "num", CSV: []string{"all" + suffix}})
	}
	t.Columns = append(t.Columns, column{Title: "Coverage", CSV: []string{"coverage"}})
	for i := range c.Steps {
		s := &c.Steps[i]
		row := []cell{text(s.long)}
		values := s.values
		if len(c.Series) > 1 {
			values = append(slices.Clone(values), s.total())
		}
		for _, n := range values {
			row = append(row, cell{Text: c.write(n), CSV: []string{decimal(n)}})
		}
		t.Rows = append(t.Rows, append(row, text(s.note)))
	}
	return t
}

func stepHead(step query.Dimension) string {
	switch step {
	case query.ByHour:
		return "Hour"
	case query.ByWeek:
		return "Week"
	case query.ByMonth:
		return "Month"
	}
	return "Day"
}

// csvName is a label as the head of a column for programs.
func csvName(label string) string {
	out := []byte(label)
	for i, b := range out {
		switch {
		case b >= 'A' && b <= 'Z':
			out[i] = b + 'a' - 'A'
		case b < 'a' || b > 'z':
			out[i] = '_'
		}
	}
	return string(out)
}
