//go:build integration

package search

import (
	"context"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
	"github.com/gnomon-sensor/gnomon/sensor/event"
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

// compareSamples asks for the newest records of many groups, whole and in brief.
func compareSamples(t *testing.T, s, reader query.Query) {
	t.Helper()
	for name, q := range map[string]query.RecordRequest{
		"services":    {Each: 3, EachOf: query.ByService},
		"departments": {Each: 2, EachOf: query.ByDepartment},
		"users": {Each: 4, EachOf: query.ByService, Where: query.Filter{Users: []string{"u3", "ip:10.0.0.1@paris", "shared", ""},
			Statuses: []string{"prohibited", "approved"}}},
	} {
		q.Dataset, q.Limit = event.DatasetActivity, 1000
		want := groupsOf(&q, pages(t, s, q))
		whole := pages(t, reader, q)
		q.Brief = true
		brief := pages(t, reader, q)
		if got := groupsOf(&q, whole); !maps.Equal(got, want) || len(want) < 4 {
			t.Errorf("a sample of %s has %v, not %v", name, got, want)
		}
		if got := groupsOf(&q, brief); !maps.Equal(got, want) {
			t.Errorf("a sample of %s in brief has %v, not %v", name, got, want)
		}
		for i := range brief {
			at := slices.IndexFunc(whole, func(ev event.Event) bool { return ev.Event.ID == brief[i].Event.ID })
			if at < 0 || !sameInBrief(&whole[at], &brief[i]) {
				t.Errorf("a record of %s in brief is %+v, %+v", name, brief[i], brief[i].Gnomon)
			}
		}
	}
}

// sameInBrief compares what is said in brief.
func sameInBrief(a, b *event.Event) bool {
	class := func(ev *event.Event) (found event.Evidence) {
		if e := ev.Gnomon.Evidence; e != nil {
			found.Class, found.Confidence = e.Class, e.Confidence
		}
		return found
	}
	return groupOf(a) == groupOf(b) && reflect.DeepEqual(class(a), class(b)) && reflect.DeepEqual(a.Gnomon.Counted, b.Gnomon.Counted) && a.Gnomon.Use == b.Gnomon.Use
}

// groupOf is by what samples tell records apart.
func groupOf(ev *event.Event) (key [4]string) {
	key[0], key[1] = query.UserKey(ev), ev.Gnomon.Service.ID
	if p := ev.Gnomon.Policy; p != nil {
		key[2] = p.Status
	}
	if ev.User != nil && ev.User.Group != nil {
		key[3] = ev.User.Group.Name
	}
	return key
}

// groupsOf counts records by what a sample tells them apart by.
func groupsOf(q *query.RecordRequest, list []event.Event) map[[4]string]int {
	n := map[[4]string]int{}
	for i := range list {
		key := groupOf(&list[i])
		if q.EachOf == query.ByService {
			key[3] = ""
		} else {
			key[1] = ""
		}
		if len(q.Where.Users) == 0 {
			key[0] = ""
		}
		n[key]++
	}
	return n
}
