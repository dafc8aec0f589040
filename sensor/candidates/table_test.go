package candidates

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// noon is when tests begin.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) int64 { return noon.Add(d).UnixNano() }

func client(n int) Client { return Client{Lo: uint64(n)} }

// find returns what a day knows of a name.
func find(t *testing.T, d *Day, name string) *Name {
	t.Helper()
	for i := range d.Names {
		if d.Names[i].Name == name {
			return &d.Names[i]
		}
	}
	t.Fatalf("%s is not among the %d names of %s", name, len(d.Names), d.Label)
	return nil
}

func TestTable(t *testing.T) {
	table := New(Default())
	for i := range 30 {
		ref, watch := table.See([]byte("words.example.ai"), client(i%3), at(time.Duration(i)*time.Minute))
		if ref == 0 || !watch {
			t.Fatal("the name has no entry, or its flow is not watched")
		}
		table.Add(ref, 100, 1000, uint32(i%2))
	}
	table.Alias([]byte("words.example.ai"), "platform", at(0))
	table.Log([]byte("api.example.org"), &Line{client(1), at(0), 5, 50, []byte("/v1/chat/completions")})
	d := table.Open()[0]
	n := find(t, d, "words.example.ai")
	if n.Flows != 30 || n.Up != 3000 || n.Down != 30_000 || n.Answers != 15 || n.Paced != 15 || n.Alias != "platform" || n.Clients.Count() != 3 {
		t.Errorf("the name has %+v, %d clients", *n, n.Clients.Count())
	}
	if n := find(t, d, "api.example.org"); n.Paths != 1 || n.Up != 5 || n.Down != 50 || n.Flows != 1 {
		t.Errorf("the log's line became %+v", *n)
	}
	if d.Label != "2026-11-21" {
		t.Errorf("the day is %s", d.Label)
	}
}

// A name without hints whose flows never stream is watched for a while only.
// Again is See without the name, on the same day.
func TestAgain(t *testing.T) {
	table := New(Default())
	name := []byte("www.example.org")
	if ref, watch := table.Again(0, client(0), at(0)); ref != 0 || watch {
		t.Error("nothing was seen, and it is known")
	}
	first, _ := table.See(name, client(0), at(0))
	for i := 1; i < watchEach+9; i++ {
		ref, watch := table.Again(first, client(i), at(0))
		if ref != first || watch != (i < watchEach) {
			t.Fatalf("%d: ref %x, want %x; watch %v", i, ref, first, watch)
		}
	}
	if ref, _ := table.Again(first, client(0), at(24*time.Hour)); ref != 0 {
		t.Error("a name of one day is known on the next")
	}
	n := find(t, table.Open()[0], string(name))
	if n.Flows != watchEach+9 || n.Clients.Count() < watchEach/2 {
		t.Errorf("%d flows, %d clients", n.Flows, n.Clients.Count())
	}
	table.Take(at(48 * time.Hour))
	if ref, _ := table.Again(first, client(0), at(0)); ref != 0 {
		t.Error("a name is known of a day that was taken")
	}
}

func TestWatchedForAWhile(t *testing.T) {
	table, watched := New(Default()), 0
	for range 10 * watchEach {
		if _, watch := table.See([]byte("www.example.org"), client(1), at(0)); watch {
			watched++
		}
	}
	if watched != watchEach {
		t.Errorf("%d flows are watched, want %d", watched, watchEach)
	}
}

// Names beyond the limit are counted together, and those that are known go on.
func TestLimit(t *testing.T) {
	table := New(Config{Names: 10 * shards})
	for i := range 100 * shards {
		table.See(fmt.Appendf(nil, "host-%d.example.org", i), client(i), at(0))
	}
	d := table.Open()[0]
	if len(d.Names) > 10*shards || d.Over+uint64(len(d.Names)) != 100*shards {
		t.Errorf("%d names are kept and %d contacts counted beyond them", len(d.Names), d.Over)
	}
	if ref, _ := table.See([]byte(d.Names[0].Name), client(1), at(0)); ref == 0 {
		t.Error("a name that is known has no entry any more")
	}
}

// Days begin at midnight of the place, also where that is not 24 hours after the last, and a day that was taken takes nothing more.
func TestDays(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	table := New(Config{Location: berlin})
	name := []byte("a.example.org")
	for _, hour := range []int{0, 1, 2, 3, 23, 24, 25} { // 2026-10-25 has 25 hours
		table.See(name, client(1), time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC).Add(time.Duration(hour)*time.Hour).UnixNano())
	}
	days := table.Open()
	if len(days) != 2 || days[0].Label != "2026-10-25" || find(t, days[0], "a.example.org").Flows != 6 || days[1].Names[0].Flows != 1 {
		t.Fatalf("%d days: %+v", len(days), days)
	}
	if days[0].Until-days[0].From != int64(25*time.Hour) || days[1].From != days[0].Until {
		t.Errorf("the day has %v", time.Duration(days[0].Until-days[0].From))
	}
	ref, _ := table.See(name, client(1), days[0].Until-1)
	if got := table.Take(days[0].Until - 1); len(got) != 0 {
		t.Error("a day was taken before its end")
	}
	if got := table.Take(days[0].Until); len(got) != 1 || got[0].Label != "2026-10-25" {
		t.Errorf("taken: %+v", got)
	}
	table.Add(ref, 1, 1, 1)
	if table.Stats().Late != 1 || len(table.Open()) != 1 {
		t.Error("a flow that ended late is not counted as such")
	}
}

// A clock that runs away makes no more days than are kept.
func TestManyDays(t *testing.T) {
	table := New(Default())
	for i := range 2 * openDays {
		table.See([]byte("a.example.org"), client(1), at(time.Duration(i)*24*time.Hour))
	}
	if n := len(table.Open()); n != openDays || table.Stats().DaysLost != openDays {
		t.Errorf("%d days are open, %d lost", n, table.Stats().DaysLost)
	}
}

func TestConcurrent(t *testing.T) {
	table := New(Default())
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Go(func() {
			for i := range 1000 {
				ref, _ := table.See(fmt.Appendf(nil, "host-%d.example.org", i%50), client(w), at(time.Duration(i)*time.Second))
				table.Add(ref, 1, 1, 0)
				if i%100 == 0 {
					table.Open()
				}
			}
		})
	}
	wait.Wait()
	flows := uint64(0)
	for _, n := range table.Open()[0].Names {
		flows += n.Flows
		if n.Up != n.Flows || n.Clients.Count() != 4 {
			t.Errorf("%s: %d flows, %d bytes, %d clients", n.Name, n.Flows, n.Up, n.Clients.Count())
		}
	}
	if flows != 4000 {
		t.Errorf("%d flows of 4000 were counted", flows)
	}
}

// Counting a name that has its entry allocates nothing.
func TestAllocs(t *testing.T) {
	table := New(Default())
	name := []byte("www.example.org")
	for i := range 100 {
		table.See(name, client(i), at(0))
	}
	n := 0
	if got := testing.AllocsPerRun(1000, func() {
		ref, _ := table.See(name, client(n), at(0))
		table.Add(ref, 1, 1, 0)
		n++
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkSee(b *testing.B) {
	table := New(Default())
	var names [1000][]byte
	for i := range names {
		names[i] = fmt.Appendf(nil, "host-%d.cdn.example.org", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		table.See(names[i%1000], client(i%200), at(0))
	}
}

func BenchmarkPace(b *testing.B) {
	var p Pace
	p.Up(500, false)
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		p.Down(i*30e6, 200)
	}
}
