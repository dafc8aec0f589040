package elasticsearch

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/elastictest"
	"github.com/gnomon-sensor/gnomon/exporters/exportertest"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// open opens an exporter to a node.
func open(t testing.TB, address string, change func(*Config)) *Exporter {
	t.Helper()
	c := Default()
	c.Addresses, c.Proxy = []string{address}, proxyDirect
	if change != nil {
		change(&c)
	}
	e, err := Open(c, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// some are records of an exporter's batch.
func some(from, to int) []event.Event {
	batch := make([]event.Event, 0, to-from)
	for n := from; n < to; n++ {
		batch = append(batch, exportertest.Full(n))
	}
	return batch
}

// tally counts outcomes.
type tally struct{ stored, duplicates, again, never int }

func try(t testing.TB, e *Exporter, batch []event.Event) (tally, []exporters.Outcome) {
	t.Helper()
	out := make([]exporters.Outcome, len(batch))
	if err := e.Export(t.Context(), batch, out); err != nil {
		t.Fatal(err)
	}
	var n tally
	for _, o := range out {
		switch o.State {
		case exporters.Stored:
			n.stored++
			if o.Duplicate {
				n.duplicates++
			}
		case exporters.Again:
			n.again++
		case exporters.Never:
			n.never++
		}
		if o.State != exporters.Stored && o.Reason == "" {
			t.Error("a record is not stored, and nobody says why")
		}
	}
	return n, out
}

func TestContract(t *testing.T) {
	for _, layout := range []string{LayoutStream, LayoutDaily} {
		t.Run(layout, func(t *testing.T) {
			exportertest.Run(t, exportertest.Subject{Idempotent: true, Open: func(t *testing.T) (exporters.Exporter, func(*testing.T) map[string]int) {
				node, address := elastictest.New(t)
				return open(t, address, func(c *Config) { c.Layout = layout }), func(*testing.T) map[string]int {
					count, _ := node.Documents()
					return count
				}
			}})
		})
	}
}

// What is stored is what was exported, where it belongs.
func TestExport(t *testing.T) {
	tests := []struct {
		name     string
		change   func(*Config)
		targets  map[string]int
		requests int
	}{
		{"streams", nil, map[string]int{"logs-gnomon.activity-default": 900, "metrics-gnomon.coverage-default": 100}, 2},
		{"plain", func(c *Config) { c.Compress = false }, map[string]int{"logs-gnomon.activity-default": 900, "metrics-gnomon.coverage-default": 100}, 2},
		{"one request at a time", func(c *Config) { c.Requests = 1 },
			map[string]int{"logs-gnomon.activity-default": 900, "metrics-gnomon.coverage-default": 100}, 1},
		{"by day", func(c *Config) { c.Layout, c.Namespace = LayoutDaily, "berlin" },
			map[string]int{"gnomon-activity-berlin-2025.10.09": 900, "gnomon-coverage-berlin-2025.10.09": 100}, 2},
		{"one dataset", func(c *Config) { c.Datasets = []string{"activity"} }, map[string]int{"logs-gnomon.activity-default": 900}, 2},
		{"small requests", func(c *Config) { c.BatchMiB, c.Requests = 1, 1 },
			map[string]int{"logs-gnomon.activity-default": 900, "metrics-gnomon.coverage-default": 100}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			node, address := elastictest.New(t)
			e := open(t, address, tt.change)
			batch := some(0, 1000)
			for i := range batch {
				if i%10 == 0 {
					batch[i].Event.Dataset = event.DatasetCoverage
				}
			}
			if n, _ := try(t, e, batch); n != (tally{stored: 1000}) {
				t.Errorf("the outcomes are %+v", n)
			}
			if got := node.Targets(); !reflect.DeepEqual(got, tt.targets) {
				t.Errorf("records are in %v, want %v", got, tt.targets)
			}
			if got := node.Requests(); got != tt.requests {
				t.Errorf("%d requests, want %d", got, tt.requests)
			}
			_, documents := node.Documents()
			for i := range batch {
				want, err := json.Marshal(&batch[i])
				if err != nil {
					t.Fatal(err)
				}
				if got := documents[batch[i].Event.ID]; got != nil && string(got) != string(want) {
					t.Fatalf("stored is\n%s\nwant\n%s", got, want)
				}
			}
		})
	}
}

// What one record meets does not touch the others.
func TestItems(t *testing.T) {
	tests := []struct {
		name   string
		status int
		kind   string
		want   tally
	}{
		{"a full queue", 429, "es_rejected_execution_exception", tally{stored: 9, again: 1}},
		{"a shard that is away", 503, "unavailable_shards_exception", tally{stored: 9, again: 1}},
		{"a fault of the node", 500, "exception", tally{stored: 9, again: 1}},
		{"a full disk", 403, "cluster_block_exception", tally{stored: 9, again: 1}},
		{"a missing privilege", 403, "security_exception", tally{stored: 9, again: 1}},
		{"no index", 404, "index_not_found_exception", tally{stored: 9, again: 1}},
		{"as many shards as may be", 400, "validation_exception", tally{stored: 9, again: 1}},
		{"a document that cannot be", 400, "document_parsing_exception", tally{stored: 9, never: 1}},
		{"a field too many", 400, "illegal_argument_exception", tally{stored: 9, never: 1}},
		{"it is there", 409, "version_conflict_engine_exception", tally{stored: 10, duplicates: 1}},
		{"another conflict", 409, "exception", tally{stored: 9, again: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			node, address := elastictest.New(t)
			e := open(t, address, nil)
			batch := some(0, 10)
			bad := batch[3].Event.ID
			node.Set(elastictest.Faults{Item: func(id string) (int, string) {
				if id == bad {
					return tt.status, tt.kind
				}
				return 0, ""
			}})
			if n, _ := try(t, e, batch); n != tt.want {
				t.Errorf("the outcomes are %+v, want %+v", n, tt.want)
			}
		})
	}
}

// A request that fails as a whole leaves its records for later, or is split.
func TestWhole(t *testing.T) {
	always := func(status int, kind string) elastictest.Faults {
		return elastictest.Faults{Before: func(w http.ResponseWriter, _ *http.Request) bool { return elastictest.Refuse(w, status, kind) }}
	}
	text := func(status int, text string) elastictest.Faults {
		return elastictest.Faults{Before: func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
			return true
		}}
	}
	tests := []struct {
		name   string
		faults elastictest.Faults
		want   tally
		reason string
	}{
		{"key", always(401, "security_exception"), tally{again: 10}, "api_key_file"},
		{"privilege", always(403, "security_exception"), tally{again: 10}, "privilege"},
		{"read-only", always(403, "cluster_block_exception"), tally{again: 10}, "cluster_block_exception"},
		{"busy", always(429, "circuit_breaking_exception"), tally{again: 10}, "circuit_breaking"},
		{"a fault", always(500, "exception"), tally{again: 10}, "500"},
		{"starting", always(503, "exception"), tally{again: 10}, "503"},
		{"away behind a proxy", text(502, "<html>"), tally{again: 10}, "502"},
		{"elsewhere", text(302, ""), tally{again: 10}, "sends elsewhere"},
		{"not Elasticsearch", text(200, "<html>Please log in"), tally{again: 10}, "something else than Elasticsearch"},
		{"fewer answers than records", text(200, `{"errors":false,"items":[{"create":{"status":201}}]}`), tally{again: 10}, "what became of each"},
		{"nothing in the answers", text(200, `{"errors":false,"items":[{},{},{},{},{},{},{},{},{},{}]}`), tally{again: 10}, "what became of each"},
		{"a web server that wants TLS", text(400, "<html>The plain HTTP request was sent to HTTPS port"), tally{again: 10}, "400"},
		{"wrong media type", always(400, "media_type_header_exception"), tally{again: 10}, "media_type"},
		{"gone", elastictest.Faults{Before: elastictest.Drop}, tally{again: 10}, "EOF"},
		{"spoiled to the last", always(400, "illegal_argument_exception"), tally{never: 10}, "illegal_argument"},
		{"too large to the last", text(413, ""), tally{never: 10}, "413"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			node, address := elastictest.New(t)
			e := open(t, address, func(c *Config) { c.Layout = LayoutDaily })
			node.Set(tt.faults)
			n, out := try(t, e, some(0, 10))
			if n != tt.want || !strings.Contains(out[0].Reason, tt.reason) {
				t.Errorf("the outcomes are %+v (%q), want %+v (%q)", n, out[0].Reason, tt.want, tt.reason)
			}
			if tt.want.again > 0 {
				node.Set(elastictest.Faults{})
				if n, _ := try(t, e, some(0, 10)); n != (tally{stored: 10}) {
					t.Errorf("afterwards the outcomes are %+v", n)
				}
			}
		})
	}
}

