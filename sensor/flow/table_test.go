package flow

import (
	"math"
	"testing"
	"unsafe"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

const (
	syn = decode.SYN
	ack = decode.ACK
	fin = decode.FIN
	rst = decode.RST
)

func TestClient(t *testing.T) {
	inside := func(a decode.Address) bool { return uint32(a.Lo)>>24 == 10 }
	none := func(decode.Address) bool { return false }
	tests := []struct {
		name     string
		internal func(decode.Address) bool
		seg      decode.Segment
		ports    uint32
		want     uint8
		guessed  bool
	}{
		{"SYN", nil, tcpSeg(1, 0, 0, 1, 0, syn), 0, 0, false},
		{"SYN from the other side", inside, tcpSeg(1, 0, 1, 1, 0, syn), 0, 1, false},
		{"answer to a SYN", nil, tcpSeg(1, 0, 1, 1, 0, syn|ack), 0, 0, false},
		{"inside to outside", inside, tcpSeg(1, 0, 0, 1, 9, ack), 443<<16 | 50000, 0, true},
		{"outside to inside", inside, tcpSeg(1, 0, 1, 1, 9, ack), 443<<16 | 50000, 0, true},
		{"from a well-known port", none, tcpSeg(1, 0, 1, 1, 9, ack), 0, 0, true},
		{"to a well-known port", none, tcpSeg(1, 0, 0, 1, 9, ack), 0, 0, true},
		{"nothing known", nil, tcpSeg(1, 0, 1, 1, 9, ack), 50000<<16 | 60000, 1, true},
		{"UDP", nil, udpSeg(1, 0, 0, 9), 0, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := Default()
			config.Internal = tt.internal
			table, _ := newTable(t, config)
			if tt.ports != 0 {
				tt.seg.Key.Ports = tt.ports
			}
			f := put(t, table, tt.seg)
			if f.Client() != tt.want || f.Has(NoClient) != tt.guessed {
				t.Errorf("client %d, guessed %v; want %d, %v", f.Client(), f.Has(NoClient), tt.want, tt.guessed)
			}
			if f.Up() != &f.Half[tt.want] || f.Down() != &f.Half[1-tt.want] {
				t.Error("the halves are swapped")
			}
			f.SetClient(1 - tt.want)
			if f.Client() != 1-tt.want || f.Has(NoClient) || !f.Has(ByName) {
				t.Error("what the client says does not outweigh who came first")
			}
		})
	}
}

