package search

import (
	"cmp"
	"context"
	"slices"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Users by the values of a field may be more groups than a server gives at once. Page after page it would look at all records again for every
// page. Divided by the values it looks at each record once: each request is for some of the values, no more than have room together.
const (
	// roomFor is how many groups a request may have: servers give 65,536.
	roomFor = 50_000
	// maxValues bounds the values that a question is divided by, maxRequests what it is divided into, atATime how many requests are asked at once.
	maxValues   = 10_000
	maxRequests = 40
	atATime     = 4
)

// divides says whether a question about users of a kind can be divided: the other dimension is a field.
func (a *ask) divides(who kind) bool {
	return a.byUser() && a.byWord() && (who == known || who == addresses)
}

// divided reads the groups of a part by the values of its field. errOthers says that it would be too many requests.
func (r *Reader) divided(ctx context.Context, a *ask, p *part, list []source) ([]bucket, error) {
	field := byField[a.q.By[slices.IndexFunc(a.q.By, func(d query.Dimension) bool { return byField[d] != "" })]]
	sizes, err := r.valuesOf(ctx, p, field)
	if err != nil || len(sizes) == 0 {
		return nil, err
	}
	most, err := r.crowd(ctx)
	if err != nil {
		return nil, err
	}
	heaps := heap(sizes, most)
	if len(heaps) > maxRequests {
		return nil, errOthers
	}
	// The field comes first: there are fewer values than users, and what holds groups counts as one.
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(x, y source) int {
		return cmp.Compare(slices.Index([]string{field}, y.field), slices.Index([]string{field}, x.field))
	})
	found := make([][]bucket, len(heaps))
	var steps []func(context.Context) error
	for i, values := range heaps {
		steps = append(steps, func(ctx context.Context) (err error) {
			one := *p
			if len(heaps) > 1 {
				one.match = append(slices.Clone(p.match), words(values, field)...)
			}
			if found[i], err = r.atOnce(ctx, a, &one, list); lacksRoom(err) {
				found[i], err = r.paged(ctx, a, &one, list)
			}
			return err
		})
	}
	if err := some(ctx, atATime, steps); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

// sized is a value, and how many records have it.
type sized struct {
	Key     string
	Records uint64 `json:"doc_count"`
}

// valuesOf are the values of a field, and how many records of a part have each.
func (r *Reader) valuesOf(ctx context.Context, p *part, field string) ([]sized, error) {
	said, err := r.search(ctx, event.DatasetActivity, object{"size": 0, "query": all(p.match),
		"aggs": object{"values": object{"terms": object{"field": field, "missing": "", "size": maxValues}}}})
	if err != nil {
		return nil, err
	}
	var list struct {
		Values struct {
			Others  uint64 `json:"sum_other_doc_count"`
			Buckets []sized
		}
	}
	if err := said.read(&list); err != nil {
		return nil, err
	}
	if list.Values.Others > 0 {
		return nil, errOthers
	}
	return list.Values.Buckets, nil
}

// heap puts values together that have room in one request. A value has at most as many users as records, and as there are.
func heap(values []sized, users uint64) [][]string {
	least := func(v sized) uint64 { return min(v.Records, users) + 1 }
	slices.SortFunc(values, func(x, y sized) int { return cmp.Or(cmp.Compare(least(y), least(x)), cmp.Compare(x.Key, y.Key)) })
	var heaps [][]string
	room := uint64(0)
	for _, v := range values {
		if least(v) > room {
			heaps, room = append(heaps, nil), roomFor
		}
		heaps[len(heaps)-1] = append(heaps[len(heaps)-1], v.Key)
		room -= min(room, least(v))
	}
	return heaps
}

// some does several things, no more than n of them at a time, and gives up when one fails.
func some(ctx context.Context, n int, steps []func(context.Context) error) error {
	queue := make(chan func(context.Context) error, len(steps))
	for _, step := range steps {
		queue <- step
	}
	close(queue)
	var workers []func(context.Context) error
	for range min(n, len(steps)) {
		workers = append(workers, func(ctx context.Context) error {
			for step := range queue {
				if err := step(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return together(ctx, workers...)
}
