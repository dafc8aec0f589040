package sensor

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

func host(n uint64) decode.Address { return decode.Address{Lo: 0xffff<<32 | 10<<24 | n} }

func TestClientsTake(t *testing.T) {
	var known clientWaysKnown
	c := NewClients([3]uint64{1, 2, 3})
	c.add(host(1), &sighted{true, sightNamed, event.Part{Flows: 9, Bytes: 9000}, 7}, &known) // all named: no blind spot
	c.add(host(2), &sighted{true, sightNameless, event.Part{Flows: 1, Bytes: 700}, 7}, &known)
	c.add(host(3), &sighted{false, sightRelay, event.Part{Flows: 1, Bytes: 50_000}, 7}, &known)
	c.add(host(3), &sighted{false, sightRelay, event.Part{Bytes: 50_000}, 7}, &known)
	c.add(host(4), &sighted{true, sightResolver, event.Part{Flows: 5, Bytes: 20}, 7}, &known)
	for n := range uint64(6) {
		c.add(host(10+n), &sighted{true, sightNameless, event.Part{Flows: 1, Bytes: 100 + n}, 7}, &known)
	}
	got, leftOut := c.Take(4)
	want := []decode.Address{host(3), host(2), host(15), host(4)} // two by bytes, two by flows that were hidden
	if len(got) != len(want) || leftOut != 0 {
		t.Fatalf("%d clients, %d flows left out", len(got), leftOut)
	}
	for i := range want {
		if got[i].Addr != want[i] {
			t.Errorf("place %d has %v, want %v", i, got[i].Addr.Addr(), want[i].Addr())
		}
	}
	if got[0].Last != 7 {
		t.Errorf("last seen at %d", got[0].Last)
	}
	if b := got[0].Blind(); b != (event.Part{Flows: 1, Bytes: 100_000}) {
		t.Errorf("the tunnel has %+v", b)
	}
	if again, _ := c.Take(4); len(again) != 0 {
		t.Errorf("%d clients after all were taken", len(again))
	}
}

// TestClientsRoom has an office of a thousand find room whatever the secret is: with half the sets one secret in ten left somebody out.
func TestClientsRoom(t *testing.T) {
	for secret := range uint64(100) {
		var known clientWaysKnown
		c := NewClients([3]uint64{secret, 2 * secret, 3})
		for n := range uint64(1000) {
			c.add(host(n), &sighted{true, sightNameless, event.Part{Flows: 1, Bytes: 1}, 7}, &known)
		}
		if got, leftOut := c.Take(1000); len(got) != 1000 || leftOut != 0 {
			t.Errorf("secret %d: %d clients, %d flows left out", secret, len(got), leftOut)
		}
	}
}

// TestClientsBounded floods the memory: what is hidden stays, what makes room is counted.
func TestClientsBounded(t *testing.T) {
	var known clientWaysKnown
	c := NewClients([3]uint64{1, 2, 3})
	c.add(host(1), &sighted{true, sightRelay, event.Part{Flows: 3, Bytes: 1 << 30}, 7}, &known)
	const flood = 50_000
	for n := range uint64(flood) {
		c.add(host(100+n), &sighted{true, sightNameless, event.Part{Flows: 1, Bytes: 1}, 7}, &known)
	}
	got, leftOut := c.Take(flood)
	if len(got) > clientShards*clientSets*clientWays || got[0].Addr != host(1) {
		t.Errorf("%d clients, %v first", len(got), got[0].Addr.Addr())
	}
	if seen := uint64(len(got)) + leftOut; seen != flood+1 {
		t.Errorf("%d clients and %d flows left out: %d in all, want %d", len(got), leftOut, seen, flood+1)
	}
}

func TestClientsAllocations(t *testing.T) {
	var known clientWaysKnown
	c := NewClients([3]uint64{1, 2, 3})
	c.add(host(1), &sighted{true, sightNamed, event.Part{Flows: 1}, 7}, &known)
	if n := testing.AllocsPerRun(100, func() { c.add(host(1), &sighted{true, sightNamed, event.Part{Flows: 1}, 7}, &known) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkClientsAdd(b *testing.B) {
	var known clientWaysKnown
	c := NewClients([3]uint64{1, 2, 3})
	b.ReportAllocs()
	for n := uint64(0); b.Loop(); n++ {
		c.add(host(n%10_000), &sighted{true, sightNamed, event.Part{Flows: 1, Bytes: 1000}, 7}, &known)
	}
}
