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
	// evidenceRead is how many records of a row are read, userRead how many of a user with several rows, and evidenceShown how many of
	// them a row names.
	evidenceRead, userRead, evidenceShown = 8, 40, 5
	// evidenceWorkers ask at once.
	evidenceWorkers = 4
)

// wantedEvidence is a question for records, and the rows that they may belong to: one, or those of one user.
type wantedEvidence struct {
	rows  []*UseRow
	where query.Filter
	limit int
}

// wanted asks for the evidence of every row; a user's rows are answered together.
func (b *builder) wanted() (out []wantedEvidence) {
	for i := range b.rep.ByService.Rows {
		out = append(out, b.rowEvidence(&b.rep.ByService.Rows[i]))
	}
	for i := range b.rep.ByDepartment.Rows {
		row := &b.rep.ByDepartment.Rows[i]
		w := b.rowEvidence(row)
		w.where.Departments = []string{row.key}
		out = append(out, w)
	}
	for i := range b.rep.ByUser.Rows {
		row := &b.rep.ByUser.Rows[i]
		if n := len(out) - 1; i > 0 && b.rep.ByUser.Rows[i-1].UserKey == row.UserKey {
			out[n].rows = append(out[n].rows, row)
			out[n].where.Services, out[n].where.Statuses, out[n].limit = nil, unapprovedStatuses(), userRead
			continue
		}
		out = append(out, b.rowEvidence(row))
	}
	return out
}

// rowEvidence narrows the report's filter down to the row.
func (b *builder) rowEvidence(row *UseRow) wantedEvidence {
	f := b.with(row.Status)
	if row.ServiceID != "" {
		f.Services = []string{row.ServiceID}
	}
	if row.UserKey != "" {
		f.Users = []string{row.UserKey}
	}
	return wantedEvidence{rows: []*UseRow{row}, where: f, limit: evidenceRead}
}

// evidence reads the newest records of every row, a few rows at a time.
func (b *builder) evidence(ctx context.Context, wanted []wantedEvidence) error {
	var wg sync.WaitGroup
	errs := make([]error, evidenceWorkers)
	for w := range evidenceWorkers {
		wg.Go(func() {
			for i := w; i < len(wanted) && errs[w] == nil; i += evidenceWorkers {
				errs[w] = b.sample(ctx, wanted[i])
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

// sample reads the newest counted records and gives them to their rows. A row that got none of a user's newest records is asked for by itself.
func (b *builder) sample(ctx context.Context, w wantedEvidence) error {
	page, err := b.q.Records(ctx, query.RecordRequest{Dataset: event.DatasetActivity, From: b.rep.Period.From, To: b.rep.Period.To,
		Where: w.where, Limit: w.limit})
	if err != nil {
		return err
	}
	for _, row := range w.rows {
		row.Evidence = gathered(page, row, len(w.rows) > 1)
		if row.Evidence.Sampled == 0 && row.Evidence.More && len(w.rows) > 1 {
			if err := b.sample(ctx, b.rowEvidence(row)); err != nil {
				return err
			}
		}
	}
	return nil
}

// gathered is what the page says of a row; if the page is of several, only their own records count.
func gathered(page query.Page, row *UseRow, several bool) *Evidence {
	e := &Evidence{More: page.Next != ""}
	classes, confidence := map[string]int{}, map[string]int{}
	for i := range page.Records {
		g := page.Records[i].Gnomon
		if g == nil || g.Counted != nil && !*g.Counted || several && !belongs(g, row) {
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
	return e
}

func belongs(g *event.Gnomon, row *UseRow) bool {
	return g.Service != nil && g.Policy != nil && g.Service.ID == row.ServiceID && g.Policy.Status == row.Status
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
