package elasticsearch

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/elastictest"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// rollOver rolls the stream of activities over.
func rollOver(t *testing.T, e *Exporter) {
	t.Helper()
	status, answer, err := e.client.Do(t.Context(), http.MethodPost, "/"+Stream(event.DatasetActivity, e.config.Namespace)+"/_rollover", []byte("{}"))
	if err != nil || status != http.StatusOK {
		t.Fatalf("%d %s %v", status, answer, err)
	}
}

// dropAfter breaks connections after bulk requests have been done.
func dropAfter(w http.ResponseWriter, r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, "/_bulk") && elastictest.Drop(w, r)
}

// A stream that is rolled over between two tries has every record once: in doubt it is asked first.
func TestDoubt(t *testing.T) {
	tests := []struct {
		name string
		// interrupt leaves records 0 to 9 in the stream without a word to the exporter that is returned
		interrupt func(t *testing.T, node *elastictest.Node, address string) *Exporter
	}{
		{"no answer", func(t *testing.T, node *elastictest.Node, address string) *Exporter {
			e := open(t, address, nil)
			node.Set(elastictest.Faults{After: dropAfter})
			if n, _ := try(t, e, some(0, 10)); n != (tally{again: 10}) {
				t.Errorf("without an answer the outcomes are %+v", n)
			}
			node.Set(elastictest.Faults{})
			return e
		}},
		{"another process", func(t *testing.T, _ *elastictest.Node, address string) *Exporter {
			if n, _ := try(t, open(t, address, nil), some(0, 10)); n != (tally{stored: 10}) {
				t.Errorf("the outcomes are %+v", n)
			}
			return open(t, address, nil)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			node, address := elastictest.New(t)
			e := tt.interrupt(t, node, address)
			rollOver(t, e)
			if n, _ := try(t, e, some(0, 20)); n != (tally{stored: 20, duplicates: 10}) {
				t.Errorf("the outcomes are %+v, want ten that are there and ten that are new", n)
			}
			count, _ := node.Documents()
			for id, n := range count {
				if n != 1 {
					t.Errorf("%s is there %d times", id, n)
				}
			}
			if len(count) != 20 {
				t.Errorf("%d records are there", len(count))
			}
		})
	}
}

// The question costs, so it is asked only in doubt.
func TestDoubtEnds(t *testing.T) {
	node, address := elastictest.New(t)
	e := open(t, address, func(c *Config) { c.Requests = 1 })
	asked := 0
	count := func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/_search") {
			asked++
		}
		return false
	}
	batch := func(at event.Time) []event.Event {
		all := some(0, 10)
		for i := range all {
			all[i].Timestamp, all[i].Event.Ingested = at, min(at, e.doubt.started)
		}
		return all
	}
	steps := []struct {
		name   string
		faults func(w http.ResponseWriter, r *http.Request) bool // after a request
		at     event.Time
		asks   int
		again  int
	}{
		{"of before the start", nil, e.doubt.started - 1, 1, 0},
		{"of later", nil, e.doubt.started, 0, 0},
		{"of a clock that is ahead", nil, e.doubt.started + 2*event.Time(clocks), 1, 0},
		{"without an answer", dropAfter, e.doubt.started, 0, 10},
		{"so again", nil, e.doubt.started, 1, 0},
		{"and no more", nil, e.doubt.started, 0, 0},
	}
	for _, step := range steps {
		asked = 0
		faults := elastictest.Faults{Before: count, After: step.faults}
		node.Set(faults)
		if n, _ := try(t, e, batch(step.at)); n.again != step.again || n.stored != 10-step.again || asked != step.asks {
			t.Errorf("%s: %+v, asked %d times, want %d", step.name, n, asked, step.asks)
		}
	}
}

// Without the privilege to read it goes on without asking, and says so once.
func TestMayNotAsk(t *testing.T) {
	node, address := elastictest.New(t)
	e := open(t, address, nil)
	asked := 0
	node.Set(elastictest.Faults{Before: func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/_bulk") {
			return false
		}
		asked++
		return elastictest.Refuse(w, http.StatusForbidden, "security_exception")
	}})
	for from := 0; from < 30; from += 10 {
		if n, _ := try(t, e, some(from, from+10)); n != (tally{stored: 10}) {
			t.Errorf("the outcomes are %+v", n)
		}
	}
	if asked != 2 { // to refresh and to search
		t.Errorf("it asks %d times", asked)
	}
}

// A block passes: what may not be asked now is not sent now either, and is asked for next time.
func TestBlockedAsking(t *testing.T) {
	for _, action := range []string{"/_refresh", "/_search"} {
		t.Run(action, func(t *testing.T) {
			node, address := elastictest.New(t)
			e := open(t, address, nil)
			node.Set(elastictest.Faults{Before: func(w http.ResponseWriter, r *http.Request) bool {
				return strings.HasSuffix(r.URL.Path, action) && elastictest.Refuse(w, http.StatusForbidden, "cluster_block_exception")
			}})
			if n, _ := try(t, e, some(0, 10)); n != (tally{again: 10}) {
				t.Errorf("in the block, the outcomes are %+v", n)
			}
			asked := 0
			node.Set(elastictest.Faults{Before: func(_ http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/_search") {
					asked++
				}
				return false
			}})
			if n, _ := try(t, e, some(0, 10)); n != (tally{stored: 10}) || asked != 1 {
				t.Errorf("after it, the outcomes are %+v, and it asks %d times", n, asked)
			}
		})
	}
}
