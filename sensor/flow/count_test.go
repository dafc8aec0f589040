package flow

import (
	"fmt"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

// stretch is a segment by its place in the stream: bytes from..to, the first byte after the SYN being 0.
type stretch struct{ from, to int }

func TestUniqueBytes(t *testing.T) {
	const syn, ack, fin, rst = decode.SYN, decode.ACK, decode.FIN, decode.RST
	tests := []struct {
		name    string
		syn     bool
		pieces  []stretch
		bytes   uint64
		missing uint64
	}{
		{"in order", true, []stretch{{0, 100}, {100, 250}}, 250, 0},
		{"repeated", true, []stretch{{0, 100}, {0, 100}, {100, 200}, {0, 200}}, 200, 0},
		{"repeated in larger pieces", true, []stretch{{0, 10}, {10, 20}, {0, 30}}, 30, 0},
		{"overlap", true, []stretch{{0, 100}, {50, 150}}, 150, 0},
		{"two swapped", true, []stretch{{100, 200}, {0, 100}}, 200, 0},
		{"a gap that stays", true, []stretch{{0, 100}, {200, 300}}, 200, 100},
		{"a gap that is filled in the middle", true, []stretch{{0, 10}, {100, 110}, {40, 50}}, 30, 80},
		{"a gap that is filled from both ends", true, []stretch{{0, 10}, {100, 110}, {10, 40}, {70, 100}, {40, 70}}, 110, 0},
		{"a gap filled with overlap", true, []stretch{{0, 10}, {100, 110}, {5, 105}}, 110, 0},
		{"two gaps filled at once", true, []stretch{{0, 10}, {20, 30}, {40, 50}, {0, 60}}, 60, 0},
		{"before the SYN", true, []stretch{{0, 10}, {-20, -5}}, 10, 0},
		{"from the middle", false, []stretch{{5000, 5100}, {5100, 5200}}, 200, 0},
		{"from the middle, an earlier one late", false, []stretch{{5000, 5100}, {4900, 5000}}, 200, 0},
		{"from the middle, an earlier one late, with a gap", false, []stretch{{5000, 5100}, {4700, 4800}}, 200, 200},
		{"from the middle, an earlier one around it", false, []stretch{{5000, 5100}, {4900, 5200}}, 300, 0},
		{"keep-alive probes", true, []stretch{{0, 100}, {99, 100}, {99, 100}, {100, 200}}, 200, 0},
		{"a keep-alive probe before data", true, []stretch{{-1, 0}, {0, 10}}, 10, 0},
		{"single bytes", true, []stretch{{0, 1}, {1, 2}, {2, 3}}, 3, 0},
		{"single bytes swapped", true, []stretch{{1, 2}, {0, 1}}, 2, 0},
	}
	for _, tt := range tests {
		for _, isn := range []uint32{1000, 1<<32 - 1, 1<<32 - 60, 1<<31 - 60, 1<<32 - 5050} {
			t.Run(fmt.Sprint(tt.name, ", ISN ", isn), func(t *testing.T) {
				table, _ := newTable(t, Default())
				var f *Flow
				if tt.syn {
					put(t, table, tcpSeg(1, 0, 0, isn, 0, syn), tcpSeg(1, 0, 0, isn, 0, syn))
				}
				for _, p := range tt.pieces {
					f = put(t, table, tcpSeg(1, 0, 0, isn+1+uint32(p.from), p.to-p.from, ack))
				}
				if f.Half[0].Bytes != tt.bytes || table.Missing(f, 0) != tt.missing {
					t.Errorf("%d bytes, %d missing; want %d, %d", f.Half[0].Bytes, table.Missing(f, 0), tt.bytes, tt.missing)
				}
				if gap := f.Has(Gap); tt.missing > 0 && !gap {
					t.Error("a gap is not noted")
				}
				if f.Half[1] != (Half{}) {
					t.Errorf("the other side has %+v", f.Half[1])
				}
				if tt.missing == 0 && f.Side != 0 {
					t.Error("a flow without gaps keeps side state")
				}
			})
		}
	}
	t.Run("FIN and RST", func(t *testing.T) {
		table, _ := newTable(t, Default())
		f := put(t, table, tcpSeg(1, 0, 0, 10, 0, syn), tcpSeg(1, 0, 0, 11, 100, ack|fin), tcpSeg(1, 0, 0, 111, 50, rst))
		if f.Half[0].Bytes != 100 || !f.Has(FinA|Rst) || f.Has(FinB) {
			t.Errorf("%d bytes, state %b; the payload of a reset is no data", f.Half[0].Bytes, f.State)
		}
	})
	t.Run("data on the SYN", func(t *testing.T) {
		table, _ := newTable(t, Default())
		f := put(t, table, tcpSeg(1, 0, 0, 10, 100, syn), tcpSeg(1, 0, 0, 10, 100, syn), tcpSeg(1, 0, 0, 11, 150, ack))
		if f.Half[0].Bytes != 150 {
			t.Errorf("%d bytes, want 150", f.Half[0].Bytes)
		}
	})
	t.Run("a SYN after its data", func(t *testing.T) {
		table, r := newTable(t, Default())
		f := put(t, table, tcpSeg(1, 0, 1, 111, 50, ack), tcpSeg(1, 0, 1, 10, 0, syn|ack), tcpSeg(1, 0, 1, 11, 100, ack))
		if f.Half[1].Bytes != 150 || len(r.emitted) != 0 || f.Client() != 0 || f.Has(NoClient) {
			t.Errorf("%d bytes, %d ends, client %d", f.Half[1].Bytes, len(r.emitted), f.Client())
		}
	})
	t.Run("acknowledgements", func(t *testing.T) {
		table, _ := newTable(t, Default())
		for _, a := range []uint32{1<<32 - 10, 5, 1<<32 - 5} {
			s := tcpSeg(1, 0, 0, 1, 0, ack)
			s.Ack = a
			put(t, table, s)
		}
		if f := put(t, table, tcpSeg(1, 0, 0, 1, 0, 0)); f.Acked[0] != 5 || !f.Has(AckA) || f.Has(AckB) {
			t.Errorf("highest acknowledgement %d, want 5", f.Acked[0])
		}
	})
	t.Run("cut payload", func(t *testing.T) {
		table, _ := newTable(t, Default())
		s := tcpSeg(1, 0, 0, 1, 1000, ack)
		s.Payload = s.Payload[:20]
		if f := put(t, table, s); f.Half[0].Bytes != 1000 || !f.Has(Cut) {
			t.Errorf("%d bytes, state %b", f.Half[0].Bytes, f.State)
		}
	})
	t.Run("UDP", func(t *testing.T) {
		table, _ := newTable(t, Default())
		f := put(t, table, udpSeg(1, 0, 0, 100), udpSeg(1, 0, 0, 100), udpSeg(1, 0, 1, 40))
		if f.Half[0].Bytes != 200 || f.Half[1].Bytes != 40 || f.Half[0].Packets != 2 {
			t.Errorf("%+v", f.Half)
		}
	})
}

// model counts unique bytes the slow way.
type model struct {
	seen  map[int]bool
	syn   bool
	began bool
	next  int
}

func (m *model) add(s stretch) {
	if !m.began {
		m.began = true
		m.next = s.from
		if m.syn {
			m.next = 0
		}
	}
	if s.to-s.from == 1 && s.to == m.next {
		return // a keep-alive probe
	}
	for at := s.from; at < s.to; at++ {
		if at >= 0 || !m.syn {
			m.seen[at] = true
		}
	}
	m.next = max(m.next, s.to)
}

// randomStream is the segments of a stream as networks and taps mistreat them.
func randomStream(r interface{ IntN(int) int }, size int) []stretch {
	var all []stretch
	for at := 0; at < size; {
		to := min(at+1+r.IntN(60), size)
		all = append(all, stretch{at, to})
		at = to
	}
	for i := range all {
		switch r.IntN(8) {
		case 0: // swapped with one not far away
			j := min(i+r.IntN(8), len(all)-1)
			all[i], all[j] = all[j], all[i]
		case 1: // repeated, in other pieces
			from := all[i].from - r.IntN(80)
			all = append(all, stretch{from, from + 1 + r.IntN(120)})
		case 2: // a probe
			all = append(all, stretch{all[i].to - 1, all[i].to})
		case 3: // sent twice in a row
			all = append(all[:i+1], all[i:]...)
		}
	}
	lost := r.IntN(3)
	for range lost {
		at := r.IntN(len(all))
		all = append(all[:at], all[at+1:]...)
	}
	return all
}

func TestUniqueBytesLikeModel(t *testing.T) {
	r := newRand(1)
	compared := 0
	for range 3000 {
		m := model{seen: map[int]bool{}, syn: r.IntN(2) == 0}
		isn := uint32(0) - uint32(r.IntN(3000)) // most streams wrap
		if r.IntN(4) == 0 {
			isn = uint32(r.IntN(1 << 30))
		}
		table, err := New(Default(), &recorder{t: t})
		if err != nil {
			t.Fatal(err)
		}
		if m.syn {
			put(t, table, tcpSeg(1, 0, 1, isn, 0, decode.SYN|decode.ACK))
		}
		pieces := randomStream(r, 1500)
		var f *Flow
		for i, p := range pieces {
			f = put(t, table, tcpSeg(1, 0, 1, isn+1+uint32(p.from), p.to-p.from, decode.ACK))
			m.add(p)
			got, want := f.Half[1].Bytes, uint64(len(m.seen))
			if table.Stats().HolesLost == 0 && got != want || got > want {
				t.Fatalf("ISN %d, SYN %v: %d bytes after %v, the model has %d", isn, m.syn, got, pieces[:i+1], want)
			}
		}
		if table.Stats().HolesLost == 0 {
			compared++
		}
		table.Close()
	}
	if compared < 2500 {
		t.Errorf("only %d of 3000 streams kept all their gaps", compared)
	}
}

func TestHolesAreBounded(t *testing.T) {
	table, _ := newTable(t, Default())
	var f *Flow
	for i := range 200 {
		f = put(t, table, tcpSeg(1, 0, 0, uint32(1000+i*20), 10, decode.ACK))
	}
	if f.Half[0].Bytes != 2000 || table.Missing(f, 0) != maxHoles*10 || table.Stats().HolesLost != 199-maxHoles {
		t.Errorf("%d bytes, %d missing, %d gaps given up", f.Half[0].Bytes, table.Missing(f, 0), table.Stats().HolesLost)
	}
	f = put(t, table, tcpSeg(1, 0, 0, 1000, 4000, decode.ACK)) // fills what is still followed
	if f.Half[0].Bytes != 2000+maxHoles*10+10 || table.Missing(f, 0) != 0 {
		t.Errorf("%d bytes, %d missing after all was repeated", f.Half[0].Bytes, table.Missing(f, 0))
	}
	// Gaps split in the middle, when there is no room for another.
	for i := range maxHoles {
		put(t, table, tcpSeg(2, 0, 0, uint32(1000+i*200), 100, decode.ACK))
	}
	f = put(t, table, tcpSeg(2, 0, 0, 1000+maxHoles*200, 100, decode.ACK))
	before, lost := f.Half[0].Bytes, table.Stats().HolesLost
	put(t, table, tcpSeg(2, 0, 0, 1000+31*200+140, 20, decode.ACK))
	if f.Half[0].Bytes != before+20 || table.Stats().HolesLost != lost+1 {
		t.Errorf("%d bytes more, %d gaps given up; want 20, 1", f.Half[0].Bytes-before, table.Stats().HolesLost-lost)
	}
}

func TestSideStateIsReused(t *testing.T) {
	table, _ := newTable(t, Default())
	for i := range 500 {
		put(t, table, tcpSeg(i, 0, 0, 1000, 10, decode.ACK), tcpSeg(i, 0, 0, 1020, 10, decode.ACK), tcpSeg(i, 0, 0, 1010, 10, decode.ACK))
	}
	if len(table.sides) != 2 {
		t.Errorf("%d side states for flows whose gaps were filled at once", len(table.sides)-1)
	}
}
