package search

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	defaultPage = 100
	maxPage     = 1000
	// maxCursor bounds what is decoded of a place to go on at.
	maxCursor = 4096
)

// errCursor is a place that no page ended at.
var errCursor = errors.New("the place to go on at is none that a page has given; begin with the first page")

// known datasets, and where their streams are asked for records by id alone.
var allDatasets = []string{event.DatasetActivity, event.DatasetFinding, event.DatasetCoverage, event.DatasetCandidate, event.DatasetAudit}

// Records implements query.Query. Pages go on where the one before ended, whatever has been stored meanwhile; a zero From or To leaves that
// side open. Records of one millisecond stand in the order of their identifiers.
func (r *Reader) Records(ctx context.Context, q query.RecordRequest) (query.Page, error) {
	page, err := r.records(ctx, &q)
	if err != nil {
		return query.Page{}, fmt.Errorf("reading records from Elasticsearch: %w", err)
	}
	return page, nil
}

func (r *Reader) records(ctx context.Context, q *query.RecordRequest) (query.Page, error) {
	switch {
	case len(q.IDs) > maxPage:
		return query.Page{}, fmt.Errorf("%d records are asked for by event.id; at most %d are given at once", len(q.IDs), maxPage)
	case len(q.IDs) > 0:
		return r.byID(ctx, q.IDs)
	case !slices.Contains(allDatasets, q.Dataset):
		return query.Page{}, fmt.Errorf("there is no dataset %q; take one of gnomon.activity, .finding, .coverage, .candidate or .audit", q.Dataset)
	}
	limit := q.Limit
	if limit <= 0 {
		limit = defaultPage
	}
	limit = min(limit, maxPage)
	if q.Each > 0 {
		return r.sample(ctx, q, limit)
	}
	return r.page(ctx, q, limit)
}

// page reads a page of records.
func (r *Reader) page(ctx context.Context, q *query.RecordRequest, limit int) (query.Page, error) {
	body := newest(q)
	body["size"] = limit + 1
	if q.After != "" {
		after, err := parseCursor(q.After)
		if err != nil {
			return query.Page{}, err
		}
		body["search_after"] = after
	}
	said, err := r.search(ctx, q.Dataset, body)
	if err != nil {
		return query.Page{}, err
	}
	hits := said.Hits.Hits
	var page query.Page
	if len(hits) > limit {
		hits = hits[:limit]
		if page.Next, err = writeCursor(hits[limit-1].Sort); err != nil {
			return page, err
		}
	}
	page.Records, err = read(hits)
	return page, err
}

// newest asks for the records of a request, the newest first.
func newest(q *query.RecordRequest) object {
	match := append(period(atField, q.From, q.To), filter(&q.Where)...)
	if q.Action != "" {
		match = append(match, term("event.action", q.Action))
	}
	return object{"query": all(match), "sort": []any{object{atField: object{"order": "desc", "unmapped_type": "date"}},
		object{idField: object{"order": "desc", "unmapped_type": "keyword"}}}}
}

// read reads the records that were found. After a rollover the same record may lie in two indices: it is given once.
func read(hits []hit) ([]event.Event, error) {
	records := make([]event.Event, 0, len(hits))
	seen := make(map[string]bool, len(hits))
	for i := range hits {
		var ev event.Event
		if err := json.Unmarshal(hits[i].Source, &ev); err != nil {
			return nil, fmt.Errorf("a record in %s is none of gnomon's: %w", hits[i].Index, err)
		}
		if id := ev.Event.ID; id == "" || !seen[id] {
			seen[id] = true
			records = append(records, ev)
		}
	}
	return records, nil
}

// byID reads exactly the records that are named, the newest first; those that are not there are left out. Most are activity: the other datasets
// are asked for those that are not.
func (r *Reader) byID(ctx context.Context, ids []string) (query.Page, error) {
	missing := map[string]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	var records []event.Event
	for _, dataset := range allDatasets {
		if len(missing) == 0 {
			break
		}
		body := newest(&query.RecordRequest{})
		body["query"] = all([]any{object{"terms": object{idField: slices.Sorted(maps.Keys(missing))}}})
		body["size"] = 2 * maxPage // room for some that are there twice
		said, err := r.search(ctx, dataset, body)
		if err != nil {
			return query.Page{}, err
		}
		found, err := read(said.Hits.Hits)
		if err != nil {
			return query.Page{}, err
		}
		for i := range found {
			delete(missing, found[i].Event.ID)
		}
		records = append(records, found...)
	}
	slices.SortStableFunc(records, func(a, b event.Event) int { return cmp.Compare(b.Timestamp, a.Timestamp) })
	return query.Page{Records: records}, nil
}

// writeCursor writes the place that a page ended at.
func writeCursor(sort []json.RawMessage) (string, error) {
	b, err := json.Marshal(sort)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// parseCursor reads a place: a time, in milliseconds, and an identifier.
func parseCursor(s string) ([]any, error) {
	if len(s) > maxCursor {
		return nil, errCursor
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, errCursor
	}
	var parts []json.RawMessage
	if json.Unmarshal(b, &parts) != nil || len(parts) != 2 {
		return nil, errCursor
	}
	var at json.Number
	var id string
	if json.Unmarshal(bytes.Trim(parts[0], `"`), &at) != nil || json.Unmarshal(parts[1], &id) != nil {
		return nil, errCursor
	}
	ms, err := at.Int64()
	if err != nil {
		return nil, errCursor
	}
	return []any{ms, id}, nil
}
