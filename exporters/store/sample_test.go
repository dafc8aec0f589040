package store

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// A sample has of each group as many records as it may, or all, and no group goes without.
func TestSample(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	c := testConfig(t)
	c.Now = newClock(noon).now
	s := open(t, c)
	have := map[query.Dimension]map[[2]string]int{query.ByService: {}, query.ByDepartment: {}}
	var batch []event.Event
	for range 600 {
		ev := random(r, noon, 24*time.Hour)
		f := facetOf(&ev)
		for of, groups := range have {
			group, _ := f.word(of)
			groups[[2]string{group, f.status}]++
		}
		batch = append(batch, ev)
	}
	export(t, s, batch)
	const each = 5
	for of, groups := range have {
		t.Run(string(of), func(t *testing.T) {
			page, err := s.Records(context.Background(), query.RecordRequest{Dataset: event.DatasetActivity, Limit: 1000, Each: each, EachOf: of})
			if err != nil {
				t.Fatal(err)
			}
			if page.Next != "" {
				t.Error("a sample has a next page")
			}
			got := map[[2]string]int{}
			for i := range page.Records {
				f := facetOf(&page.Records[i])
				group, _ := f.word(of)
				got[[2]string{group, f.status}]++
				if i > 0 && page.Records[i].Timestamp > page.Records[i-1].Timestamp {
					t.Error("a record stands behind an older one")
				}
			}
			for group, n := range groups {
				if got[group] != min(n, each) {
					t.Errorf("%v: %d records of %d", group, got[group], n)
				}
			}
		})
	}
}
