package setup

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Version is that of everything that setup makes. It rises when one of the objects changes.
const Version = 2

// Lifecycle is what deletes old records.
type Lifecycle string

// The lifecycles, the preferred first. None is for a server that has no such thing.
const (
	ILM    Lifecycle = "ilm" // index lifecycle management of Elasticsearch
	DSL    Lifecycle = "dsl" // a retention in the data stream's template
	ISM    Lifecycle = "ism" // index state management of OpenSearch
	NoneOf Lifecycle = "none"
)

// Target is what is set up, for what kind of server.
type Target struct {
	Namespace string
	Layout    string // elasticsearch.LayoutStream or LayoutDaily
	Lifecycle Lifecycle
	// Roles says that the server has the security of Elasticsearch.
	Roles bool
}

// kind is how an object of the cluster is read, and told apart from another.
type kind struct {
	name string // for people
	path string // with the object's name behind it
	// inside is where the object stands in the answer to GET; %s is its name.
	inside []string
	// marked is where the version and the hash stand in it.
	marked []string
}

// The kinds of objects.
var (
	policyILM = kind{"lifecycle policy", "/_ilm/policy/", []string{"%s", "policy"}, []string{"_meta"}}
	policyISM = kind{"ISM policy", "/_plugins/_ism/policies/", []string{"policy"}, nil}
	component = kind{"component template", "/_component_template/", []string{"component_templates", "0", "component_template"}, []string{"_meta"}}
	template  = kind{"index template", "/_index_template/", []string{"index_templates", "0", "index_template"}, []string{"_meta"}}
	role      = kind{"role", "/_security/role/", []string{"%s"}, []string{"metadata"}}
)

// object is one thing that the cluster has to have.
type object struct {
	kind kind
	name string
	body map[string]any // as it is sent, with its mark
}

// datasets are what there is a template for.
var datasets = []string{event.DatasetActivity, event.DatasetFinding, event.DatasetCoverage, event.DatasetCandidate, event.DatasetAudit}

// Names of what is made.
const (
	mappingsName = "gnomon-mappings"
	settingsName = "gnomon-settings"
	sensorRole   = "gnomon-sensor"
	readerRole   = "gnomon-reader"
	prefix       = "gnomon-"
)

// priority of the index templates: above those that the servers bring along (100 and 200).
const priority = 500

// plan lists the objects in the order in which they have to be made.
func plan(c *Config, t *Target) []object {
	var all []object
	for _, group := range []struct {
		name string
		keep time.Duration
	}{{"records", c.Records}, {"findings", c.Findings}} {
		switch t.Lifecycle {
		case ILM:
			all = append(all, object{kind: policyILM, name: prefix + group.name, body: ilm(t, group.keep)})
		case ISM:
			all = append(all, object{kind: policyISM, name: prefix + group.name, body: ism(t, group.name, group.keep)})
		}
	}
	all = append(all, object{kind: component, name: mappingsName, body: map[string]any{"template": map[string]any{"mappings": mappings()}}},
		object{kind: component, name: settingsName, body: map[string]any{"template": map[string]any{"settings": map[string]any{"index": settings(c)}}}})
	for _, d := range datasets {
		all = append(all, object{kind: template, name: templateName(d, t), body: indexTemplate(c, t, d)})
	}
	if t.Roles {
		all = append(all, object{kind: role, name: sensorRole, body: sensorPrivileges()}, object{kind: role, name: readerRole, body: readerPrivileges()})
	}
	for i := range all {
		mark(&all[i])
	}
	return all
}

// short is a dataset's name without the product's.
func short(dataset string) string { return strings.TrimPrefix(dataset, "gnomon.") }

// group is which retention a dataset has.
func group(dataset string) string {
	if dataset == event.DatasetActivity || dataset == event.DatasetCandidate {
		return "records"
	}
	return "findings"
}

// templateName keeps the templates of both layouts apart: they can stand beside each other.
func templateName(dataset string, t *Target) string {
	if t.Layout == elasticsearch.LayoutDaily {
		return prefix + short(dataset) + "-daily"
	}
	return prefix + short(dataset)
}

// pattern is which streams or indices of a dataset a template is for: those of every namespace.
func pattern(dataset string, t *Target) string {
	if t.Layout == elasticsearch.LayoutDaily {
		return strings.TrimSuffix(elasticsearch.Daily(dataset, "*"), "-") + "-*"
	}
	return elasticsearch.Stream(dataset, "*")
}

// settings are those of every index. Numbers are texts, as the server gives them back.
func settings(c *Config) map[string]any {
	s := map[string]any{"codec": "best_compression", "number_of_shards": fmt.Sprint(c.Shards)}
	if validExpand(c.Replicas) {
		s["auto_expand_replicas"] = c.Replicas
	} else {
		s["number_of_replicas"] = c.Replicas
	}
	return s
}

// indexTemplate is that of a dataset.
func indexTemplate(c *Config, t *Target, dataset string) map[string]any {
	inner, index := map[string]any{}, map[string]any{}
	body := map[string]any{"index_patterns": []any{pattern(dataset, t)}, "composed_of": []any{mappingsName, settingsName}, "priority": priority,
		"version": Version, "template": inner}
	if t.Layout != elasticsearch.LayoutDaily {
		body["data_stream"] = map[string]any{}
	}
	if dataset == event.DatasetCoverage {
		index["codec"] = "default" // tens of thousands are read whole: 20 us each, where best_compression takes 130, for half as much disk again
	}
	switch t.Lifecycle {
	case ILM:
		index["lifecycle"] = map[string]any{"name": prefix + group(dataset)}
	case DSL:
		if t.Layout != elasticsearch.LayoutDaily {
			keep := c.Findings
			if group(dataset) == "records" {
				keep = c.Records
			}
			inner["lifecycle"] = map[string]any{"data_retention": kept(keep)}
		}
	}
	if len(index) > 0 {
		inner["settings"] = map[string]any{"index": index}
	}
	return body
}

// Request is one that setup sends, or would send.
type Request struct {
	Method, Path string
	Body         map[string]any // nil: none
}

// Requests are those that make everything on an empty cluster, for a look before.
func Requests(c *Config, t *Target) []Request {
	var all []Request
	for _, o := range plan(c, t) {
		all = append(all, Request{http.MethodPut, o.kind.path + o.name, o.body})
	}
	for _, name := range streams(t) {
		all = append(all, Request{http.MethodPut, streamPath + name, nil})
	}
	return all
}

// String is the request as consoles take it.
func (r Request) String() string {
	if r.Body == nil {
		return r.Method + " " + r.Path + "\n"
	}
	text, err := json.MarshalIndent(r.Body, "", "  ")
	if err != nil {
		text = []byte(err.Error()) // maps of texts and numbers can be written
	}
	return r.Method + " " + r.Path + "\n" + string(text) + "\n"
}
