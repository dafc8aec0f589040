package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// services asks for the use of each service under each status.
func (b *builder) services(context.Context) error {
	rows, err := b.byService()
	if err != nil {
		return err
	}
	b.used = rows
	distinct := map[string]bool{}
	for _, r := range rows {
		if b.req.Audience == DLP && !slices.Contains(allowedStatuses(), r.Key[1]) {
			continue
		}
		distinct[r.Key[0]] = true
		b.rep.Services = append(b.rep.Services, b.serviceRow(r))
	}
	b.rep.ServicesTotal = len(distinct)
	slices.SortStableFunc(b.rep.Services, func(x, y ServiceRow) int {
		return cmp.Or(cmp.Compare(y.Use.Users, x.Use.Users), cmp.Compare(y.Use.Visits, x.Use.Visits), cmp.Compare(x.ID, y.ID), cmp.Compare(x.Status, y.Status))
	})
	b.rep.Services = b.rep.Services[:min(len(b.rep.Services), b.req.TopN)]
	return nil
}

// serviceRow takes over a row by service and status.
func (b *builder) serviceRow(r query.Row) ServiceRow {
	s := ServiceRow{ID: clean(r.Key[0]), Name: clean(label(r, 0)), Status: clean(r.Key[1]), Use: figures(r)}
	s.Vendor, s.Category = b.facts(r.Key[0])
	return s
}

// facts asks the catalogue.
func (b *builder) facts(id string) (vendor, category string) {
	if b.req.Catalogue == nil {
		return "", ""
	}
	s, _ := b.req.Catalogue.Service(id)
	return clean(s.Vendor), clean(s.Category)
}

// label is what people call the row's i-th key.
func label(r query.Row, i int) string {
	if i < len(r.Labels) && r.Labels[i] != "" {
		return r.Labels[i]
	}
	return r.Key[i]
}

// newServices sets the services of the period against those of all time before it.
func (b *builder) newServices(ctx context.Context) error {
	n := &b.rep.New
	switch {
	case !b.spans:
		n.Why = "it is not known since when records are kept"
		return nil
	case b.kept.SumsFrom.IsZero() || !b.kept.SumsFrom.Before(b.rep.Period.From):
		n.Why = "no records are kept from before the period"
		return nil
	}
	n.Since = b.local(b.kept.SumsFrom)
	old, err := b.q.Sums(ctx, query.Request{From: b.kept.SumsFrom.Truncate(time.Hour), To: b.rep.Period.From, Where: b.where,
		By: []query.Dimension{query.ByService}, Location: b.req.Location, Keys: true})
	if err != nil {
		return fmt.Errorf("asking which services were used before: %w", err)
	}
	known := byKey(old)
	for _, r := range b.firstUses() {
		if _, ok := known[r.Key[0]]; !ok {
			n.Rows = append(n.Rows, NewService{ServiceRow: b.serviceRow(r), Day: day(b.local(r.First))})
		}
	}
	n.Total = len(n.Rows)
	n.Rows = n.Rows[:min(n.Total, b.req.TopN)]
	return nil
}

// firstUses keeps, of each service, the row of the status under which it was first used; most users first.
func (b *builder) firstUses() []query.Row {
	first := map[string]query.Row{}
	for _, r := range b.used {
		if was, ok := first[r.Key[0]]; !ok || r.First.Before(was.First) || r.First.Equal(was.First) && r.Key[1] < was.Key[1] {
			first[r.Key[0]] = r
		}
	}
	rows := make([]query.Row, 0, len(first))
	for _, r := range first {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(x, y query.Row) int {
		return cmp.Or(cmp.Compare(y.Users, x.Users), cmp.Compare(x.Key[0], y.Key[0]))
	})
	return rows
}
