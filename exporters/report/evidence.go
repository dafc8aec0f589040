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
	// evidenceRead is how many records of a row are read, and evidenceShown how many of them a row names.
	evidenceRead, evidenceShown = 6, 5
	// evidenceRows are the rows that one question is for at most: their records fit one page, with room for groups that have no row.
	evidenceRows = evidencePage * 3 / 4 / evidenceRead
	evidencePage = 1000
	// evidenceWorkers ask at once.
	evidenceWorkers = 4
)

// wantedEvidence is a question for records, and the rows that they belong to: one, or several of which of tells one from another.
type wantedEvidence struct {
	rows  []*UseRow
	where query.Filter
	of    query.Dimension
}

// wanted asks for the evidence of every row of a table by service, department or user, of many rows at once.
func (b *builder) wanted(t *Table, by query.Dimension) (out []wantedEvidence) {
	for rows := range slices.Chunk(t.Rows, evidenceRows) {
		if by != query.ByUser {
			out = append(out, b.together(rows, by))
			continue
		}
		w := b.together(rows, query.ByService)
		for i := range rows {
			w.where.Users = append(w.where.Users, rows[i].UserKey)
		}
		w.where.Users, w.where.Services = slices.Compact(w.where.Users), distinct(w.where.Services)
		out = append(out, w)
	}
	return out
}

// distinct sorts words and leaves each once.
func distinct(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}

// together narrows the report's filter down to the rows.
func (b *builder) together(rows []UseRow, of query.Dimension) wantedEvidence {
	w := wantedEvidence{where: b.with(unapprovedStatuses()...), of: of}
	for i := range rows {
		w.rows = append(w.rows, &rows[i])
		if of == query.ByDepartment {
			w.where.Departments = append(w.where.Departments, rows[i].key)
		} else {
			w.where.Services = append(w.where.Services, rows[i].ServiceID)
		}
	}
	return w
}

// alone narrows a question down to one of its rows.
func (w wantedEvidence) alone(row *UseRow) wantedEvidence {
	w.rows, w.where.Statuses = []*UseRow{row}, []string{row.Status}
	if w.of == query.ByDepartment {
		w.where.Departments = []string{row.key}
	} else {
		w.where.Services = []string{row.ServiceID}
	}
	return w
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

// sample reads the newest records and gives them to their rows. A row with fewer among them than it may have is asked for by itself.
func (b *builder) sample(ctx context.Context, w wantedEvidence) error {
	r := query.RecordRequest{Dataset: event.DatasetActivity, From: b.rep.Period.From, To: b.rep.Period.To, Where: w.where,
		Limit: evidenceRead, Brief: true}
	several := len(w.rows) > 1
	if several {
		r.Limit, r.Each, r.EachOf = evidencePage, evidenceRead, w.of
	}
	page, err := b.q.Records(ctx, r)
	if err != nil {
		return err
	}
	for _, row := range w.rows {
		row.Evidence = gathered(page, row, w.of)
		if several && len(w.where.Users) == 0 && row.Evidence.Sampled < evidenceRead && !row.Evidence.More {
			if err := b.sample(ctx, w.alone(row)); err != nil {
				return err
			}
		}
	}
	return nil
}

// gathered is what the page says of a row.
func gathered(page query.Page, row *UseRow, of query.Dimension) *Evidence {
	e := &Evidence{More: page.Next != ""}
	classes, confidence := map[string]int{}, map[string]int{}
	own := 0
	for i := range page.Records {
		ev := &page.Records[i]
		if ev.Gnomon == nil || !belongs(ev, row, of) {
			continue
		}
		if own++; own == evidenceRead {
			e.More = true
		}
		if ev.Gnomon.Counted != nil && !*ev.Gnomon.Counted {
			continue
		}
		e.Sampled++
		if len(e.IDs) < evidenceShown {
			e.IDs = append(e.IDs, clean(ev.Event.ID))
		}
		if found := ev.Gnomon.Evidence; found != nil {
			classes[clean(found.Class)]++
			confidence[clean(found.Confidence)]++
		}
	}
	e.Gone = e.Sampled == 0 && !e.More
	e.Classes, e.Confidence = tallies(classes), tallies(confidence)
	return e
}

// belongs says whether a record is one of the row's.
func belongs(ev *event.Event, row *UseRow, of query.Dimension) bool {
	g := ev.Gnomon
	if g.Policy == nil || g.Policy.Status != row.Status {
		return false
	}
	if of == query.ByDepartment {
		return departmentOf(ev) == row.key
	}
	if row.UserKey != "" && row.UserKey != query.UserKey(ev) {
		return false
	}
	return g.Service != nil && g.Service.ID == row.ServiceID
}

// departmentOf is the department that a record counts for, "" if there is none.
func departmentOf(ev *event.Event) string {
	if ev.User == nil || ev.User.Group == nil {
		return ""
	}
	return ev.User.Group.Name
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
