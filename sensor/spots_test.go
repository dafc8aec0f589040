package sensor

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// nobody is told of flows.
type nobody struct{}

func (nobody) Soon(*flow.Flow)                       {}
func (nobody) Ending(*flow.Flow, *flow.Side)         {}
func (nobody) Emit(*flow.Flow, *flow.Side, flow.End) {}

// Every open flow has a place of its own for its name, and none is made for flows that need none.
func TestSpots(t *testing.T) {
	table, err := flow.New(flow.Default(), nobody{})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	var u unlisted
	const flows = 2*openTogether + 2
	open := make([]*flow.Flow, flows)
	for i := range open {
		seg := decode.Segment{Key: decode.Key{A: host(uint64(i)), B: host(1 << 20), Proto: decode.TCP}, Hash: uint64(i), Time: 1}
		if open[i], err = table.Open(&seg); err != nil {
			t.Fatal(err)
		}
	}
	last := open[flows-1]
	if u.spotIf(table.Slot(last)) != nil || u.spotIf(table.Slot(open[0])) != nil {
		t.Error("there are places before any name")
	}
	u.spot(table.Slot(last)).ref = flows
	if len(u.open) != 3 || u.open[0] != nil || u.open[1] != nil {
		t.Error("one name of a late flow made places for the flows before it")
	}
	for i, f := range open {
		u.spot(table.Slot(f)).ref = candidates.Ref(i + 1)
	}
	for i, f := range open {
		if spot := u.spotIf(table.Slot(f)); spot == nil || spot.ref != candidates.Ref(i+1) {
			t.Fatalf("flow %d has the place %+v", i, spot)
		}
	}
	if n := testing.AllocsPerRun(100, func() { u.spot(table.Slot(last)).hash++ }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
