package identity

import (
	"net/netip"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

func TestRole(t *testing.T) {
	const hour = event.Time(3600e9)
	s := newShared([]netip.Prefix{netip.MustParsePrefix("10.9.0.0/24"), netip.MustParsePrefix("::ffff:10.9.0.0/120"), netip.MustParsePrefix("2001:db8::/64")}, 24*time.Hour)
	start := on("2026-05-04")
	s.SawResolver(netip.MustParseAddr("10.0.0.53"), start)
	s.SawProxy(netip.MustParseAddr("10.0.0.80"), start)
	s.SawResolver(netip.MustParseAddr("10.0.0.81"), start)
	s.SawProxy(netip.MustParseAddr("::ffff:10.0.0.81"), start)
	s.SawResolver(netip.MustParseAddr("10.0.0.54"), start)
	s.SawResolver(netip.MustParseAddr("10.0.0.54"), start+20*hour)
	s.SawResolver(netip.Addr{}, start)
	tests := []struct {
		name, addr string
		after      event.Time
		want       Role
	}{
		{"a client", "10.0.0.1", 0, NoRole},
		{"infrastructure", "10.9.0.7", 0, Infrastructure},
		{"infrastructure in IPv6 clothes", "::ffff:10.9.0.7", 0, Infrastructure},
		{"infrastructure of IPv6", "2001:db8::7", 0, Infrastructure},
		{"resolver", "10.0.0.53", hour, Resolver},
		{"resolver before it was seen", "10.0.0.53", -hour, Resolver},
		{"resolver no more", "10.0.0.53", 25 * hour, NoRole},
		{"resolver again", "10.0.0.54", 25 * hour, Resolver},
		{"proxy", "10.0.0.80", hour, Proxy},
		{"both", "10.0.0.81", hour, Proxy},
		{"unknown address", "", 0, NoRole},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr, _ := netip.ParseAddr(tt.addr)
			if got := s.Role(addr, start+tt.after); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// TestSharedBounded floods with addresses that answer; once they are old there is room again.
func TestSharedBounded(t *testing.T) {
	s := newShared(nil, time.Hour)
	start := on("2026-05-04")
	flood := func(from, at event.Time) {
		for i := range maxSeen + 1000 {
			s.SawResolver(netip.AddrFrom4([4]byte{byte(from), byte(i >> 16), byte(i >> 8), byte(i)}), at)
		}
	}
	flood(10, start)
	if len(s.seen) != maxSeen || s.Overflow() != 1000 {
		t.Errorf("%d addresses remembered, %d not", len(s.seen), s.Overflow())
	}
	flood(11, start+2*event.Time(3600e9))
	if s.Role(netip.MustParseAddr("11.0.0.1"), start+2*event.Time(3600e9)) != Resolver {
		t.Error("there is no room for new addresses after the old ones have lost their role")
	}
}

func TestSawAllocs(t *testing.T) {
	s := newShared(nil, time.Hour)
	addr := netip.MustParseAddr("10.0.0.53")
	at := on("2026-05-04")
	if n := testing.AllocsPerRun(100, func() {
		s.SawResolver(addr, at)
		if s.Role(addr, at) != Resolver {
			t.Fatal("not seen")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSawResolver(b *testing.B) {
	s := newShared(nil, time.Hour)
	addr := netip.MustParseAddr("10.0.0.53")
	b.ReportAllocs()
	for b.Loop() {
		s.SawResolver(addr, 1e18)
	}
}
