package setup

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

// fake is a cluster that keeps what it is told to, and gives it back with what real ones add.
type fake struct {
	is      elasticsearch.Server
	missing []string // paths without a handler
	objects map[string]map[string]any
	log     []string
	answers map[string]int // a status for a request, as in "PUT /x"
}

func newFake(distribution string, missing ...string) *fake {
	return &fake{is: elasticsearch.Server{Distribution: distribution, Version: "8.19.8"}, missing: missing, objects: map[string]map[string]any{}, answers: map[string]int{}}
}

func (f *fake) Server(context.Context) (elasticsearch.Server, error) { return f.is, nil }

func (f *fake) Do(_ context.Context, method, path string, body []byte) (int, []byte, error) {
	path, _, _ = strings.Cut(path, "?")
	f.log = append(f.log, method+" "+path)
	if status := f.answers[method+" "+path]; status != 0 {
		return status, []byte(`{"error":{"type":"refused","reason":"by the test"}}`), nil
	}
	if slices.ContainsFunc(f.missing, func(m string) bool { return strings.HasPrefix(path, m) }) {
		return http.StatusBadRequest, []byte(`{"error":"no handler found"}`), nil
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case method == http.MethodPost && name == "api_key":
		return http.StatusOK, []byte(`{"id":"i","name":"n","api_key":"k","encoded":"aTprCg=="}`), nil
	case method != http.MethodGet:
		var o map[string]any
		if len(body) > 0 && !json.Valid(body) {
			return http.StatusBadRequest, []byte(`{"error":{"type":"parse_exception","reason":"no JSON"}}`), nil
		}
		_ = json.Unmarshal(body, &o) // it is valid, or empty
		if o == nil {
			o = map[string]any{}
		}
		f.objects[path] = o
		return http.StatusOK, []byte(`{"acknowledged":true}`), nil
	case f.objects[path] == nil:
		return http.StatusNotFound, []byte(`{"error":{"type":"resource_not_found_exception","reason":"x"},"status":404}`), nil
	}
	o := f.objects[path]
	form := map[string]string{"component_template": `{"component_templates":[{"name":%q,"component_template":%s}]}`,
		"index_template": `{"index_templates":[{"name":%q,"index_template":%s}]}`}
	for part, form := range form {
		if strings.Contains(path, part) {
			return http.StatusOK, fmt.Appendf(nil, form, name, text(o)), nil
		}
	}
	switch {
	case strings.Contains(path, "_ilm"):
		return http.StatusOK, fmt.Appendf(nil, `{%q:{"version":3,"modified_date":"x","policy":%s}}`, name, text(o["policy"])), nil
	case strings.HasPrefix(path, streamPath):
		return http.StatusOK, []byte(`{"data_streams":[{}]}`), nil
	case strings.Contains(path, "_ism"):
		p := o["policy"].(map[string]any)
		p["schema_version"], p["last_updated_time"] = 21, 17
		return http.StatusOK, fmt.Appendf(nil, `{"_id":%q,"_seq_no":4,"_primary_term":1,"policy":%s}`, name, text(p)), nil
	}
	return http.StatusOK, fmt.Appendf(nil, `{%q:%s}`, name, text(o)), nil
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// run runs setup and counts the states.
func run(t *testing.T, s Server, force bool) (map[State]int, error) {
	t.Helper()
	got := map[State]int{}
	target, err := Probe(context.Background(), s, "default", elasticsearch.LayoutStream)
	if err != nil {
		t.Fatal(err)
	}
	r := Run{Server: s, Config: Default(), Force: force, Tell: func(s Step) { got[s.State]++ }}
	return got, r.Do(context.Background(), &target)
}

func TestProbe(t *testing.T) {
	for _, c := range []struct {
		name, distribution, layout string
		missing                    []string
		lifecycle                  Lifecycle
		roles                      bool
	}{
		{"whole", elasticsearch.Elasticsearch, elasticsearch.LayoutStream, nil, ILM, true},
		{"serverless", elasticsearch.Elasticsearch, elasticsearch.LayoutStream, []string{"/_ilm"}, DSL, true},
		{"serverless by day", elasticsearch.Elasticsearch, elasticsearch.LayoutDaily, []string{"/_ilm"}, NoneOf, true},
		{"bare", elasticsearch.Elasticsearch, elasticsearch.LayoutStream, []string{"/_ilm", "/_data_stream", "/_security"}, NoneOf, false},
		{"opensearch", elasticsearch.OpenSearch, elasticsearch.LayoutStream, nil, ISM, false},
		{"bare opensearch", elasticsearch.OpenSearch, elasticsearch.LayoutStream, []string{"/_plugins"}, NoneOf, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Probe(context.Background(), newFake(c.distribution, c.missing...), "default", c.layout)
			if err != nil || got.Lifecycle != c.lifecycle || got.Roles != c.roles {
				t.Errorf("got %+v (%v), want %s, roles %v", got, err, c.lifecycle, c.roles)
			}
		})
	}
	f := newFake(elasticsearch.Elasticsearch)
	f.answers["GET /_ilm/status"] = http.StatusForbidden
	if _, err := Probe(context.Background(), f, "default", elasticsearch.LayoutStream); err == nil || !strings.Contains(err.Error(), "may manage") {
		t.Errorf("without a privilege: %v", err)
	}
}

