package setup

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

// streams are the data streams of a namespace. Setup makes them empty, so that a reader can tell a namespace without records from a name that
// is wrong. Daily indices come with the day's first record.
func streams(t *Target) []string {
	if t.Layout == elasticsearch.LayoutDaily {
		return nil
	}
	var all []string
	for _, d := range datasets {
		all = append(all, elasticsearch.Stream(d, t.Namespace))
	}
	return all
}

// open makes the data streams that are not there. That a user may not, or a server has no such request, is no reason to end: the first record
// makes its stream.
func (r *Run) open(ctx context.Context, t *Target) error {
	for _, name := range streams(t) {
		status, answer, err := r.Server.Do(ctx, http.MethodGet, streamPath+name, nil)
		if err != nil {
			return err
		}
		state := Unchanged
		if status != http.StatusOK {
			if status, answer, err = r.Server.Do(ctx, http.MethodPut, streamPath+name, nil); err != nil {
				return err
			}
			state = Made
		}
		switch {
		case status >= http.StatusBadRequest && status < http.StatusInternalServerError && status != http.StatusUnauthorized:
			state = Later
		case status != http.StatusOK:
			return fmt.Errorf("making data stream %s: %w", name, &elasticsearch.StatusError{Status: status, Reason: elasticsearch.Reason(answer)})
		}
		r.Tell(Step{state, "data stream " + name})
	}
	return nil
}

const streamPath = "/_data_stream/"
