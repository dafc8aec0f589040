package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// maxWorkers bounds how many cores a question uses.
const maxWorkers = 4

// Sums implements query.Query. First and Last are to the second. A zero From or To leaves that side open.
func (r *Reader) Sums(ctx context.Context, q query.Request) ([]query.Row, error) {
	ask, err := newAsk(&q)
	if err != nil {
		return nil, fmt.Errorf("asking for sums: %w", err)
	}
	var rows []query.Row
	err = r.view(ctx, func(ctx context.Context, v *view) error {
		if err := ask.prepare(ctx, v); err != nil {
			return err
		}
		segments, err := v.plan(ctx, ask)
		if err != nil {
			return err
		}
		t, err := v.tally(ctx, ask, segments)
		if err != nil {
			return err
		}
		rows, err = v.answer(ctx, ask, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading sums from %s: %w", r.path, err)
	}
	return rows, nil
}

// segment is a blob of rows that a question needs.
type segment struct {
	id     blockID
	bucket int64 // the span of the answer that all its rows belong to
	whole  bool  // all its rows are of the period and of one span; else each row is looked at
}

// plan chooses the blobs: months that lie within the period and within one span of the answer, else their days, else the hours of those.
func (v *view) plan(ctx context.Context, a *ask) ([]segment, error) {
	var out []segment
	months, err := v.spans(ctx, "SELECT month, month, max(until) FROM block WHERE level = ? GROUP BY month HAVING month < ? AND max(until) > ? ORDER BY month",
		levelMonth, a.to, a.from)
	if err != nil {
		return nil, err
	}
	for _, m := range months {
		if a.whole(m.start, m.until) {
			if out, err = v.blocks(ctx, a, out, levelMonth, m); err != nil {
				return nil, err
			}
			continue
		}
		days, err := v.spans(ctx, "SELECT month, start, max(until) FROM block WHERE month = ? AND level = ? GROUP BY start HAVING start < ? AND max(until) > ?",
			m.month, levelDay, a.to, a.from)
		if err != nil {
			return nil, err
		}
		for _, d := range days {
			level := levelHour
			if a.whole(d.start, d.until) {
				level = levelDay
			}
			if out, err = v.blocks(ctx, a, out, level, d); err != nil {
				return nil, err
			}
		}
	}
	return v.freshBlocks(ctx, a, out)
}

// span is a day or a month that there are blocks of.
type span struct{ month, start, until int64 }

func (v *view) spans(ctx context.Context, text string, args ...any) (out []span, err error) {
	err = v.each(ctx, text, args, func(rows *sql.Rows) error {
		var s span
		err := rows.Scan(&s.month, &s.start, &s.until)
		out = append(out, s)
		return err
	})
	return out, err
}

// blocks appends the blocks of one level and span that may hold users of the question.
func (v *view) blocks(ctx context.Context, a *ask, out []segment, level int, at span) ([]segment, error) {
	s := segment{whole: level != levelHour, bucket: a.bucket(at.start)}
	err := v.each(ctx, "SELECT id, people FROM block WHERE month = ? AND level = ? AND start = ?", []any{at.month, level, at.start}, func(rows *sql.Rows) error {
		var people uint32
		err := rows.Scan(&s.id.row, &people)
		if a.people == nil || a.people[people] {
			out = append(out, s)
		}
		return err
	})
	return out, err
}

// freshBlocks appends what is not settled yet.
func (v *view) freshBlocks(ctx context.Context, a *ask, out []segment) ([]segment, error) {
	err := v.each(ctx, "SELECT id, day, until FROM fresh WHERE day < ? AND until > ?", []any{a.to, a.from}, func(rows *sql.Rows) error {
		s := segment{id: blockID{fresh: true}}
		var day, until int64
		err := rows.Scan(&s.id.row, &day, &until)
		s.bucket, s.whole = a.bucket(day), a.whole(day, until)
		out = append(out, s)
		return err
	})
	return out, err
}

// tally adds segments up, on several cores.
func (v *view) tally(ctx context.Context, a *ask, segments []segment) (*tally, error) {
	settled, err := v.tx.PrepareContext(ctx, "SELECT data FROM block WHERE id = ?")
	if err != nil {
		return nil, err
	}
	defer func() { _ = settled.Close() }()
	fresh, err := v.tx.PrepareContext(ctx, "SELECT data FROM fresh WHERE id = ?")
	if err != nil {
		return nil, err
	}
	defer func() { _ = fresh.Close() }()
	pool := newPool(a, min(maxWorkers, runtime.GOMAXPROCS(0), len(segments)/8+1))
	for _, s := range segments {
		if err = ctx.Err(); err != nil || pool.failed() != nil {
			break
		}
		st := settled
		if s.id.fresh {
			st = fresh
		}
		var data []byte
		if data, err = v.cache.get(ctx, st, s.id); err != nil {
			break
		}
		pool.work <- job{s, data}
	}
	t, failed := pool.end()
	return t, cmp.Or(err, failed)
}

// job is a segment that has been read.
type job struct {
	segment
	data []byte
}

// pool adds jobs up on several cores.
type pool struct {
	work  chan job
	wait  sync.WaitGroup
	sums  []*tally
	mu    sync.Mutex // guards err
	err   error
	tally *ask
}

func newPool(a *ask, workers int) *pool {
	p := &pool{work: make(chan job, workers), tally: a}
	for range workers {
		t := newTally(a)
		p.sums = append(p.sums, t)
		p.wait.Go(func() {
			for j := range p.work {
				if p.failed() != nil {
					continue
				}
				if err := t.add(&j); err != nil {
					p.mu.Lock()
					p.err = err
					p.mu.Unlock()
				}
			}
		})
	}
	return p
}

func (p *pool) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// end waits for the workers and joins what they have.
func (p *pool) end() (*tally, error) {
	close(p.work)
	p.wait.Wait()
	if p.err != nil {
		return nil, p.err
	}
	for _, t := range p.sums[1:] {
		if err := p.sums[0].join(t); err != nil {
			return nil, err
		}
	}
	return p.sums[0], nil
}

// errGroups bounds memory.
var errGroups = errors.New("the answer has too many groups; ask for a shorter period, fewer users, or coarser spans of time")

// unbounded are the ends of time for a question without them.
const (
	sinceEver = math.MinInt64 / 4
	forEver   = math.MaxInt64 / 4
)

// answer sorts the groups and names the ones that are asked for.
func (v *view) answer(ctx context.Context, a *ask, t *tally) ([]query.Row, error) {
	groups := t.groups()
	if len(a.dims) == 0 && len(groups) == 0 {
		return []query.Row{{Key: []string{}, Labels: []string{}}}, nil
	}
	var users map[uint32]userName
	var err error
	if a.byName() { // then the order needs all names, else only the rows that are given
		if users, err = v.userNames(ctx, groups); err != nil {
			return nil, err
		}
	}
	groups = a.cut(groups, users)
	if a.byUser && users == nil {
		if users, err = v.userNames(ctx, groups); err != nil {
			return nil, err
		}
	}
	labels, err := v.serviceNames(ctx, a)
	if err != nil {
		return nil, err
	}
	rows := make([]query.Row, len(groups))
	for i, g := range groups {
		rows[i] = a.row(g, users, labels)
	}
	return rows, nil
}

// byName says whether users stand in the order of their keys.
func (a *ask) byName() bool { return a.byUser && a.order == query.Key }

// cut sorts groups and leaves those between offset and limit.
func (a *ask) cut(groups []*group, users map[uint32]userName) []*group {
	slices.SortFunc(groups, func(x, y *group) int { return a.compare(x, y, users) })
	groups = groups[min(a.offset, len(groups)):]
	return groups[:min(a.limit, len(groups))]
}
