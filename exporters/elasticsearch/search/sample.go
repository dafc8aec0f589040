package search

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	// maxEach is how many records of a group servers give (index.max_inner_result_window).
	maxEach = 100
	// maxValues bounds the groups of a sample in each dimension.
	maxValues = 1000
)

// briefFields are what query.RecordRequest.Brief asks for. All of them can be had without reading records.
var briefFields = []any{idField, userField, departmentField, addressField, siteField, countedField, useField, serviceField, classField, confidenceField,
	sharedField, statusField}

// sample gives so many of the newest records of each group, all groups at once.
func (r *Reader) sample(ctx context.Context, q *query.RecordRequest, limit int) (query.Page, error) {
	body := newest(q)
	body["aggs"] = perGroup(q, body["sort"])
	body["size"] = 0
	delete(body, "sort")
	said, err := r.search(ctx, q.Dataset, body)
	if err != nil {
		return query.Page{}, err
	}
	var top sampled
	if err := said.read(&top); err != nil {
		return query.Page{}, err
	}
	hits := top.hits(nil)
	slices.SortStableFunc(hits, func(a, b *hit) int { return cmp.Compare(b.at(), a.at()) })
	if hits = once(hits); len(hits) > limit {
		hits = hits[:limit]
	}
	if q.Brief || len(hits) == 0 {
		return briefly(q.Dataset, hits), nil
	}
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.word(idField)
	}
	return r.byID(ctx, ids)
}

// perGroup asks for the first records of each group in an order.
func perGroup(q *query.RecordRequest, order any) object {
	fields := []any{idField}
	if q.Brief {
		fields = briefFields
	}
	aggs := object{"newest": object{"top_hits": object{"size": min(q.Each, maxEach), "sort": order, "_source": false, "docvalue_fields": fields}}}
	for _, field := range []string{statusField, byField[q.EachOf]} {
		if field != "" {
			aggs = object{"groups": object{"terms": object{"field": field, "size": maxValues, "missing": ""}, "aggs": aggs}}
		}
	}
	if len(q.Where.Users) > 0 {
		var each []any
		for _, key := range q.Where.Users {
			each = append(each, all(users([]string{key})))
		}
		aggs = object{"groups": object{"filters": object{"filters": each}, "aggs": aggs}}
	}
	return aggs
}

// sampled is a group of a sample: groups within, or records.
type sampled struct {
	Groups struct{ Buckets []sampled }
	Newest struct{ Hits struct{ Hits []hit } }
}

// hits adds the records of a group to a list.
func (s *sampled) hits(list []*hit) []*hit {
	for i := range s.Newest.Hits.Hits {
		list = append(list, &s.Newest.Hits.Hits[i])
	}
	for i := range s.Groups.Buckets {
		list = s.Groups.Buckets[i].hits(list)
	}
	return list
}

// once leaves out records that lie in two indices after a rollover.
func once(hits []*hit) []*hit {
	seen := make(map[string]bool, len(hits))
	return slices.DeleteFunc(hits, func(h *hit) bool {
		id := h.word(idField)
		again := id != "" && seen[id]
		seen[id] = true
		return again
	})
}

// at is when a record was, in milliseconds of Unix time.
func (h *hit) at() (ms int64) {
	if len(h.Sort) > 0 {
		_ = json.Unmarshal(h.Sort[0], &ms) // the field is a date, by its template
	}
	return ms
}

// briefly makes records of what was asked of each.
func briefly(dataset string, hits []*hit) query.Page {
	var page query.Page
	for _, h := range hits {
		page.Records = append(page.Records, event.Event{Timestamp: event.At(time.UnixMilli(h.at()).UTC()), User: h.user(),
			Event: event.Meta{ID: h.word(idField), Dataset: dataset}, Source: &event.Endpoint{IP: h.word(addressField)}, Gnomon: h.gnomon()})
	}
	return page
}

func (h *hit) user() *event.User {
	id, group := h.word(userField), h.word(departmentField)
	if id == "" && group == "" {
		return nil
	}
	user := &event.User{ID: id}
	if group != "" {
		user.Group = &event.Group{Name: group}
	}
	return user
}

func (h *hit) gnomon() *event.Gnomon {
	g := &event.Gnomon{Site: h.word(siteField), Use: h.word(useField), Service: &event.Service{ID: h.word(serviceField)},
		Evidence: &event.Evidence{Class: h.word(classField), Confidence: h.word(confidenceField)}, Policy: &event.Policy{Status: h.word(statusField)},
		Attribution: &event.Attribution{Shared: h.word(sharedField) == "true"}}
	if counted := h.word(countedField); counted != "" {
		yes := counted == "true"
		g.Counted = &yes
	}
	return g
}

// word is the first value of a field, as a text.
func (h *hit) word(field string) string {
	if values := h.Fields[field]; len(values) > 0 {
		if s := word(values[0]); s != "" {
			return s
		}
		return string(bytes.Trim(values[0], `"`))
	}
	return ""
}
