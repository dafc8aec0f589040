package search

import (
	"context"
	"slices"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	// maxNames bounds the services that are remembered; beyond it they are asked for anew.
	maxNames = 100_000
	// namesAtOnce is for how many names are asked at once.
	namesAtOnce = 5000
)

// label writes what people read: the names of services, and of users where they are kept.
func (r *Reader) label(ctx context.Context, a *ask, rows []query.Row) error {
	for i, d := range a.q.By {
		names := map[string]string{}
		var keys []string
		for _, row := range rows {
			keys = append(keys, row.Key[i])
		}
		var err error
		switch d {
		case query.ByService:
			names, err = r.serviceNames(ctx, keys)
		case query.ByUser:
			names, err = r.userNames(ctx, keys, a)
		}
		if err != nil {
			return err
		}
		for _, row := range rows {
			row.Labels[i] = row.Key[i]
			if name := names[row.Key[i]]; name != "" {
				row.Labels[i] = name
			} else if d == query.ByUser {
				row.Labels[i] = keyLabel(row.Key[i])
			}
		}
	}
	return nil
}

// serviceNames looks up what services are called, as records say it.
func (r *Reader) serviceNames(ctx context.Context, ids []string) (map[string]string, error) {
	names := map[string]string{}
	var ask []string
	r.mu.Lock()
	for _, id := range ids {
		if name, known := r.services[id]; known {
			names[id] = name
		} else if id != "" && !slices.Contains(ask, id) {
			ask = append(ask, id)
		}
	}
	r.mu.Unlock()
	if len(ask) == 0 {
		return names, nil
	}
	found, err := r.called(ctx, serviceField, "rule.name", ask, nil)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.services) > maxNames {
		clear(r.services)
	}
	for id, name := range found {
		names[id], r.services[id] = name, name
	}
	return names, nil
}

// userNames looks up what users are called, where their names are kept.
func (r *Reader) userNames(ctx context.Context, keys []string, a *ask) (map[string]string, error) {
	kept, err := r.search(ctx, event.DatasetActivity, object{"size": 1, "_source": false, "terminate_after": 1, "query": all([]any{exists("user.name")})})
	if err != nil || len(kept.Hits.Hits) == 0 {
		return nil, err
	}
	return r.called(ctx, userField, "user.name", keys, period(atField, a.q.From, a.q.To))
}

// called looks up the most frequent value of a field beside each of some values of another.
func (r *Reader) called(ctx context.Context, of, name string, ids []string, match []any) (map[string]string, error) {
	names := map[string]string{}
	slices.Sort(ids)
	for part := range slices.Chunk(slices.Compact(ids), namesAtOnce) {
		said, err := r.search(ctx, event.DatasetActivity, object{"size": 0,
			"query": all(append(slices.Clone(match), object{"terms": object{of: part}})),
			"aggs": object{"of": object{"terms": object{"field": of, "size": len(part)},
				"aggs": object{"name": object{"terms": object{"field": name, "size": 1}}}}}})
		if err != nil {
			return nil, err
		}
		var list struct {
			Of struct {
				Buckets []struct {
					Key  string
					Name struct{ Buckets []struct{ Key string } }
				}
			}
		}
		if err := said.read(&list); err != nil {
			return nil, err
		}
		for _, b := range list.Of.Buckets {
			if len(b.Name.Buckets) > 0 {
				names[b.Key] = b.Name.Buckets[0].Key
			}
		}
	}
	return names, nil
}
