package flow

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

func TestSliceBorders(t *testing.T) {
	// The verdict falls at 10 s: borders at 15, 75, 135, ... seconds.
	tests := []struct {
		name  string
		times []int64
		want  [][2]int64 // first and last time of each slice, seconds
	}{
		{"within the first", []int64{10, 12, 14}, [][2]int64{{10, 14}}},
		{"on the border", []int64{10, 14, 15, 16}, [][2]int64{{10, 14}, {15, 16}}},
		{"the borders do not move with the packets", []int64{10, 40, 74, 75, 134, 135}, [][2]int64{{10, 10}, {40, 74}, {75, 134}, {135, 135}}},
		{"silence makes no slices", []int64{10, 300, 310, 320}, [][2]int64{{10, 10}, {300, 310}, {320, 320}}},
		{"a time before the others", []int64{10, 20, 12, 80}, [][2]int64{{10, 10}, {20, 20}, {80, 80}}},
	}
	for _, tt := range tests {
		for _, due := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, ", due ", due), func(t *testing.T) {
				table, r := newTable(t, Default())
				for i, at := range tt.times {
					seg := udpSeg(1, at*second, 0, 10)
					f, err := table.Open(&seg)
					if err != nil {
						t.Fatal(err)
					}
					if i == 0 {
						table.Slices(f, seg.Time, 5*second, 60*second)
					}
					table.Add(f, &seg)
					if due {
						table.Due(seg.Time)
					}
				}
				table.Finish()
				var got [][2]int64
				for i, e := range r.emitted {
					got = append(got, [2]int64{e.start / second, e.last / second})
					if e.number != uint32(i) || !e.matched {
						t.Errorf("slice %d has number %d", i, e.number)
					}
					if (e.end != EndNone) != (i == len(r.emitted)-1) {
						t.Errorf("slice %d ends by %q", i, e.end)
					}
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("slices %v, want %v", got, tt.want)
				}
				if sum := r.total()[0]; sum != uint64(10*len(tt.times)) {
					t.Errorf("the slices hold %d bytes of %d", sum, 10*len(tt.times))
				}
			})
		}
	}
}

// What the last slice says of the end does not hang on when it was noticed.
func TestSliceSaysTheEnd(t *testing.T) {
	tests := []struct {
		name string
		last int64 // of the flow's packets, seconds; the border is at 15 s, and a closed flow is over after 5 s
		want []End
	}{
		{"over before the border", 8, []End{EndFIN}},
		{"over behind the border", 12, []End{EndNone}},
	}
	for _, tt := range tests {
		for _, due := range [][]int64{{}, {14}, {16}, {20}, {14, 16, 18, 20}, {100}} {
			t.Run(fmt.Sprint(tt.name, ", due ", due), func(t *testing.T) {
				table, r := newTable(t, Default())
				f := put(t, table, tcpSeg(1, 0, 0, 1, 10, ack), tcpSeg(1, tt.last*second, 0, 11, 10, ack|fin), tcpSeg(1, tt.last*second, 1, 1, 10, ack|fin))
				table.Slices(f, 10*second, 5*second, 60*second)
				for _, now := range due {
					table.Due(now * second)
				}
				put(t, table, tcpSeg(2, 200*second, 0, 1, 10, ack))
				table.Finish()
				var got []End
				for _, e := range r.emitted {
					if e.matched {
						got = append(got, e.end)
					}
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("ends %q, want %q", got, tt.want)
				}
			})
		}
	}
}

// A flow whose last slice was written by a border ends without a further one.
func TestSliceOfNothing(t *testing.T) {
	table, r := newTable(t, Default())
	seg := udpSeg(1, 0, 0, 10)
	f := put(t, table, seg)
	table.Slices(f, 0, 5*second, 60*second)
	table.Due(6 * second)
	table.Due(7 * second)
	if len(r.emitted) != 1 {
		t.Fatalf("%d slices, want 1", len(r.emitted))
	}
	table.Finish()
	if len(r.emitted) != 1 || r.ending != 1 {
		t.Errorf("%d slices, %d endings", len(r.emitted), r.ending)
	}
}

