package report

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// The users of a table are those that stand at the head of all of them, whatever bound the question had.
func TestTopUsers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		users  int
		upload func(i int) uint64 // of the i-th use
	}{
		{"none", 0, nil},
		{"fewer than are asked for", 60, func(i int) uint64 { return uint64(i) * 1000 }},
		{"just as many", DefaultTopDLP + spareUsers, func(i int) uint64 { return uint64(i) * 1000 }},
		{"more", 300, func(i int) uint64 { return uint64(i) * 1000 }},
		{"nobody's upload is known", 300, func(int) uint64 { return 0 }},
		{"the same upload from the middle of the table on", 300, func(i int) uint64 { return uint64(max(0, 40-i)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := usual()
			s.users = tt.users
			f := newFake(s)
			slices.SortFunc(f.uses, func(x, y use) int { return -x.at.Compare(y.at) })
			for i := range f.uses {
				f.uses[i].state, f.uses[i].upload = "unreviewed", query.Bounds{Bytes: tt.upload(i)}
			}
			ctx := context.Background()
			q := query.Request{From: s.from, To: s.to, Where: query.Filter{Statuses: unapprovedStatuses()}, By: []query.Dimension{query.ByUser}, OrderBy: query.Upload}
			all, err := f.Sums(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			slices.SortStableFunc(all, byUpload)
			b := builder{q: f, req: Request{TopN: DefaultTopDLP, Location: time.UTC}, rep: &Report{Period: Period{From: s.from, To: s.to}}}
			if b.rep.Unapproved, err = b.total(ctx, b.rep.Period, q.Where); err != nil {
				t.Fatal(err)
			}
			top, total, err := b.topUsers(ctx, q.Where)
			if err != nil {
				t.Fatal(err)
			}
			if want := all[:min(len(all), DefaultTopDLP)]; len(top) != len(want) || len(top) > 0 && !reflect.DeepEqual(top, want) {
				t.Errorf("%d users are at the head; want %d, the same", len(top), len(want))
			}
			if total != len(all) {
				t.Errorf("%d users in all; want %d", total, len(all))
			}
		})
	}
}
