package search

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/elasticsearch"
)

// Records that were read once are read again only where their step has others by now, or where not all were given.
func TestCoverageMapsKept(t *testing.T) {
	from := time.Date(2026, 10, 1, 10, 0, 0, 0, time.UTC)
	hours := [2][]string{{"5", "0"}, {"59"}} // the minutes of each hour that have a record, the newest first
	asked, short := 0, false
	s := server(func(_, body string) (int, string, error) {
		switch {
		case strings.Contains(body, `"steps"`):
			return http.StatusOK, fmt.Sprintf(`{"_shards":{"failed":0},"aggregations":{"steps":{"buckets":[{"key":%d,"doc_count":%d},{"key":%d,"doc_count":%d}]}}}`,
				from.UnixMilli(), len(hours[0]), from.Add(time.Hour).UnixMilli(), len(hours[1])), nil
		case strings.Contains(body, `"minutes"`):
			return http.StatusOK, `{"_shards":{"failed":0},"aggregations":{"minutes":{"buckets":[]}}}`, nil
		}
		asked++
		var hits []string
		for i, minutes := range hours {
			start := from.Add(time.Duration(i) * time.Hour)
			if !strings.Contains(body, fmt.Sprintf(`"gte":%d`, start.UnixMilli())) && !(i == 1 && strings.Contains(body, fmt.Sprintf(`"gte":%d`, from.UnixMilli()))) {
				continue
			}
			if i == 0 && strings.Contains(body, fmt.Sprintf(`"lt":%d`, from.UnixMilli())) {
				continue
			}
			if short && i == 0 {
				minutes = minutes[:1]
			}
			for _, m := range minutes {
				hits = append(hits, fmt.Sprintf(`{"_index":"x","_source":{"event":{"start":"%s"},"gnomon":{"coverage":{"undecodable":{"arp":1},"sources":{"squid":{"read":2,"rejected_by":{"cut":1},"problem":"p%s"}}}}}}`,
					start.Add(time.Duration(len(m))*time.Minute).Format(time.RFC3339), m))
			}
		}
		return http.StatusOK, `{"_shards":{"failed":0},"hits":{"hits":[` + strings.Join(hits, ",") + `]}}`, nil
	})
	r := reading(s, elasticsearch.LayoutStream)
	look := func(want int, arp ...uint64) {
		t.Helper()
		asked = 0
		rows, err := r.Coverage(context.Background(), from, from.Add(2*time.Hour), time.Hour)
		if err != nil || len(rows) != 2 {
			t.Fatal(rows, err)
		}
		for i, n := range arp {
			squid := rows[i].Sources["squid"]
			if !maps.Equal(rows[i].Undecodable, map[string]uint64{"arp": n}) && n > 0 || squid.Read != 2*n || squid.RejectedBy["cut"] != n {
				t.Errorf("hour %d: %v, %+v; want %d", i, rows[i].Undecodable, squid, n)
			}
		}
		if problem := rows[0].Sources["squid"].Problem; problem != "p5" {
			t.Errorf("the problem is %q, not the last one", problem)
		}
		if asked != want {
			t.Errorf("records were asked for %d times, not %d", asked, want)
		}
	}
	short = true
	look(1, 1, 1) // one of the first hour's is not given
	short = false
	look(1, 2, 1)
	look(0, 2, 1)
	look(0, 2, 1) // nobody has added to what is kept
	hours[1] = []string{"59", "58"}
	look(1, 2, 2)
	look(0, 2, 2)
	if n := len(r.maps.steps); n != 2 {
		t.Errorf("%d steps are kept: what an hour had before it got more is of no use", n)
	}
	hours[0] = []string{"5", "4", "0"}
	look(1, 3, 2)
}

// What is kept is bounded.
func TestCoverageMapsBounded(t *testing.T) {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c, err := newCovering(from, from.Add((maxKeptSteps+500)*time.Hour), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var k stepMaps
	for i := range c.rows {
		c.records[i] = 1
		k.keep(c.stepOf(i), keptStep{1, c.rows[i].Coverage})
	}
	if len(k.steps) != maxKeptSteps {
		t.Errorf("%d steps are kept, not %d", len(k.steps), maxKeptSteps)
	}
	if k.fill(c); !c.known[len(c.rows)-1] {
		t.Error("what was read last is not kept")
	}
}
