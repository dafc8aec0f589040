package sensor

import (
	"fmt"
	"hash/maphash"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/wire/tls"
)

// edition is a classifier's set of names.
type edition struct{ of *int }

func (e edition) Edition() any { return e.of }

func TestStrangers(t *testing.T) {
	seed := maphash.MakeSeed()
	for _, tt := range []struct {
		name, add, find string
		found           bool
		countable       bool
	}{
		{"the same", "www.example.org", "www.example.org", true, true},
		{"another", "www.example.org", "www.example.net", false, false},
		{"a part", "www.example.org", "www.example.or", false, false},
		{"no name of the Internet", "printer.local", "printer.local", true, false},
		{"in capitals", "WWW.example.org", "WWW.example.org", false, false},
		{"with a dot at its end", "www.example.org.", "www.example.org.", false, false},
		{"a long one", strings.Repeat("a.", 100) + "example.org", strings.Repeat("a.", 100) + "example.org", true, true},
		{"nothing", "", "", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := strangers{of: edition{new(int)}}
			hash := func(name string) uint64 { return maphash.String(seed, name) }
			table.add(hash(tt.add), []byte(tt.add))
			k := table.find(hash(tt.find))
			if (k != nil) != tt.found || k != nil && k.countable() != tt.countable {
				t.Errorf("%+v", k)
			}
		})
	}
}

func TestStrangersForget(t *testing.T) {
	now := edition{new(int)}
	table := strangers{of: &now}
	hash := func(i int) uint64 { return uint64(i) << 2 } // all in one set
	for i := range strangerWays + 1 {
		table.add(hash(i), fmt.Appendf(nil, "host-%d.example.org", i))
	}
	if table.find(hash(0)) != nil {
		t.Error("not the oldest of a set has made room")
	}
	for i := 1; i <= strangerWays; i++ {
		if table.find(hash(i)) == nil {
			t.Errorf("host-%d was forgotten before its turn", i)
		}
	}
	table.renew()
	if table.find(hash(1)) == nil {
		t.Error("forgotten under the same catalogue")
	}
	now.of = new(int)
	table.renew()
	if table.find(hash(1)) != nil {
		t.Error("remembered under another catalogue")
	}
}

// Whoever classifies without saying what may change is asked each time.
func TestStrangersNeedEditions(t *testing.T) {
	var table strangers
	table.add(7, []byte("www.example.org"))
	table.renew()
	if table.find(7) != nil {
		t.Error("remembered")
	}
}

// known is a classifier of one name, which counts what it is asked.
type known struct {
	edition
	name  string
	asked int
}

func (k *known) Classify(ev *classifiers.Evidence) (classifiers.Verdict, bool) {
	k.asked++
	return classifiers.Verdict{}, string(ev.Name) == k.name
}

// What is said of a name when it is met again is what was said of it first: it is asked for once, until it is listed.
func TestMeet(t *testing.T) {
	classify := &known{edition: edition{new(int)}, name: "listed.example"}
	s := &Sensor{classify: classify, unlisted: unlisted{seed: maphash.MakeSeed()}, strangers: strangers{of: classify}}
	see := func(name string) (listed bool) {
		o := evidence.Observation{Class: classifiers.ClassSNI, Name: []byte(name), Hello: &tls.Hello{}}
		s.expect(&o)
		s.meet()
		s.judge(nil, &decode.Segment{}, &o)
		s.remember(&o)
		return s.listed
	}
	for range 3 {
		if see("other.example") || !see("listed.example") {
			t.Fatal("a name is listed that is not, or not one that is")
		}
	}
	if classify.asked != 4 {
		t.Errorf("asked %d times, want 1 for the stranger's name and 3 for the other", classify.asked)
	}
	classify.name, classify.edition = "other.example", edition{new(int)}
	s.strangers.renew()
	if !see("other.example") {
		t.Error("a name that the new catalogue lists is a stranger's still")
	}
}

func TestStrangersDoNotAllocate(t *testing.T) {
	table := strangers{of: edition{new(int)}}
	name := []byte("www.example.org")
	if got := testing.AllocsPerRun(100, func() {
		table.add(7, name)
		table.renew()
		table.ahead(7)
		if table.find(7) == nil {
			t.Fatal("not found")
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

// BenchmarkUnlistedNames is what a name costs that is in no catalogue: one that repeats, and one that never does.
func BenchmarkUnlistedNames(b *testing.B) {
	for _, bm := range []struct {
		name  string
		names int
	}{{"2000", 2000}, {"unique", 1 << 17}} {
		b.Run(bm.name, func(b *testing.B) {
			table := strangers{of: edition{new(int)}}
			seed := maphash.MakeSeed()
			all := make([][]byte, bm.names)
			for i := range all {
				all[i] = fmt.Appendf(nil, "host-%d.example.org", i)
			}
			var sum candidates.Ref
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				name := all[i*7919%len(all)]
				hash := maphash.Bytes(seed, name)
				if k := table.find(hash); k != nil {
					sum += k.ref
				} else {
					table.add(hash, name)
				}
			}
			_ = sum
		})
	}
}
