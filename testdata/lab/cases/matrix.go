package cases

import (
	"fmt"
	"slices"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
	"github.com/gnomon-sensor/gnomon/testdata/lab/forward"
	"github.com/gnomon-sensor/gnomon/testdata/lab/standin"
)

// Matrix returns the cases that measure the upload estimate: every client and version of HTTP with every way to upload a
// size, and wires that are not perfect for some. They are too many and too large to be committed.
func Matrix() []Case {
	var out []Case
	for _, talker := range talkers() {
		for _, up := range ways() {
			for _, wire := range wires() {
				if !wire.every && !up.hard {
					continue
				}
				out = append(out, talker.play(up, wire))
			}
		}
	}
	return append(out, Manners()...)
}

// talker is a client and the version of HTTP it speaks.
type talker struct {
	client, version string
}

func talkers() []talker {
	return []talker{
		{"curl", clients.H1}, {"curl", clients.H2}, {"python", clients.H1}, {"node", clients.H1}, {"node", clients.H2}, {"node", "fetch"},
		{"java", clients.H1}, {"java", clients.H2}, {"go", clients.H1}, {"go", clients.H2}, {"go", clients.H3},
		{"chromium", clients.H2}, {"chromium", clients.H3}, {"firefox", clients.H2}, {"firefox", clients.H3},
	}
}

// way is a way in which an upload is made: bodies one after the other, with answers of down bytes.
type way struct {
	name   string
	bodies []int
	down   int
	hard   bool // also over wires that are not perfect
}

func ways() []way {
	out := []way{
		{"chat", []int{900, 1400, 700, 2100}, 3000, false},
		{"download", []int{0}, 2 << 20, true},
		{"many-gets", slices.Repeat([]int{0}, 12), 4000, false},
		{"three-files", []int{40 << 10, 200 << 10, 90 << 10}, 500, true},
	}
	for _, size := range []struct {
		name  string
		bytes int
		hard  bool
	}{
		{"0B", 0, false}, {"200B", 200, false}, {"1K", 1 << 10, false}, {"5K", 5 << 10, false}, {"20K", 20 << 10, false}, {"50K", 50 << 10, true},
		{"200K", 200 << 10, false}, {"1M", 1 << 20, true}, {"5M", 5 << 20, false}, {"20M", 20 << 20, false},
	} {
		out = append(out, way{size.name, []int{size.bytes}, 800, size.hard})
	}
	return out
}

// wire is a named set of rules.
type wire struct {
	name  string
	rules forward.Rules
	every bool // for all ways, not only the hard ones
}

func wires() []wire {
	return []wire{
		{"clean", forward.Rules{}, true},
		{"far", forward.Rules{Delay: 20 * time.Millisecond}, false},
		{"lossy", forward.Rules{Seed: 1, LossBeforeTap: 0.01, LossBehindTap: 0.01, Duplicate: 0.01, Reorder: 0.02, Delay: 5 * time.Millisecond}, false},
	}
}

// play returns the case of one talker, way and wire.
func (t talker) play(up way, on wire) Case {
	const host = uploadHost
	c := Case{
		Name: fmt.Sprintf("%s-%s-%s-%s", t.client, t.version, up.name, on.name), Why: "upload estimate",
		Client: t.client, Version: t.version, Rules: on.rules, Names: []standin.Name{{Host: host, H3: t.version == clients.H3}},
	}
	for _, size := range up.bodies {
		if size == 0 {
			c.Requests = append(c.Requests, get(host, up.down))
		} else {
			c.Requests = append(c.Requests, post(host, size, up.down))
		}
	}
	return c
}
