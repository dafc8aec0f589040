package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	// maxGroups bounds the groups of an answer in the making, about 400 bytes each.
	maxGroups = 500_000
	// lightPage is how many groups are asked for at once where users need not be told apart: every page looks at all records of the period
	// again, and servers give 65,536 buckets at most. memoryOfPage is what the server may need for the others: a distinct count takes about
	// eight bytes for each user that it is exact for, and there are two. leastPage is as few as a server that lacks memory is asked for.
	lightPage    = 30_000
	memoryOfPage = 64 << 20
	leastPage    = 50
	// exactly is up to how many users a distinct count is exact: the most that servers allow.
	exactly = 40_000
	// maxSites bounds the sites of a group.
	maxSites = 1000
)

// errGroups bounds memory.
var errGroups = errors.New("the answer has too many groups; ask for a shorter period, fewer users, or coarser spans of time")

// Sums implements query.Query. First and Last are to the second. A zero From or To leaves that side open.
func (r *Reader) Sums(ctx context.Context, q query.Request) ([]query.Row, error) {
	a, err := newAsk(&q)
	if err != nil {
		return nil, fmt.Errorf("asking for sums: %w", err)
	}
	rows, err := r.sums(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("reading sums from %s: %w", r.where(event.DatasetActivity), err)
	}
	return rows, nil
}

func (r *Reader) sums(ctx context.Context, a *ask) ([]query.Row, error) {
	match := append([]any{term("gnomon.counted", true)}, period(atField, a.q.From, a.q.To)...)
	match = append(match, filter(&a.q.Where)...)
	var err error
	if a.exact, err = r.exactness(ctx, a); err != nil {
		return nil, err
	}
	var rows []query.Row
	switch {
	case len(a.q.By) == 0:
		if rows, err = r.total(ctx, a, match); err != nil {
			return nil, err
		}
	case a.byUser():
		for _, who := range []kind{known, addresses, shared, nobody} {
			if rows, err = r.groups(ctx, a, append(match, who.match()), who, rows); err != nil {
				return nil, err
			}
		}
	default:
		if rows, err = r.groups(ctx, a, match, everyone, rows); err != nil {
			return nil, err
		}
	}
	rows = a.cut(rows)
	return rows, r.label(ctx, a, rows)
}

// kind is one of the kinds of those who use something, which are told apart by different fields.
type kind int

const (
	everyone kind = iota
	known
	addresses
	shared
	nobody
)

func (k kind) match() object {
	return map[kind]func() object{known: isKnown, addresses: isAddress, shared: isShared, nobody: isNobody}[k]()
}

// total adds all up in one row.
func (r *Reader) total(ctx context.Context, a *ask, match []any) ([]query.Row, error) {
	said, err := r.search(ctx, event.DatasetActivity, object{"size": 0, "query": all(match), "aggs": figures(everyone, a.exact)})
	if err != nil {
		return nil, err
	}
	var b bucket
	if err := said.read(&b); err != nil {
		return nil, err
	}
	row := query.Row{Key: []string{}, Labels: []string{}}
	if b.Last.Value != nil {
		b.fill(&row, a.loc)
	}
	return []query.Row{row}, nil
}

