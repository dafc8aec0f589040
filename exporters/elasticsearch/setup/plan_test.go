package setup

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

var update = flag.Bool("update", false, "write the golden files anew")

// requests is what --dry-run prints.
func requests(c *Config, t *Target) string {
	var b strings.Builder
	for _, r := range Requests(c, t) {
		b.WriteString(r.String() + "\n")
	}
	return b.String()
}

// What is sent to each kind of server is what a person has read.
func TestRequests(t *testing.T) {
	for _, c := range []struct {
		name   string
		target Target
	}{
		{"ilm", Target{Layout: elasticsearch.LayoutStream, Lifecycle: ILM, Roles: true}},
		{"ilm-daily", Target{Layout: elasticsearch.LayoutDaily, Lifecycle: ILM, Roles: true}},
		{"dsl", Target{Layout: elasticsearch.LayoutStream, Lifecycle: DSL, Roles: true}},
		{"ism", Target{Layout: elasticsearch.LayoutStream, Lifecycle: ISM}},
		{"ism-daily", Target{Layout: elasticsearch.LayoutDaily, Lifecycle: ISM}},
		{"none", Target{Layout: elasticsearch.LayoutStream, Lifecycle: NoneOf}},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf := Default()
			c.target.Namespace = "default"
			got := requests(&conf, &c.target)
			if c.name != "none" { // the fields stand in one file alone
				before, rest, _ := strings.Cut(got, "PUT /_component_template/"+mappingsName)
				_, after, _ := strings.Cut(rest, "PUT /_component_template/"+settingsName)
				got = before + "PUT /_component_template/" + settingsName + after
			}
			path := filepath.Join("testdata", c.name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || string(want) != got {
				t.Errorf("%s differs (%v); look at what -update changes", path, err)
			}
		})
	}
}

// A hash does not change with the order, the form or the additions of a server.
func TestDigest(t *testing.T) {
	sent := `{"template":{"settings":{"index":{"number_of_shards":"1"}}},"data_stream":{},"priority":500,"list":["a","b"]}`
	for _, c := range []struct {
		name, body string
		same       bool
	}{
		{"as sent", sent, true},
		{"additions", `{"list":["a","b"],"priority":500,"_meta":{"x":1},"created_date":"x","data_stream":{},"template":{"settings":{"index":{"number_of_shards":"1"}}}}`, true},
		{"numbers for texts", `{"template":{"settings":{"index":{"number_of_shards":1}}},"priority":"500","list":["a","b"]}`, true},
		{"another value", `{"template":{"settings":{"index":{"number_of_shards":"2"}}},"priority":500,"list":["a","b"]}`, false},
		{"another order of a list", `{"template":{"settings":{"index":{"number_of_shards":"1"}}},"priority":500,"list":["b","a"]}`, false},
		{"another setting", `{"template":{"settings":{"index":{"number_of_shards":"1","codec":"x"}}},"priority":500,"list":["a","b"]}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var a, b any
			if json.Unmarshal([]byte(sent), &a) != nil || json.Unmarshal([]byte(c.body), &b) != nil {
				t.Fatal("no JSON")
			}
			if got := digest(a) == digest(b); got != c.same {
				t.Errorf("the same: %v, want %v", got, c.same)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		says   string
	}{
		{"default", func(*Config) {}, ""},
		{"records", func(c *Config) { c.Records = 1 }, "setup.records"},
		{"findings", func(c *Config) { c.Findings = 0 }, "setup.findings"},
		{"shards", func(c *Config) { c.Shards = 0 }, "setup.shards"},
		{"replicas", func(c *Config) { c.Replicas = "many" }, "setup.replicas"},
		{"no replicas", func(c *Config) { c.Replicas = "0" }, ""},
		{"all nodes", func(c *Config) { c.Replicas = "0-all" }, ""},
		{"kibana", func(c *Config) { c.Kibana = "https://kibana.example:5601/base" }, ""},
		{"kibana with a password", func(c *Config) { c.Kibana = "https://a:b@kibana.example" }, "setup.kibana"},
		{"kibana without a scheme", func(c *Config) { c.Kibana = "kibana.example" }, "setup.kibana"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf := Default()
			c.change(&conf)
			err := conf.Validate()
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}
