package search

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// A sample of many groups is one question; what it gives is the newest first, once, and no more than is wanted.
func TestSample(t *testing.T) {
	one := func(id string, ms int) string {
		return fmt.Sprintf(`{"_index":"x","sort":[%d,"%s"],"fields":{"event.id":["%s"],"user.id":["u1"],"source.ip":["10.0.0.1"],"gnomon.counted":[true],"gnomon.service.id":["chat"],"gnomon.policy.status":["prohibited"],"gnomon.evidence.class":["sni"],"gnomon.attribution.shared":[false]}}`,
			ms, id, id)
	}
	group := func(hits ...string) string { return `{"newest":{"hits":{"hits":[` + strings.Join(hits, ",") + `]}}}` }
	within := func(groups ...string) string { return `{"groups":{"buckets":[` + strings.Join(groups, ",") + `]}}` }
	var bodies []string
	answer := within(within(group(one("b", 2000), one("a", 1000)), group(one("d", 4000))), within(group(one("b", 2000), one("c", 3000))))
	r := reading(server(func(_, body string) (int, string, error) {
		bodies = append(bodies, body)
		return http.StatusOK, `{"_shards":{"failed":0},"aggregations":` + answer + `}`, nil
	}), elasticsearch.LayoutStream)
	q := query.RecordRequest{Dataset: event.DatasetActivity, Limit: 3, Each: 2, EachOf: query.ByService, Brief: true, Where: query.Filter{Users: []string{"u1", "shared"}}}
	page, err := r.Records(context.Background(), q)
	if err != nil || len(page.Records) != 3 || page.Next != "" {
		t.Fatal(page, err)
	}
	for i, id := range []string{"d", "c", "b"} {
		ev := &page.Records[i]
		if ev.Event.ID != id || query.UserKey(ev) != "u1" || ev.Gnomon.Service.ID != "chat" || ev.Gnomon.Policy.Status != "prohibited" || ev.Gnomon.Evidence.Class != "sni" || !*ev.Gnomon.Counted {
			t.Errorf("record %d is %+v, %+v; not %s", i, ev, ev.Gnomon, id)
		}
	}
	if len(bodies) != 1 || strings.Count(bodies[0], `"filters"`) != 2 || !strings.Contains(bodies[0], `"field":"gnomon.service.id","missing":"","size":1000`) {
		t.Errorf("asked: %q", bodies)
	}
	answer = within()
	if page, err := r.Records(context.Background(), q); err != nil || len(page.Records) != 0 {
		t.Error(page, err)
	}
}
