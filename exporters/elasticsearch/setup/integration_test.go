//go:build integration

package setup

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

// On real nodes: what setup makes comes back as it was sent, so that the second run changes nothing; the templates take hold of new streams; a
// template that somebody changes is left alone.
func TestNodeSetup(t *testing.T) {
	tested := 0
	for _, name := range []string{"ELASTICSEARCH8", "ELASTICSEARCH9", "OPENSEARCH2"} {
		address := os.Getenv("GNOMON_TEST_" + name)
		if address == "" {
			continue
		}
		tested++
		for _, layout := range []string{elasticsearch.LayoutStream, elasticsearch.LayoutDaily} {
			t.Run(name+"/"+layout, func(t *testing.T) { setUp(t, address, layout) })
		}
	}
	if tested == 0 {
		t.Fatal("no cluster to test against: start them with make elasticsearch-up")
	}
}

func setUp(t *testing.T, address, layout string) {
	ctx := context.Background()
	conf := elasticsearch.Default()
	conf.Addresses, conf.Proxy = []string{address}, "direct"
	c, err := elasticsearch.NewClient(&conf, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	namespace := fmt.Sprintf("setup%d", time.Now().UnixNano())
	target, err := Probe(ctx, c, namespace, layout)
	if err != nil {
		t.Fatal(err)
	}
	if target.Lifecycle != NoneOf || target.Roles {
		t.Errorf("a node without modules has %+v", target)
	}
	states := func(force bool) (map[State]int, error) {
		got := map[State]int{}
		r := Run{Server: c, Config: Default(), Force: force, Tell: func(s Step) { got[s.State]++ }}
		return got, r.Do(ctx, &target)
	}
	if _, err := states(true); err != nil {
		t.Fatal(err)
	}
	if got, err := states(false); err != nil || got[Unchanged]+got[Later] != 2+len(datasets)+len(streams(&target)) {
		t.Fatalf("the second run: %v, %v", got, err)
	}
	index := elasticsearch.Stream(datasets[0], namespace)
	if layout == elasticsearch.LayoutDaily {
		index = elasticsearch.Daily(datasets[0], namespace) + "2026.11.21"
	}
	record := `{"@timestamp":"2026-11-21T10:00:00.123456789Z","source":{"ip":"10.0.0.1"},"gnomon":{"new":{"field":1},"evidence":{"role":"shared"}}}`
	if status, answer, err := c.Do(ctx, http.MethodPut, "/"+index+"/_create/1?refresh=true", []byte(record)); err != nil || status != http.StatusCreated {
		t.Fatalf("%d %s %v", status, answer, err)
	}
	question := `{"query":{"bool":{"filter":[{"term":{"source.ip":"10.0.0.0/8"}},{"term":{"gnomon.evidence.role":"shared"}}],"must_not":{"exists":{"field":"gnomon.new.field"}}}}}`
	if status, answer, err := c.Do(ctx, http.MethodPost, "/"+index+"/_count", []byte(question)); err != nil || status != http.StatusOK || string(answer[:10]) != `{"count":1` {
		t.Errorf("the fields are not those of the template: %d %s %v", status, answer, err)
	}
	path := "/_component_template/" + settingsName
	if status, answer, err := c.Do(ctx, http.MethodPut, path, []byte(`{"template":{"settings":{"index":{"number_of_shards":"3"}}},"_meta":{"managed_by":"gnomon","version":1,"hash":"x"}}`)); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s %v", status, answer, err)
	}
	if got, err := states(false); err == nil || got[ByHand] != 1 {
		t.Errorf("a template changed by hand: %v, %v", got, err)
	}
	if got, err := states(true); err != nil || got[Upgraded] != 1 {
		t.Errorf("forced: %v, %v", got, err)
	}
}
