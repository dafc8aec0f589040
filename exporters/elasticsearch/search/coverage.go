package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

const (
	// maxSteps bounds an answer of Coverage, stepsAtOnce what is asked for at once.
	maxSteps    = 100_000
	stepsAtOnce = 5000
	// minutesAtOnce is how many minutes are asked for at once.
	minutesAtOnce = 30_000
	// maxCoverageRecords bounds the records that are read whole: of a year, those of about two months of one sensor.
	maxCoverageRecords  = 100_000
	coverageRecordsPage = 5000

	// startField is the beginning of the minute that a coverage record speaks of.
	startField    = "event.start"
	coverageField = "gnomon.coverage"
	queueField    = coverageField + ".queue_age_s"
)

// covering is an answer of Coverage in the making.
type covering struct {
	from, to time.Time
	step     time.Duration
	rows     []query.CoverageRow
	records  []uint64 // of each row
	known    []bool   // rows that have what is counted by reason, name and source
}

// newCovering checks a request.
func newCovering(from, to time.Time, step time.Duration) (*covering, error) {
	if step < time.Minute || step%time.Minute != 0 {
		return nil, fmt.Errorf("steps of %v: take whole minutes", step)
	}
	if !to.After(from) {
		return nil, errors.New("the period is empty")
	}
	n := int64((to.Sub(from) + step - 1) / step)
	if n > maxSteps {
		return nil, fmt.Errorf("%d steps: at most %d are given; take a longer step", n, maxSteps)
	}
	c := &covering{from: from, to: to, step: step, rows: make([]query.CoverageRow, n), records: make([]uint64, n), known: make([]bool, n)}
	for i := range c.rows {
		c.rows[i].Start = from.Add(time.Duration(i) * step)
	}
	return c, nil
}

// at is which row a time belongs to; below zero if it is none.
func (c *covering) at(t time.Time) int {
	if t.Before(c.from) || !t.Before(c.to) {
		return -1
	}
	return int(t.Sub(c.from) / c.step)
}

// row is the one that a time belongs to; nil if it is none.
func (c *covering) row(t time.Time) *query.CoverageRow {
	if i := c.at(t); i >= 0 {
		return &c.rows[i]
	}
	return nil
}

// Coverage implements query.Query. The age of the queue is the largest of a step.
func (r *Reader) Coverage(ctx context.Context, from, to time.Time, step time.Duration) ([]query.CoverageRow, error) {
	c, err := newCovering(from, to, step)
	if err == nil {
		err = together(ctx, func(ctx context.Context) error { return r.coverFigures(ctx, c) }, func(ctx context.Context) error { return r.coverMinutes(ctx, c) })
	}
	if err == nil {
		err = r.coverMaps(ctx, c)
	}
	if err != nil {
		return nil, fmt.Errorf("reading coverage from %s: %w", r.where(event.DatasetCoverage), err)
	}
	return c.rows, nil
}

// parts calls each for spans of so many steps.
func parts(from, to time.Time, step time.Duration, each func(from, to time.Time) error) error {
	for from.Before(to) {
		until := from.Add(step)
		if until.After(to) {
			until = to
		}
		if err := each(from, until); err != nil {
			return err
		}
		from = until
	}
	return nil
}

// figureAggs adds up every figure that event.Coverage.Add does, by its path below gnomon.coverage.
func figureAggs() object {
	aggs := object{"queue_age_s": object{"max": object{"field": queueField}}}
	add := func(path string) {
		aggs[strings.ReplaceAll(path, ".", ":")] = object{"sum": object{"field": coverageField + "." + path}}
	}
	for path := range strings.FieldsSeq("received dropped flows flows_readable flows_named ech encrypted_dns relay one_sided cut clients_left_out bytes_with_user evicted") {
		add(path)
	}
	for path := range strings.FieldsSeq("joined uncounted silent untold") {
		add("two_eyes." + path)
	}
	for _, sight := range []string{"web", "other_ports"} {
		for part := range strings.FieldsSeq("named ech encrypted_dns relay one_sided cut nameless") {
			add(sight + "." + part + ".flows")
			add(sight + "." + part + ".bytes")
		}
	}
	return aggs
}

