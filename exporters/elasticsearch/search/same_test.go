//go:build integration

package search

import (
	"context"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// compareSums asks a store and a cluster the same questions.
func compareSums(t *testing.T, r *rand.Rand, s, reader query.Query, from time.Time, spread time.Duration, loc *time.Location) {
	t.Helper()
	rows := 0
	for i := range 300 {
		q := randomRequest(r, from, spread, loc)
		want, err := s.Sums(context.Background(), q)
		got, err2 := reader.Sums(context.Background(), q)
		if err != nil || err2 != nil {
			t.Fatalf("question %d: %v, %v", i, err, err2)
		}
		rows += len(want)
		for _, list := range [][]query.Row{want, got} {
			for i := range list {
				list[i].First, list[i].Last = list[i].First.UTC(), list[i].Last.UTC()
				if q.Spare&query.SpareBytes != 0 {
					list[i].BytesUp, list[i].BytesDown = 0, 0
				}
				if list[i].Flows+list[i].BytesUp == 0 || q.Spare&query.SpareTimes != 0 {
					list[i].First, list[i].Last = time.Time{}, time.Time{}
				}
				if q.Keys {
					list[i] = query.Row{Key: list[i].Key, Labels: list[i].Labels}
				}
			}
		}
		if q.Limit == 0 { // users of one measure stand in another order
			for _, list := range [][]query.Row{want, got} {
				slices.SortFunc(list, func(a, b query.Row) int { return slices.Compare(a.Key, b.Key) })
			}
		}
		if len(want) != len(got) {
			t.Fatalf("question %d %+v: %d rows, not %d", i, q, len(got), len(want))
		}
		for j := range want {
			if !reflect.DeepEqual(want[j], got[j]) {
				t.Fatalf("question %d %+v, row %d:\n got %+v\nwant %+v", i, q, j, got[j], want[j])
			}
		}
	}
	if rows < 1000 {
		t.Errorf("only %d rows were compared", rows)
	}
}

// compareFirst asks for the first rows of answers by user, whose figures are asked for by name, and holds them against the whole answers.
func compareFirst(t *testing.T, r *rand.Rand, reader query.Query, from time.Time, spread time.Duration, loc *time.Location) {
	t.Helper()
	parts := 0
	for i := range 100 {
		q := randomRequest(r, from, spread, loc)
		q.Keys, q.Spare, q.Offset, q.Limit = false, 0, 0, 0
		if at := slices.Index(q.By, query.ByUser); len(q.By) > 0 && at < 0 {
			q.By[r.IntN(len(q.By))] = query.ByUser
		}
		want, err := reader.Sums(context.Background(), q)
		q.Offset, q.Limit = r.IntN(5), 1+r.IntN(10)
		got, err2 := reader.Sums(context.Background(), q)
		if err != nil || err2 != nil {
			t.Fatalf("question %d: %v, %v", i, err, err2)
		}
		want = want[min(q.Offset, len(want)):]
		if len(want) > q.Limit && len(q.By) == 2 {
			parts++
		}
		if want = want[:min(q.Limit, len(want))]; len(want)+len(got) > 0 && !reflect.DeepEqual(want, got) {
			t.Fatalf("question %d %+v:\n got %+v\nwant %+v", i, q, got, want)
		}
	}
	if parts < 10 {
		t.Errorf("only %d answers were cut", parts)
	}
}

func randomRequest(r *rand.Rand, from time.Time, spread time.Duration, loc *time.Location) query.Request {
	dims := []query.Dimension{query.ByHour, query.ByDay, query.ByWeek, query.ByMonth, query.ByService, query.ByCategory, query.ByVendor, query.ByKind,
		query.ByStatus, query.ByDepartment, query.ByUser, query.BySite}
	q := query.Request{Location: loc, OrderBy: []query.Measure{"", query.Users, query.Visits, query.Upload, query.Key}[r.IntN(5)]}
	if r.IntN(4) > 0 {
		hours := int64(spread / time.Hour)
		a, b := r.Int64N(hours), r.Int64N(hours)
		q.From, q.To = from.Add(time.Duration(min(a, b)-24)*time.Hour), from.Add(time.Duration(max(a, b)+24)*time.Hour)
	}
	for n := r.IntN(3); len(q.By) < n; {
		d := dims[r.IntN(len(dims))]
		if !slices.Contains(q.By, d) && !(len(q.By) == 1 && slices.Contains(dims[:4], d) && slices.Contains(dims[:4], q.By[0])) {
			q.By = append(q.By, d)
		}
	}
	q.Spare, q.Keys = query.Spare(r.IntN(4)), len(q.By) > 0 && r.IntN(8) == 0
	some := func(words ...string) []string {
		if r.IntN(4) > 0 {
			return nil
		}
		return words[:1+r.IntN(len(words))]
	}
	q.Where = query.Filter{Sites: some("paris", ""), Services: some("code", "chat", "none"), Statuses: some("prohibited", "approved", ""),
		Departments: some("", "sales"), Users: some("u3", "ip:10.0.0.1@paris", "ip:10.0.0.2", "shared", "", "nobody", "id:shared"), Categories: some("chat-assistant")}
	if r.IntN(5) == 0 && (q.OrderBy == "" || !slices.Contains(q.By, query.ByUser)) { // else the order of equals differs
		q.Offset, q.Limit = r.IntN(5), 1+r.IntN(10)
	}
	return q
}
