//go:build integration

package elasticsearch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/exportertest"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Tests whose names begin with TestNode want real nodes: make elasticsearch-up, make integration.

// each runs a test on every kind of node.
func each(t *testing.T, test func(t *testing.T, address string)) {
	for _, name := range []string{"ELASTICSEARCH8", "ELASTICSEARCH9", "OPENSEARCH2"} {
		t.Run(strings.ToLower(name), func(t *testing.T) { test(t, variable(t, "GNOMON_TEST_"+name)) })
	}
}

// variable is where a node is, or what a test has to know of it.
func variable(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: start the nodes with make elasticsearch-up", name)
	}
	return value
}

// ask sends a request that has to work.
func ask(t *testing.T, c *Client, method, path, body string) []byte {
	t.Helper()
	var content []byte
	if body != "" {
		content = []byte(body)
	}
	status, answer, err := c.Do(t.Context(), method, path, content)
	if err != nil || status/100 != 2 {
		t.Fatalf("%s %s: %d %v\n%s", method, path, status, err, answer)
	}
	return answer
}

// prepare makes templates for a namespace of the test's own. What is written there goes with the node.
func prepare(t *testing.T, c *Client) (namespace string) {
	t.Helper()
	namespace = fmt.Sprintf("t%d", time.Now().UnixNano())
	properties := `{"@timestamp":{"type":"date"},"event":{"properties":{"id":{"type":"keyword"}}},
		"source":{"properties":{"ip":{"type":"ip"},"bytes":{"type":"long"}}}}`
	template := `{"index_patterns":[%s],"priority":1000,%s"template":{"settings":{"number_of_shards":1,"number_of_replicas":0},
		"mappings":{"dynamic":false,"properties":%s}}}`
	ask(t, c, http.MethodPut, "/_index_template/"+namespace, fmt.Sprintf(template,
		`"logs-gnomon.*-`+namespace+`","metrics-gnomon.*-`+namespace+`"`, `"data_stream":{},`, properties))
	ask(t, c, http.MethodPut, "/_index_template/"+namespace+"-daily", fmt.Sprintf(template, `"gnomon-activity-`+namespace+`-*"`, "", properties))
	return namespace
}

// holds is how many activities a node has, how many of them are there more than once, and what their clients have sent.
func holds(t *testing.T, c *Client, target string) (count, twice int, bytes uint64) {
	t.Helper()
	ask(t, c, http.MethodPost, "/"+target+"/_refresh", "")
	for after := ""; ; {
		var said struct {
			Hits struct {
				Total struct {
					Value int `json:"value"`
				} `json:"total"`
			} `json:"hits"`
			Aggregations struct {
				Bytes struct {
					Value float64 `json:"value"`
				} `json:"bytes"`
				IDs struct {
					After   json.RawMessage `json:"after_key"`
					Buckets []struct {
						Count int `json:"doc_count"`
					} `json:"buckets"`
				} `json:"ids"`
			} `json:"aggregations"`
		}
		answer := ask(t, c, http.MethodPost, "/"+target+"/_search", `{"size":0,"track_total_hits":true,"aggs":{"bytes":{"sum":{"field":"source.bytes"}},
			"ids":{"composite":{"size":10000,"sources":[{"id":{"terms":{"field":"event.id"}}}]`+after+`}}}}`)
		if err := json.Unmarshal(answer, &said); err != nil {
			t.Fatal(err)
		}
		count, bytes = said.Hits.Total.Value, uint64(said.Aggregations.Bytes.Value)
		for _, id := range said.Aggregations.IDs.Buckets {
			if id.Count > 1 {
				twice++
			}
		}
		if said.Aggregations.IDs.After == nil {
			return count, twice, bytes
		}
		after = `,"after":` + string(said.Aggregations.IDs.After)
	}
}

// sent is what the clients of records have sent.
func sent(batch []event.Event) (bytes uint64) {
	for i := range batch {
		bytes += *batch[i].Source.Bytes
	}
	return bytes
}

