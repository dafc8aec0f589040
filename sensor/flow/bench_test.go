package flow

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

func TestKnownFlowsDoNotAllocate(t *testing.T) {
	table, _ := newTable(t, Default())
	segs := []decode.Segment{
		tcpSeg(1, 0, 0, 1000, 100, ack), tcpSeg(1, 0, 1, 1000, 100, ack), tcpSeg(2, 0, 0, 1000, 100, ack|fin), udpSeg(1, 0, 0, 100), udpSeg(2, 0, 1, 100),
	}
	f := put(t, table, segs...)
	table.Slices(f, 0, 5*second, 60*second)
	if got := testing.AllocsPerRun(200, func() {
		for i := range segs {
			seg := &segs[i]
			seg.Seq += seg.Len
			f, err := table.Open(seg)
			if err != nil {
				t.Fatal(err)
			}
			table.Add(f, seg)
		}
		table.Buckets(segs)
		table.Flows(segs)
		table.Due(0)
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

// spread is segments of many flows, as a busy link mixes them.
func spread(flows, n int) []decode.Segment {
	r := newRand(1)
	segs := make([]decode.Segment, n)
	for i := range segs {
		who := r.IntN(flows)
		segs[i] = udpSeg(who, 0, uint8(r.IntN(2)), 0)
		segs[i].Len = 100
		if who%2 == 0 { // without data, which again and again would be out of order
			segs[i] = tcpSeg(who, 0, uint8(r.IntN(2)), 1, 0, ack)
		}
	}
	return segs
}

func BenchmarkKnownFlows(b *testing.B) {
	for _, bm := range []struct {
		name  string
		flows int
	}{{"100", 100}, {"60000", 60_000}, {"400000", 400_000}} {
		b.Run(bm.name, func(b *testing.B) {
			table, _ := newTable(b, Default())
			segs := spread(bm.flows, 1<<18)
			put(b, table, segs...)
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; { // an operation is one segment
				batch := segs[i%len(segs):][:64]
				table.Buckets(batch)
				table.Flows(batch)
				for j := range batch {
					if j%Group == 0 {
						table.Flows(batch[min(j+Group, len(batch)):])
					}
					f, err := table.Open(&batch[j])
					if err != nil {
						b.Fatal(err)
					}
					table.Add(f, &batch[j])
				}
				i += 64
			}
		})
	}
}

func BenchmarkNewFlows(b *testing.B) {
	table, _ := newTable(b, Default())
	seg := udpSeg(0, 0, 0, 0)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ { // soon the table is full, and every new flow has its share of an eviction
		seg.Key = keyOf(i, decode.UDP)
		seg.Hash = hashOf(seg.Key)
		seg.Time += 1000
		f, err := table.Open(&seg)
		if err != nil {
			b.Fatal(err)
		}
		table.Add(f, &seg)
	}
}

func BenchmarkDue(b *testing.B) {
	table, _ := newTable(b, Default())
	for i := range 400_000 {
		seg := udpSeg(i, 0, 0, 0)
		f := put(b, table, seg)
		if i%100 == 0 {
			table.Slices(f, 0, 5*second, 60*second)
		}
	}
	now := int64(0)
	b.ReportAllocs()
	for b.Loop() { // a millisecond of packet time with 400,000 flows, of which 4,000 are sliced
		now = (now + second/1000) % (100 * second)
		table.Due(now)
	}
}

func BenchmarkOutOfOrder(b *testing.B) {
	table, _ := newTable(b, Default())
	segs := []decode.Segment{tcpSeg(1, 0, 0, 200, 100, ack), tcpSeg(1, 0, 0, 100, 100, ack)}
	put(b, table, tcpSeg(1, 0, 0, 0, 100, ack))
	b.ReportAllocs()
	for b.Loop() {
		for i := range segs {
			f, err := table.Open(&segs[i])
			if err != nil {
				b.Fatal(err)
			}
			table.Add(f, &segs[i])
			segs[i].Seq += 200
		}
	}
}
