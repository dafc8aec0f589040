package elastictest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Exchange is a request and what a node answers.
type Exchange struct {
	Name   string `json:"name"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Body   string `json:"body"`
	Status int    `json:"status"`
	Answer string `json:"answer"`
}

// answerParts is what a sender of records asks for of an answer.
const answerParts = "?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason,items.*.failure_store,error"

// lines is a bulk request that creates documents in a data stream, from pairs of an id and a document.
func lines(stream string, pairs ...string) string {
	var b strings.Builder
	for pair := range slices.Chunk(pairs, 2) {
		fmt.Fprintf(&b, "{\"create\":{\"_index\":%q,\"_id\":%q}}\n%s\n", stream, pair[0], pair[1])
	}
	return b.String()
}

// Requests are what a node is asked, in this order; stream is the name of a data stream that is not there, as in logs-NAME-x.
func Requests(stream string) []Exchange {
	const at = `{"@timestamp":"2026-11-21T10:00:00.000000001Z"}`
	const ids = `{"size":9,"_source":false,"track_total_hits":false,"sort":["_doc"],"query":{"ids":{"values":["a","b","z"]}}}`
	block := func(on string) string { return `{"persistent":{"cluster.blocks.read_only":` + on + `}}` }
	bulk := "/_bulk" + answerParts
	template := `{"index_patterns":["` + stream + `"],"priority":900,"data_stream":{},"template":{"mappings":{"properties":{"ip":{"type":"ip"}}}}}`
	find := "/" + stream + "/_search?ignore_unavailable=true&filter_path=hits.hits._id,_shards.failed"
	return []Exchange{
		{Name: "a template", Method: "PUT", Path: "/_index_template/" + stream, Body: template},
		{Name: "ids in a stream that is not there", Method: "POST", Path: find, Body: ids},
		{Name: "new documents", Method: "POST", Path: bulk, Body: lines(stream, "a", at, "b", at)},
		{Name: "again", Method: "POST", Path: bulk, Body: lines(stream, "a", at, "c", at, "b", at)},
		{Name: "documents that cannot be", Method: "POST", Path: bulk,
			Body: lines(stream, "d", `{"@timestamp":"2026-11-21T10:00:00Z","ip":"nowhere"}`, "e", at, "f", `{}`, "g", `{"@timestamp":"20`)},
		{Name: "another operation than create", Method: "POST", Path: bulk, Body: strings.ReplaceAll(lines(stream, "a", at), `"create"`, `"index"`)},
		{Name: "an operation that there is not", Method: "POST", Path: bulk, Body: strings.ReplaceAll(lines(stream, "a", at), `"create"`, `"crate"`)},
		{Name: "read-only", Method: "PUT", Path: "/_cluster/settings", Body: block("true")},
		{Name: "documents while it is read-only", Method: "POST", Path: bulk, Body: lines(stream, "h", at, "a", at)},
		{Name: "not read-only", Method: "PUT", Path: "/_cluster/settings", Body: block("null")},
		{Name: "a rollover", Method: "POST", Path: "/" + stream + "/_rollover", Body: `{}`},
		{Name: "again, after the rollover", Method: "POST", Path: bulk, Body: lines(stream, "a", at)},
		{Name: "a refresh", Method: "POST", Path: "/" + stream + "/_refresh?ignore_unavailable=true"},
		{Name: "ids", Method: "POST", Path: find, Body: ids},
	}
}

// Shape is what a sender of records makes of an answer: the status, and the kinds of errors or the ids in it. Versions word their reasons
// differently, and OpenSearch has its own name for a document that cannot be read.
func Shape(e *Exchange) string {
	var said struct {
		Error any                          `json:"error"`
		Items []map[string]json.RawMessage `json:"items"`
		Hits  struct {
			Hits []struct {
				ID string `json:"_id"`
			} `json:"hits"`
		} `json:"hits"`
	}
	shape := []string{fmt.Sprint(e.Status)}
	if json.Unmarshal([]byte(e.Answer), &said) != nil {
		return "no JSON: " + e.Answer
	}
	shape = append(shape, kindOf(said.Error))
	for _, one := range said.Items {
		for op, text := range one {
			var it struct {
				Status int `json:"status"`
				Error  any `json:"error"`
			}
			_ = json.Unmarshal(text, &it) // it was JSON above
			shape = append(shape, fmt.Sprint(op, " ", it.Status, kindOf(it.Error)))
		}
	}
	var ids []string
	for _, h := range said.Hits.Hits {
		ids = append(ids, h.ID)
	}
	slices.Sort(ids)
	return strings.Join(append(shape, ids...), "; ")
}

// kindOf is the type of an error.
func kindOf(e any) string {
	m, _ := e.(map[string]any)
	kind, _ := m["type"].(string)
	if kind == "mapper_parsing_exception" {
		kind = "document_parsing_exception"
	}
	if kind != "" {
		kind = " " + kind
	}
	return kind
}
