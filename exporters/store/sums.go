package store

import (
	"cmp"
	"context"
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
		if ask.follows() && !few(segments) {
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
	tables := tables{tx: v.tx}
	defer tables.close()
	var err error
	pool := newPool(empty, min(maxWorkers, runtime.GOMAXPROCS(0), len(segments)/8+1))
	for _, s := range segments {
		if err = ctx.Err(); err != nil || pool.failed() != nil {
			break
		}
		var data []byte
		if data, err = tables.read(ctx, v.cache, s.id); err != nil {
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
