package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// maxDepartments bounds management's table, the row of all others included.
const maxDepartments = 12

// departments asks for use by department, for management. What keeps single people out of it:
//
//   - departments with fewer users than the minimum stand together in one row;
//   - if those together are still fewer, the smallest of the others joins them, or the row would follow from the totals;
//   - the same holds for the figures of unapproved use within a row;
//   - periods of less than a week have no departments: two reports that differ by a day would show that day.
func (b *builder) departments(ctx context.Context) error {
	d := &Departments{}
	b.rep.Departments = d
	if b.rep.Period.days() < minDaysForDepartments {
		d.Why = fmt.Sprintf("departments are shown for periods of at least %d days", minDaysForDepartments)
		return nil
	}
	rows, err := b.sums(ctx, b.where, query.ByDepartment)
	if err != nil {
		return err
	}
	bad, err := b.sums(ctx, b.with(unapprovedStatuses()...), query.ByDepartment)
	if err != nil {
		return err
	}
	slices.SortFunc(rows, func(x, y query.Row) int {
		return cmp.Or(cmp.Compare(y.Users, x.Users), cmp.Compare(x.Key[0], y.Key[0]))
	})
	unapproved := byKey(bad)
	own, err := b.large(ctx, rows)
	if err != nil {
		return err
	}
	for _, r := range rows[:own] {
		d.Rows = append(d.Rows, DepartmentRow{Name: department(r.Key[0]), Together: 1, All: figures(r), Unapproved: figures(unapproved[r.Key[0]])})
	}
	if own < len(rows) {
		others, err := b.others(ctx, rows[own:])
		if err != nil {
			return err
		}
		d.Rows = append(d.Rows, others)
	}
	protectUnapproved(d.Rows, b.rep.Below)
	for i := range d.Rows { // those of a small department would follow from the others' and the total
		d.Rows[i].All.withholdQuiet()
		d.Rows[i].Unapproved.withholdQuiet()
	}
	return nil
}

// department names one; "" is that none is known.
func department(name string) string {
	if name == "" {
		return "(department not known)"
	}
	return clean(name)
}

// large returns how many of the rows, which are sorted by users, may stand on their own.
func (b *builder) large(ctx context.Context, rows []query.Row) (int, error) {
	n := 0
	for n < len(rows) && rows[n].Users >= b.rep.Below {
		n++
	}
	if n < len(rows) || n > maxDepartments {
		n = min(n, maxDepartments-1)
	}
	for ; n > 0 && n < len(rows); n-- {
		rest, err := b.total(ctx, b.rep.Period, b.within(rows[n:]))
		if err != nil {
			return 0, err
		}
		if rest.Users >= b.rep.Below {
			break
		}
	}
	return n, nil
}

// within keeps to the departments of the rows.
func (b *builder) within(rows []query.Row, statuses ...string) query.Filter {
	f := b.with(statuses...)
	for _, r := range rows {
		f.Departments = append(f.Departments, r.Key[0])
	}
	return f
}

// others is one row for all of the rows together: its users are counted anew, as one may be in several.
func (b *builder) others(ctx context.Context, rows []query.Row) (DepartmentRow, error) {
	d := DepartmentRow{Name: fmt.Sprintf("%d other departments together", len(rows)), Together: len(rows)}
	if len(rows) == 1 {
		d.Name = "Other"
	}
	var err error
	if d.All, err = b.total(ctx, b.rep.Period, b.within(rows)); err != nil {
		return d, err
	}
	d.Unapproved, err = b.total(ctx, b.rep.Period, b.within(rows, unapprovedStatuses()...))
	return d, err
}

// protectUnapproved withholds unapproved use by fewer users than least, and so much more that those withheld do not follow from the total.
func protectUnapproved(rows []DepartmentRow, least uint64) {
	hidden := uint64(0)
	for i := range rows {
		if n := rows[i].Unapproved.people(); n > 0 && n < least {
			hidden += n
			rows[i].Unapproved.withhold()
		}
	}
	for hidden > 0 && hidden < least {
		i := smallestUnapproved(rows)
		if i < 0 { // nobody else: what is withheld must not be told apart from nothing
			for i := range rows {
				rows[i].Unapproved.withhold()
			}
			return
		}
		hidden += rows[i].Unapproved.people()
		rows[i].Unapproved.withhold()
	}
}

// smallestUnapproved finds the row whose unapproved use is by the fewest users, of those that show any; -1 if none does.
func smallestUnapproved(rows []DepartmentRow) int {
	smallest := -1
	for i := range rows {
		if n := rows[i].Unapproved.people(); n > 0 && (smallest < 0 || n < rows[smallest].Unapproved.people()) {
			smallest = i
		}
	}
	return smallest
}

// protect takes out of management's report what is about fewer users than the minimum.
func (b *builder) protect(ctx context.Context) error {
	r := b.rep
	r.Coverage.mergeSources()
	few, err := b.fewElsewhere(ctx)
	if err != nil {
		return err
	}
	switch {
	case r.All.small(r.Below):
		r.Withheld = fmt.Sprintf("fewer than %d people used AI services: figures would be those of single people", r.Below)
	case few:
		r.Withheld = fmt.Sprintf("fewer than %d people used AI services at all other sites together: their figures would follow from the difference to a report on all sites", r.Below)
	}
	if r.Withheld != "" {
		r.withhold()
		return nil
	}
	r.Unapproved.fewer(r.Below)
	r.All.fewer(r.Below)
	for i := range r.Statuses {
		r.Statuses[i].Use.fewer(r.Below)
	}
	for i := range r.Services {
		r.Services[i].Use.fewer(r.Below)
	}
	for i := range r.New.Rows {
		r.New.Rows[i].Use.fewer(r.Below)
	}
	for i := range r.Trend {
		protectPair(&r.Trend[i].All, &r.Trend[i].Unapproved, r.Below)
	}
	protectPair(&r.Before.All, &r.Before.Unapproved, r.Below)
	return nil
}

// protectPair withholds both if there are few users at all.
func protectPair(all, unapproved *Figures, least uint64) {
	if all.small(least) {
		all.withhold()
		unapproved.withhold()
		return
	}
	all.fewer(least)
	unapproved.fewer(least)
}

// fewElsewhere says whether the other sites have some users, but fewer than the minimum.
func (b *builder) fewElsewhere(ctx context.Context) (bool, error) {
	if b.req.Site == "" {
		return false, nil
	}
	rows, err := b.sumsOf(ctx, b.rep.Period, query.Filter{}, query.BySite)
	if err != nil {
		return false, err
	}
	n := uint64(0)
	for _, r := range rows {
		if r.Key[0] != b.req.Site {
			n += figures(r).people()
		}
	}
	return n > 0 && n < b.rep.Below, nil
}

// withhold takes every figure about use out.
func (r *Report) withhold() {
	r.All.withhold()
	r.Unapproved.withhold()
	r.Before.All.withhold()
	r.Before.Unapproved.withhold()
	r.Before.Why = "figures are withheld"
	r.Statuses, r.Trend, r.Services, r.ServicesTotal = nil, nil, nil, 0
	r.New = NewServices{Why: "figures are withheld"}
	r.Departments = &Departments{Why: "figures are withheld"}
}
