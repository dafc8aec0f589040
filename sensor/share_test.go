package sensor

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

// keyBetween makes the key of a segment from one endpoint to another, in canonical order.
func keyBetween(t *testing.T, from, to string) decode.Key {
	t.Helper()
	a, b := netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)
	if b.Addr().Less(a.Addr()) {
		a, b = b, a
	}
	return decode.Key{A: decode.AddressOf(a.Addr()), B: decode.AddressOf(b.Addr()), Ports: uint32(a.Port())<<16 | uint32(b.Port()), Proto: decode.TCP}
}

// All of a client lies with one worker, and what goes to a proxy lies with what the proxy does.
func TestOwner(t *testing.T) {
	own := decode.PrefixOf(netip.MustParsePrefix("10.0.0.0/8"))
	for _, tt := range []struct{ name, from, to, want string }{
		{"to the internet", "10.1.2.3:50000", "192.0.2.1:443", "10.1.2.3"},
		{"from a low port", "10.1.2.3:400", "192.0.2.1:443", "10.1.2.3"},
		{"a client outside", "192.0.2.1:50000", "10.1.2.3:443", "10.1.2.3"},
		{"our resolver", "10.1.2.3:50000", "10.0.0.53:53", "10.1.2.3"},
		{"our resolver's own question", "10.0.0.53:50000", "192.0.2.53:53", "10.0.0.53"},
		{"our proxy", "10.1.2.3:50000", "10.0.0.80:3128", "10.0.0.80"},
		{"our proxy on the web's port", "10.1.2.3:50000", "10.0.0.80:80", "10.0.0.80"},
		{"our proxy's own connection", "10.0.0.80:50000", "192.0.2.1:443", "10.0.0.80"},
		{"unknown networks", "198.51.100.7:50000", "192.0.2.1:443", "198.51.100.7"},
		{"unknown networks, a proxy", "198.51.100.7:50000", "192.0.2.1:8080", "192.0.2.1"},
		{"IPv6", "[2001:db8::7]:50000", "[2001:db8:1::1]:443", "2001:db8::7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, k := range []decode.Key{keyBetween(t, tt.from, tt.to), keyBetween(t, tt.to, tt.from)} {
				if got := ownerOf(&k, own.Contains).Addr().String(); got != tt.want {
					t.Errorf("%s to %s lies with %s, want %s", tt.from, tt.to, got, tt.want)
				}
			}
		})
	}
}

// Every address is one worker's, and workers get about as many.
func TestSharesAreEven(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 7, 64} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			shares, count := Shares(workers), make([]int, workers)
			const each = 400
			for i := range each * workers {
				owners := 0
				for w, sh := range shares {
					if sh.answersFor(decode.Address{Lo: 0xffff<<32 | 0x0a000000 | uint64(i)}) {
						owners++
						count[w]++
					}
				}
				if owners != 1 {
					t.Fatalf("address %d has %d owners", i, owners)
				}
			}
			if least, most := slices.Min(count), slices.Max(count); least < each*2/3 || most > each*3/2 {
				t.Errorf("workers have %d to %d addresses, want about %d", least, most, each)
			}
		})
	}
}

// toldDHCP keeps what a learner is told of DHCP.
type toldDHCP struct{ datagrams []string }

func (l *toldDHCP) Resolver(netip.Addr, int64) {}
func (l *toldDHCP) Proxy(netip.Addr, int64)    {}
func (l *toldDHCP) DHCP(payload []byte, v6 bool, at int64) {
	l.datagrams = append(l.datagrams, fmt.Sprint(string(payload), v6, at))
}

// DHCP is passed on once and in order, by whoever comes first, and nobody is past a datagram that was not.
func TestDHCPInOrder(t *testing.T) {
	to := new(toldDHCP)
	all := make([]decode.Segment, 9)
	var want []string
	for i := range all {
		all[i] = decode.Segment{Key: decode.Key{Ports: 67<<16 | 68, Proto: decode.UDP}, Time: int64(i), Payload: []byte{'a' + byte(i)}, Len: 1}
		if i%2 == 1 {
			all[i].Key.Ports = 546<<16 | 547
		}
		want = append(want, fmt.Sprint(string(all[i].Payload), i%2 == 1, i))
	}
	type reader struct {
		share *Share
		at    int
	}
	var workers []*reader
	for _, sh := range Shares(3) {
		workers = append(workers, &reader{share: sh})
	}
	l := &learner{to: to, shared: true}
	for _, turn := range []int{1, 1, 0, 2, 2, 2, 0, 0, 1, 2, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 0, 0} {
		w := workers[turn]
		l.inOrder(w.share, &all[w.at])
		w.at++
		if len(to.datagrams) < w.at {
			t.Fatalf("worker %d is past datagram %d, which was not passed on", turn, w.at)
		}
	}
	if !slices.Equal(to.datagrams, want) {
		t.Errorf("passed on %q, want %q", to.datagrams, want)
	}
}
