package candidates

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"testing"
)

// sample is a day with all that a day may hold.
func sample(names int) *Day {
	table := New(Default())
	for i := range names {
		name := fmt.Appendf(nil, "host-%d.example.org", i)
		for c := range i % 9 {
			ref, _ := table.See(name, client(c), at(0))
			table.Add(ref, uint64(i)*1000, uint64(i)*100_000, uint32(i%3))
		}
		if i%7 == 0 {
			table.Alias(name, "platform", at(0))
		}
		if i%5 == 0 {
			table.Log(name, &Line{client(0), at(0), 1, 1, []byte("/v1/completions")})
		}
	}
	return table.Open()[0]
}

func TestEncode(t *testing.T) {
	for _, names := range []int{1, 200} {
		d := sample(names)
		d.Over = 17
		got, err := Decode(d.Encode())
		if err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("%d names: %v, %+v\nwant %+v", names, err, got, d)
		}
	}
}

func TestDecodeTruncated(t *testing.T) {
	b := sample(20).Encode()
	for n := range b {
		if d, err := Decode(b[:n]); !errors.Is(err, ErrDamaged) {
			t.Fatalf("%d of %d bytes: %+v, %v", n, len(b), d, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(sample(3).Encode())
	f.Add([]byte{encoding, 0, 0, 0, 0, 255, 255, 255, 127})
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Decode(d.Encode())
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Fatalf("it reads as %+v, and what that writes as %+v (%v)", d, again, err)
		}
		if n := len(Judge(d)); n > len(d.Names) {
			t.Fatalf("%d candidates of %d names", n, len(d.Names))
		}
	})
}

// A day in two parts is the day, and cutting keeps what is contacted most.
func TestMerge(t *testing.T) {
	a, b := sample(50), sample(60)
	m := Merge(a, b)
	if len(m.Names) != len(b.Names) || m.Label != a.Label {
		t.Fatalf("%d names of %s", len(m.Names), m.Label)
	}
	n := find(t, m, "host-8.example.org")
	if one := find(t, a, "host-8.example.org"); n.Flows != 2*one.Flows || n.Up != 2*one.Up || n.Clients != one.Clients {
		t.Errorf("twice %+v is %+v", *one, *n)
	}
	flows := func(d *Day) (sum uint64) {
		for _, n := range d.Names {
			sum += n.Flows
		}
		return sum + d.Over
	}
	all := flows(m)
	m.Cut(10)
	if len(m.Names) != 10 || flows(m) != all {
		t.Errorf("%d names and %d contacts are left of %d", len(m.Names), flows(m), all)
	}
	if _, err := Decode(m.Encode()); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(Merge(a).Encode(), a.Encode()) {
		t.Error("a day alone is not itself")
	}
}