// One record that spoils a request is found, and the others are stored.
func TestSpoiled(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(node *elastictest.Node, ev *event.Event)
	}{
		{"to the node", func(node *elastictest.Node, ev *event.Event) {
			ev.Message = "a word that spoils all"
			node.Set(elastictest.Faults{Spoils: ev.Message})
		}},
		{"by an id that cannot be", func(_ *elastictest.Node, ev *event.Event) { ev.Event.ID += `"` }},
		{"by no id", func(_ *elastictest.Node, ev *event.Event) { ev.Event.ID = "" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			node, address := elastictest.New(t)
			e := open(t, address, nil)
			batch := some(0, 100)
			tt.spoil(node, &batch[61])
			if n, out := try(t, e, batch); n != (tally{stored: 99, never: 1}) || out[61].State != exporters.Never {
				t.Errorf("the outcomes are %+v", n)
			}
		})
	}
}

// A node that takes less than is sent gets less, at once and from then on; a record that is too large alone is refused for good.
func TestTooLarge(t *testing.T) {
	node, address := elastictest.New(t)
	node.MaxContent = 64 << 10
	e := open(t, address, nil)
	batch := some(0, 1000)
	batch[500].Message = strings.Repeat("long ", 16<<10)
	n, out := try(t, e, batch)
	if n != (tally{stored: 999, never: 1}) || !strings.Contains(out[500].Reason, "413") {
		t.Errorf("the outcomes are %+v (%q)", n, out[500].Reason)
	}
	if bound := e.size.bound(); bound > 64<<10 {
		t.Errorf("requests may have %d bytes, and the node takes 64 KiB", bound)
	}
	var large atomic.Int64
	node.Set(elastictest.Faults{Before: func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/_bulk") {
			large.Add(1)
		}
		return false
	}})
	if n, _ := try(t, e, some(1000, 2000)); n != (tally{stored: 1000}) {
		t.Errorf("the outcomes are %+v", n)
	}
	if done := int64(node.Requests()); done == 0 || large.Load() > 60 {
		t.Errorf("%d requests for 1000 records", large.Load())
	}
}

