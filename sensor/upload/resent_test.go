package upload

import (
	"slices"
	"testing"
)

// full packets of a body behind its head, and what the server says now and then.
func TestResent(t *testing.T) {
	const full, net = 1250, 1250 - 1 - 8 - 2 - 16 - 6
	sizes := func(n int) []int { return slices.Repeat([]int{full}, n) }
	tests := []struct {
		name    string
		play    func(p *path)
		want    uint64
		most    float64 // error, in per cent
		covered uint64  // the lower bound must reach down to it
	}{
		{"a loss that acknowledgements show", func(p *path) {
			p.says(true, sizes(19)...)
			p.says(false, 30)
			p.says(true, sizes(10)...)
			p.says(false, 32) // by one range longer
			p.says(true, sizes(11)...)
		}, 40*net - net/2, 0.3, 39 * net},
		{"numbers that grow", func(p *path) {
			p.says(true, sizes(70)...)
			p.says(false, 30, 32)
			p.says(true, sizes(30)...)
		}, 100 * net, 0.5, 99 * net},
		{"a queue that overflows", func(p *path) {
			p.silent = true
			p.says(true, sizes(456)...)
			p.silent = false
			p.says(false, 30)
		}, 456*net - 200*net*45/100, 0.5, 256 * net},
		{"a probe when nothing is heard", func(p *path) {
			p.silent = true
			p.says(true, sizes(40)...)
			p.at += 60e6
			p.says(true, sizes(2)...)
		}, 40 * net, 0.5, 40 * net},
		{"a pause", func(p *path) {
			p.silent = true
			p.says(true, sizes(40)...)
			p.says(false, 30)
			p.at += 60e6
			p.says(true, sizes(40)...)
		}, 80 * net, 0.5, 80 * net},
		{"a packet that crosses the answer", func(p *path) {
			p.says(true, sizes(60)...)
			p.says(false, 900)
			p.says(true, full)
			p.says(false, 30)
		}, 60 * net, 0.5, 60 * net},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := NewQUIC(full)
			p := &path{m: m}
			p.send(false, slices.Concat(long(0, 8, 600), long(2, 8, 600)))
			p.says(false, 30)
			p.says(true, 200)
			tt.play(p)
			m.End()
			check(t, m.Total(), tt.want, tt.most)
			if low := m.Total().Low; low > tt.covered {
				t.Errorf("the lower bound is %d, want at most %d", low, tt.covered)
			}
		})
	}
}

// A server that is not captured tells nothing, so the lower bound has to reach further.
func TestResentUnheard(t *testing.T) {
	m := NewQUIC(1250)
	p := &path{m: m, silent: true}
	p.says(true, append([]int{200}, slices.Repeat([]int{1250}, 400)...)...)
	m.End()
	if e := m.Total(); e.Low > e.Bytes*(unheardShare-1)/unheardShare || e.Low < e.Bytes*4/5 {
		t.Errorf("%+v", e)
	}
}

func TestLossless(t *testing.T) {
	for n, want := range map[uint32]uint32{1: 0, 63: 0, 64: 1, 256: 1, 257: 2, 768: 2, 769: 3, 16384: 8} {
		if got := lossless(n); got != want {
			t.Errorf("%d packets: %d times, want %d", n, got, want)
		}
	}
}
