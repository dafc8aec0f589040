package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	// maxGroups bounds the groups of an answer in the making, about 400 bytes each.
	maxGroups = 500_000
	// lightPage is how many groups are asked for at once where users need not be told apart: every page looks at all records of the period
	// again, and servers give 65,536 buckets at most. memoryOfPage is what the server may need for the others: a distinct count takes about
	// eight bytes for each user that it is exact for. leastPage is as few as a server that lacks memory is asked for.
	lightPage    = 50_000
	memoryOfPage = 64 << 20
	leastPage    = 50
	// exactly is up to how many users a distinct count is exact: the most that servers allow.
	exactly = 40_000
	// maxSites bounds the sites of a group.
	maxSites = 1000
)

// part is one of the requests that an answer is put together from: figures of groups of records.
type part struct {
	who   kind
	match []any
	aggs  object
	page  int  // how many groups are asked for at once where they are asked for page by page
	nests bool // asking for all groups at once is worth a try
}

// source is something that groups are told apart by.
type source struct {
	name    string
	field   string
	span    string // of time; empty: by the values of the field
	missing bool   // records without the field are a group too
}

// sources are what the groups of a question are told apart by.
func sources(a *ask, who kind) []source {
	var list []source
	for i, d := range a.q.By {
		name := fmt.Sprintf("d%d", i)
		switch {
		case byTime[d] != "":
			list = append(list, source{name: name, field: atField, span: byTime[d]})
		case d != query.ByUser:
			list = append(list, source{name: name, field: byField[d], missing: true})
		case who == known:
			list = append(list, source{name: name, field: userField})
		case who == addresses:
			list = append(list, source{name: "site", field: siteField, missing: true}, source{name: "address", field: addressField})
		default: // one group
			list = append(list, source{name: name, field: "event.dataset", missing: true})
		}
	}
	return list
}

// groups reads the groups of a part: all at once where that can be, since it takes a server half as long as page after page.
func (r *Reader) groups(ctx context.Context, a *ask, p *part) ([]bucket, error) {
	list := sources(a, p.who)
	groups, err := []bucket(nil), errOthers
	if p.nests || len(list) == 0 {
		groups, err = r.atOnce(ctx, a, p, list)
	}
	if len(list) == 0 || err == nil || !errors.Is(err, errOthers) && !lacksRoom(err) {
		return groups, err
	}
	return r.paged(ctx, a, p, list)
}

// errOthers says that not all groups were given.
var errOthers = errors.New("there are more groups than can be given at once")

// atOnce asks for all groups, each dimension within the one before.
func (r *Reader) atOnce(ctx context.Context, a *ask, p *part, list []source) ([]bucket, error) {
	aggs := p.aggs
	for i := len(list) - 1; i >= 0; i-- {
		within := list[i].nested(a.zone)
		if len(aggs) > 0 {
			within["aggs"] = aggs
		}
		aggs = object{"groups": within}
	}
	said, err := r.search(ctx, event.DatasetActivity, object{"size": 0, "query": all(p.match), "aggs": aggs})
	if err != nil {
		return nil, err
	}
	var top bucket
	if err := said.read(&top); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return []bucket{top}, nil
	}
	var groups []bucket
	return groups, top.collect(list, keys{}, &groups)
}

// nested is the source as an aggregation of its own.
func (s *source) nested(zone string) object {
	if s.span != "" {
		return object{"date_histogram": object{"field": s.field, "calendar_interval": s.span, "time_zone": zone, "min_doc_count": 1}}
	}
	terms := object{"field": s.field, "size": lightPage}
	if s.missing {
		terms["missing"] = ""
	}
	return object{"terms": terms}
}

// collect adds the groups below a bucket, each with its keys.
func (b *bucket) collect(list []source, at keys, into *[]bucket) error {
	if len(list) == 0 {
		b.at = at
		*into = append(*into, *b)
		return nil
	}
	if b.Groups == nil { // there are no indices yet
		return nil
	}
	if b.Groups.Others > 0 {
		return errOthers
	}
	for i := range b.Groups.Buckets {
		below := &b.Groups.Buckets[i]
		at.set(list[0].name, below.Key)
		if err := below.collect(list[1:], at, into); err != nil {
			return err
		}
	}
	return nil
}

// paged reads page after page of groups.
func (r *Reader) paged(ctx context.Context, a *ask, p *part, list []source) ([]bucket, error) {
	var from []any
	for i := range list {
		from = append(from, object{list[i].name: list[i].composite(a.zone)})
	}
	page, composite := p.page, object{"size": p.page, "sources": from}
	var groups []bucket
	for {
		said, err := r.groupPage(ctx, p, composite)
		if lacksRoom(err) && page > leastPage {
			page = max(leastPage, page/4)
			composite["size"] = page
			continue
		}
		if err != nil {
			return nil, err
		}
		if groups = append(groups, said.Buckets...); len(groups) > maxGroups {
			return nil, errGroups
		}
		if len(said.Buckets) < page || len(said.After) == 0 {
			return groups, nil
		}
		composite["after"] = said.After
	}
}

// composite is the source as a part of the aggregation that has pages.
func (s *source) composite(zone string) object {
	if s.span != "" {
		return object{"date_histogram": object{"field": s.field, "calendar_interval": s.span, "time_zone": zone}}
	}
	terms := object{"field": s.field}
	if s.missing {
		terms["missing_bucket"] = true
	}
	return object{"terms": terms}
}

// groupPage asks for a page of groups.
func (r *Reader) groupPage(ctx context.Context, p *part, composite object) (*groupList, error) {
	groups := object{"composite": composite}
	if len(p.aggs) > 0 {
		groups["aggs"] = p.aggs
	}
	said, err := r.search(ctx, event.DatasetActivity, object{"size": 0, "query": all(p.match), "aggs": object{"groups": groups}})
	if err != nil {
		return nil, err
	}
	var top struct{ Groups groupList }
	if err := said.read(&top); err != nil {
		return nil, err
	}
	for i := range top.Groups.Buckets {
		b := &top.Groups.Buckets[i]
		if err := json.Unmarshal(b.Key, &b.at); err != nil {
			return nil, fmt.Errorf("reading the keys of a group: %w", err)
		}
	}
	return &top.Groups, nil
}

// groupList is the groups of an answer, how many records lie in others, and where the next page begins.
type groupList struct {
	Others  uint64          `json:"sum_other_doc_count"`
	Buckets []bucket        `json:"buckets"`
	After   json.RawMessage `json:"after_key"`
}

// keys are what tells a group from others.
type keys struct {
	First   json.RawMessage `json:"d0"`
	Second  json.RawMessage `json:"d1"`
	Site    json.RawMessage `json:"site"`
	Address json.RawMessage `json:"address"`
}

// set sets the key of a source.
func (k *keys) set(name string, key json.RawMessage) {
	switch name {
	case "d0":
		k.First = key
	case "d1":
		k.Second = key
	case "site":
		k.Site = key
	case "address":
		k.Address = key
	}
}
