package decode

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestKeyBothWays(t *testing.T) {
	tests := []struct {
		name     string
		src, dst string
		sp, dp   int
	}{
		{"IPv4", "10.0.0.1", "192.0.2.2", 50000, 443},
		{"IPv4, the lower side answers", "192.0.2.2", "10.0.0.1", 443, 50000},
		{"IPv6", "2001:db8::1", "2001:db8::2", 50000, 443},
		{"IPv6, the upper words differ", "2001:db9::1", "2001:db8::2", 50000, 443},
		{"the same address", "127.0.0.1", "127.0.0.1", 50000, 443},
		{"the same address, ports around 32768", "127.0.0.1", "127.0.0.1", 32768, 32767},
		{"the same ports", "10.0.0.1", "10.0.0.2", 123, 123},
		{"all the same", "10.0.0.1", "10.0.0.1", 53, 53},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := New(testSeed)
			packet := func(src, dst string, sp, dp int) Segment {
				at := v4At
				if netip.MustParseAddr(src).Is6() {
					at = v6At
				}
				s, reasons := feed(d, at(src, dst, TCP, tcp(sp, dp, ACK, nil)))
				if reasons[0] != Decoded {
					t.Fatal(reasons)
				}
				return s
			}
			there, back := packet(tt.src, tt.dst, tt.sp, tt.dp), packet(tt.dst, tt.src, tt.dp, tt.sp)
			if there.Key != back.Key || there.Hash != back.Hash {
				t.Errorf("%+v and %+v", there.Key, back.Key)
			}
			if symmetric := tt.src == tt.dst && tt.sp == tt.dp; !symmetric && there.Dir == back.Dir {
				t.Errorf("both ways have direction %d", there.Dir)
			}
			for _, s := range []Segment{there, back} {
				if s.Dir == there.Dir {
					if got, want := s.Key.Endpoint(s.Dir), netip.AddrPortFrom(netip.MustParseAddr(tt.src), uint16(tt.sp)); got != want {
						t.Errorf("sender %s, want %s", got, want)
					}
				}
			}
			if !there.Key.HasPort(uint16(tt.sp)) || !there.Key.HasPort(uint16(tt.dp)) || there.Key.HasPort(1) {
				t.Error("ports")
			}
		})
	}
}

func TestAddress(t *testing.T) {
	for _, text := range []string{"0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "2001:db8::1", "ffff::ffff"} {
		t.Run(text, func(t *testing.T) {
			a := netip.MustParseAddr(text)
			if got := AddressOf(a).Addr(); got != a {
				t.Errorf("%s", got)
			}
			if AddressOf(a).Is4() != a.Is4() {
				t.Error("family")
			}
		})
	}
}

// Sequential ports and addresses fill the buckets as evenly as chance would, and so do the tags of a large table.
func TestHashSpreads(t *testing.T) {
	const buckets, keys = 1 << 12, 1 << 16
	a4 := func(n uint32) Address { return Address{Lo: mapped | uint64(n)} }
	tests := []struct {
		name string
		key  func(i uint32) Key
	}{
		{"ports", func(i uint32) Key { return Key{A: a4(0x0a000001), B: a4(0xc0000202), Ports: i<<16 | 443, Proto: TCP} }},
		{"lower ports", func(i uint32) Key { return Key{A: a4(0x0a000001), B: a4(0xc0000202), Ports: 443<<16 | i, Proto: TCP} }},
		{"addresses", func(i uint32) Key {
			return Key{A: a4(0x0a000000 + i), B: a4(0xc0000202), Ports: 50000<<16 | 443, Proto: TCP}
		}},
		{"both addresses", func(i uint32) Key {
			return Key{A: a4(0x0a000000 + i>>8), B: a4(0xc0000200 + i&255), Ports: 50000<<16 | 443, Proto: UDP}
		}},
		{"both addresses alike", func(i uint32) Key {
			return Key{A: a4(0x0a000000 + i), B: a4(0x0a000000 + i), Ports: 53<<16 | 53, Proto: UDP}
		}},
		{"IPv6 hosts", func(i uint32) Key {
			return Key{A: Address{0x20010db800000000, uint64(i)}, B: Address{0x20010db800000001, 1}, Ports: 50000<<16 | 443, Proto: TCP}
		}},
		{"IPv6 networks", func(i uint32) Key {
			return Key{A: Address{0x20010db800000000 + uint64(i), 1}, B: Address{0x20010db900000001, 1}, Ports: 50000<<16 | 443, Proto: TCP}
		}},
	}
	for _, tt := range tests {
		r := newRand(4)
		for seed := range 5 {
			t.Run(fmt.Sprint(tt.name, ", seed ", seed), func(t *testing.T) {
				d := New([3]uint64{r.Uint64(), r.Uint64(), r.Uint64()})
				var low, high [buckets]int
				for i := range uint32(keys) {
					k := tt.key(i)
					h := k.hash(&d.seed)
					low[h%buckets]++
					high[h>>52%buckets]++
				}
				for name, counts := range map[string]*[buckets]int{"low": &low, "high": &high} {
					chi := 0.0
					for _, n := range counts {
						diff := float64(n) - keys/buckets
						chi += diff * diff / (keys / buckets)
					}
					if chi > 4095+6*90.5 { // the mean of chance and six deviations
						t.Errorf("%s bits: chi-square %.0f", name, chi)
					}
				}
			})
		}
	}
}
