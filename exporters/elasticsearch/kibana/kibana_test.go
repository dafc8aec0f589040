package kibana_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/kibana"
	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch/setup"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

var update = flag.Bool("update", false, "write packaging/kibana anew")

const file = "../../../packaging/kibana/gnomon.ndjson"

// The file for those who import by hand is what setup puts there.
func TestFile(t *testing.T) {
	got := kibana.Objects(elasticsearch.LayoutStream)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is another (%v); write it with -update", file, err)
	}
}

type reference struct{ Type, ID, Name string }

type saved struct {
	Type, ID             string
	CoreMigrationVersion string
	TypeMigrationVersion string
	References           []reference
	Attributes           struct {
		Title, PanelsJSON, OptionsJSON, TimeFieldName string
	}
}

type lens struct {
	Type, PanelIndex string
	GridData         struct {
		X, Y, W, H int
		I          string
	}
	EmbeddableConfig struct {
		Attributes struct {
			References []reference
			State      struct {
				Query            struct{ Query string }
				Visualization    json.RawMessage
				DatasourceStates struct {
					FormBased struct {
						Layers map[string]struct {
							Columns     map[string]column
							ColumnOrder []string
						}
					}
				}
			}
		}
	}
}

type column struct {
	OperationType, SourceField string
	IsBucketed                 bool
	Filter                     struct{ Query string }
	Params                     struct{ OrderBy struct{ ColumnID string } }
}

func objects(t *testing.T) []saved {
	t.Helper()
	var all []saved
	for line := range bytes.Lines(kibana.Objects(elasticsearch.LayoutStream)) {
		var o saved
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

// Every object has what an import asks for, and refers to nothing that is not there.
func TestObjects(t *testing.T) {
	ids := map[string]bool{}
	for _, o := range objects(t) {
		if o.ID == "" || ids[o.Type+o.ID] || o.CoreMigrationVersion == "" || o.TypeMigrationVersion == "" || o.Attributes.Title == "" {
			t.Errorf("%s %q lacks something, or is there twice", o.Type, o.ID)
		}
		ids[o.Type+o.ID] = true
		for _, r := range o.References {
			if !ids[r.Type+r.ID] {
				t.Errorf("%s refers to %s %s, which is not there before it", o.ID, r.Type, r.ID)
			}
		}
	}
	if len(ids) != 6 {
		t.Errorf("there are %d objects", len(ids))
	}
	if got := kibana.Pattern(event.DatasetCoverage, elasticsearch.LayoutStream); got != "metrics-gnomon.coverage-*" {
		t.Errorf("the pattern is %s", got)
	}
	if got := kibana.Pattern(event.DatasetCoverage, elasticsearch.LayoutDaily); got != "gnomon-coverage-*-*" {
		t.Errorf("the daily pattern is %s", got)
	}
}

// fits lists the types that an operation can work on.
var fits = map[string]string{"date_histogram": "date", "terms": "keyword", "unique_count": "keyword", "sum": "long double", "max": "long double", "last_value": "date"}

var fieldOfQuery = regexp.MustCompile(`([\w.@]+):`)

// Every field of a panel stands in the templates, with a type that fits; every panel refers to its data view; no panel covers another.
func TestPanels(t *testing.T) {
	fields := setup.Fields()
	n := 0
	for _, o := range objects(t) {
		if o.Type != "dashboard" {
			continue
		}
		var panels []lens
		if err := json.Unmarshal([]byte(o.Attributes.PanelsJSON), &panels); err != nil {
			t.Fatal(err)
		}
		taken := map[[2]int]string{}
		for i, p := range panels {
			n++
			t.Run(o.ID+"/"+p.PanelIndex, func(t *testing.T) {
				checkGrid(t, &p, taken)
				state := &p.EmbeddableConfig.Attributes.State
				checkQuery(t, fields, state.Query.Query)
				if len(state.DatasourceStates.FormBased.Layers) != 1 {
					t.Fatal("a panel has one layer")
				}
				for layer, l := range state.DatasourceStates.FormBased.Layers {
					name := "indexpattern-datasource-layer-" + layer
					if r := p.EmbeddableConfig.Attributes.References; len(r) != 1 || r[0].Name != name || o.References[i].Name != p.PanelIndex+":"+name || o.References[i].ID != r[0].ID {
						t.Errorf("the references are %v and %v", r, o.References[i])
					}
					if len(l.ColumnOrder) != len(l.Columns) {
						t.Errorf("%d columns in order, of %d", len(l.ColumnOrder), len(l.Columns))
					}
					for name, c := range l.Columns {
						checkColumn(t, fields, &c)
						if by := c.Params.OrderBy.ColumnID; by != "" && (l.Columns[by].SourceField == "" || l.Columns[by].IsBucketed) {
							t.Errorf("%s is ordered by %q", name, by)
						}
						if !strings.Contains(string(state.Visualization), `"`+name+`"`) {
							t.Errorf("%s is not drawn", name)
						}
					}
				}
			})
		}
	}
	if n < 20 {
		t.Errorf("only %d panels", n)
	}
}

func checkGrid(t *testing.T, p *lens, taken map[[2]int]string) {
	g := p.GridData
	if g.I != p.PanelIndex || g.X < 0 || g.W < 1 || g.H < 1 || g.X+g.W > 48 {
		t.Errorf("the place is %+v", g)
	}
	for x := g.X; x < g.X+g.W; x++ {
		for y := g.Y; y < g.Y+g.H; y++ {
			if other := taken[[2]int{x, y}]; other != "" {
				t.Fatalf("it covers %s", other)
			}
			taken[[2]int{x, y}] = p.PanelIndex
		}
	}
}

func checkQuery(t *testing.T, fields map[string]string, query string) {
	for _, m := range fieldOfQuery.FindAllStringSubmatch(query, -1) {
		if fields[m[1]] == "" {
			t.Errorf("%q asks for %s, which no template has", query, m[1])
		}
	}
}

func checkColumn(t *testing.T, fields map[string]string, c *column) {
	checkQuery(t, fields, c.Filter.Query)
	if c.OperationType == "count" {
		if c.SourceField != "___records___" {
			t.Errorf("a count of %s", c.SourceField)
		}
		return
	}
	if kind := fields[c.SourceField]; kind == "" || !strings.Contains(fits[c.OperationType], kind) {
		t.Errorf("%s of %s, which is %q", c.OperationType, c.SourceField, kind)
	}
}

// The dashboard for managers names no person.
func TestAdoptionNamesNobody(t *testing.T) {
	for _, o := range objects(t) {
		if o.ID != "gnomon-adoption" {
			continue
		}
		for _, m := range regexp.MustCompile(`"operationType":"(\w+)"[^{}]*"sourceField":"([\w.@]+)"`).FindAllStringSubmatch(o.Attributes.PanelsJSON, -1) {
			if m[1] != "unique_count" && (strings.HasPrefix(m[2], "user.") || strings.HasPrefix(m[2], "source.") || strings.HasPrefix(m[2], "host.")) {
				t.Errorf("%s of %s", m[1], m[2])
			}
		}
		if strings.Count(o.Attributes.PanelsJSON, "operationType") < 15 {
			t.Error("hardly a column was looked at")
		}
	}
}