func TestFlushBelongsToWhatWasBefore(t *testing.T) {
	table, r := newTable(t, Default())
	f := put(t, table, udpSeg(1, 0, 0, 10))
	table.Slices(f, 0, 5*second, 60*second)
	table.Flush(f)
	table.Flush(f)
	put(t, table, udpSeg(1, second, 0, 7))
	table.Finish()
	if len(r.emitted) != 2 || r.emitted[0].bytes[0] != 10 || r.emitted[1].bytes[0] != 7 || r.emitted[1].start != second {
		t.Errorf("%+v", r.emitted)
	}
}

// The list of matched flows does not keep those that have ended, and not twice what stands in a reused side.
func TestMatchedListShrinks(t *testing.T) {
	table, _ := newTable(t, Default())
	for round := range int64(50) {
		now := round * 1000 * second
		for i := range 20 {
			seg := udpSeg(i, now, 0, 10)
			f := put(t, table, seg)
			table.Slices(f, now, 5*second, 60*second)
		}
		if len(table.matched) > 40 {
			t.Fatalf("round %d: %d on the list", round, len(table.matched))
		}
		table.Due(now + 900*second)
		table.Due(now + 970*second) // by then the last border has passed
		if len(table.matched) != 0 || len(table.sides) > 41 {
			t.Fatalf("round %d: %d on the list, %d side states", round, len(table.matched), len(table.sides))
		}
	}
	put(t, table, udpSeg(1, 1e6*second, 0, 1))
	f := put(t, table, udpSeg(1, 1e6*second, 0, 1))
	table.Slices(f, f.Last, 5*second, 60*second)
	table.Finish()
	f = put(t, table, udpSeg(1, 2e6*second, 0, 1))
	table.Slices(f, f.Last, 5*second, 60*second)
	if len(table.matched) != 1 {
		t.Error("after Finish, a flow is not listed")
	}
}

// Flows that begin and end while no time goes by do not pile up on the list either.
func TestMatchedListIsBounded(t *testing.T) {
	table, r := newTable(t, Default())
	seg := udpSeg(1, 0, 0, 10)
	f := put(t, table, seg)
	for range 1000 {
		table.Slices(f, 0, 5*second, 60*second)
		var err error
		if f, err = table.Renew(f, &seg); err != nil {
			t.Fatal(err)
		}
		table.Add(f, &seg)
		if table.Due(0); len(table.matched) > 100 {
			t.Fatalf("%d on the list, %d side states", len(table.matched), len(table.sides))
		}
	}
	table.Slices(f, 0, 5*second, 60*second)
	table.Due(5 * second)
	if last := r.emitted[len(r.emitted)-1]; len(r.emitted) != 1001 || last.end != EndNone {
		t.Errorf("%d slices, the last ends by %q", len(r.emitted), last.end)
	}
}

// traffic is segments of flows that begin, pause, close, idle out and come again, in the order of time.
func traffic(seed uint64, n int) []decode.Segment {
	r := newRand(seed)
	now := int64(1_700_000_000) * second
	next := map[int]uint32{}
	var segs []decode.Segment
	for range n {
		switch r.IntN(200) {
		case 0:
			now += int64(r.IntN(4000)) * second
		case 1, 2, 3, 4, 5:
			now += int64(r.IntN(90)) * second
		case 6, 7, 8:
			now += int64(r.IntN(8)) * second
		default:
			now += int64(r.IntN(50)) * second / 1000
		}
		who, dir := r.IntN(30), uint8(r.IntN(2))
		if who < 8 {
			segs = append(segs, udpSeg(who, now, dir, r.IntN(1000)))
			continue
		}
		stream := who*2 + int(dir)
		flags := uint8(ack)
		switch r.IntN(25) {
		case 0:
			flags, next[stream] = syn, uint32(r.Uint64())
		case 1:
			flags |= fin
		case 2:
			flags |= rst
		}
		seg := tcpSeg(who, now, dir, next[stream]-uint32(r.IntN(8)/7*30), r.IntN(1000), flags)
		if flags == syn {
			seg.Len, seg.Payload = 0, nil
		}
		next[stream] = seg.Seq + seg.Len + uint32(r.IntN(12)/11*100)
		if flags == syn {
			next[stream]++
		}
		segs = append(segs, seg)
	}
	return segs
}

