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
		add := v.tally
		if ask.follows() {
			add = v.byFacet
		}
		t, err := add(ctx, ask, segments)
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
			out, err = v.blocks(ctx, a, out, stretch{m.month, levelMonth, m.start, m.start})
		} else {
			out, err = v.days(ctx, a, out, m.month)
		}
		if err != nil {
			return nil, err
		}
	}
	return v.freshBlocks(ctx, a, out)
}

// days chooses the blobs of a month that is not wanted as a whole. Whole days that follow each other are asked for at once.
func (v *view) days(ctx context.Context, a *ask, out []segment, month int64) ([]segment, error) {
	days, err := v.spans(ctx, "SELECT month, start, max(until) FROM block WHERE month = ? AND level = ? GROUP BY start HAVING start < ? AND max(until) > ?",
		month, levelDay, a.to, a.from)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(days); {
		level, n := levelHour, 1
		if a.whole(days[i].start, days[i].until) {
			level = levelDay
			for i+n < len(days) && a.whole(days[i+n].start, days[i+n].until) {
				n++
			}
		}
		if out, err = v.blocks(ctx, a, out, stretch{month, level, days[i].start, days[i+n-1].start}); err != nil {
			return nil, err
		}
		i += n
	}
	return out, nil
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

// stretch is spans of one level that follow each other, by where the first and the last begin.
type stretch struct {
	month       int64
	level       int
	first, last int64
}

// blocks appends the blocks of a stretch that may hold users of the question.
func (v *view) blocks(ctx context.Context, a *ask, out []segment, at stretch) ([]segment, error) {
	s := segment{whole: at.level != levelHour}
	was := int64(-1)
	const text = "SELECT id, start, people FROM block WHERE month = ? AND level = ? AND start BETWEEN ? AND ?"
	err := v.each(ctx, text, []any{at.month, at.level, at.first, at.last}, func(rows *sql.Rows) error {
		var start int64
		var people uint32
		err := rows.Scan(&s.id.row, &start, &people)
		if start != was {
			was, s.bucket = start, a.bucket(start)
		}
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

// sink adds jobs up, on one core.
type sink interface{ add(j *job) error }

// tally adds segments up into the groups of a question.
func (v *view) tally(ctx context.Context, a *ask, segments []segment) (*tally, error) {
	sinks, err := addUp(ctx, v, segments, func() *tally { return newTally(a) })
	if err != nil {
		return nil, err
	}
	for _, t := range sinks[1:] {
		if err := sinks[0].join(t); err != nil {
			return nil, err
		}
	}
	return sinks[0], nil
}

// addUp adds segments up on several cores, into a sink for each.
func addUp[S sink](ctx context.Context, v *view, segments []segment, empty func() S) ([]S, error) {
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
	pool := newPool(empty, min(maxWorkers, runtime.GOMAXPROCS(0), len(segments)/8+1))
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
	close(pool.work)
	pool.wait.Wait()
	return pool.sinks, cmp.Or(err, pool.err)
}

// job is a segment that has been read.
type job struct {
	segment
	data []byte
}

// pool adds jobs up on several cores.
type pool[S sink] struct {
	work  chan job
	wait  sync.WaitGroup
	sinks []S
	mu    sync.Mutex // guards err
	err   error
}

func newPool[S sink](empty func() S, workers int) *pool[S] {
	p := &pool[S]{work: make(chan job, workers)}
	for range workers {
		s := empty()
		p.sinks = append(p.sinks, s)
		p.wait.Go(func() {
			for j := range p.work {
				if p.failed() != nil {
					continue
				}
				if err := s.add(&j); err != nil {
					p.mu.Lock()
					p.err = err
					p.mu.Unlock()
				}
			}
		})
	}
	return p
}

func (p *pool[S]) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
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