func TestEnds(t *testing.T) {
	hour := 3600 * second
	tests := []struct {
		name string
		segs []decode.Segment
		ends []End // of flows that ended before the last segment was counted
		last End   // at the end of the capture
	}{
		{"open", []decode.Segment{tcpSeg(1, 0, 0, 1, 10, ack)}, nil, EndShutdown},
		{"FIN of one side", []decode.Segment{tcpSeg(1, 0, 0, 1, 10, ack|fin)}, nil, EndFIN},
		{"FIN of both, stragglers", []decode.Segment{tcpSeg(1, 0, 0, 1, 10, ack|fin), tcpSeg(1, 0, 1, 1, 10, ack|fin), tcpSeg(1, 4*second, 0, 12, 0, ack)}, nil, EndFIN},
		{"FIN of both, then later", []decode.Segment{tcpSeg(1, 0, 0, 1, 10, ack|fin), tcpSeg(1, 0, 1, 1, 10, ack|fin), tcpSeg(1, 6*second, 0, 12, 0, ack)}, []End{EndFIN}, EndShutdown},
		{"RST, then later", []decode.Segment{tcpSeg(1, 0, 0, 1, 10, ack), tcpSeg(1, 0, 1, 1, 0, rst), tcpSeg(1, 6*second, 0, 12, 0, ack)}, []End{EndRST}, EndShutdown},
		{"FIN of one side, then later", []decode.Segment{tcpSeg(1, 0, 0, 1, 10, ack|fin), tcpSeg(1, 600*second, 1, 1, 10, ack)}, nil, EndFIN},
		{"a chat is silent for minutes", []decode.Segment{tcpSeg(1, 0, 0, 1, 10, ack), tcpSeg(1, hour, 0, 11, 10, ack)}, nil, EndShutdown},
		{"idle", []decode.Segment{tcpSeg(1, 0, 0, 1, 10, ack), tcpSeg(1, hour+1, 0, 11, 10, ack)}, []End{EndIdle}, EndShutdown},
		{"idle, UDP", []decode.Segment{udpSeg(1, 0, 0, 10), udpSeg(1, 300*second, 0, 10), udpSeg(1, 601*second, 0, 10)}, []End{EndIdle}, EndShutdown},
		{"half-open", []decode.Segment{tcpSeg(1, 0, 0, 1, 0, syn), tcpSeg(1, 61*second, 0, 1, 0, syn)}, []End{EndIdle}, EndShutdown},
		{"a SYN again", []decode.Segment{tcpSeg(1, 0, 0, 1, 0, syn), tcpSeg(1, 59*second, 0, 1, 0, syn)}, nil, EndShutdown},
		{"another SYN", []decode.Segment{tcpSeg(1, 0, 0, 1, 0, syn), tcpSeg(1, second, 0, 2, 10, ack), tcpSeg(1, 2*second, 0, 900000, 0, syn)}, []End{EndIdle}, EndShutdown},
		{"another SYN after FIN", []decode.Segment{tcpSeg(1, 0, 0, 1, 0, syn), tcpSeg(1, 0, 0, 2, 10, ack|fin), tcpSeg(1, second, 0, 900000, 0, syn)}, []End{EndFIN}, EndShutdown},
		{"another SYN after RST", []decode.Segment{tcpSeg(1, 0, 0, 1, 0, syn), tcpSeg(1, 0, 1, 2, 0, rst), tcpSeg(1, second, 0, 900000, 0, syn)}, []End{EndRST}, EndShutdown},
		{"another SYN, the first never seen", []decode.Segment{tcpSeg(1, 0, 0, 900000, 10, ack), tcpSeg(1, second, 0, 5, 0, syn)}, []End{EndIdle}, EndShutdown},
		{"the answer to a SYN", []decode.Segment{tcpSeg(1, 0, 0, 1, 0, syn), tcpSeg(1, 0, 1, 77, 0, syn|ack), tcpSeg(1, 1, 1, 77, 0, syn|ack)}, nil, EndShutdown},
		{"a SYN behind its data", []decode.Segment{tcpSeg(1, 0, 0, 12, 10, ack), tcpSeg(1, 1, 0, 11, 0, syn)}, nil, EndShutdown},
		{"a SYN far behind", []decode.Segment{tcpSeg(1, 0, 0, 12, 10, ack|fin), tcpSeg(1, 1, 0, 5, 0, syn)}, []End{EndFIN}, EndShutdown},
		{"time runs backwards", []decode.Segment{tcpSeg(1, 9*hour, 0, 1, 10, ack), tcpSeg(1, 0, 0, 11, 10, ack)}, nil, EndShutdown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, r := newTable(t, Default())
			put(t, table, tt.segs...)
			if len(r.emitted) != len(tt.ends) {
				t.Fatalf("%d flows ended, want %d", len(r.emitted), len(tt.ends))
			}
			for i, end := range tt.ends {
				if r.emitted[i].end != end {
					t.Errorf("flow %d ended by %s, want %s", i, r.emitted[i].end, end)
				}
			}
			table.Finish()
			if got := r.emitted[len(r.emitted)-1].end; got != tt.last {
				t.Errorf("the last ended by %s, want %s", got, tt.last)
			}
			if r.ending != len(r.emitted) || table.Stats().Live != 0 || int(table.Stats().Created) != len(r.emitted) {
				t.Errorf("%d endings, %d emitted, %+v", r.ending, len(r.emitted), table.Stats())
			}
		})
	}
}

func TestDueEndsIdleFlows(t *testing.T) {
	table, r := newTable(t, Default())
	for i := range 1000 {
		put(t, table, udpSeg(i, int64(i)*second/10, 0, 10))
	}
	for now := int64(100); now <= 200; now++ {
		table.Due(now * second)
	}
	if len(r.emitted) != 0 {
		t.Fatalf("%d flows ended before they were idle", len(r.emitted))
	}
	for now := int64(200); now <= 440; now += 5 {
		table.Due(now * second)
	}
	if len(r.emitted) != 1000 || table.Stats().Live != 0 {
		t.Errorf("%d of 1000 flows ended", len(r.emitted))
	}
	f := put(t, table, udpSeg(5, 500*second, 0, 10))
	if f.Half[0].Bytes != 10 || table.used > 1000 {
		t.Errorf("%d bytes; a slot is not used again", f.Half[0].Bytes)
	}
}

