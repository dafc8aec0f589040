package packet

import (
	"encoding/hex"
	"net/netip"
	"testing"
)

// Two hand-made frames from port 40000 to port 443 with the payload "data".
const (
	overIPv4 = "020000000a01020000000b010800" + "4500002c00000000400600000a14010bcb00710a" + "9c4001bb0000002a000000005000000000000000" + "64617461"
	overIPv6 = "020000000a01020000000b0186dd" + "60000000000c1140fd20000000000000000000000001000b20010db802030000000000000000000a" + "9c4001bb000c0000" + "64617461"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name  string
		frame string
		want  Packet
		ok    bool
	}{
		{"TCP over IPv4", overIPv4, Packet{Flow{TCP, netip.MustParseAddrPort("10.20.1.11:40000"), netip.MustParseAddrPort("203.0.113.10:443")}, 42, []byte("data")}, true},
		{"short frame with padding", overIPv4 + "000000", Packet{Flow{TCP, netip.MustParseAddrPort("10.20.1.11:40000"), netip.MustParseAddrPort("203.0.113.10:443")}, 42, []byte("data")}, true},
		{"UDP over IPv6", overIPv6, Packet{Flow{UDP, netip.MustParseAddrPort("[fd20::1:b]:40000"), netip.MustParseAddrPort("[2001:db8:203::a]:443")}, 0, []byte("data")}, true},
		{"ARP", "ffffffffffff020000000b010806" + "0001080006040001", Packet{}, false},
		{"nothing", "", Packet{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			frame, err := hex.DecodeString(tt.frame)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := Parse(frame)
			if ok != tt.ok || got.Flow != tt.want.Flow || got.Seq != tt.want.Seq || string(got.Payload) != string(tt.want.Payload) {
				t.Errorf("got %+v, %v; want %+v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestParseTruncated(t *testing.T) {
	for name, text := range map[string]string{"IPv4": overIPv4, "IPv6": overIPv6} {
		frame, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(frame) {
			if p, ok := Parse(frame[:n]); ok && n < len(frame)-4 {
				t.Errorf("%s cut at %d: got %+v", name, n, p)
			}
		}
	}
}
