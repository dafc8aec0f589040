package sensor

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

func TestClaimProves(t *testing.T) {
	ask := claim{proto: byWireGuard, stage: stageAsks, number: 7}
	data := claim{proto: byWireGuard, stage: stageCarries, dir: 1, number: 7, count: 100}
	tests := []struct {
		name          string
		before, after claim
		want          bool
	}{
		{"answer", ask, claim{proto: byWireGuard, stage: stageAnswers, dir: 1, number: 7}, true},
		{"answer that is encrypted", ask, claim{proto: byWireGuard, stage: stageAnswers, dir: 1}, true},
		{"answer to another", ask, claim{proto: byWireGuard, stage: stageAnswers, dir: 1, number: 8}, false},
		{"answer to oneself", ask, claim{proto: byWireGuard, stage: stageAnswers, number: 7}, false},
		{"answer of another protocol", ask, claim{proto: byOpenVPN, stage: stageAnswers, dir: 1, number: 7}, false},
		{"asked again", ask, ask, false},
		{"next packet", data, claim{proto: byWireGuard, stage: stageCarries, dir: 1, number: 7, count: 101}, true},
		{"the same packet", data, data, false},
		{"the packet before", data, claim{proto: byWireGuard, stage: stageCarries, dir: 1, number: 7, count: 99}, false},
		{"far ahead", data, claim{proto: byWireGuard, stage: stageCarries, dir: 1, number: 7, count: 5000}, false},
		{"other session", data, claim{proto: byWireGuard, stage: stageCarries, dir: 1, number: 8, count: 101}, false},
		{"other direction", data, claim{proto: byWireGuard, stage: stageCarries, number: 7, count: 101}, false},
		{"data behind a question", ask, claim{proto: byWireGuard, stage: stageCarries, number: 7, count: 1}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.after.proves(&tt.before); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// TestTunnelsBounded floods the memory of beginnings: those that had to make room are counted.
func TestTunnelsBounded(t *testing.T) {
	var s Sensor
	initiation := append([]byte{1, 0, 0, 0, 7, 0, 0, 0}, make([]byte, 140)...)
	const flood = 10_000
	for n := range uint64(flood) {
		seg := decode.Segment{Key: decode.Key{A: host(n), B: host(1 << 20), Ports: 40000<<16 | 51820, Proto: decode.UDP}, Hash: n, Time: 1e18 + int64(n),
			Payload: initiation, Len: uint32(len(initiation))}
		s.tunnels.look(&s, &flow.Flow{Key: seg.Key}, &seg)
	}
	if want := uint64(flood - askedSets*askedWays); s.tunnels.lost != want {
		t.Errorf("%d lost, want %d", s.tunnels.lost, want)
	}
}

// TestTunnelsAllocations looks at what most segments are.
func TestTunnelsAllocations(t *testing.T) {
	var s Sensor
	payloads := [][]byte{append([]byte{0x40}, make([]byte, 1199)...), append([]byte{4, 0, 0, 0, 9}, make([]byte, 91)...), []byte("GET / HTTP/1.1\r\n")}
	for _, proto := range []uint32{decode.UDP, decode.TCP} {
		for _, payload := range payloads {
			seg := decode.Segment{Key: decode.Key{A: host(1), B: host(2), Ports: 40000<<16 | 443, Proto: proto}, Time: 1e18, Payload: payload, Len: uint32(len(payload))}
			f := flow.Flow{Key: seg.Key}
			if n := testing.AllocsPerRun(100, func() { s.tunnels.look(&s, &f, &seg) }); n != 0 {
				t.Errorf("protocol %d, %x...: %v allocations", proto, payload[:4], n)
			}
		}
	}
}

func BenchmarkTunnelsLook(b *testing.B) {
	var s Sensor
	payload := append([]byte{0x45}, make([]byte, 1199)...) // a QUIC packet
	seg := decode.Segment{Key: decode.Key{A: host(1), B: host(2), Ports: 40000<<16 | 443, Proto: decode.UDP}, Time: 1e18, Payload: payload, Len: uint32(len(payload))}
	f := flow.Flow{Key: seg.Key}
	b.ReportAllocs()
	for b.Loop() {
		s.tunnels.look(&s, &f, &seg)
	}
}
