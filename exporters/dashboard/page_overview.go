package dashboard

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// basis is what most pages ask first: the totals, those of the period before, the columns of the chart, and the coverage.
type basis struct {
	total, before query.Row
	steps         []query.Row
	coverage      []query.CoverageRow
	seen          seen
}

// askBasis asks for the basis; withChart says whether the chart is drawn.
func (v *view) askBasis(q *questions, b *basis, withChart bool) {
	q.total(&b.total, timed(v.sums()))
	if v.compare {
		q.total(&b.before, v.sumsBefore())
	}
	if withChart {
		q.sums(&b.steps, v.sums(v.timelineBy()...))
	}
	v.askCoverage(q, &b.coverage)
}

func (v *view) askCoverage(q *questions, into *[]query.CoverageRow) {
	from, to := v.period.from.UTC(), v.period.to.UTC()
	q.coverage(into, from, to, coverageStep(from, to))
}

func (v *view) summarize(rows []query.CoverageRow) seen {
	return summarize(rows, v.period.from, v.period.to, v.now, coverageStep(v.period.from, v.period.to))
}

// settle makes what is drawn of the basis into a page; it is nil where there is nothing to draw.
func (v *view) settle(b *basis, p *page) (empty bool) {
	b.seen = v.summarize(b.coverage)
	p.Coverage = v.coverageLine(&b.seen)
	p.Notes = append(v.notes(), p.Notes...)
	p.Empty = v.empty(&b.total, &b.seen)
	return p.Empty != nil
}

// overview is adoption at a glance.
func overview(ctx context.Context, v *view) (*page, error) {
	var b basis
	var services, departments []query.Row
	q := ask(ctx, v.s.parts.Query)
	v.askBasis(q, &b, true)
	q.sums(&services, v.ranked(query.ByService))
	showDepartments := v.analyst() || !v.filtered()
	if showDepartments {
		q.sums(&departments, v.sums(query.ByDepartment))
	}
	if err := q.answers(); err != nil {
		return nil, err
	}
	p := &page{Nav: "/", Title: "Use of AI services", Filters: true}
	if v.settle(&b, p) {
		return p, nil
	}
	ids := map[string]bool{}
	for i := range services {
		ids[services[i].Key[0]] = true
	}
	p.Tiles = v.usageTiles(&b.total, &b.before, len(ids))
	if len(services) > 0 {
		p.Tiles[0].Note = "most " + lower(measureName(v.measure)) + ": " + v.serviceName(services[0].Key[0], services[0].Labels[0])
	}
	p.Chart = v.timeline(b.steps, &b.seen)
	if v.measure != query.Users {
		p.Panels = append(p.Panels, v.statusPanel(b.steps))
	}
	p.Panels = append(p.Panels, v.topServices(services))
	if showDepartments {
		p.Panels = append(p.Panels, v.topDepartments(departments))
	} else {
		p.Notes = append(p.Notes, "Departments are shown without filters only: the differences between two pages could otherwise be those of one person.")
	}
	return p, nil
}

// ranked is a request for rows, the largest of the chosen measure first.
func (v *view) ranked(by ...query.Dimension) query.Request {
	r := v.sums(by...)
	r.OrderBy = v.measure
	return r
}