// deliver exports as the spool does, until all is stored.
func deliver(t *testing.T, e *Exporter, batch []event.Event) (total tally) {
	t.Helper()
	pause := time.NewTicker(200 * time.Millisecond)
	defer pause.Stop()
	for tries := 0; len(batch) > 0; tries++ {
		if tries == 300 {
			t.Fatalf("%d records are not stored after %d tries", len(batch), tries)
		}
		n, out := try(t, e, batch)
		total.stored, total.duplicates, total.never, total.again = total.stored+n.stored, total.duplicates+n.duplicates, total.never+n.never, total.again+n.again
		var rest []event.Event
		for i := range out {
			if out[i].State == exporters.Again {
				rest = append(rest, batch[i])
			}
		}
		if batch = rest; len(batch) > 0 {
			<-pause.C
		}
	}
	return total
}

func TestNodeServer(t *testing.T) {
	want := map[string]Server{"elasticsearch8": {Elasticsearch, "8.19.8"}, "elasticsearch9": {Elasticsearch, "9.2.0"}, "opensearch2": {OpenSearch, "2.19.3"}}
	each(t, func(t *testing.T, address string) {
		got, err := clientOf(t, nil, address).Server(t.Context())
		if name := t.Name()[strings.LastIndexByte(t.Name(), '/')+1:]; err != nil || got != want[name] {
			t.Errorf("it is %+v (%v), want %+v", got, err, want[name])
		}
	})
}

// A hundred thousand records, and some of them again.
func TestNodeExport(t *testing.T) {
	const records = 100_000
	each(t, func(t *testing.T, address string) {
		e := open(t, address, nil)
		e.config.Namespace = prepare(t, e.client)
		var bytes uint64
		began := time.Now()
		for from := 0; from < records; from += e.BatchSize() {
			batch := some(from, min(from+e.BatchSize(), records))
			bytes += sent(batch)
			if n := deliver(t, e, batch); n.stored != len(batch) || n.duplicates > 0 {
				t.Fatalf("the outcomes are %+v", n)
			}
		}
		t.Logf("%.0f events/s", records/time.Since(began).Seconds())
		if n := deliver(t, open(t, address, func(c *Config) { c.Namespace = e.config.Namespace }), some(5000, 10_000)); n != (tally{stored: 5000, duplicates: 5000}) {
			t.Errorf("again the outcomes are %+v", n)
		}
		count, twice, sum := holds(t, e.client, Stream(event.DatasetActivity, e.config.Namespace))
		if count != records || twice > 0 || sum != bytes {
			t.Errorf("there are %d records, %d of them more than once, with %d bytes; want %d with %d", count, twice, sum, records, bytes)
		}
	})
}

// A rollover between two tries leaves every record there once.
func TestNodeRollover(t *testing.T) {
	each(t, func(t *testing.T, address string) {
		e := open(t, address, nil)
		e.config.Namespace = prepare(t, e.client)
		if n := deliver(t, e, some(0, 3000)); n.stored != 3000 {
			t.Fatalf("the outcomes are %+v", n)
		}
		rollOver(t, e)
		again := open(t, address, func(c *Config) { c.Namespace = e.config.Namespace })
		if n := deliver(t, again, some(1000, 5000)); n != (tally{stored: 4000, duplicates: 2000}) {
			t.Errorf("after the rollover the outcomes are %+v", n)
		}
		if count, twice, sum := holds(t, e.client, Stream(event.DatasetActivity, e.config.Namespace)); count != 5000 || twice > 0 || sum != sent(some(0, 5000)) {
			t.Errorf("there are %d records, %d of them more than once, with %d bytes", count, twice, sum)
		}
	})
}

