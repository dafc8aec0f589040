package search

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// Users by a field are asked for in as many requests as there is room for the groups of each.
func TestDivided(t *testing.T) {
	const tooMany = `{"error":{"type":"search_phase_execution_exception","reason":"","caused_by":{"type":"too_many_buckets_exception","reason":"x"}}}`
	for _, c := range []struct {
		name     string
		users    int
		values   []string // as SERVICE:RECORDS
		refused  string   // a request with this service has no room
		requests []string // the services of each
		pages    int
	}{
		{"few", 1000, []string{"chat:50000", "code:70", ":3"}, "", []string{"all"}, 0},
		{"many", 30_000, []string{"chat:900000", "code:900000", "paint:5000", "voice:4000", ":3"}, "", []string{"chat", "code,paint,voice,"}, 0},
		{"one without room", 30_000, []string{"chat:900000", "code:900000"}, "code", []string{"chat", "code"}, 1},
		{"too many", 39_000, many(60, 900_000), "", nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			asked, pages := map[string]int{}, 0
			s := server(func(_, body string) (int, string, error) {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case strings.Contains(body, `"addresses"`):
					return http.StatusOK, fmt.Sprintf(`{"_shards":{"failed":0},"aggregations":{"users":{"value":%d},"addresses":{"value":7}}}`, c.users), nil
				case !strings.Contains(body, `"must_not":[{"term":{"gnomon.attribution.shared":true}}]`): // others than known users
					return http.StatusOK, nothing, nil
				case strings.Contains(body, `"values"`):
					return http.StatusOK, `{"_shards":{"failed":0},"aggregations":{"values":{"sum_other_doc_count":0,"buckets":[` + valueBuckets(c.values) + `]}}}`, nil
				case strings.Contains(body, `"composite"`):
					pages++
					return http.StatusOK, nothing, nil
				}
				asked[servicesOf(body)]++
				if c.refused != "" && strings.Contains(body, `["`+c.refused+`"]`) {
					return http.StatusServiceUnavailable, tooMany, nil
				}
				return http.StatusOK, `{"_shards":{"failed":0},"aggregations":{"groups":{"buckets":[{"key":"` + servicesOf(body) + `","doc_count":2,"groups":{"buckets":[{"key":"u1","doc_count":2,"up":{"value":5}}]}}]}}}`, nil
			})
			rows, err := reading(s, elasticsearch.LayoutStream).Sums(context.Background(), query.Request{By: []query.Dimension{query.ByUser, query.ByService}})
			if err != nil || pages != c.pages {
				t.Fatalf("%d pages, %v", pages, err)
			}
			if len(asked) != len(c.requests) {
				t.Errorf("asked %v, want %q", asked, c.requests)
			}
			for _, want := range c.requests {
				if asked[want] != 1 {
					t.Errorf("asked %v, want %q", asked, c.requests)
				}
			}
			for _, row := range rows {
				if row.Key[0] != "u1" || row.BytesUp != 5 || row.Flows != 2 || asked[row.Key[1]] == 0 {
					t.Errorf("%+v", row)
				}
			}
		})
	}
}

func many(n, records int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("s%d:%d", i, records))
	}
	return all
}

func valueBuckets(values []string) string {
	var all []string
	for _, v := range values {
		key, n, _ := strings.Cut(v, ":")
		all = append(all, fmt.Sprintf(`{"key":%q,"doc_count":%s}`, key, n))
	}
	return strings.Join(all, ",")
}

// servicesOf are those that a question is for, "all" if it is for all; a comma at the end stands for none.
func servicesOf(body string) string {
	_, list, some := strings.Cut(body, `{"terms":{"gnomon.service.id":[`)
	if !some {
		return "all"
	}
	list, _, _ = strings.Cut(list, "]")
	list = strings.ReplaceAll(list, `"`, "")
	if strings.Contains(body, `"must_not":[{"exists":{"field":"gnomon.service.id"}}]`) {
		list += ","
	}
	return list
}
