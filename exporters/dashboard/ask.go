package dashboard

import (
	"context"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// patience is how long a page waits for all its answers.
const patience = 10 * time.Second

// questions are asked all at once; the first that fails ends the others.
type questions struct {
	query  query.Query
	ctx    context.Context // it lives as long as one page
	cancel context.CancelFunc
	wait   sync.WaitGroup
	once   sync.Once
	err    error
}

func ask(ctx context.Context, q query.Query) *questions {
	ctx, cancel := context.WithTimeout(ctx, patience)
	return &questions{query: q, ctx: ctx, cancel: cancel}
}

// one asks one question in a goroutine of its own.
func (a *questions) one(question func(context.Context) error) {
	a.wait.Go(func() {
		if err := question(a.ctx); err != nil {
			a.once.Do(func() {
				a.err = err
				a.cancel()
			})
		}
	})
}

// sums asks for rows.
func (a *questions) sums(into *[]query.Row, r query.Request) {
	a.one(func(ctx context.Context) (err error) {
		*into, err = a.query.Sums(ctx, r)
		return err
	})
}

// total asks for the only row that a request without dimensions gives.
func (a *questions) total(into *query.Row, r query.Request) {
	a.one(func(ctx context.Context) error {
		rows, err := a.query.Sums(ctx, r)
		if len(rows) > 0 {
			*into = rows[0]
		}
		return err
	})
}

// records asks for a page of raw records.
func (a *questions) records(into *query.Page, r query.RecordRequest) {
	a.one(func(ctx context.Context) (err error) {
		*into, err = a.query.Records(ctx, r)
		return err
	})
}

// coverage asks what the sensors saw.
func (a *questions) coverage(into *[]query.CoverageRow, from, to time.Time, step time.Duration) {
	a.one(func(ctx context.Context) (err error) {
		*into, err = a.query.Coverage(ctx, from, to, step)
		return err
	})
}

// answers waits for all of them.
func (a *questions) answers() error {
	a.wait.Wait()
	a.cancel()
	return a.err
}
