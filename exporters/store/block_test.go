package store

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/gnomon-sensor/gnomon/exporters/query"
)

// blockRows makes the sorted rows of a month: 1024 users with fifteen facets each.
func blockRows(base int64) []row {
	r := rand.New(rand.NewPCG(3, 4))
	var rows []row
	for user := uint32(2048); user < 3072; user++ {
		facet := uint32(0)
		for range 15 {
			facet += 1 + r.Uint32N(40)
			up := uint64(math.Exp(8 + 2*r.NormFloat64()))
			rows = append(rows, row{user: user, facet: facet, hour: base, sums: sums{flows: r.Uint64N(300), visits: r.Int64N(40), up: up, down: 9 * up,
				upload: up * 9 / 10, low: up * 88 / 100, high: up * 93 / 100, unknown: r.Uint64N(2), first: base + r.Int64N(1e6), last: base + 1e6 + r.Int64N(1e6)}})
		}
	}
	return rows
}

// What is written is read back.
func TestBlock(t *testing.T) {
	most := sums{flows: math.MaxUint64, visits: math.MinInt64, up: math.MaxUint64, down: 1, upload: 5, low: math.MaxUint64, high: 0, unknown: 3,
		first: -1, last: math.MaxInt32}
	for _, c := range []struct {
		name string
		base int64
		rows []row
	}{
		{"none", 0, []row{}},
		{"one", 900, []row{{user: 7, facet: 1, hour: 900, sums: sums{flows: 1, first: 901, last: 902}}}},
		{"extremes", -86400, []row{{user: 1, facet: math.MaxUint32, hour: -82800, sums: most}, {user: math.MaxUint32, facet: 0, hour: -86400, sums: most}}},
		{"a month", 1_700_000_100, blockRows(1_700_000_100)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decodeRows([]row{}, appendBlock(nil, c.base, c.rows))
			if err != nil || !reflect.DeepEqual(got, c.rows) {
				t.Fatalf("%v\n got %+v\nwant %+v", err, got, c.rows)
			}
		})
	}
}

// A block that is cut anywhere, or longer than it should be, is an error and never a panic.
func TestBlockCut(t *testing.T) {
	whole := appendBlock(nil, 0, blockRows(0)[:40])
	for n := range whole {
		if _, err := decodeRows(nil, whole[:n]); !errors.Is(err, errBlock) {
			t.Fatalf("cut to %d bytes of %d: %v", n, len(whole), err)
		}
	}
	if _, err := decodeRows(nil, append(whole, 0)); !errors.Is(err, errBlock) {
		t.Fatalf("a byte too many: %v", err)
	}
	whole[0] = blockVersion + 1
	if _, err := decodeRows(nil, whole); !errors.Is(err, errBlockVersion) {
		t.Fatalf("a newer version: %v", err)
	}
}

func testAsk(tb testing.TB, by ...query.Dimension) (*ask, *job) {
	tb.Helper()
	a, err := newAsk(&query.Request{By: by})
	if err != nil {
		tb.Fatal(err)
	}
	a.groupOf = make([]int32, 1000)
	for i := range a.groupOf {
		a.groupOf[i] = int32(i % 300)
	}
	a.keys = make([][2]string, 300)
	return a, &job{segment: segment{whole: true}, data: appendBlock(nil, 0, blockRows(0))}
}

// Once a worker has seen a block and its groups, the next one costs no allocation.
func TestTallyAllocates(t *testing.T) {
	a, j := testAsk(t, query.ByService)
	tally := newTally(a)
	if n := testing.AllocsPerRun(20, func() {
		if err := tally.add(j); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkTally(b *testing.B) {
	for _, by := range []query.Dimension{query.ByService, query.ByUser} {
		b.Run(string(by), func(b *testing.B) {
			a, j := testAsk(b, by)
			tally := newTally(a)
			b.ReportAllocs()
			for range b.N {
				if err := tally.add(j); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(tally.block.n), "ns/row")
			b.ReportMetric(float64(len(j.data))/float64(tally.block.n), "B/row")
		})
	}
}

// A block that belongs to one group as a whole adds up to what its rows add up to.
func TestAddBlock(t *testing.T) {
	for _, rows := range [][]row{blockRows(3600), {{user: 1, hour: 7200, sums: sums{visits: -3, upload: 5, low: 9, high: 1, first: 7300, last: 7400}},
		{user: 9, hour: 7200, sums: sums{flows: 1, first: 7201, last: 7202}}}} {
		a, j := testAsk(t)
		j.data = appendBlock(nil, 3600, rows)
		for i := range a.groupOf {
			a.groupOf[i] = 0
		}
		slow, fast := newTally(a), newTally(a)
		if err := slow.add(j); err != nil {
			t.Fatal(err)
		}
		a.single = true
		if err := fast.add(j); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(slow.groups(), fast.groups()) {
			t.Errorf("got %+v\nwant %+v", fast.groups()[0], slow.groups()[0])
		}
		quiet := newTally(a)
		a.quiet = make(facetSet, 1000)
		for i := range a.quiet {
			a.quiet[i] = i%2 == 0
		}
		a.single = false
		want := newTally(a)
		if err := errors.Join(want.add(j), func() error { a.single = true; return quiet.add(j) }()); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(want.groups(), quiet.groups()) || want.groups()[0].calm == 0 {
			t.Errorf("with background traffic: got %+v\nwant %+v", quiet.groups()[0], want.groups()[0])
		}
	}
}

func TestBesides(t *testing.T) {
	set := func(users ...uint32) *userSet {
		s := &userSet{}
		for _, u := range users {
			s.add(u)
		}
		return s
	}
	tests := []struct {
		name string
		a, b *userSet
		want uint64
	}{
		{"nobody", set(), set(5), 0},
		{"one, and nobody else", set(5), set(), 1},
		{"the same one", set(5), set(5), 0},
		{"one of many", set(5), set(3, 5, 9000), 0},
		{"many besides one", set(3, 5, 9000), set(5), 2},
		{"many besides many", set(3, 5, 9000, 9001), set(5, 9001, 20000), 2},
		{"far beyond the other's pages", set(50000, 60000), set(1, 2), 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.a.besides(tt.b); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}
