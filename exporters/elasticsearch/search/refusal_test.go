package search

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// shards is a refusal by the shards of an index, as servers write it.
func shards(reason string) string {
	return `{"error":{"root_cause":[` + reason + `],"type":"search_phase_execution_exception","reason":"all shards failed","phase":"query","grouped":true,` +
		`"failed_shards":[{"shard":0,"index":".ds-logs-gnomon.activity-default-2026.11.21-000001","node":"n","reason":` + reason + `}],"caused_by":` + reason + `}}`
}

// What stands in the way of a question is said with its cause, and what to do.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		answer string
		err    error
		says   []string
	}{
		{"made without setup", 400, shards(`{"type":"illegal_argument_exception","reason":"Fielddata is disabled on [user.id] in [x]. Text fields are not optimised"}`), nil,
			[]string{"Fielddata is disabled on [user.id]", "gnomon setup elasticsearch"}},
		{"no index with such a field", 400, shards(`{"type":"query_shard_exception","reason":"No mapping found for [event.id] in order to sort on"}`), nil, []string{"[event.id]", "gnomon setup"}},
		{"no privilege", 403, `{"error":{"type":"security_exception","reason":"action [indices:data/read/search] is unauthorized for user [u] on indices [logs-gnomon.activity-default]"},"status":403}`,
			nil, []string{"user [u]", "[logs-gnomon.activity-default]", "gnomon-reader"}},
		{"wrong password", 401, `{"error":{"type":"security_exception","reason":"unable to authenticate user [u] for REST request [/x]"},"status":401}`, nil, []string{"elasticsearch.password_file"}},
		{"busy", 429, shards(`{"type":"es_rejected_execution_exception","reason":"rejected execution"}`), nil, []string{"rejected execution", "try again later"}},
		{"no memory", 429, shards(`{"type":"circuit_breaking_exception","reason":"[parent] Data too large"}`), nil, []string{"Data too large", "shorter period"}},
		{"some shards", 503, shards(`{"type":"node_disconnected_exception","reason":"[n] disconnected"}`), nil, []string{"[n] disconnected", "-000001", "too low", "_cluster/health"}},
		{"no shards", 503, `{"error":{"root_cause":[],"type":"search_phase_execution_exception","reason":"all shards failed","failed_shards":[]},"status":503}`, nil, []string{"all shards failed", "_cluster/health"}},
		{"too many words", 400, shards(`{"type":"query_shard_exception","reason":"failed to create query","caused_by":{"type":"too_many_clauses","reason":"too_many_clauses: maxClauseCount is set to 1024"}}`),
			nil, []string{"failed to create query: too_many_clauses", "fewer users"}},
		{"something before it", 502, "<html>", nil, []string{"502", "_cluster/health"}},
		{"node away", 0, "", &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}, []string{"connection refused", "elasticsearch.addresses"}},
		{"too slow", 0, "", context.DeadlineExceeded, []string{"shorter period", "elasticsearch.timeout"}},
		{"what nobody foresaw", 400, `{"error":{"type":"x_exception","reason":"y"}}`, nil, []string{"it answers 400 x_exception: y"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := server(func(string, string) (int, string, error) { return c.status, c.answer, c.err })
			_, err := reading(s, elasticsearch.LayoutStream).Sums(context.Background(), query.Request{})
			if err == nil {
				t.Fatal("no error")
			}
			for _, says := range c.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%q does not say %q", err, says)
				}
			}
		})
	}
}

// A question that one node does not take is asked again, and one that took too long is not.
func TestAskedAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		err    error
		asked  int
	}{
		{"busy", 429, nil, tries},
		{"starting", 503, nil, tries},
		{"away", 0, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, tries},
		{"too slow", 0, context.DeadlineExceeded, 1},
		{"wrong", 400, nil, 1},
		{"forbidden", 403, nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			s := server(func(string, string) (int, string, error) { asked++; return c.status, "{}", c.err })
			_, err := reading(s, elasticsearch.LayoutStream).search(context.Background(), event.DatasetActivity, object{})
			if err == nil || asked != c.asked {
				t.Errorf("it was asked %d times: %v", asked, err)
			}
		})
	}
	asked := 0
	s := server(func(string, string) (int, string, error) {
		if asked++; asked == 1 {
			return http.StatusServiceUnavailable, "{}", nil
		}
		return http.StatusOK, nothing, nil
	})
	if _, err := reading(s, elasticsearch.LayoutStream).search(context.Background(), event.DatasetActivity, object{}); err != nil || asked != 2 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// Where nothing is found, it is made sure that the user might find something: servers hide what one may not read.
func TestHiddenIndices(t *testing.T) {
	const none = `{"_shards":{"total":0,"successful":0,"failed":0},"hits":{"hits":[]}}`
	for _, c := range []struct {
		name, found string
		status      int
		privileges  string
		asked       int
		says        string
	}{
		{"hidden", none, 200, `{"has_all_requested":false}`, 1, "gnomon-reader"},
		{"nothing there yet", none, 200, `{"has_all_requested":true}`, 1, ""},
		{"no security", none, 400, `{"error":"no handler found"}`, 1, ""},
		{"found", nothing, 200, `{"has_all_requested":false}`, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			asked := 0
			s := server(func(path, body string) (int, string, error) {
				mu.Lock()
				defer mu.Unlock()
				if strings.HasSuffix(path, "_has_privileges") {
					if asked++; !strings.Contains(body, `"names":["gnomon-activity-default-*"]`) {
						t.Errorf("asked %s", body)
					}
					return c.status, c.privileges, nil
				}
				return http.StatusOK, c.found, nil
			})
			r := reading(s, elasticsearch.LayoutDaily)
			for range 2 {
				_, err := r.search(context.Background(), event.DatasetActivity, object{})
				if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
					t.Errorf("got %v", err)
				}
			}
			if c.says == "" && asked != c.asked {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

// A stream that is not there yet holds nothing; that is no error.
func TestMissingIndex(t *testing.T) {
	s := server(func(string, string) (int, string, error) {
		return http.StatusNotFound, `{"error":{"type":"index_not_found_exception","reason":"no such index [x]"},"status":404}`, nil
	})
	r := reading(s, elasticsearch.LayoutStream)
	rows, err := r.Sums(context.Background(), query.Request{})
	if err != nil || len(rows) != 1 || rows[0].Flows != 0 {
		t.Errorf("%+v, %v", rows, err)
	}
	if rows, err = r.Sums(context.Background(), query.Request{By: []query.Dimension{query.ByUser}}); err != nil || len(rows) != 0 {
		t.Errorf("%+v, %v", rows, err)
	}
	page, err := r.Records(context.Background(), query.RecordRequest{IDs: []string{"a"}})
	if err != nil || len(page.Records) != 0 {
		t.Errorf("%+v, %v", page, err)
	}
	gone := server(func(string, string) (int, string, error) { return http.StatusNotFound, "<html>", nil })
	if _, err := reading(gone, elasticsearch.LayoutStream).Sums(context.Background(), query.Request{}); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("got %v of something that is no Elasticsearch", err)
	}
}
