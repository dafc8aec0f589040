package forward

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/packet"
)

// tcp builds an Ethernet frame with a TCP segment between two fixed hosts.
func tcp(srcPort, dstPort uint16, payload []byte) []byte {
	frame := make([]byte, 14+20+20, 14+20+20+len(payload))
	binary.BigEndian.PutUint16(frame[12:], 0x0800)
	ip := frame[14:]
	ip[0], ip[9] = 0x45, packet.TCP
	binary.BigEndian.PutUint16(ip[2:], uint16(40+len(payload)))
	copy(ip[12:], []byte{10, 20, 1, 11, 203, 0, 113, 10})
	binary.BigEndian.PutUint16(ip[20:], srcPort)
	binary.BigEndian.PutUint16(ip[22:], dstPort)
	ip[32] = 5 << 4
	return append(frame, payload...)
}

// udp builds an Ethernet frame with a datagram between the same hosts.
func udp(srcPort, dstPort uint16, payload []byte) []byte {
	frame := tcp(srcPort, dstPort, nil)[:14+20+8]
	frame[14+9] = packet.UDP
	binary.BigEndian.PutUint16(frame[16:], uint16(28+len(payload)))
	return append(frame, payload...)
}

// hello is the start of a handshake record that claims the given length and holds have bytes of it.
func hello(claimed, have int) []byte {
	b := []byte{22, 3, 1, byte(claimed >> 8), byte(claimed)}
	return append(b, make([]byte, have)...)
}

func TestRules(t *testing.T) {
	data := tcp(40000, 443, []byte("data"))
	tests := []struct {
		name  string
		rules Rules
		frame []byte
		want  []Passage
	}{
		{"perfect wire", Rules{}, data, []Passage{{0, true}}},
		{"lost before the tap", Rules{LossBeforeTap: 1}, data, nil},
		{"lost behind the tap", Rules{LossBehindTap: 1}, data, []Passage{{0, false}}},
		{"duplicate", Rules{Duplicate: 1}, data, []Passage{{0, true}, {0, true}}},
		{"reordered", Rules{Reorder: 1, Delay: time.Millisecond}, data, []Passage{{overtaken + time.Millisecond, true}}},
		{"look-ups pass", Rules{LossBeforeTap: 1, Duplicate: 1}, tcp(40000, 53, nil), []Passage{{0, true}}},
		{"other protocols pass", Rules{LossBeforeTap: 1}, make([]byte, 60), []Passage{{0, true}}},
		{"runts pass", Rules{LossBeforeTap: 1}, make([]byte, 3), []Passage{{0, true}}},
		{"hello in two segments", Rules{SwapHello: true}, tcp(40000, 443, hello(1500, 1400)), []Passage{{overtaken, true}}},
		{"hello in one segment", Rules{SwapHello: true}, tcp(40000, 443, hello(500, 500)), []Passage{{0, true}}},
		{"first Initial", Rules{SwapHello: true}, udp(40000, 443, []byte{0xc3, 0, 0, 0, 1}), []Passage{{overtaken, true}}},
		{"a server's Initial", Rules{SwapHello: true}, udp(443, 40000, []byte{0xc3, 0, 0, 0, 1}), []Passage{{0, true}}},
		{"a later datagram", Rules{SwapHello: true}, udp(40000, 443, []byte{0x43, 0}), []Passage{{0, true}}},
		{"no hello", Rules{SwapHello: true}, data, []Passage{{0, true}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := NewImpairer(tt.rules).Pass(tt.frame)
			if len(got) != len(tt.want) {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("passage %d is %v, want %v", i, got[i], tt.want[i])
				}
			}
		})
	}
}

func TestHelloIsSwappedOnce(t *testing.T) {
	im := NewImpairer(Rules{SwapHello: true})
	first := tcp(40000, 443, hello(1500, 1400))
	if got := im.Pass(first)[0].Delay; got != overtaken {
		t.Fatalf("first sending waits %v, want %v", got, overtaken)
	}
	if got := im.Pass(first)[0].Delay; got != 0 {
		t.Errorf("the retransmission waits %v", got)
	}
	if got := im.Pass(tcp(40001, 443, hello(1500, 1400)))[0].Delay; got != overtaken {
		t.Errorf("another connection's hello waits %v, want %v", got, overtaken)
	}
}

func TestSameSeedSameFate(t *testing.T) {
	fates := func(seed uint64) (lost, doubled int) {
		im := NewImpairer(Rules{Seed: seed, LossBeforeTap: 0.1, Duplicate: 0.1})
		for range 1000 {
			switch len(im.Pass(tcp(40000, 443, nil))) {
			case 0:
				lost++
			case 2:
				doubled++
			}
		}
		return lost, doubled
	}
	lost, doubled := fates(7)
	if lost < 50 || lost > 150 || doubled < 50 || doubled > 150 {
		t.Errorf("of 1000 frames %d were lost and %d doubled, want about 100 each", lost, doubled)
	}
	if l, d := fates(7); l != lost || d != doubled {
		t.Errorf("the same seed gave %d, %d and then %d, %d", lost, doubled, l, d)
	}
}

func TestSchedule(t *testing.T) {
	var s schedule
	now := time.Unix(1000, 0)
	for i, late := range []int{5, 0, 5, 0, 9} {
		s.add(passing{at: now.Add(time.Duration(late) * time.Millisecond), arrival: arrival{port: i}})
	}
	var order []int
	for p, ok := s.due(now.Add(5 * time.Millisecond)); ok; p, ok = s.due(now.Add(5 * time.Millisecond)) {
		order = append(order, p.port)
	}
	if want := []int{1, 3, 0, 2}; len(order) != 4 || order[0] != want[0] || order[1] != want[1] || order[2] != want[2] || order[3] != want[3] {
		t.Errorf("released %v, want %v", order, want)
	}
	if at, ok := s.next(); !ok || !at.Equal(now.Add(9*time.Millisecond)) {
		t.Errorf("next is %v, %v", at, ok)
	}
}