// groups reads page after page of groups.
func (r *Reader) groups(ctx context.Context, a *ask, match []any, who kind, rows []query.Row) ([]query.Row, error) {
	page := lightPage
	if who == everyone {
		page = max(leastPage, min(lightPage, memoryOfPage/(2*8*max(a.exact, 1))))
	}
	composite := object{"size": page, "sources": sources(a, who)}
	for {
		list, err := r.groupPage(ctx, a, match, who, composite)
		if lacksMemory(err) && page > leastPage {
			page = max(leastPage, page/4)
			composite["size"] = page
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range list.Buckets {
			rows = append(rows, list.Buckets[i].row(a, who))
		}
		if len(rows) > maxGroups {
			return nil, errGroups
		}
		if len(list.Buckets) < page || len(list.After) == 0 {
			return rows, nil
		}
		composite["after"] = list.After
	}
}

// groupPage is a page of groups, and where the next one begins.
type groupPage struct {
	Buckets []bucket        `json:"buckets"`
	After   json.RawMessage `json:"after_key"`
}

// groupPage asks for a page of groups.
func (r *Reader) groupPage(ctx context.Context, a *ask, match []any, who kind, composite object) (*groupPage, error) {
	said, err := r.search(ctx, event.DatasetActivity, object{"size": 0, "query": all(match),
		"aggs": object{"rows": object{"composite": composite, "aggs": figures(who, a.exact)}}})
	if err != nil {
		return nil, err
	}
	var list struct{ Rows groupPage }
	return &list.Rows, said.read(&list)
}

// lacksMemory says whether the server refused a question that would have taken more memory than it has to give.
func lacksMemory(err error) bool {
	var refused *elasticsearch.StatusError
	return errors.As(err, &refused) && refused.Status == http.StatusTooManyRequests && strings.HasPrefix(refused.Reason, "circuit_breaking_exception")
}

// sources are what groups are told apart by.
func sources(a *ask, who kind) []any {
	var list []any
	add := func(name string, source object) { list = append(list, object{name: source}) }
	byWord := func(field string) object { return object{"terms": object{"field": field, "missing_bucket": true}} }
	for i, d := range a.q.By {
		name := fmt.Sprintf("d%d", i)
		switch {
		case byTime[d] != "":
			add(name, object{"date_histogram": object{"field": atField, "calendar_interval": byTime[d], "time_zone": a.zone}})
		case d != query.ByUser:
			add(name, byWord(byField[d]))
		case who == known:
			add(name, object{"terms": object{"field": userField}})
		case who == addresses:
			add("site", byWord(siteField))
			add("address", byWord(addressField))
		default: // one group
			add(name, byWord("event.dataset"))
		}
	}
	return list
}

// figures are what is added up in each group.
func figures(who kind, exact int) object {
	later := object{"range": object{sliceField: object{"gte": 1}}}
	f := object{
		"flows":   object{"filter": all(nil, later)},
		"unknown": object{"filter": all(nil, later, exists(uploadField))},
		"visits":  object{"filter": term(firstField, true)},
		"calm":    object{"filter": all([]any{term(calmField, true)}, term(firstField, true))},
		"woken":   object{"filter": all([]any{term(calmField, true), term(firstField, true)})},
		"first":   object{"min": object{"field": atField}},
		"last":    object{"max": object{"field": atField}},
	}
	for name, field := range map[string]string{"up": "source.bytes", "down": "destination.bytes", "upload": uploadField, "low": "gnomon.upload.low",
		"high": "gnomon.upload.high"} {
		f[name] = object{"sum": object{"field": field}}
	}
	used := object{"filter": all(nil, term(useField, query.UseBackground))}
	if who == everyone {
		people := peopleOf(exact)
		used["aggs"] = people
		maps.Copy(f, people)
	}
	f["used"] = used
	return f
}

// peopleOf counts those who are behind records.
func peopleOf(exact int) object {
	return object{"known": object{"filter": isKnown(), "aggs": object{"n": distinct(userField, exact)}},
		"addresses": object{"filter": isAddress(),
			"aggs": object{"sites": object{"terms": object{"field": siteField, "missing": "", "size": maxSites},
				"aggs": object{"n": distinct(addressField, exact)}}}}}
}

func distinct(field string, exact int) object {
	return object{"cardinality": object{"field": field, "precision_threshold": exact}}
}

// number is a figure of an answer; there is none where nothing was added up.
type number struct {
	Value *float64 `json:"value"`
}

// count is the figure as it was added up.
func (n number) count() uint64 {
	if n.Value == nil || *n.Value <= 0 {
		return 0
	}
	return uint64(math.Round(*n.Value))
}

// moment is the figure as a time, to the second.
func (n number) moment(loc *time.Location) time.Time {
	if n.Value == nil {
		return time.Time{}
	}
	return time.Unix(int64(math.Floor(*n.Value/1000)), 0).In(loc)
}

type documents struct {
	Count uint64 `json:"doc_count"`
}

// bucket is a group of an answer.
type bucket struct {
	Key struct {
		First   json.RawMessage `json:"d0"`
		Second  json.RawMessage `json:"d1"`
		Site    *string         `json:"site"`
		Address string          `json:"address"`
	} `json:"key"`
	Up, Down, Upload, Low, High, First, Last number
	Flows, Unknown, Visits, Calm, Woken      documents
	people
	Used struct {
		documents
		people
	}
}

// people are those who are behind records.
type people struct {
	Known     struct{ N number }
	Addresses struct {
		Sites struct {
			Others  uint64               `json:"sum_other_doc_count"`
			Buckets []struct{ N number } `json:"buckets"`
		}
	}
}

func (p *people) count() uint64 {
	n := p.Known.N.count()
	for _, site := range p.Addresses.Sites.Buckets {
		n += site.N.count()
	}
	return n
}

// fill writes the figures.
func (b *bucket) fill(row *query.Row, loc *time.Location) {
	row.Visits, row.Flows, row.Unknown = b.Visits.Count, b.Flows.Count, b.Unknown.Count
	row.BytesUp, row.BytesDown = b.Up.count(), b.Down.count()
	row.Upload = query.Bounds{Bytes: b.Upload.count(), Low: b.Low.count(), High: b.High.count()}
	row.First, row.Last = b.First.moment(loc), b.Last.moment(loc)
	row.Users = b.Used.people.count()
	all := b.people.count()
	row.Background = query.Background{Users: max(all, row.Users) - row.Users, Visits: max(b.Calm.Count, b.Woken.Count) - b.Woken.Count}
}

// row is a row of groups of those who are of one kind.
func (b *bucket) row(a *ask, who kind) query.Row {
	row := query.Row{Key: b.keys(a, who), Labels: make([]string, len(a.q.By))}
	b.fill(&row, a.loc)
	if who == known || who == addresses {
		row.Users = min(b.Used.Count, 1)
		row.Background.Users = 1 - row.Users
	}
	return row
}

// keys are those of the row.
func (b *bucket) keys(a *ask, who kind) []string {
	keys := make([]string, len(a.q.By))
	for i, d := range a.q.By {
		raw := b.Key.First
		if i == 1 {
			raw = b.Key.Second
		}
		switch {
		case byTime[d] != "":
			var ms int64
			if json.Unmarshal(raw, &ms) == nil {
				keys[i] = a.key(d, time.UnixMilli(ms))
			}
		case d != query.ByUser:
			keys[i] = word(raw)
		case who == known:
			keys[i] = knownKey(word(raw))
		case who == addresses:
			site := ""
			if b.Key.Site != nil {
				site = *b.Key.Site
			}
			keys[i] = addressKey(b.Key.Address, site)
		case who == shared:
			keys[i] = sharedKey
		}
	}
	return keys
}

// word reads a word; null is the empty one.
func word(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s) // null, or a text by the field's type
	return s
}

// exactness is up to how many users the distinct counts of a question need to be exact: no more than there are, so that answers of many groups
// take little memory. Every so many questions it is asked anew, and a quarter is added for those that come meanwhile.
func (r *Reader) exactness(ctx context.Context, a *ask) (int, error) {
	if len(a.q.By) == 0 || a.byUser() {
		return exactly, nil
	}
	const askAgain = 200
	r.mu.Lock()
	people, fresh := r.people, r.people > 0 && r.asked < askAgain
	r.asked++
	r.mu.Unlock()
	if !fresh {
		said, err := r.search(ctx, event.DatasetActivity, object{"size": 0, "aggs": object{"users": distinct(userField, exactly),
			"addresses": distinct(addressField, exactly)}})
		if err != nil {
			return 0, err
		}
		var n struct{ Users, Addresses number }
		if err := said.read(&n); err != nil {
			return 0, err
		}
		people = max(n.Users.count(), n.Addresses.count(), 1)
		r.mu.Lock()
		r.people, r.asked = people, 1
		r.mu.Unlock()
	}
	return int(min(people+people/4+100, exactly)), nil
}
