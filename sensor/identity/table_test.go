package identity

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dhcp"
)

// on is noon of a day in UTC.
func on(day string) event.Time {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return event.At(t.Add(12 * time.Hour))
}

func mustNames(t testing.TB, change func(*Config)) *Names {
	t.Helper()
	c := Default()
	if change != nil {
		change(&c)
	}
	n, err := newNames(&c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mustTable(t testing.TB, text string) *Table {
	t.Helper()
	table, err := readTable(strings.NewReader(text), mustNames(t, nil), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func show(e Entry) string {
	return fmt.Sprintf("%s/%d %q %s/%d shared=%v", e.User.Key(), e.UserBy, e.Department, e.Host, e.HostBy, e.Shared)
}

const example = `address,network,mac,user,department,host,shared,from,until
10.1.2.3,,,CORP\Anna,,Desk-1,,,
10.1.2.4,,,,,scanner,,,
10.1.2.9,,,ben,Sales,,no,,
,10.1.0.0/16,,,Logistics,,,,
,10.1.2.0/24,,,Research,,,,
,10.1.9.0/24,,,,,yes,,
,10.2.0.0/30,,carol@corp,Board,,,,
,,00:00:5e:00:53:01,dora,Legal,laptop-d,,,
10.9.0.1,,,eve,,,,2026-01-01,2026-03-31
10.9.0.1,,,frank,,,,2026-04-01,
,,,anna@corp,Development,,,,
,,,anna@corp.example,Elsewhere,,,,
,,,frank,Old,,,,2026-04-30
,,,frank,New,,,2026-05-01,
,2001:db8:1::/48,,,Lab,,,,
2001:db8:1::7,,,gus,,,,,
::ffff:10.7.0.1,,,hal,,,,,
,0.0.0.0/0,,,Rest,,,,
`

func TestLookup(t *testing.T) {
	table := mustTable(t, example)
	card := dhcp.MAC{0, 0, 0x5e, 0, 0x53, 1}
	tests := []struct {
		name, addr string
		mac        dhcp.MAC
		day        string
		want       string
	}{
		{"address before network", "10.1.2.3", dhcp.MAC{}, "2026-01-15", `corp\anna/3 "Research" desk-1/3 shared=false`},
		{"address before MAC", "10.1.2.3", card, "2026-01-15", `corp\anna/3 "Research" desk-1/3 shared=false`},
		{"MAC before network", "10.1.2.77", card, "2026-01-15", `dora/2 "Legal" laptop-d/2 shared=false`},
		{"MAC without an address", "", card, "2026-01-15", `dora/2 "Legal" laptop-d/2 shared=false`},
		{"smallest network", "10.1.2.77", dhcp.MAC{}, "2026-01-15", `/0 "Research" /0 shared=false`},
		{"wider network", "10.1.3.77", dhcp.MAC{}, "2026-01-15", `/0 "Logistics" /0 shared=false`},
		{"everything", "192.0.2.1", dhcp.MAC{}, "2026-01-15", `/0 "Rest" /0 shared=false`},
		{"host alone keeps the department", "10.1.2.4", dhcp.MAC{}, "2026-01-15", `/0 "Research" scanner/3 shared=false`},
		{"own department", "10.1.2.9", dhcp.MAC{}, "2026-01-15", `ben/3 "Sales" /0 shared=false`},
		{"shared", "10.1.9.1", dhcp.MAC{}, "2026-01-15", `/0 "Logistics" /0 shared=true`},
		{"network with a user", "10.2.0.2", dhcp.MAC{}, "2026-01-15", `corp\carol/1 "Board" /0 shared=false`},
		{"before the first day", "10.9.0.1", dhcp.MAC{}, "2025-12-31", `/0 "Rest" /0 shared=false`},
		{"first user", "10.9.0.1", dhcp.MAC{}, "2026-03-31", `eve/3 "Rest" /0 shared=false`},
		{"second user", "10.9.0.1", dhcp.MAC{}, "2026-04-01", `frank/3 "Rest" /0 shared=false`},
		{"IPv6 address", "2001:db8:1::7", dhcp.MAC{}, "2026-01-15", `gus/3 "Lab" /0 shared=false`},
		{"IPv6 network", "2001:db8:1::8", dhcp.MAC{}, "2026-01-15", `/0 "Lab" /0 shared=false`},
		{"IPv6 unknown", "2001:db8:2::8", dhcp.MAC{}, "2026-01-15", `/0 "" /0 shared=false`},
		{"IPv4 in IPv6", "::ffff:10.1.2.3", dhcp.MAC{}, "2026-01-15", `corp\anna/3 "Research" desk-1/3 shared=false`},
		{"IPv4 in IPv6 in the table", "10.7.0.1", dhcp.MAC{}, "2026-01-15", `hal/3 "Rest" /0 shared=false`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr, _ := netip.ParseAddr(tt.addr)
			if got := show(table.Lookup(addr, tt.mac, on(tt.day))); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestDepartment(t *testing.T) {
	table := mustTable(t, example)
	tests := []struct {
		name string
		user Name
		day  string
		want string
	}{
		{"known", Name{"anna", "corp"}, "2026-01-15", "Development"},
		{"another domain", Name{"anna", "corp.example"}, "2026-01-15", "Elsewhere"},
		{"no domain", Name{"anna", ""}, "2026-01-15", ""},
		{"last day", Name{"frank", ""}, "2026-04-30", "Old"},
		{"first day", Name{"frank", ""}, "2026-05-01", "New"},
		{"nobody", Name{}, "2026-05-01", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := table.Department(tt.user, on(tt.day)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestDays wants days to begin at midnight of the table's time zone, on the days too that have 23 or 25 hours.
func TestDays(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const text = "address,user,from,until\n10.0.0.1,anna,2026-03-29,2026-03-29\n10.0.0.1,ben,2026-10-25,2026-10-25\n"
	table, err := readTable(strings.NewReader(text), mustNames(t, nil), berlin)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, at, want string }{
		{"before spring day", "2026-03-28T22:59:59Z", ""},
		{"spring day begins", "2026-03-28T23:00:00Z", "anna"},
		{"spring day ends after 23 hours", "2026-03-29T21:59:59Z", "anna"},
		{"after spring day", "2026-03-29T22:00:00Z", ""},
		{"before autumn day", "2026-10-24T21:59:59Z", ""},
		{"autumn day begins", "2026-10-24T22:00:00Z", "ben"},
		{"autumn day ends after 25 hours", "2026-10-25T22:59:59Z", "ben"},
		{"after autumn day", "2026-10-25T23:00:00Z", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			if got := table.Lookup(netip.MustParseAddr("10.0.0.1"), dhcp.MAC{}, event.At(at)).User.Key(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestPrefixes compares the ranges with a walk over all networks.
func TestPrefixes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	addr := func() netip.Addr { // few values, so that networks lie in each other, and the ends of the address space among them
		if rng.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{[]byte{0, 10, 255}[rng.IntN(3)], byte(rng.IntN(3)) * 127, byte(rng.IntN(2)) * 255, byte(rng.IntN(256))})
		}
		var b [16]byte
		b[0], b[7], b[15] = []byte{0x20, 0xff, 0}[rng.IntN(3)], byte(rng.IntN(3)), byte(rng.IntN(256))
		if b[0] == 0xff && rng.IntN(2) == 0 {
			for i := range b {
				b[i] = 0xff
			}
		}
		return netip.AddrFrom16(b)
	}
	for range 300 {
		known := map[netip.Prefix]bool{}
		var nets []netip.Prefix
		for range rng.IntN(30) {
			a := addr()
			if p := normal(netip.PrefixFrom(a, rng.IntN(a.BitLen()+1))); !known[p] {
				known[p] = true
				nets = append(nets, p)
			}
		}
		ranges := newPrefixes(nets)
		for i := range nets {
			if got, want := ranges.parents[i], smallest(nets, nets[i].Addr(), nets[i].Bits()); got != want {
				t.Fatalf("network around %v: got %d, want %d of %v", nets[i], got, want, nets)
			}
			check(t, &ranges, nets, nets[i].Addr())
			check(t, &ranges, nets, lastAddr(nets[i]))
			check(t, &ranges, nets, lastAddr(nets[i]).Next())
			check(t, &ranges, nets, nets[i].Addr().Prev())
		}
		for range 30 {
			check(t, &ranges, nets, addr())
		}
	}
}

func check(t *testing.T, ranges *prefixes, nets []netip.Prefix, a netip.Addr) {
	t.Helper()
	a = a.Unmap()
	if got, want := ranges.find(a), smallest(nets, a, 129); got != want {
		t.Fatalf("%v: got %d, want %d of %v", a, got, want, nets)
	}
}

// smallest is the index of the smallest network with less than so many bits around an address.
func smallest(nets []netip.Prefix, a netip.Addr, less int) int32 {
	best := int32(-1)
	for i, p := range nets {
		if a.IsValid() && p.Contains(a) && p.Bits() < less && (best < 0 || p.Bits() > nets[best].Bits()) {
			best = int32(i)
		}
	}
	return best
}

// large is a table of single addresses, and of a network for every eighth row.
func large(t testing.TB, rows int) *Table {
	t.Helper()
	var b strings.Builder
	b.WriteString("address,network,user,department\n")
	for i := range rows {
		if i%8 == 0 {
			fmt.Fprintf(&b, ",10.%d.%d.0/24,,dept%d\n", i>>11&255, i>>3&255, i%97)
		} else {
			fmt.Fprintf(&b, "11.%d.%d.%d,,user%d,\n", i>>16&255, i>>8&255, i&255, i)
		}
	}
	return mustTable(t, b.String())
}

func TestLookupAllocs(t *testing.T) {
	table := mustTable(t, example)
	addr, card := netip.MustParseAddr("10.1.2.3"), dhcp.MAC{0, 0, 0x5e, 0, 0x53, 1}
	at := on("2026-01-15")
	if n := testing.AllocsPerRun(100, func() {
		if table.Lookup(addr, card, at).User.IsZero() || table.Department(Name{"anna", "corp"}, at) == "" {
			t.Fatal("nothing was found")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkLookup asks for addresses all over tables of different sizes: the larger, the fewer of its parts are in the caches.
func BenchmarkLookup(b *testing.B) {
	at := on("2026-01-15")
	for _, rows := range []int{1 << 10, 1 << 14, 1 << 19} {
		table := large(b, rows)
		rng := rand.New(rand.NewPCG(1, 2))
		addrs := make([]netip.Addr, 1<<14)
		for i := range addrs {
			n := rng.IntN(rows)
			addrs[i] = netip.AddrFrom4([4]byte{11, byte(n >> 16), byte(n >> 8), byte(n)})
			if n%8 == 0 {
				addrs[i] = netip.AddrFrom4([4]byte{10, byte(n >> 11), byte(n >> 3), byte(n)})
			}
		}
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				_ = table.Lookup(addrs[i%len(addrs)], dhcp.MAC{}, at)
			}
		})
	}
}
