package pdns

import (
	"fmt"
	"net/netip"
	"testing"
	"unsafe"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

func addr(s string) decode.Address { return decode.AddressOf(netip.MustParseAddr(s)) }

const second = int64(1e9)

func newTable(t testing.TB, config Config, seed uint64) *Table {
	t.Helper()
	table, err := New(config, seed)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// An entry fills half a cache line, so that the places of a key fill two.
func TestEntrySize(t *testing.T) {
	if n := unsafe.Sizeof(entry{}); n != entrySize {
		t.Errorf("an entry has %d bytes, not %d", n, entrySize)
	}
}

// What a client was told counts before what others were told, for as long as it was told, and other names at the address are counted.
func TestTable(t *testing.T) {
	anna, ben, cdn := addr("10.0.0.1"), addr("10.0.0.2"), addr("192.0.2.7")
	type told struct {
		who  decode.Address
		name string
		at   int64
		ttl  uint32
	}
	for _, c := range []struct {
		name   string
		told   []told
		who    decode.Address
		at     int64
		want   string
		own    bool
		others int
	}{
		{"nothing", nil, anna, 0, "", false, 0},
		{"own", []told{{anna, "chatgpt.com", 0, 300}}, anna, 10 * second, "chatgpt.com", true, 0},
		{"someone's", []told{{ben, "chatgpt.com", 0, 300}}, anna, 10 * second, "chatgpt.com", false, 0},
		{"own before someone's", []told{{anna, "a.example", 0, 300}, {ben, "b.example", 1 * second, 300}}, anna, 10 * second, "a.example", true, 0},
		{"someone's is shared", []told{{ben, "a.example", 0, 300}, {addr("10.0.0.3"), "b.example", 1 * second, 300}}, anna, 10 * second, "b.example", false, 1},
		{"own is shared", []told{{anna, "a.example", 0, 300}, {anna, "b.example", 1 * second, 300}}, anna, 10 * second, "b.example", true, 1},
		{"told again", []told{{anna, "a.example", 0, 300}, {anna, "a.example", 1 * second, 300}}, anna, 10 * second, "a.example", true, 0},
		{"there and back", []told{{anna, "a.example", 0, 300}, {anna, "b.example", 1 * second, 300}, {anna, "a.example", 2 * second, 300}}, anna, 10 * second, "a.example", true, 1},
		{"over", []told{{anna, "a.example", 0, 300}}, anna, 601 * second, "", false, 0},
		{"short life is stretched", []told{{anna, "a.example", 0, 1}}, anna, 300 * second, "a.example", true, 0},
		{"after it is over, nothing is shared", []told{{anna, "a.example", 0, 300}, {anna, "b.example", 700 * second, 300}}, anna, 710 * second, "b.example", true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := newTable(t, Default(), 42)
			for _, x := range c.told {
				table.Learn(x.who, []byte(x.name), x.at, []Told{{cdn, x.ttl}})
			}
			got, ok := table.Lookup(c.who, cdn, c.at, nil)
			if ok != (c.want != "") || string(got.Name) != c.want || got.Own != c.own || got.Others != c.others {
				t.Errorf("got %q, own %v, others %d, found %v", got.Name, got.Own, got.Others, ok)
			}
		})
	}
}

// However many answers there are, memory stays, nothing wrong is said, and the newest are known.
func TestBounded(t *testing.T) {
	table := newTable(t, Config{Entries: 1 << 12, NameBytes: 1 << 16}, 7)
	client := addr("10.0.0.1")
	at := func(i int) decode.Address { return decode.Address{Lo: uint64(i) | 0xffff<<32} }
	const n = 100_000
	for i := range n {
		table.Learn(client, fmt.Appendf(nil, "host%d.example", i), int64(i), []Told{{at(i), 300}})
	}
	known := 0
	for i := range n {
		got, ok := table.Lookup(client, at(i), n, nil)
		if !ok {
			continue
		}
		known++
		if want := fmt.Sprintf("host%d.example", i); string(got.Name) != want {
			t.Fatalf("address %d is %q, want %q", i, got.Name, want)
		}
	}
	if known < 500 || known > 1<<12 {
		t.Errorf("%d addresses are known", known)
	}
	if _, ok := table.Lookup(client, at(n-1), n, nil); !ok {
		t.Error("the newest is not known")
	}
}

func TestLearnDoesNotAllocate(t *testing.T) {
	table := newTable(t, Default(), 42)
	client, server, name := addr("10.0.0.1"), addr("192.0.2.7"), []byte("chatgpt.com")
	buf := make([]byte, 0, maxName)
	if n := testing.AllocsPerRun(100, func() {
		table.Learn(client, name, 5, []Told{{server, 300}})
		table.Lookup(client, server, 6, buf)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLearn(b *testing.B) {
	table := newTable(b, Default(), 42)
	client := addr("10.0.0.1")
	name := []byte("edge-star-shv-01-fra3.example.com")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		table.Learn(client, name, int64(i), []Told{{decode.Address{Lo: uint64(i&0xffff) | 0xffff<<32}, 300}})
	}
}