// By days a record is there once whatever comes between.
func TestNodeDaily(t *testing.T) {
	each(t, func(t *testing.T, address string) {
		e := open(t, address, func(c *Config) { c.Layout = LayoutDaily })
		e.config.Namespace = prepare(t, e.client)
		deliver(t, e, some(0, 500))
		if n := deliver(t, open(t, address, func(c *Config) { c.Layout, c.Namespace = LayoutDaily, e.config.Namespace }), some(0, 1000)); n.duplicates != 500 || n.stored != 1000 {
			t.Errorf("again the outcomes are %+v", n)
		}
		if count, twice, _ := holds(t, e.client, Targets(event.DatasetActivity, e.config.Namespace, LayoutDaily)); count != 1000 || twice > 0 {
			t.Errorf("there are %d records, %d of them more than once", count, twice)
		}
	})
}

// What does not fit the mapping is refused for good, with a reason, and nothing else is.
func TestNodeMapping(t *testing.T) {
	each(t, func(t *testing.T, address string) {
		e := open(t, address, nil)
		e.config.Namespace = prepare(t, e.client)
		batch := some(0, 100)
		batch[10].Source.IP = "nowhere"
		*batch[20].Source.Bytes = 1<<64 - 1
		batch[30].Timestamp = 0
		n, out := try(t, e, batch)
		if n != (tally{stored: 97, never: 3}) {
			t.Errorf("the outcomes are %+v", n)
		}
		for _, i := range []int{10, 20, 30} {
			if !strings.HasPrefix(out[i].Reason, "400 ") {
				t.Errorf("record %d is refused because of %q", i, out[i].Reason)
			}
		}
	})
}

// A stream that takes no writes keeps records waiting.
func TestNodeReadOnly(t *testing.T) {
	each(t, func(t *testing.T, address string) {
		e := open(t, address, nil)
		e.config.Namespace = prepare(t, e.client)
		deliver(t, e, some(0, 10))
		stream := "/" + Stream(event.DatasetActivity, e.config.Namespace)
		ask(t, e.client, http.MethodPut, stream+"/_settings", `{"index.blocks.write":true}`)
		if n, out := try(t, e, some(10, 20)); n != (tally{again: 10}) || !strings.Contains(out[0].Reason, "cluster_block_exception") {
			t.Errorf("while it is read-only the outcomes are %+v (%s)", n, out[0].Reason)
		}
		ask(t, e.client, http.MethodPut, stream+"/_settings", `{"index.blocks.write":null}`)
		if n, _ := try(t, e, some(10, 20)); n != (tally{stored: 10}) {
			t.Errorf("afterwards the outcomes are %+v", n)
		}
	})
}

// A node that takes a megabyte at most gets no more; a record that is larger is refused for good.
func TestNodeTooLarge(t *testing.T) {
	e := open(t, variable(t, "GNOMON_TEST_ELASTICSEARCH8TINY"), func(c *Config) { c.Compress = false })
	e.config.Namespace = prepare(t, e.client)
	batch := some(0, 4000)
	batch[77].Message = strings.Repeat("long ", 300_000)
	if n := deliver(t, e, batch); n.stored != 3999 || n.never != 1 {
		t.Errorf("the outcomes are %+v", n)
	}
	if count, _, sum := holds(t, e.client, Stream(event.DatasetActivity, e.config.Namespace)); count != 3999 || sum != sent(batch)-77 {
		t.Errorf("there are %d records with %d bytes", count, sum)
	}
}

// A node whose queue is full says so for single records; each is there once in the end.
func TestNodeBusy(t *testing.T) {
	e := open(t, variable(t, "GNOMON_TEST_ELASTICSEARCH8TINY"), func(c *Config) { c.Requests = 16 })
	e.config.Namespace = prepare(t, e.client)
	var again int
	var all []event.Event
	for from := 0; from < 40_000 && again == 0; from += 8000 {
		batch := make([]event.Event, 0, 8000)
		for i := range 8000 {
			batch = append(batch, exportertest.Full(from+i))
		}
		again += deliver(t, e, batch).again
		all = append(all, batch...)
	}
	if again == 0 {
		t.Error("nothing was refused: the queue was not full")
	}
	if count, _, sum := holds(t, e.client, Stream(event.DatasetActivity, e.config.Namespace)); count != len(all) || sum != sent(all) {
		t.Errorf("there are %d records with %d bytes, want %d with %d", count, sum, len(all), sent(all))
	}
}
