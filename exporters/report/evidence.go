package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	// evidenceRead is how many records of a row are read, and evidenceShown how many of them are named.
	evidenceRead, evidenceShown = 50, 5
	// evidenceWorkers ask at once.
	evidenceWorkers = 4
)

// wantedEvidence is a row and how its records are found.
type wantedEvidence struct {
	row   *UseRow
	where query.Filter
}

// evidenceOf narrows the report's filter down to the row.
func (b *builder) evidenceOf(row *UseRow, t *Table) wantedEvidence {
	f := b.with(row.Status)
	if row.ServiceID != "" {
		f.Services = []string{row.ServiceID}
	}
	if row.UserKey != "" {
		f.Users = []string{row.UserKey}
	}
	if t == b.rep.ByDepartment {
		f.Departments = []string{row.key}
	}
	return wantedEvidence{row: row, where: f}
}

// evidence reads the newest records of every row, a few rows at a time.
func (b *builder) evidence(ctx context.Context, wanted []wantedEvidence) error {
	var wg sync.WaitGroup
	errs := make([]error, evidenceWorkers)
	for w := range evidenceWorkers {
		wg.Go(func() {
			for i := w; i < len(wanted) && errs[w] == nil; i += evidenceWorkers {
				wanted[i].row.Evidence, errs[w] = b.sample(ctx, wanted[i].where)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("reading evidence: %w", err)
		}
	}
	return nil
}

// sample reads the newest counted records.
func (b *builder) sample(ctx context.Context, where query.Filter) (*Evidence, error) {
	page, err := b.q.Records(ctx, query.RecordRequest{Dataset: event.DatasetActivity, From: b.rep.Period.From, To: b.rep.Period.To,
		Where: where, Limit: evidenceRead})
	if err != nil {
		return nil, err
	}
	e := &Evidence{More: page.Next != ""}
	classes, confidence := map[string]int{}, map[string]int{}
	for i := range page.Records {
		g := page.Records[i].Gnomon
		if g == nil || g.Counted != nil && !*g.Counted {
			continue
		}
		e.Sampled++
		if len(e.IDs) < evidenceShown {
			e.IDs = append(e.IDs, clean(page.Records[i].Event.ID))
		}
		if g.Evidence != nil {
			classes[clean(g.Evidence.Class)]++
			confidence[clean(g.Evidence.Confidence)]++
		}
	}
	e.Gone = e.Sampled == 0 && !e.More
	e.Classes, e.Confidence = tallies(classes), tallies(confidence)
	return e, nil
}

// tallies sorts counts, largest first.
func tallies(m map[string]int) []Tally {
	out := make([]Tally, 0, len(m))
	for name, n := range m {
		if name != "" {
			out = append(out, Tally{Name: name, Count: n})
		}
	}
	slices.SortFunc(out, func(x, y Tally) int { return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Name, y.Name)) })
	return out
}

// words writes tallies as "sni 12, quic-sni 3".
func words(ts []Tally) string {
	parts := make([]string, len(ts))
	for i, t := range ts {
		parts[i] = t.Name + space + number(uint64(t.Count))
	}
	return strings.Join(parts, ", ")
}
