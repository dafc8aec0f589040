package decode

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// TestPrefix compares with package netip over networks of all lengths and addresses near them.
func TestPrefix(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	networks := []netip.Prefix{{}, netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"), netip.MustParsePrefix("::ffff:0:0/96")}
	for _, text := range []string{"10.20.30.40", "2001:db8:1:2:8000::3"} {
		addr := netip.MustParseAddr(text)
		for bits := range addr.BitLen() + 1 {
			networks = append(networks, netip.PrefixFrom(addr, bits))
		}
	}
	for _, network := range networks {
		p := PrefixOf(network)
		for _, text := range []string{"10.20.30.40", "2001:db8:1:2:8000::3", "0.0.0.0", "::", "::1"} {
			for range 40 {
				b := netip.MustParseAddr(text).AsSlice()
				b[random.IntN(len(b))] ^= 1 << random.IntN(8)
				addr, _ := netip.AddrFromSlice(b)
				if got, want := p.Contains(AddressOf(addr)), network.Contains(addr.Unmap()); got != want {
					t.Fatalf("%v in %v: %v, want %v", addr, network, got, want)
				}
			}
		}
	}
}
