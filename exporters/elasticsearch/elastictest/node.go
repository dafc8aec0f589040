// Package elastictest holds an Elasticsearch for tests: as much of one as sending records needs, with faults to order. It keeps documents in
// memory and knows of queries only how to find ids. What it answers is held to what real nodes have answered (testdata).
package elastictest

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
)

// Node is a node. Its fields may be set before it is asked; Faults at any time.
type Node struct {
	// Authorization is what a request must bring; empty: nothing.
	Authorization string
	// MaxContent is the largest body in bytes, after decompression; 0: any.
	MaxContent int

	mu        sync.Mutex // guards what follows
	faults    Faults
	templates []template
	targets   map[string]*target
	readOnly  bool
	requests  int
}

// Faults are what goes wrong, until others are set. Each function may be nil.
type Faults struct {
	// Before answers a request instead of the node when it returns true; nothing has been done then.
	Before func(w http.ResponseWriter, r *http.Request) bool
	// After does so after the request has been done.
	After func(w http.ResponseWriter, r *http.Request) bool
	// Item gives a status and a type of error to a document of a bulk request; 0: none.
	Item func(id string) (status int, kind string)
	// Spoils is a text that spoils a whole bulk request.
	Spoils string
}

// template is an index template.
type template struct {
	patterns []string
	stream   bool
	ips      []string // fields that must be addresses
}

// target is what documents are written to: an index, or a data stream, of which the last index takes what is new.
type target struct {
	template
	indices []map[string]json.RawMessage
}

// New starts a node on a port of loopback, until the test ends.
func New(t testing.TB) (n *Node, address string) {
	t.Helper()
	n = &Node{targets: map[string]*target{}}
	s := httptest.NewServer(n)
	t.Cleanup(s.Close)
	return n, s.URL
}

// Set orders faults.
func (n *Node) Set(f Faults) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = f
}

// Requests is how many bulk requests have been done.
func (n *Node) Requests() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.requests
}

// Documents says how often each document is there, by id, and what it says.
func (n *Node) Documents() (count map[string]int, documents map[string]json.RawMessage) {
	n.mu.Lock()
	defer n.mu.Unlock()
	count, documents = map[string]int{}, map[string]json.RawMessage{}
	for _, t := range n.targets {
		for _, index := range t.indices {
			for id, d := range index {
				count[id]++
				documents[id] = d
			}
		}
	}
	return count, documents
}

// Targets are the names that documents were written to, with how many.
func (n *Node) Targets() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := map[string]int{}
	for name, t := range n.targets {
		for _, index := range t.indices {
			all[name] += len(index)
		}
	}
	return all
}

// ServeHTTP implements http.Handler.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	w.Header().Set("Content-Type", "application/json")
	n.mu.Lock()
	faults := n.faults
	n.mu.Unlock()
	body, err := n.read(w, r)
	if err != nil {
		return
	}
	if faults.Before != nil && faults.Before(w, r) {
		return
	}
	if n.Authorization != "" && r.Header.Get("Authorization") != n.Authorization {
		refuse(w, http.StatusUnauthorized, "security_exception", "missing authentication credentials")
		return
	}
	n.mu.Lock()
	status, answer := n.route(r, body)
	n.mu.Unlock()
	if faults.After != nil && faults.After(w, r) {
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// read reads a body, as far as it may be.
func (n *Node) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var reader io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			refuse(w, http.StatusBadRequest, "parse_exception", err.Error())
			return nil, err
		}
		reader = z
	}
	body, err := io.ReadAll(reader)
	if err == nil && n.MaxContent > 0 && len(body) > n.MaxContent {
		err = fmt.Errorf("a body of %d bytes", len(body))
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	}
	return body, err
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, status int, kind, reason string) {
	w.WriteHeader(status)
	_, _ = w.Write(refusal(status, kind, reason))
}

// Refuse answers with an error; for Faults.
func Refuse(w http.ResponseWriter, status int, kind string) bool {
	refuse(w, status, kind, "as the test wants it")
	return true
}

// Drop breaks the connection without an answer; for Faults.
func Drop(w http.ResponseWriter, _ *http.Request) bool {
	c, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = c.Close()
	}
	return true
}

func refusal(status int, kind, reason string) []byte {
	b, _ := json.Marshal(map[string]any{"error": map[string]any{"type": kind, "reason": reason}, "status": status})
	return b
}

// route answers a request. mu is held.
func (n *Node) route(r *http.Request, body []byte) (status int, answer []byte) {
	name, action := path.Split(strings.TrimPrefix(r.URL.Path, "/"))
	name = strings.Trim(name, "/")
	switch {
	case name == "_index_template" && r.Method == http.MethodPut:
		return n.putTemplate(body)
	case name == "_cluster" && action == "settings":
		return n.putSettings(body)
	case action == "_bulk" && name == "":
		n.requests++
		return n.bulk(body)
	case action == "_rollover":
		return n.rollover(name)
	case action == "_refresh":
		return http.StatusOK, []byte(`{"_shards":{"failed":0}}`)
	case action == "_search":
		return n.search(strings.Split(name, ","), body)
	}
	return http.StatusBadRequest, []byte(`{"error":"no handler found for uri [` + r.URL.Path + `]"}`)
}

func (n *Node) putTemplate(body []byte) (int, []byte) {
	var said struct {
		Patterns []string        `json:"index_patterns"`
		Stream   json.RawMessage `json:"data_stream"`
		Template struct {
			Mappings struct {
				Properties map[string]struct {
					Type string `json:"type"`
				} `json:"properties"`
			} `json:"mappings"`
		} `json:"template"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return http.StatusBadRequest, refusal(http.StatusBadRequest, "parse_exception", err.Error())
	}
	t := template{patterns: said.Patterns, stream: said.Stream != nil}
	for field, of := range said.Template.Mappings.Properties {
		if of.Type == "ip" {
			t.ips = append(t.ips, field)
		}
	}
	n.templates = append(n.templates, t)
	return http.StatusOK, []byte(`{"acknowledged":true}`)
}

func (n *Node) putSettings(body []byte) (int, []byte) {
	var said struct {
		Persistent map[string]any `json:"persistent"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return http.StatusBadRequest, refusal(http.StatusBadRequest, "parse_exception", err.Error())
	}
	n.readOnly = said.Persistent["cluster.blocks.read_only"] == true
	return http.StatusOK, []byte(`{"acknowledged":true}`)
}

func (n *Node) rollover(name string) (int, []byte) {
	t := n.targets[name]
	if t == nil || !t.stream {
		return http.StatusNotFound, refusal(http.StatusNotFound, "index_not_found_exception", "no such index ["+name+"]")
	}
	t.indices = append(t.indices, map[string]json.RawMessage{})
	return http.StatusOK, []byte(`{"acknowledged":true,"rolled_over":true}`)
}
