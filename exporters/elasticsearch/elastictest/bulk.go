package elastictest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"path"
	"strings"
)

// bulk does a bulk request. mu is held.
func (n *Node) bulk(body []byte) (status int, answer []byte) {
	if n.readOnly {
		return http.StatusForbidden, refusal(http.StatusForbidden, "cluster_block_exception", "blocked by: [FORBIDDEN/6/cluster read-only (api)];")
	}
	if n.faults.Spoils != "" && bytes.Contains(body, []byte(n.faults.Spoils)) {
		return http.StatusBadRequest, refusal(http.StatusBadRequest, "x_content_parse_exception", "as the test wants it")
	}
	lines := bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
	var items []string
	failed := false
	for i := 0; i+1 < len(lines); i += 2 {
		op, to, ok := actionOf(lines[i])
		if !ok {
			return http.StatusBadRequest, refusal(http.StatusBadRequest, "illegal_argument_exception", fmt.Sprintf("Malformed action/metadata line [%d]", i+1))
		}
		status, kind := n.write(op, to, lines[i+1])
		failed = failed || kind != ""
		items = append(items, itemOf(op, status, kind))
	}
	return http.StatusOK, fmt.Appendf(nil, `{"errors":%t,"items":[%s]}`, failed, strings.Join(items, ","))
}

// place is where a document goes.
type place struct {
	Index string `json:"_index"`
	ID    string `json:"_id"`
}

// actionOf reads the line before a document.
func actionOf(line []byte) (op string, to place, ok bool) {
	var action map[string]place
	if err := json.Unmarshal(line, &action); err != nil || len(action) != 1 {
		return "", to, false
	}
	for op, to = range action {
	}
	return op, to, op == "create" || op == "index"
}

// itemOf is the answer to one document.
func itemOf(op string, status int, kind string) string {
	if kind == "" {
		return fmt.Sprintf(`{%q:{"status":%d}}`, op, status)
	}
	return fmt.Sprintf(`{%q:{"status":%d,"error":{"type":%q,"reason":"because"}}}`, op, status, kind)
}

// write writes a document.
func (n *Node) write(op string, to place, document []byte) (status int, kind string) {
	if n.faults.Item != nil {
		if status, kind := n.faults.Item(to.ID); status != 0 {
			return status, kind
		}
	}
	t := n.open(to.Index)
	if t.stream && op != "create" {
		return http.StatusBadRequest, "illegal_argument_exception"
	}
	if !t.takes(document) {
		return http.StatusBadRequest, "document_parsing_exception"
	}
	current := t.indices[len(t.indices)-1]
	if _, there := current[to.ID]; there && op == "create" {
		return http.StatusConflict, "version_conflict_engine_exception"
	}
	current[to.ID] = bytes.Clone(document)
	return http.StatusCreated, ""
}

// takes says whether a document fits the mapping.
func (t *target) takes(document []byte) bool {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(document, &fields); err != nil || t.stream && fields["@timestamp"] == nil {
		return false
	}
	for _, field := range t.ips {
		var s string
		if v := fields[field]; v != nil && (json.Unmarshal(v, &s) != nil || !isAddress(s)) {
			return false
		}
	}
	return true
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// open is an index or a data stream, made if it is not there. Those of records are data streams without a template too.
func (n *Node) open(name string) *target {
	if t := n.targets[name]; t != nil {
		return t
	}
	t := &target{indices: []map[string]json.RawMessage{{}}}
	t.stream = strings.HasPrefix(name, "logs-gnomon.") || strings.HasPrefix(name, "metrics-gnomon.")
	for _, template := range n.templates {
		for _, pattern := range template.patterns {
			if ok, _ := path.Match(pattern, name); ok {
				t.template = template
			}
		}
	}
	n.targets[name] = t
	return t
}

// search finds ids.
func (n *Node) search(names []string, body []byte) (status int, answer []byte) {
	var said struct {
		Query struct {
			IDs struct {
				Values []string `json:"values"`
			} `json:"ids"`
		} `json:"query"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return http.StatusBadRequest, refusal(http.StatusBadRequest, "parsing_exception", err.Error())
	}
	var hits []string
	for _, name := range names {
		t := n.targets[name]
		if t == nil {
			continue
		}
		for _, id := range said.Query.IDs.Values {
			for _, index := range t.indices {
				if _, there := index[id]; there {
					hits = append(hits, fmt.Sprintf(`{"_id":%q}`, id))
				}
			}
		}
	}
	if len(hits) == 0 {
		return http.StatusOK, []byte(`{"_shards":{"failed":0}}`)
	}
	return http.StatusOK, fmt.Appendf(nil, `{"_shards":{"failed":0},"hits":{"hits":[%s]}}`, strings.Join(hits, ","))
}
