package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// trendWeeks is how far back the trend goes.
const trendWeeks = 12

// A builder fills a report in, one question after the other.
type builder struct {
	q     query.Query
	req   Request
	where query.Filter // what every question is limited to
	rep   *Report
	spans bool       // whether q says what it keeps
	kept  query.Span // what it keeps
	used  []query.Row
	// byService has all use by service and status, asked for once.
	byService func() ([]query.Row, error)
}

// step asks for one part of the report.
type step = func(context.Context) error

// gather asks for everything. What needs nothing of each other is asked for at once: a store has readers and processors for it.
func (b *builder) gather(ctx context.Context) error {
	if err := b.span(ctx); err != nil {
		return err
	}
	uses, last := []step{b.totals, b.unapproved}, []step{}
	b.byService = sync.OnceValues(func() ([]query.Row, error) { return b.sums(ctx, b.where, query.ByService, query.ByStatus) })
	services := []step{b.services, b.newServices, b.findings}
	if b.req.Audience != DLP {
		uses, services, last = []step{b.totals, b.departments}, services[:2], []step{b.protect}
	}
	if err := together(ctx, uses, services, []step{b.coverage, b.trend, b.before}); err != nil {
		return err
	}
	return inTurn(ctx, last)
}

// together takes several rows of steps at once.
func together(ctx context.Context, rows ...[]step) error {
	var wait sync.WaitGroup
	errs := make([]error, len(rows))
	for i, row := range rows {
		wait.Go(func() { errs[i] = inTurn(ctx, row) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// inTurn takes one step after the other, up to the first that fails.
func inTurn(ctx context.Context, steps []step) error {
	for _, s := range steps {
		if err := s(ctx); err != nil {
			return err
		}
	}
	return nil
}

// unapprovedStatuses are those of use that nobody has allowed, gravest first.
func unapprovedStatuses() []string { return []string{"prohibited", "unreviewed", "in-review"} }

// allowedStatuses are the others.
func allowedStatuses() []string { return []string{"approved", "tolerated"} }

// with is the filter of every question, kept to statuses as well.
func (b *builder) with(statuses ...string) query.Filter {
	f := b.where
	f.Statuses = statuses
	f.Users, f.Departments, f.Services = slices.Clip(f.Users), slices.Clip(f.Departments), slices.Clip(f.Services) // others append to theirs
	return f
}

// sums asks for the period.
func (b *builder) sums(ctx context.Context, where query.Filter, by ...query.Dimension) ([]query.Row, error) {
	return b.sumsOf(ctx, b.rep.Period, where, by...)
}

func (b *builder) sumsOf(ctx context.Context, p Period, where query.Filter, by ...query.Dimension) ([]query.Row, error) {
	r := query.Request{From: p.From, To: p.To, Where: where, By: by, Location: b.req.Location, OrderBy: query.Upload, Spare: query.SpareBytes}
	if len(by) < 2 { // first and last use are told of what stands under a status
		r.Spare |= query.SpareTimes
	}
	rows, err := b.q.Sums(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("adding use up by %v: %w", by, err)
	}
	return rows, nil
}

// total asks for one row.
func (b *builder) total(ctx context.Context, p Period, where query.Filter) (Figures, error) {
	rows, err := b.sumsOf(ctx, p, where)
	if err != nil || len(rows) == 0 {
		return Figures{Upload: Upload{Known: true}}, err
	}
	return figures(rows[0]), nil
}

func (b *builder) span(ctx context.Context) error {
	s, ok := b.q.(query.Spanned)
	if !ok {
		return nil
	}
	kept, err := s.Span(ctx)
	if err != nil {
		return fmt.Errorf("asking what is kept: %w", err)
	}
	b.spans, b.kept = true, kept
	b.rep.Coverage.RecordsFrom, b.rep.Coverage.SumsFrom = b.local(kept.RecordsFrom), b.local(kept.SumsFrom)
	return nil
}

// local moves t to the report's zone.
func (b *builder) local(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(b.req.Location)
}

func (b *builder) totals(ctx context.Context) (err error) {
	if b.rep.All, err = b.total(ctx, b.rep.Period, b.where); err != nil {
		return err
	}
	if b.rep.Unapproved, err = b.total(ctx, b.rep.Period, b.with(unapprovedStatuses()...)); err != nil {
		return err
	}
	rows, err := b.sums(ctx, b.where, query.ByStatus)
	if err != nil {
		return err
	}
	for _, r := range rows {
		b.rep.Statuses = append(b.rep.Statuses, StatusRow{Status: clean(r.Key[0]), Use: figures(r)})
	}
	slices.SortFunc(b.rep.Statuses, func(x, y StatusRow) int {
		return cmp.Or(cmp.Compare(statusRank(x.Status), statusRank(y.Status)), cmp.Compare(x.Status, y.Status))
	})
	return nil
}

// statusRank orders statuses from approved to prohibited; one that is not known comes last.
func statusRank(status string) int {
	order := []string{"approved", "tolerated", "in-review", "unreviewed", "prohibited"}
	if i := slices.Index(order, status); i >= 0 {
		return i
	}
	return len(order)
}

// trend asks for the weeks up to the end of the period.
func (b *builder) trend(ctx context.Context) error {
	starts := weeks(b.rep.Period.To, trendWeeks)
	p := Period{From: starts[0].Truncate(time.Hour), To: b.rep.Period.To}
	rows, err := b.sumsOf(ctx, p, b.where, query.ByWeek)
	if err != nil {
		return err
	}
	bad, err := b.sumsOf(ctx, p, b.with(unapprovedStatuses()...), query.ByWeek)
	if err != nil {
		return err
	}
	steps, err := b.q.Coverage(ctx, p.From, p.To, time.Hour)
	if err != nil {
		return fmt.Errorf("reading coverage of the weeks: %w", err)
	}
	all, unapproved := byKey(rows), byKey(bad)
	for _, start := range starts {
		end := start.AddDate(0, 0, 7)
		seen := earlier(end, b.rep.Period.To, b.req.Now)
		key := start.Format(time.DateOnly)
		b.rep.Trend = append(b.rep.Trend, Week{
			Start: start, Partial: seen.Before(end), Watched: enough(watched(steps, start, seen)),
			All: figures(all[key]), Unapproved: figures(unapproved[key]),
		})
	}
	return nil
}

func byKey(rows []query.Row) map[string]query.Row {
	m := make(map[string]query.Row, len(rows))
	for _, r := range rows {
		m[r.Key[0]] = r
	}
	return m
}

// earlier returns the earliest of the times.
func earlier(t time.Time, others ...time.Time) time.Time {
	for _, o := range others {
		if o.Before(t) {
			t = o
		}
	}
	return t
}

// before asks for the period before this one, if both have been watched.
func (b *builder) before(ctx context.Context) error {
	p := b.rep.Period.before()
	b.rep.Before.Period = p
	why, err := b.whyNotCompared(ctx, p)
	if err != nil || why != "" {
		b.rep.Before.Why = why
		return err
	}
	if b.rep.Before.All, err = b.total(ctx, p, b.where); err != nil {
		return err
	}
	b.rep.Before.Unapproved, err = b.total(ctx, p, b.with(unapprovedStatuses()...))
	return err
}

func (b *builder) whyNotCompared(ctx context.Context, p Period) (string, error) {
	switch {
	case b.unfinished():
		return "the period had not ended when the report was made", nil
	case b.spans && b.kept.SumsFrom.IsZero():
		return "nothing is recorded", nil
	case b.spans && b.kept.SumsFrom.After(p.From):
		return "records begin on " + day(b.local(b.kept.SumsFrom)) + ", after the period before had begun", nil
	case !enough(b.rep.Coverage.Watched, b.rep.Coverage.Minutes):
		return tooLittle("this period", b.rep.Coverage.Watched, b.rep.Coverage.Minutes), nil
	}
	rows, err := b.q.Coverage(ctx, p.From, p.To, coverageStep(p))
	if err != nil {
		return "", fmt.Errorf("reading coverage of the period before: %w", err)
	}
	if n, of := watched(rows, p.From, p.To); !enough(n, of) {
		return tooLittle("the period before", n, of), nil
	}
	return "", nil
}

// unfinished says whether much of the period is still to come. The hour that has begun belongs to one up to now; of a week it is nothing.
func (b *builder) unfinished() bool {
	p, left := b.rep.Period, b.rep.Period.To.Sub(b.req.Now)
	return left >= time.Hour || left > 0 && p.To.Sub(p.From) < 7*24*time.Hour
}

// tooLittle says that a period was not watched enough.
func tooLittle(period string, minutes, of int) string {
	if minutes == 0 {
		return "there are no coverage records of " + period
	}
	return period + " was watched for only " + percent(uint64(minutes), uint64(of)) + " of the time"
}
