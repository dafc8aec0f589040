package search

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

// Where there is nothing of a namespace, it is said what was looked for, what is there, and what to do.
func TestExists(t *testing.T) {
	const streams = `{"indices":[{"name":".ds-logs-gnomon.activity-berlin-2026.11.21-000001"}],"aliases":[],"data_streams":[{"name":"logs-gnomon.activity-berlin"},{"name":"metrics-gnomon.coverage-berlin"},{"name":"logs-gnomon.audit-paris"}]}`
	const daily = `{"indices":[{"name":"gnomon-activity-default-2026.11.20"},{"name":"gnomon-finding-default-2026.11.20"}],"aliases":[],"data_streams":[]}`
	const none = `{"indices":[],"aliases":[],"data_streams":[]}`
	for _, c := range []struct {
		name, layout, found string
		status              int
		hidden              bool
		says                []string
	}{
		{"another namespace", elasticsearch.LayoutStream, streams, 200, false, []string{"logs-gnomon.activity-default", "elasticsearch.namespace", "berlin, paris"}},
		{"a stream", elasticsearch.LayoutStream, strings.ReplaceAll(streams, "paris", "default"), 200, false, nil},
		{"an alias", elasticsearch.LayoutStream, `{"aliases":[{"name":"logs-gnomon.activity-default"}]}`, 200, false, nil},
		{"the other layout", elasticsearch.LayoutStream, daily, 200, false, []string{`elasticsearch.layout = "daily"`}},
		{"by day", elasticsearch.LayoutDaily, daily, 200, false, nil},
		{"streams where days are wanted", elasticsearch.LayoutDaily, streams, 200, false, []string{"gnomon-activity-default-*", `elasticsearch.layout = "stream" there is berlin, paris`}},
		{"nothing", elasticsearch.LayoutStream, none, 200, false, []string{"gnomon setup elasticsearch", "gnomon doctor"}},
		{"hidden", elasticsearch.LayoutStream, none, 200, true, []string{"gnomon-reader"}},
		{"it may not ask", elasticsearch.LayoutStream, `{"error":{"type":"security_exception","reason":"x"}}`, 403, false, nil},
		{"it may neither ask nor read", elasticsearch.LayoutStream, `{"error":{"type":"security_exception","reason":"x"}}`, 403, true, []string{"gnomon-reader"}},
		{"wrong key", elasticsearch.LayoutStream, `{"error":{"type":"security_exception","reason":"x"}}`, 401, false, []string{"elasticsearch.api_key_file"}},
		{"no such question", elasticsearch.LayoutStream, `{"error":"no handler"}`, 400, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := server(func(path, _ string) (int, string, error) {
				if strings.HasPrefix(path, "/_resolve/index/") {
					return c.status, c.found, nil
				}
				if c.hidden {
					return http.StatusOK, `{"has_all_requested":false}`, nil
				}
				return http.StatusOK, `{"has_all_requested":true}`, nil
			})
			err := reading(s, c.layout).Exists(context.Background())
			if (err == nil) != (len(c.says) == 0) {
				t.Fatalf("got %v", err)
			}
			for _, says := range c.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%q does not say %q", err, says)
				}
			}
			if refused := c.hidden || c.status != http.StatusOK; errors.Is(err, ErrNamespace) != (len(c.says) > 0 && !refused) {
				t.Errorf("%v is of another kind", err)
			}
		})
	}
}

// Of many namespaces some are named.
func TestListed(t *testing.T) {
	if got := listed(strings.Split("m l k j i h g f e d c b a", " ")); got != "a, b, c, d, e, f, g, h, i, j and 3 more" {
		t.Errorf("got %s", got)
	}
}
