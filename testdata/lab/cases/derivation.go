package cases

import (
	"fmt"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
	"github.com/gnomon-sensor/gnomon/testdata/lab/forward"
)

// Derivation returns the cases from which the constants of the upload estimate were derived that no protocol gives: other sizes, wires and
// seeds than Matrix has, so that what the matrix measures was not set on it.
func Derivation() []Case {
	on := []wire{
		{name: "quick"},
		{name: "mid", rules: forward.Rules{Delay: 7 * time.Millisecond}},
		{name: "behind", rules: forward.Rules{Seed: 21, LossBehindTap: 0.008, Delay: 4 * time.Millisecond}},
		{name: "before", rules: forward.Rules{Seed: 22, LossBeforeTap: 0.008, Delay: 4 * time.Millisecond}},
		{name: "both", rules: forward.Rules{Seed: 23, LossBeforeTap: 0.005, LossBehindTap: 0.005, Reorder: 0.01, Delay: 10 * time.Millisecond}},
	}
	small := []way{bodies(60 << 10), bodies(90 << 10), bodies(160 << 10), bodies(130<<10, 75<<10)}
	large := []way{bodies(80 << 10), bodies(120 << 10), bodies(700 << 10), bodies(3 << 20), bodies(9 << 20), bodies(130<<10, 75<<10)}
	var out []Case
	for _, client := range []string{"go", "chromium", "firefox"} {
		t := talker{client, clients.H3}
		for _, up := range large {
			for _, w := range on {
				out = append(out, t.play(up, w))
			}
		}
		for _, up := range small {
			for seed := range uint64(4) {
				out = append(out, t.play(up, poor(seed+1)))
			}
		}
	}
	return out
}

// bodies is a way to upload bodies of these sizes, one after the other.
func bodies(sizes ...int) way {
	up := way{bodies: sizes, down: 600}
	for i, n := range sizes {
		if i > 0 {
			up.name += "-"
		}
		up.name += fmt.Sprintf("%dK", n>>10)
	}
	return up
}

// poor is a wire that loses, doubles and reorders, by a seed.
func poor(seed uint64) wire {
	return wire{name: fmt.Sprintf("poor%d", seed), rules: forward.Rules{Seed: 40 + seed, LossBeforeTap: 0.01, LossBehindTap: 0.01, Duplicate: 0.01,
		Reorder: 0.02, Delay: time.Duration(3+2*seed) * time.Millisecond}}
}