// coverFigures adds figures up.
func (r *Reader) coverFigures(ctx context.Context, c *covering) error {
	aggs := figureAggs()
	return parts(c.from, c.to, c.step*stepsAtOnce, func(from, to time.Time) error {
		said, err := r.search(ctx, event.DatasetCoverage, object{"size": 0, "query": all(period(startField, from, to)),
			"aggs": object{"steps": object{"date_histogram": steps(c.from, c.step), "aggs": aggs}}})
		if err != nil {
			return err
		}
		var list struct {
			Steps struct {
				Buckets []map[string]json.RawMessage
			}
		}
		if err := said.read(&list); err != nil {
			return err
		}
		for _, b := range list.Steps.Buckets {
			var ms int64
			if err := json.Unmarshal(b["key"], &ms); err != nil {
				return err
			}
			if i := c.at(time.UnixMilli(ms)); i >= 0 {
				if err := errors.Join(fillCoverage(&c.rows[i].Coverage, b), json.Unmarshal(b["doc_count"], &c.records[i])); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// steps is a histogram of steps that begin at a time, without the empty ones.
func steps(from time.Time, step time.Duration) object {
	offset := from.UnixMilli() % step.Milliseconds()
	if offset < 0 {
		offset += step.Milliseconds()
	}
	return object{"field": startField, "fixed_interval": fmt.Sprintf("%dm", step/time.Minute), "offset": fmt.Sprintf("%dms", offset), "min_doc_count": 1}
}

// fillCoverage writes the figures of a bucket by their paths.
func fillCoverage(into *event.Coverage, b map[string]json.RawMessage) error {
	tree := object{}
	for name, raw := range b {
		var n number
		if json.Unmarshal(raw, &n) != nil || n.Value == nil { // the key, or the number of records
			continue
		}
		if name == "queue_age_s" {
			tree[name] = *n.Value
		} else {
			put(tree, strings.Split(name, ":"), n.count())
		}
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return err
	}
	if into.TwoEyes != nil && *into.TwoEyes == (event.TwoEyes{}) {
		into.TwoEyes = nil
	}
	return nil
}

// put puts a figure where its path says.
func put(tree object, path []string, n uint64) {
	for _, p := range path[:len(path)-1] {
		if tree[p] == nil {
			tree[p] = object{}
		}
		tree = tree[p].(object)
	}
	tree[path[len(path)-1]] = n
}

// coverMinutes counts the minutes that there are records of.
func (r *Reader) coverMinutes(ctx context.Context, c *covering) error {
	return parts(c.from, c.to, minutesAtOnce*time.Minute, func(from, to time.Time) error {
		said, err := r.search(ctx, event.DatasetCoverage, object{"size": 0, "query": all(period(startField, from, to)),
			"aggs": object{"minutes": object{"date_histogram": object{"field": startField, "fixed_interval": "1m", "min_doc_count": 1}}}})
		if err != nil {
			return err
		}
		var list struct {
			Minutes struct {
				Buckets []struct{ Key int64 }
			}
		}
		if err := said.read(&list); err != nil {
			return err
		}
		for _, b := range list.Minutes.Buckets {
			// The minute in which the period begins may have begun before it.
			at := time.UnixMilli(b.Key)
			if at.Before(c.from) {
				at = c.from
			}
			if row := c.row(at); row != nil {
				row.Minutes++
			}
		}
		return nil
	})
}

// newestCoverage reads parts of coverage records, the newest first, and no more than maxCoverageRecords.
func (r *Reader) newestCoverage(ctx context.Context, match object, source []any, each func(*event.Event)) error {
	body := object{"size": coverageRecordsPage, "query": match, "_source": source,
		"sort": []any{object{startField: object{"order": "desc", "unmapped_type": "date"}},
			object{idField: object{"order": "desc", "unmapped_type": "keyword"}}}}
	for n := 0; n < maxCoverageRecords; n += coverageRecordsPage {
		said, err := r.search(ctx, event.DatasetCoverage, body)
		if err != nil {
			return err
		}
		hits := said.Hits.Hits
		for i := range hits {
			var ev event.Event
			if err := json.Unmarshal(hits[i].Source, &ev); err != nil {
				return fmt.Errorf("a record in %s is none of gnomon's: %w", hits[i].Index, err)
			}
			each(&ev)
		}
		if len(hits) < coverageRecordsPage {
			return nil
		}
		body["search_after"] = hits[len(hits)-1].Sort
	}
	return nil
}