// statusPanel says how much of the use is approved.
func (v *view) statusPanel(steps []query.Row) panel {
	var sums [len(statuses)]query.Row
	whole := uint64(0)
	for i := range steps {
		add(&sums[statusIndex(steps[i].Key[1])], &steps[i])
	}
	for i := range sums {
		whole += figure(&sums[i], v.measure)
	}
	name := measureName(v.measure)
	t := &table{ID: "status", Caption: name + " by status", Columns: []column{{Title: "Status"}, {Title: "Share", Class: "bar"},
		{Title: "Share", Class: "num", CSV: []string{"share"}}, {Title: "Visits", Class: "num opt", CSV: []string{"visits"}},
		{Title: "Upload", Class: "num", CSV: []string{"upload_bytes", "upload_low", "upload_high", "flows_upload_unknown"}}}}
	for i, s := range statuses {
		r := &sums[i]
		if r.Flows == 0 && r.Visits == 0 {
			continue
		}
		n := figure(r, v.measure)
		key := cmp.Or(s.Key, "none")
		head := statusCell([]status{s})
		head.Href = v.link(v.path, "status", key)
		t.Rows = append(t.Rows, []cell{head, {Bar: barOf([]uint64{n}, []string{s.Class}, whole), CSV: []string{}},
			{Text: percent(n, whole), CSV: []string{strconv.FormatFloat(share(n, whole), 'f', 4, 64)}}, visitsCell(r), uploadCell(r)})
	}
	t.Columns[1].CSV = []string{}
	return panel{ID: "by-status", Title: "By status", Lead: "What the organisation says of each use, as of then; shares of " + lower(name) + ".", Table: t}
}

func share(n, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(n) / float64(whole)
}

// topServices are the services with most of the chosen measure.
func (v *view) topServices(rows []query.Row) panel {
	t := &table{ID: "services", Caption: "Services", Columns: append([]column{{Title: "Service", CSV: []string{"id", "service"}},
		{Title: measureName(v.measure), Class: "bar", CSV: []string{}}}, figureColumns()...)}
	t.Rows = v.rankedRows(rows, v.csv == t.ID, func(r *query.Row) cell {
		c := link(v.serviceName(r.Key[0], r.Labels[0]), v.serviceLink(r.Key[0]))
		c.CSV = []string{clean(r.Key[0]), c.Text}
		return c
	})
	p := panel{ID: "top-services", Title: "Services", Half: true, Lead: "Most " + lower(measureName(v.measure)) + " first.", Table: t}
	if len(rows) > topRows {
		p.More = crumb{"All " + strconv.Itoa(len(rows)) + " services", v.link("/services")}
	}
	return p
}

// topDepartments are the departments with most of the chosen measure, the small ones as one for a viewer.
func (v *view) topDepartments(rows []query.Row) panel {
	shown, rest := v.departmentRows(rows, nil)
	slices.SortStableFunc(shown, func(a, b query.Row) int { return cmp.Compare(figure(&b, v.measure), figure(&a, v.measure)) })
	t := &table{ID: "departments", Caption: "Departments", Columns: append([]column{{Title: "Department", CSV: []string{"department"}},
		{Title: measureName(v.measure), Class: "bar", CSV: []string{}}}, figureColumns()...)}
	all := shown
	if rest != nil {
		all = append(slices.Clone(shown), *rest)
	}
	t.Rows = v.rankedRows(all, v.csv == t.ID, v.departmentCell)
	p := panel{ID: "top-departments", Title: "Departments", Half: true, Lead: v.departmentLead(rest), Table: t}
	if len(all) > topRows {
		p.More = crumb{"All departments", v.link("/departments")}
	}
	return p
}

// rankedRows are rows with a bar; whole says whether all are wanted.
func (v *view) rankedRows(rows []query.Row, whole bool, head func(*query.Row) cell) [][]cell {
	most := uint64(0)
	for i := range rows {
		most = max(most, figure(&rows[i], v.measure))
	}
	if !whole {
		rows = rows[:min(len(rows), topRows)]
	}
	var out [][]cell
	for i := range rows {
		r := &rows[i]
		line := []cell{head(r), {Bar: barOf([]uint64{figure(r, v.measure)}, []string{"s-plain"}, most), CSV: []string{}}}
		out = append(out, append(line, figureCells(r)...))
	}
	return out
}

func lower(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]|0x20) + s[1:]
}

// keptFor says how long something is kept.
func keptFor(d time.Duration) string {
	if d == 0 {
		return "without end"
	}
	days := int(d / (24 * time.Hour))
	if days >= 2 {
		return strconv.Itoa(days) + " days"
	}
	return lasting(d)
}
