package dashboard

import (
	"context"
	"slices"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// least is how many users a department must have for a viewer.
func (v *view) least() uint64 { return uint64(max(v.s.config.SmallestGroup, 0)) }

// departmentRows are the rows that may be shown, and for a viewer the others as one.
func (v *view) departmentRows(rows []query.Row, hidden func(string) bool) (shown []query.Row, rest *query.Row) {
	if v.analyst() {
		return rows, nil
	}
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].Background = query.Background{} // they may be few
	}
	shown, folded := fold(rows, v.least(), hidden)
	if len(folded) == 0 {
		return shown, nil
	}
	sum := together(folded)
	sum.Key, sum.Labels = nil, nil
	return shown, &sum
}

// departmentCell names a department and leads to its page; the row of all folded ones has no key.
func (v *view) departmentCell(r *query.Row) cell {
	if r.Key == nil {
		return cell{Text: "Other departments", CSV: []string{"other"}}
	}
	c := link(departmentName(r.Key[0]), v.departmentLink(r.Key[0]))
	c.CSV = []string{clean(r.Key[0])}
	return c
}

func (v *view) departmentLead(rest *query.Row) string {
	switch {
	case rest != nil:
		return "Departments with fewer than " + decimal(v.least()) + " users are shown together, with at least one more."
	case v.analyst():
		return "As the user directory said at the time."
	}
	return "Departments with at least " + decimal(v.least()) + " users."
}

func (v *view) departmentTable(shown []query.Row, rest *query.Row) *table {
	t := &table{ID: "departments", Caption: "Departments", Columns: append([]column{{Title: "Department", CSV: []string{"department"}}}, figureColumns()...)}
	if rest != nil {
		shown = append(slices.Clone(shown), *rest)
	}
	for i := range shown {
		t.Rows = append(t.Rows, append([]cell{v.departmentCell(&shown[i])}, figureCells(&shown[i])...))
	}
	return t
}

// departmentsPage lists the departments.
func departmentsPage(ctx context.Context, v *view) (*page, error) {
	v.where = query.Filter{}
	var b basis
	var departments, before []query.Row
	q := ask(ctx, v.s.parts.Query)
	q.total(&b.total, v.sums())
	q.sums(&departments, v.ranked(query.ByDepartment))
	if v.compare && v.analyst() {
		q.sums(&before, v.sumsBefore(query.ByDepartment))
	}
	v.askCoverage(q, &b.coverage)
	if err := q.answers(); err != nil {
		return nil, err
	}
	p := &page{Nav: "/departments", Title: "Departments"}
	if v.settle(&b, p) {
		return p, nil
	}
	shown, rest := v.departmentRows(departments, nil)
	t := v.departmentTable(shown, rest)
	if v.compare && v.analyst() {
		t.Columns = append(t.Columns, column{Title: "Users before", Class: "num opt", CSV: []string{"users_before"}})
		for i := range shown {
			was, _ := byKey(before, shown[i].Key[0])
			t.Rows[i] = append(t.Rows[i], number(was.Users))
		}
	}
	p.Panels = []panel{{ID: "all-departments", Title: "Departments", Table: t, Lead: v.departmentLead(rest)}}
	return p, nil
}

// departmentPage is one department. For a viewer it has no filters and no statuses over time: their differences could be one person's.
func departmentPage(ctx context.Context, v *view) (*page, error) {
	v.where = query.Filter{Departments: []string{v.key}}
	var b basis
	var services, others []query.Row
	q := ask(ctx, v.s.parts.Query)
	v.askBasis(q, &b, v.analyst())
	q.sums(&services, v.ranked(query.ByService))
	v.askOthers(q, &others)
	if !v.analyst() {
		q.sums(&b.steps, v.sums(v.period.step))
	}
	if err := q.answers(); err != nil {
		return nil, err
	}
	if !v.analyst() && smallIn(others, v.least())(v.key) {
		return nil, errTooFew
	}
	p := &page{Nav: "/departments", Title: departmentName(v.key), Trail: &trail{Up: crumb{"Departments", v.link("/departments")}}}
	if v.settle(&b, p) {
		return p, nil
	}
	if v.analyst() {
		p.Tiles = v.usageTiles(&b.total, &b.before, 0)
		p.Chart = v.timeline(b.steps, &b.seen)
		p.Panels = []panel{v.departmentServices(services, nil), v.topUsers(others, crumb{"All users", v.link("/users", "department", toSegment(v.key))})}
		return p, nil
	}
	if b.before.Users < v.least() {
		v.compare = false
	}
	p.Tiles = v.usageTiles(&b.total, &b.before, 0)
	p.Chart = v.plainTimeline(b.steps, &b.seen)
	shown, folded := fold(services, v.least(), nil)
	var rest *query.Row
	if len(folded) > 0 {
		sum := together(folded)
		rest = &sum
	}
	p.Panels = []panel{v.departmentServices(shown, rest)}
	return p, nil
}

// departmentServices are the services of a department; rest is the sum of those that fewer people used.
func (v *view) departmentServices(rows []query.Row, rest *query.Row) panel {
	t := &table{ID: "services", Caption: "Services", Columns: append([]column{{Title: "Service", CSV: []string{"id", "service"}}}, figureColumns()...)}
	for i := range rows {
		r := &rows[i]
		c := link(v.serviceName(r.Key[0], r.Labels[0]), v.serviceLink(r.Key[0]))
		c.CSV = []string{clean(r.Key[0]), c.Text}
		t.Rows = append(t.Rows, append([]cell{c}, figureCells(r)...))
	}
	p := panel{ID: "services-of-department", Title: "Services", Half: v.analyst(), Table: t, Lead: "Most " + lower(measureName(v.measure)) + " first."}
	if rest != nil {
		t.Rows = append(t.Rows, []cell{{Text: "Other services", CSV: []string{"", "other"}}, {Text: "few", CSV: []string{"", ""}}, visitsCell(rest), uploadCell(rest)})
		p.Lead += " Services with fewer than " + decimal(v.least()) + " users here are shown together, with at least one more."
	}
	return p
}

// plainTimeline draws steps without statuses and leaves out those with few people, and one more where a single one could be found by
// taking the others from the total.
func (v *view) plainTimeline(steps []query.Row, s *seen) *chart {
	shown, folded := fold(steps, v.least(), nil)
	c := &chart{ID: "time", Gaps: chartGaps(s.gaps, v.period), write: func(n uint64) string { return measureText(v.measure, n) }}
	c.Title = measureName(v.measure) + " per " + v.period.stepName()
	c.Series = []series{{measureName(v.measure), "s-plain"}}
	c.steps(v.period, shown, v.measure, func(*query.Row) int { return 0 })
	c.mark(v.period, s, v.now)
	few := map[string]bool{}
	for i := range folded {
		few[folded[i].Key[0]] = true
	}
	for i, start := range v.period.starts() {
		if few[v.period.key(start)] {
			c.Steps[i].note = join(c.Steps[i].note, "too few people to show")
		}
	}
	c.Desc = c.describe(v)
	c.Table = c.asTable(v)
	for _, m := range []query.Measure{query.Visits, query.Users, query.Upload} {
		c.Choices = append(c.Choices, choice{measureName(m), v.link(v.path, "measure", string(m)) + "#time", m == v.measure})
	}
	return c
}