// The bound of requests that get no answer shrinks, and grows again with answers; a refusal for the size stays.
func TestSize(t *testing.T) {
	s := newSize(4 << 20)
	steps := []struct {
		name string
		do   func()
		want int
	}{
		{"as configured", func() {}, 4 << 20},
		{"no answer", func() { s.unanswered(4 << 20) }, 2 << 20},
		{"still none", func() { s.unanswered(2 << 20) }, 1 << 20},
		{"an answer", s.answered, 1 << 20 * 5 / 4},
		{"many", func() {
			for range 100 {
				s.answered()
			}
		}, 4 << 20},
		{"too large", func() { s.tooLarge(3 << 20) }, 3 << 19},
		{"and it stays", s.answered, 3 << 19},
		{"hardly anything is answered", func() { s.unanswered(100) }, sizeLeast},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			step.do()
			if got := s.bound(); got != step.want {
				t.Errorf("the bound is %d, want %d", got, step.want)
			}
		})
	}
}

// Several requests are under way at once.
func TestInFlight(t *testing.T) {
	node, address := elastictest.New(t)
	e := open(t, address, func(c *Config) { c.Requests = 4 })
	var now, most atomic.Int64
	all := make(chan struct{})
	together := sync.OnceFunc(func() { close(all) }) // four may meet again behind it
	node.Set(elastictest.Faults{Before: func(_ http.ResponseWriter, r *http.Request) bool {
		n := now.Add(1)
		if n == 4 {
			together()
		}
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		select {
		case <-all:
		case <-r.Context().Done():
		}
		now.Add(-1)
		return false
	}})
	if n, _ := try(t, e, some(0, 1000)); n != (tally{stored: 1000}) || most.Load() != 4 {
		t.Errorf("%+v with %d requests at once, want 4", n, most.Load())
	}
}

// A node that takes too long is given up on, and what it has done all the same is not done twice. How long it takes until a node has done
// something, the test does not know, so it gives it longer and longer.
func TestSlow(t *testing.T) {
	node, address := elastictest.New(t)
	e := open(t, address, func(c *Config) { c.Layout = LayoutDaily })
	node.Set(elastictest.Faults{After: func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }})
	for e.config.Timeout = 50 * time.Millisecond; node.Requests() == 0; e.config.Timeout *= 2 {
		if n, _ := try(t, e, some(0, 10)); n != (tally{again: 10}) {
			t.Fatalf("the outcomes are %+v", n)
		}
	}
	node.Set(elastictest.Faults{})
	e.config.Timeout = time.Minute
	if n, _ := try(t, e, some(0, 10)); n != (tally{stored: 10, duplicates: 10}) {
		t.Errorf("afterwards the outcomes are %+v", n)
	}
}

// Nothing secret comes out in what an exporter says.
func TestSaysNoSecret(t *testing.T) {
	node, address := elastictest.New(t)
	node.Authorization = "Basic of another"
	c := Default()
	c.Addresses, c.Proxy, c.Username = []string{address}, proxyDirect, "me"
	var said strings.Builder
	e, err := Open(c, []string{passwordVariable + "=canary"}, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range []func(http.ResponseWriter, *http.Request) bool{nil, elastictest.Drop} {
		node.Set(elastictest.Faults{Before: fault})
		_, out := try(t, e, some(0, 3))
		fmt.Fprint(&said, out, e.config)
	}
	if s := said.String(); strings.Contains(s, "canary") || strings.Contains(s, "bWU6Y2FuYXJ5") {
		t.Errorf("it says %s", s)
	}
}

// An exporter whose context has ended tries nothing.
func TestCancelled(t *testing.T) {
	node, address := elastictest.New(t)
	e := open(t, address, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Export(ctx, some(0, 3), make([]exporters.Outcome, 3)); err == nil || node.Requests() > 0 {
		t.Errorf("it says %v after %d requests", err, node.Requests())
	}
}