// The second run changes nothing; what is older is brought up to date; what somebody changed is left, until it is forced.
func TestRun(t *testing.T) {
	for _, distribution := range []string{elasticsearch.Elasticsearch, elasticsearch.OpenSearch} {
		t.Run(distribution, func(t *testing.T) {
			f := newFake(distribution)
			first, err := run(t, f, false)
			if err != nil || first[Made] < 9 || len(first) != 1 {
				t.Fatalf("the first run: %v, %v", first, err)
			}
			again, err := run(t, f, false)
			if err != nil || again[Unchanged] != first[Made] || len(again) != 1 {
				t.Fatalf("the second run: %v, %v", again, err)
			}
			mappingsAt := component.path + mappingsName
			older := f.objects[mappingsAt]
			delete(older["template"].(map[string]any)["mappings"].(map[string]any)["properties"].(map[string]any), "url")
			older["_meta"] = map[string]any{managedKey: managedBy, versionKey: 0, hashKey: digest(older)}
			f.log = nil
			got, err := run(t, f, false)
			if err != nil || got[Upgraded] != 1 || got[Unchanged] != first[Made]-1 {
				t.Fatalf("an older template: %v, %v", got, err)
			}
			if !slices.Contains(f.log, "PUT /logs-gnomon.activity-*/_mapping") {
				t.Errorf("indices that are there do not get the new field: %q", f.log)
			}
			f.objects[mappingsAt]["template"].(map[string]any)["mappings"].(map[string]any)["dynamic"] = "strict"
			if got, err = run(t, f, false); err == nil || got[ByHand] != 1 || f.objects[mappingsAt]["template"].(map[string]any)["mappings"].(map[string]any)["dynamic"] != "strict" {
				t.Fatalf("a template changed by hand: %v, %v", got, err)
			}
			if got, err = run(t, f, true); err != nil || got[Upgraded] != 1 {
				t.Fatalf("forced: %v, %v", got, err)
			}
			f.objects[mappingsAt]["_meta"].(map[string]any)[versionKey] = Version + 1
			if got, err = run(t, f, false); err == nil || got[Newer] != 1 {
				t.Fatalf("a newer template: %v, %v", got, err)
			}
		})
	}
}

// A type that has changed cannot be brought into an index that is there: the stream begins a new one.
func TestRollover(t *testing.T) {
	f := newFake(elasticsearch.Elasticsearch)
	if _, err := run(t, f, false); err != nil {
		t.Fatal(err)
	}
	o := f.objects[component.path+mappingsName]
	o["template"] = map[string]any{"mappings": map[string]any{"dynamic": "false"}}
	o["_meta"] = map[string]any{managedKey: managedBy, versionKey: 0, hashKey: digest(o)}
	f.answers["PUT /logs-gnomon.activity-*/_mapping"] = http.StatusBadRequest
	f.answers["POST /logs-gnomon.finding-default/_rollover"] = http.StatusNotFound
	if _, err := run(t, f, false); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(f.log, "POST /logs-gnomon.activity-default/_rollover") {
		t.Errorf("%q", f.log)
	}
}

func TestRefused(t *testing.T) {
	f := newFake(elasticsearch.Elasticsearch)
	f.answers["PUT /_index_template/gnomon-finding"] = http.StatusBadRequest
	_, err := run(t, f, false)
	if err == nil || err.Error() != "making index template gnomon-finding: it answers 400 refused: by the test" {
		t.Errorf("got %v", err)
	}
}

// A user who may not make data streams is told that they come with their first records.
func TestStreamsForbidden(t *testing.T) {
	f := newFake(elasticsearch.Elasticsearch)
	for _, d := range datasets {
		f.answers["PUT "+streamPath+elasticsearch.Stream(d, "default")] = http.StatusForbidden
	}
	if got, err := run(t, f, false); err != nil || got[Later] != len(datasets) {
		t.Errorf("got %v, %v", got, err)
	}
	f.answers["PUT "+streamPath+elasticsearch.Stream(datasets[0], "default")] = http.StatusInternalServerError
	if _, err := run(t, f, false); err == nil || err.Error() != "making data stream logs-gnomon.activity-default: it answers 500 refused: by the test" {
		t.Errorf("got %v", err)
	}
}

func TestMakeKey(t *testing.T) {
	f := newFake(elasticsearch.Elasticsearch)
	r := Run{Server: f}
	key, err := r.MakeKey(context.Background(), "berlin-1", false, 90)
	if err != nil || key.ID != "i" || key.Encoded != "aTprCg==" {
		t.Errorf("got %v, %v", key, err)
	}
	f.answers["POST /_security/api_key"] = http.StatusForbidden
	if _, err = r.MakeKey(context.Background(), "berlin-1", true, 0); err == nil || !strings.Contains(err.Error(), "it answers 403") {
		t.Errorf("got %v", err)
	}
}
