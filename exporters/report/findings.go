package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	findingsPage  = 1000 // records asked for at once
	findingsRead  = 5000 // findings that are counted
	findingsShown = 200  // findings that are listed
)

// findings reads the findings of the period.
func (b *builder) findings(ctx context.Context) error {
	f := &Finding{}
	b.rep.Findings = f
	actions := map[string]int{}
	ask := query.RecordRequest{Dataset: event.DatasetFinding, From: b.rep.Period.From, To: b.rep.Period.To, Where: b.where, Limit: findingsPage}
	for f.Total < findingsRead {
		page, err := b.q.Records(ctx, ask)
		if err != nil {
			return fmt.Errorf("reading findings: %w", err)
		}
		for i := range page.Records {
			f.Rows = append(f.Rows, b.findingRow(&page.Records[i]))
			actions[f.Rows[len(f.Rows)-1].Action]++
		}
		f.Total = len(f.Rows)
		ask.After = page.Next
		if page.Next == "" || len(page.Records) == 0 {
			break
		}
	}
	f.More = ask.After != ""
	f.Actions = tallies(actions)
	slices.SortStableFunc(f.Rows, func(x, y FindingRow) int {
		return cmp.Or(cmp.Compare(y.Severity, x.Severity), y.Time.Compare(x.Time), cmp.Compare(x.ID, y.ID))
	})
	f.Rows = f.Rows[:min(len(f.Rows), findingsShown)]
	return nil
}

// findingRow takes a record over.
func (b *builder) findingRow(ev *event.Event) FindingRow {
	f := FindingRow{ID: clean(ev.Event.ID), Time: b.local(ev.Timestamp.Time()), Action: clean(ev.Event.Action), Severity: ev.Event.Severity,
		Message: clean(ev.Message)}
	if ev.Rule != nil {
		f.Service = clean(cmp.Or(ev.Rule.Name, ev.Rule.ID))
	}
	if u := ev.User; u != nil {
		f.User, f.UserKey = clean(cmp.Or(u.Name, u.ID)), u.ID
		if u.Group != nil {
			f.Department = clean(u.Group.Name)
		}
	} else if ev.Source != nil {
		f.User = clean(ev.Source.IP)
	}
	g := ev.Gnomon
	if g == nil {
		return f
	}
	if g.Policy != nil {
		f.Owner, f.Status = clean(g.Policy.Owner), clean(g.Policy.Status)
	}
	if d := g.Finding; d != nil {
		f.Period, f.Limit, f.Value = clean(d.Period), d.Limit, d.Value
		for _, id := range d.Evidence[:min(len(d.Evidence), evidenceShown)] {
			f.Evidence = append(f.Evidence, clean(id))
		}
		f.EvidenceTotal = len(d.Evidence)
	}
	return f
}
