package elasticsearch

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// doubt is whether records that are about to be sent may be there already: those of before this process started, which another may have
// sent, from the spool or by reading the same capture or log; and all after a request without an answer.
//
// Within one index an id is there once. A data stream is several, one of them for new records, and what was written to the one before a
// rollover is written again after it. So in doubt the stream is asked first which ids it has. That wants the privilege to read (and to
// refresh: what was written this second cannot be found yet); without it only a retry across a rollover can leave a record twice. Daily
// indices need none of this: the same record always goes to the same index.
type doubt struct {
	started event.Time  // records of later are this process's own
	unknown atomic.Bool // the last batch had a request without an answer
	now     atomic.Bool // this batch has one
	blind   atomic.Bool // it may not ask
}

// clocks is how far ahead the clock of a log's source may be.
const clocks = time.Minute

// start begins at a time of this machine.
func (d *doubt) start(at time.Time) { d.started = event.At(at.Add(clocks)) }

// begin begins a batch.
func (d *doubt) begin() { d.now.Store(false) }

// raise notes that a request has no answer.
func (d *doubt) raise() { d.now.Store(true) }

// end ends a batch. The spool hands over what has no answer again before anything else.
func (d *doubt) end() { d.unknown.Store(d.now.Load()) }

// inDoubt says whether the request's ids are to be looked for first.
func (w *worker) inDoubt(part []event.Event) bool {
	d := &w.e.doubt
	if len(w.at) == 0 || w.e.config.Layout != LayoutStream || d.blind.Load() {
		return false
	}
	return d.unknown.Load() || slices.ContainsFunc(w.at, func(i int) bool { return d.old(&part[i]) })
}

// old says whether another process may have sent a record: it is of before the start, or of a clock that is no measure.
func (d *doubt) old(ev *event.Event) bool {
	return ev.Timestamp < d.started || ev.Timestamp > ev.Event.Ingested+event.Time(clocks)
}

// leaveOut takes what is there already out of the request.
func (w *worker) leaveOut(part []event.Event, out []exporters.Outcome, there map[string]bool) {
	if len(there) == 0 {
		return
	}
	body, begin, kept := w.body[:0], 0, 0
	for k, i := range w.at {
		text := w.body[begin:w.ends[k]]
		begin = w.ends[k]
		if there[part[i].Event.ID] {
			out[i] = exporters.Outcome{State: exporters.Stored, Duplicate: true}
			continue
		}
		body = append(body, text...) // text lies at or behind the end of body
		w.at[kept], w.ends[kept] = i, len(body)
		kept++
	}
	w.body, w.at, w.ends = body, w.at[:kept], w.ends[:kept]
}

// find asks which of the records are there.
func (w *worker) find(ctx context.Context, part []event.Event) (map[string]bool, error) {
	var streams, ids []string
	for _, i := range w.at {
		if s := Stream(part[i].Event.Dataset, w.e.config.Namespace); !slices.Contains(streams, s) {
			streams = append(streams, s)
		}
		ids = append(ids, part[i].Event.ID)
	}
	in := "/" + strings.Join(streams, ",")
	if err := w.refresh(ctx, in); err != nil {
		return nil, err
	}
	query, err := json.Marshal(map[string]any{"size": len(ids), "_source": false, "track_total_hits": false,
		"query": map[string]any{"ids": map[string]any{"values": ids}}})
	if err != nil {
		return nil, fmt.Errorf("asking for records that may be there: %w", err)
	}
	status, answer, err := w.e.client.Do(ctx, http.MethodPost, in+"/_search?ignore_unavailable=true&filter_path=hits.hits._id,_shards.failed", query)
	switch {
	case err != nil:
		return nil, err
	case forbidden(status, answer):
		w.mayNotAsk(answer)
		return nil, nil
	case status != http.StatusOK:
		return nil, &StatusError{Status: status, Reason: Reason(answer)}
	}
	return parseFound(answer)
}

// refresh makes what was written just now visible to a search. That it may not is no reason not to search.
func (w *worker) refresh(ctx context.Context, in string) error {
	status, answer, err := w.e.client.Do(ctx, http.MethodPost, in+"/_refresh?ignore_unavailable=true", nil)
	if err == nil && status != http.StatusOK && status != http.StatusNotFound && !forbidden(status, answer) {
		err = &StatusError{Status: status, Reason: Reason(answer)}
	}
	return err
}

// forbidden says whether the key has no privilege for a request. A block, of a full disk or of a tired node, is forbidden likewise, and passes.
func forbidden(status int, answer []byte) bool {
	var said struct {
		Error struct {
			Type string `json:"type"`
		} `json:"error"`
	}
	return status == http.StatusForbidden && json.Unmarshal(answer, &said) == nil && said.Error.Type == "security_exception"
}

// mayNotAsk goes on without asking.
func (w *worker) mayNotAsk(answer []byte) {
	if !w.e.doubt.blind.Swap(true) {
		w.e.log.Info("records that may have been sent before are sent again without asking, as the key may not read; "+
			"one that was written before a rollover of its data stream may be there twice", "answer", Reason(answer))
	}
}

// parseFound reads the ids of an answer.
func parseFound(answer []byte) (map[string]bool, error) {
	var said struct {
		Shards struct {
			Failed int `json:"failed"`
		} `json:"_shards"`
		Hits struct {
			Hits []struct {
				ID string `json:"_id"`
			} `json:"hits"`
		} `json:"hits"`
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return nil, fmt.Errorf("asking for records that may be there: %w", err)
	}
	if said.Shards.Failed > 0 {
		return nil, fmt.Errorf("asking for records that may be there: %d shards do not answer", said.Shards.Failed)
	}
	there := make(map[string]bool, len(said.Hits.Hits))
	for _, hit := range said.Hits.Hits {
		there[hit.ID] = true
	}
	return there, nil
}
