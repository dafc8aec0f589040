package flow

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

func small(max int) Config {
	config := Default()
	config.MaxFlows = max
	return config
}

func TestEvictTakesTheLongestIdle(t *testing.T) {
	for _, max := range []int{1, 2, 100, 5000} {
		table, r := newTable(t, small(max))
		rnd := newRand(uint64(max))
		last := map[decode.Key]int64{}
		for i := range max {
			seg := udpSeg(i, rnd.Int64N(100*second), 0, 10)
			last[seg.Key] = seg.Time
			put(t, table, seg)
		}
		put(t, table, udpSeg(max, 100*second, 0, 10))
		s := table.Stats()
		if s.Evicted == 0 || int(s.Evicted) != len(r.emitted) || s.Live != max+1-len(r.emitted) {
			t.Fatalf("%d flows: %+v, %d ended", max, s, len(r.emitted))
		}
		if len(r.emitted) > max/evictShare+1 {
			t.Errorf("%d flows: %d evicted", max, len(r.emitted))
		}
		older := 0
		for _, e := range r.emitted {
			if e.end != EndEvicted {
				t.Errorf("ended by %s", e.end)
			}
			for _, at := range last {
				if at < e.last {
					older++ // somebody was idle longer
				}
			}
		}
		if older > max*len(r.emitted)/20 {
			t.Errorf("%d flows: the evicted are not among the twentieth that was idle longest", max)
		}
	}
}

func TestEvictOfNothing(t *testing.T) {
	table, _ := newTable(t, small(0))
	if f := put(t, table, udpSeg(1, 0, 0, 10)); f.Half[0].Bytes != 10 {
		t.Error("a table without room has no place for the flow at hand")
	}
}

// evictAll ends every flow as under memory pressure.
func evictAll(table *Table) {
	for slot := range table.used {
		if f := table.at(slot); f.State&Live != 0 {
			table.end(f, EndEvicted)
		}
	}
}

func TestResume(t *testing.T) {
	tests := []struct {
		name   string
		state  State // what was found before the eviction
		again  decode.Segment
		resume bool
	}{
		{"named", Named, tcpSeg(1, 100*second, 0, 1011, 20, ack), true},
		{"settled", Settled, tcpSeg(1, 100*second, 0, 1011, 20, ack), true},
		{"nothing found", 0, tcpSeg(1, 100*second, 0, 1011, 20, ack), false},
		{"a new connection", Named, tcpSeg(1, 100*second, 0, 777, 0, syn), false},
		{"another five-tuple", Named, tcpSeg(2, 100*second, 0, 1011, 20, ack), false},
		{"when it would have ended", Named, tcpSeg(1, 3700*second, 0, 1011, 20, ack), false},
		{"after a reset, when it would have ended", Named | Rst, tcpSeg(1, 10*second, 0, 1011, 20, ack), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, _ := newTable(t, Default())
			f := put(t, table, tcpSeg(1, 0, 0, 1000, 0, syn), tcpSeg(1, second, 0, 1001, 10, ack))
			f.State |= tt.state
			table.SideOf(f).Owner = "story"
			evictAll(table)
			f = put(t, table, tt.again)
			if f.Has(Resumed) != tt.resume || (table.Stats().Resumed == 1) != tt.resume {
				t.Fatalf("resumed %v, want %v", f.Has(Resumed), tt.resume)
			}
			if !tt.resume {
				if f.Has(Named) || f.Has(Settled) || f.First != tt.again.Time {
					t.Errorf("state %b, first %d: something of another flow", f.State, f.First)
				}
				return
			}
			if !f.Has(tt.state) || f.First != 0 || f.Half[0].Bytes != 30 || f.Half[0].Packets != 3 || f.Client() != 0 {
				t.Errorf("%+v", f)
			}
			if side := table.Peek(f); side == nil || side.Owner != "story" {
				t.Error("what the owner knew is lost")
			}
		})
	}
}

// However often a flow is evicted and comes back, its slices add up to its unique bytes.
func TestResumedSlicesAddUp(t *testing.T) {
	r := newRand(9)
	for range 50 {
		table, rec := newTable(t, Default())
		total, seq, now := uint64(0), ^uint32(5000), int64(0)
		matched := false
		for range 200 {
			n := 1 + r.IntN(500)
			now += int64(r.IntN(20)) * second
			seg := tcpSeg(1, now, 0, seq, n, ack)
			f, err := table.Open(&seg)
			if err != nil {
				t.Fatal(err)
			}
			if !matched {
				matched = true
				table.Slices(f, now, 5*second, 60*second)
			}
			table.Add(f, &seg)
			if r.IntN(3) == 0 {
				put(t, table, seg) // repeated: counts once, across an eviction too
			}
			seq += uint32(n)
			total += uint64(n)
			switch r.IntN(6) {
			case 0:
				evictAll(table)
			case 1:
				table.Due(now)
			}
		}
		table.Finish()
		if got := rec.total()[0]; got != total {
			t.Fatalf("the slices hold %d bytes, the flow had %d", got, total)
		}
		numbers := uint32(0)
		for _, e := range rec.emitted {
			if !e.matched || e.number != numbers {
				t.Errorf("slice %d has number %d, matched %v", numbers, e.number, e.matched)
			}
			numbers++
		}
		if s := table.Stats(); s.Created < 10 || s.Resumed != s.Created-1 {
			t.Errorf("%+v", s)
		}
	}
}

// Under pressure for good, with every flow coming back, no byte is lost or counted twice.
func TestPressureLosesNothing(t *testing.T) {
	config := small(300)
	table, rec := newTable(t, config)
	r := newRand(10)
	next := map[int]uint32{}
	var total uint64
	for step := range 60000 {
		who, n := r.IntN(600), 1+r.IntN(100)
		seg := tcpSeg(who, int64(step)*second/1000, 0, next[who], n, ack)
		next[who] += uint32(n)
		total += uint64(n)
		f, err := table.Open(&seg)
		if err != nil {
			t.Fatal(err)
		}
		if f.State&Matched == 0 {
			table.Slices(f, seg.Time, 5*second, 60*second)
		}
		table.Add(f, &seg)
		if step%64 == 0 {
			table.Due(seg.Time)
		}
		if live := table.Stats().Live; live > 300 {
			t.Fatalf("%d flows", live)
		}
	}
	table.Finish()
	if got := rec.total()[0]; got != total {
		t.Errorf("%d bytes, want %d", got, total)
	}
	if s := table.Stats(); s.Resumed < 1000 || s.Evicted < 1000 || s.Resumed != s.Created-600 {
		t.Errorf("%+v", s)
	}
}

func TestTombstonesAreBounded(t *testing.T) {
	table, _ := newTable(t, small(100))
	limit := table.tombs.limit
	for round := range 3 {
		for i := range limit + 500 {
			f := put(t, table, udpSeg(i, int64(round)*second, 0, 1))
			f.State |= Named
			table.end(f, EndEvicted)
			if len(table.tombs.of) > limit || len(table.tombs.order) > limit {
				t.Fatalf("%d tombstones in %d places, limit %d", len(table.tombs.of), len(table.tombs.order), limit)
			}
		}
	}
	// One that comes and goes is not forgotten by its own older places.
	for range 3 * limit {
		f := put(t, table, udpSeg(5000, 3*second, 0, 1))
		f.State |= Named
		table.end(f, EndEvicted)
		if _, ok := table.tombs.of[f.Key]; !ok {
			t.Fatal("forgotten")
		}
	}
}