// run takes segments through a table as a sensor does; due is asked after every segment for the times to call Due with, none of them
// beyond the next packet.
func run(t *testing.T, segs []decode.Segment, due func(now, next int64) []int64) *recorder {
	t.Helper()
	config := Default()
	table, r := newTable(t, config)
	for i := range segs {
		seg := &segs[i]
		f, err := table.Open(seg)
		if err != nil {
			t.Fatal(err)
		}
		// The third segment of a flow shows its name, if it is to have one; now and then it is given another.
		if packets := f.Half[0].Packets + f.Half[1].Packets; seg.Key.Ports>>16%3 != 0 && packets == 2 {
			table.Slices(f, seg.Time, 5*second, 60*second)
		} else if packets%50 == 49 {
			table.Flush(f)
		}
		table.Add(f, seg)
		next := seg.Time
		if i+1 < len(segs) {
			next = segs[i+1].Time
		}
		for _, now := range due(seg.Time, next) {
			table.Due(now)
		}
	}
	table.Finish()
	return r
}

// The same input gives the same slices and ends, however often Due is called and in whatever batches.
func TestSlicesDoNotHangOnDue(t *testing.T) {
	for seed := range uint64(12) {
		segs := traffic(seed, 6000)
		r := newRand(seed + 100)
		never := run(t, segs, func(int64, int64) []int64 { return nil }).sorted()
		if len(never) < 200 {
			t.Fatalf("seed %d: only %d slices and ends", seed, len(never))
		}
		count := 0
		ways := []struct {
			name string
			due  func(now, next int64) []int64
		}{
			{"after every packet", func(now, _ int64) []int64 { return []int64{now} }},
			{"before every packet", func(_, next int64) []int64 { return []int64{next} }},
			{"in batches of 64", func(now, _ int64) []int64 {
				if count++; count%64 == 0 {
					return []int64{now}
				}
				return nil
			}},
			{"by a clock that goes on in silence", func(now, next int64) []int64 {
				var times []int64
				for at := now; at < next && len(times) < 50; at += second / 2 {
					times = append(times, at)
				}
				return append(times, next)
			}},
			{"at random", func(now, next int64) []int64 {
				var times []int64
				for range r.IntN(4) {
					times = append(times, now+r.Int64N(next-now+1))
				}
				slices.Sort(times)
				return times
			}},
		}
		for _, way := range ways {
			got := run(t, segs, way.due).sorted()
			if i := firstDifference(never, got); i >= 0 {
				t.Errorf("seed %d, Due %s: %d slices and ends, want %d; the first that differs is %d:\n%s\n%s", seed, way.name, len(got), len(never), i,
					show(got, i), show(never, i))
			}
		}
	}
}

func firstDifference(a, b []emitted) int {
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	if len(b) > len(a) {
		return len(a)
	}
	return -1
}

func show(all []emitted, i int) string {
	if i >= len(all) {
		return "nothing"
	}
	return fmt.Sprintf("%+v", all[i])
}

// The slices of a flow add up to its unique bytes.
func TestSlicesAddUp(t *testing.T) {
	for seed := range uint64(5) {
		segs := traffic(seed, 6000)
		sliced := run(t, segs, func(now, _ int64) []int64 { return []int64{now} })
		table, whole := newTable(t, Default())
		put(t, table, segs...)
		table.Finish()
		if a, b := sliced.total(), whole.total(); a != b || a[0] == 0 || a[1] == 0 {
			t.Errorf("seed %d: slices %d, whole flows %d", seed, a, b)
		}
	}
}
