// Package search answers questions about records in Elasticsearch or OpenSearch (query.Query), with aggregations that both have in their
// core and none of which is unbounded. It reads alone: it neither sends records (see elasticsearch) nor makes indices for them (see setup).
//
// Sums are made of raw records: all groups at once, or page after page where a server has no room for that, and the people of each group in
// requests of their own beside. What the embedded store says of the same records is what is said here, but for these:
//
//   - distinct users are exact to about 40,000 in a group and within one per cent above (HyperLogLog++);
//   - a visit counts where the record that is marked gnomon.visit.first counts, one of background traffic alone where the one that is
//     marked gnomon.visit.background does: it stays there if use begins in it later that counts elsewhere;
//   - what coverage says by reason, name and source is read from the newest records: for one answer from at most maxCoverageRecords that were not
//     read for an answer before.
//
// A question costs the cluster time for each record of its period, and memory for each of its groups. Over all of 5.2 million records (10,000 users,
// 70 days, as package yeartest makes them, an index a week) on one node of Elasticsearch 8.19.8 with two cores, no cache, 95 of 100 answers came within
//
//	heap                              512 MB   2 GB
//	totals                            0.56 s   0.24 s
//	by month and status               0.53     0.42
//	by day                            0.56     0.30
//	by department                     0.72     0.45
//	by service, the first 20          1.66     0.73
//	by user, the first 50             1.45     0.52
//	prohibited, by user and service   0.52     0.38
//
// A page asks about ten of them: of 30 days, within 0.35 s where they were asked before and 3 s where no cache has anything, of all 70 days 1 and 6 s. A
// DLP report asks about a hundred and takes 8 to 11 s. Memory on the server is bounded, time is not: it is linear, by extrapolation 5 to 30 s a question over
// 100 million on such a node, less by as many cores as there are shards for (setup.shards).
package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// Server is what answers; elasticsearch.Client is one.
type Server interface {
	// Do sends a request with a JSON body, nil for none, and returns the status and the text of the answer.
	Do(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error)
}

// Reader answers questions. It may be used from several goroutines.
type Reader struct {
	server            Server
	namespace, layout string

	pause func(context.Context, time.Duration) error
	maps  stepMaps

	counting chan struct{} // has room for the one who counts how many people there are

	mu       sync.Mutex // guards what follows
	services map[string]string
	readable []string // targets that this user may read
	most     uint64   // as many as all records are of, when that was last asked
	asked    uint64   // questions since then
}

var (
	_ query.Query   = (*Reader)(nil)
	_ query.Spanned = (*Reader)(nil)
	_ query.Blind   = (*Reader)(nil)
)

// New reads the records of a namespace, in the layout in which they are written.
func New(s Server, namespace, layout string) *Reader {
	return &Reader{server: s, namespace: namespace, layout: layout, pause: wait, counting: make(chan struct{}, 1), services: map[string]string{}}
}

// wait waits, or for the end of ctx.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// object is a piece of JSON.
type object = map[string]any

// errPartial is for an answer that leaves something out.
var errPartial = errors.New("a part of the indices did not answer, so that figures would be too low; try again, or see the cluster's health")

// answer is that of a search.
type answer struct {
	TimedOut bool `json:"timed_out"`
	Shards   struct {
		Total      *int `json:"total"`
		Successful int  `json:"successful"`
		Failed     int  `json:"failed"`
	} `json:"_shards"`
	Hits struct {
		Hits []hit `json:"hits"`
	} `json:"hits"`
	Aggregations json.RawMessage `json:"aggregations"`
}

// partial says whether something is left out.
func (a *answer) partial() bool {
	return a.TimedOut || a.Shards.Failed > 0 || a.Shards.Total != nil && a.Shards.Successful < *a.Shards.Total
}

// nowhere says whether nothing was asked: there is no such index, or this user may not know of it.
func (a *answer) nowhere() bool { return a.Shards.Total != nil && *a.Shards.Total == 0 }

// hit is a record that was found.
type hit struct {
	Index  string                       `json:"_index"`
	Source json.RawMessage              `json:"_source"`
	Fields map[string][]json.RawMessage `json:"fields"`
	Sort   []json.RawMessage            `json:"sort"`
}

// How often a question is asked that a node does not take, and how long after the first time.
const (
	tries = 3
	pause = 250 * time.Millisecond
)

// search asks the records of a dataset. Where there are none yet, nothing is found.
func (r *Reader) search(ctx context.Context, dataset string, body object) (*answer, error) {
	body["track_total_hits"] = false
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	targets := r.where(dataset)
	a, err := r.ask(ctx, targets, text)
	for i := 1; i < tries && err != nil && passing(err) && ctx.Err() == nil; i++ {
		if r.pause(ctx, time.Duration(i)*pause) != nil {
			break
		}
		a, err = r.ask(ctx, targets, text)
	}
	if err == nil && a.nowhere() {
		err = r.allowed(ctx, targets)
	}
	if err != nil {
		return nil, explained(err)
	}
	return a, nil
}

// ask asks once. An index that is missing is not left out by the server: it would leave out those as well that its user may not read.
func (r *Reader) ask(ctx context.Context, targets string, text []byte) (*answer, error) {
	path := "/" + targets + "/_search?allow_no_indices=true&allow_partial_search_results=false"
	status, said, err := r.server.Do(ctx, http.MethodPost, path, text)
	if err != nil {
		return nil, err
	}
	reason := ""
	if status != http.StatusOK {
		reason = elasticsearch.Reason(said)
	}
	switch {
	case status == http.StatusNotFound && strings.HasPrefix(reason, "index_not_found_exception"):
		return &answer{}, nil
	case status != http.StatusOK:
		return nil, &elasticsearch.StatusError{Status: status, Reason: reason}
	}
	var a answer
	if err := json.Unmarshal(said, &a); err != nil {
		return nil, fmt.Errorf("reading the answer of Elasticsearch: %w", err)
	}
	if a.partial() {
		return nil, errPartial
	}
	return &a, nil
}

// where says what is asked, for errors.
func (r *Reader) where(dataset string) string {
	return elasticsearch.Targets(dataset, r.namespace, r.layout)
}

// read reads what was added up; where there are no indices, nothing was.
func (a *answer) read(into any) error {
	if len(a.Aggregations) == 0 {
		return nil
	}
	return json.Unmarshal(a.Aggregations, into)
}