// Finish says idle of a flow that was idle by the last packet, whether a sweep came by or not.
func TestFinishIsTheSameAsDue(t *testing.T) {
	for _, swept := range []bool{false, true} {
		table, r := newTable(t, Default())
		put(t, table, udpSeg(1, 0, 0, 10), udpSeg(2, 400*second, 0, 10))
		if swept {
			table.Due(400 * second)
		}
		table.Finish()
		if all := r.sorted(); all[0].end != EndIdle || all[1].end != EndShutdown {
			t.Errorf("swept %v: %s, %s", swept, all[0].end, all[1].end)
		}
	}
	table, r := newTable(t, Default()) // time went on without a packet for the table
	put(t, table, udpSeg(1, 0, 0, 10))
	table.Due(10 * second)
	table.Due(301 * second)
	table.Finish()
	if len(r.emitted) != 1 || r.emitted[0].end != EndIdle {
		t.Errorf("%+v", r.emitted)
	}
}

func TestTimesAtTheEdges(t *testing.T) {
	times := []int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, 0, second, math.MinInt64 + 1, 1 << 62, 3600 * second, -second}
	table, r := newTable(t, Default())
	var sent uint64
	for round := range 20 {
		for i, at := range times {
			seg := udpSeg(i%5, at, 0, 10)
			f, err := table.Open(&seg)
			if err != nil {
				t.Fatal(err)
			}
			if i%3 == 0 {
				table.Slices(f, at, 5*second, 60*second)
			}
			table.Add(f, &seg)
			sent += 10
			table.Due(times[(i+round)%len(times)])
		}
	}
	table.Finish()
	if got := r.total()[0]; got != sent {
		t.Errorf("%d bytes emitted of %d", got, sent)
	}
}

func TestIndexLikeMap(t *testing.T) {
	r := newRand(7)
	for _, spread := range []uint64{3, 50, 1 << 32} { // few different hashes: long runs in the index
		table, _ := newTable(t, Default())
		live := map[decode.Key]*Flow{}
		segs := make([]decode.Segment, 1500)
		for i := range segs {
			segs[i] = udpSeg(i, 0, 0, 1)
			tag := uint32(segs[i].Hash % spread * 0x01000193)
			if spread == 50 {
				tag |= 0xffffff00 // runs that go around the end of the index
			}
			segs[i].Hash = uint64(i)<<32 | uint64(tag)
		}
		for step := range 30000 {
			seg := &segs[r.IntN(len(segs))]
			f, was := live[seg.Key]
			if got := table.find(seg); got != f {
				t.Fatalf("spread %d, step %d: found %p, want %p", spread, step, got, f)
			}
			switch {
			case !was && r.IntN(3) < 2:
				var err error
				if live[seg.Key], err = table.Open(seg); err != nil {
					t.Fatal(err)
				}
			case was && r.IntN(2) == 0:
				table.end(f, EndIdle)
				delete(live, seg.Key)
			}
		}
		for i := range segs {
			if got := table.find(&segs[i]); got != live[segs[i].Key] {
				t.Errorf("spread %d: flow %d is lost", spread, i)
			}
		}
		if table.Stats().Live != len(live) {
			t.Errorf("%d flows, want %d", table.Stats().Live, len(live))
		}
	}
}

func TestGrowth(t *testing.T) {
	const flows = 500_000
	config := Default()
	config.MaxFlows = flows
	table, _ := newTable(t, config)
	seg := udpSeg(0, 0, 0, 1)
	for i := range flows {
		seg.Key = keyOf(i, decode.UDP)
		seg.Hash = hashOf(seg.Key)
		put(t, table, seg)
	}
	// 128 bytes a flow, and an index of 2^21 buckets of 8 bytes.
	s := table.Stats()
	if s.Live != flows || s.Evicted != 0 || s.Bytes/flows > 162 {
		t.Errorf("%d bytes a flow, %+v", s.Bytes/flows, s)
	}
	for i := range flows {
		seg.Key = keyOf(i, decode.UDP)
		seg.Hash = hashOf(seg.Key)
		if f := table.find(&seg); f == nil || f.Half[0].Packets != 1 {
			t.Fatalf("flow %d is lost", i)
		}
	}
}

func TestFlowSize(t *testing.T) {
	if first := int(unsafe.Offsetof(Flow{}.Key)); flowSize != 128 || first != 64 || bucketSize != 8 {
		t.Errorf("a flow has %d bytes, %d before what few segments touch, a bucket %d", flowSize, first, bucketSize)
	}
}

func TestEndNames(t *testing.T) {
	for end := EndNone; end <= EndShutdown; end++ {
		if (end.String() == "") != (end == EndNone) {
			t.Errorf("end %d is called %q", end, end)
		}
	}
}
