package dhcp

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

func summary6(m *Message6) string {
	return fmt.Sprintf("%d %x %x duid=%x fqdn=%q %v", m.Type, m.ID, m.MAC, m.DUID, m.FQDN, m.Addrs)
}

func TestParse6(t *testing.T) {
	relayMAC := option{opt6LinkLayer, []byte{0, 1, 0, 0, 0x5e, 0, 0x53, 0x99}}
	envelope := build6(Reply6, 1)
	for range maxHops + 1 {
		envelope = relayed(relayReply, envelope)
	}
	tests := []struct {
		name    string
		message []byte
		want    string
		err     error
	}{
		{"dhclient asks", captured6(t, dhclientRequest6Hex),
			`3 1222f8 00005e00531f duid=00010001329459c900005e00531f fqdn="desk-17.corp.example" [{2001:db8:7::5d 7500}]`, nil},
		{"dnsmasq answers", captured6(t, dnsmasqReply6Hex),
			`7 1222f8 00005e00531f duid=00010001329459c900005e00531f fqdn="desk-17.corp.example" [{2001:db8:7::5d 7200}]`, nil},
		{"dhclient gives back", captured6(t, dhclientRelease6Hex),
			`8 8d8b6c 00005e00531f duid=00010001329459c900005e00531f fqdn="desk-17.corp.example" [{2001:db8:7::5d 0}]`, nil},
		{"relayed twice", relayed(relayForward, relayed(relayForward, build6(Request6, 7, duid(clientMAC)), relayMAC)),
			"3 7 00005e005399 duid=000100012c01020300005e00531f fqdn=\"\" []", nil},
		{"temporary address", build6(Reply6, 7, option{opt6IATA, append(make([]byte, 4), options6(address("2001:db8::1", 60))...)}),
			"7 7 000000000000 duid= fqdn=\"\" [{2001:db8::1 60}]", nil},
		{"association refused", build6(Reply6, 7, association("2001:db8::1", 60),
			option{opt6IANA, append(make([]byte, 12), options6(address("2001:db8::2", 60), status(2))...)}),
			"7 7 000000000000 duid= fqdn=\"\" [{2001:db8::1 60}]", nil},
		{"address refused", build6(Reply6, 7, association("2001:db8::1", 60, status(4)), association("2001:db8::2", 60, status(0))),
			"7 7 000000000000 duid= fqdn=\"\" [{2001:db8::2 60}]", nil},
		{"addresses that are none", build6(Reply6, 7, association("::", 60), association("::ffff:10.0.0.1", 60)),
			"7 7 000000000000 duid= fqdn=\"\" []", nil},
		{"DUID without an address", build6(Solicit6, 7, option{opt6ClientID, []byte{0, 4, 0, 1, 2, 3, 4, 5, 6, 7}}),
			"1 7 000000000000 duid=00040001020304050607 fqdn=\"\" []", nil},
		{"DUID-LL", build6(Solicit6, 7, option{opt6ClientID, append([]byte{0, duidLL, 0, 1}, clientMAC[:]...)}),
			"1 7 00005e00531f duid=0003000100005e00531f fqdn=\"\" []", nil},
		{"unknown type", build6(36, 7), "", ErrMalformed},
		{"type 0", build6(0, 7), "", ErrMalformed},
		{"relay without a message", append([]byte{byte(relayForward), 0}, make([]byte, 32)...), "", ErrMalformed},
		{"more relays than there may be", envelope, "", ErrMalformed},
		{"short association", build6(Reply6, 7, option{opt6IANA, make([]byte, 11)}), "", ErrTruncated},
		{"short address", build6(Reply6, 7, option{opt6IANA, append(make([]byte, 12), options6(option{opt6IAAddr, make([]byte, 23)})...)}), "", ErrTruncated},
		{"empty", nil, "", ErrTruncated},
	}
	var m Message6
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := m.Parse(tt.message); !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if got := summary6(&m); tt.err == nil && got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestParse6Bounded wants a message full of addresses to be kept up to a bound.
func TestParse6Bounded(t *testing.T) {
	var options []option
	addr := netip.MustParseAddr("2001:db8::1")
	for range 1000 {
		options = append(options, association(addr.String(), 60))
		addr = addr.Next()
	}
	var m Message6
	if err := m.Parse(build6(Reply6, 1, options...)); err != nil {
		t.Fatal(err)
	}
	if len(m.Addrs) != maxAddrs {
		t.Errorf("%d addresses, want %d", len(m.Addrs), maxAddrs)
	}
}

// TestParse6Truncated cuts messages at every length. Between two options of the message itself the cut cannot be seen.
func TestParse6Truncated(t *testing.T) {
	plain := build6(Reply6, 1, duid(clientMAC), name6("a.example"), association("2001:db8::1", 60, status(0)))
	borders := []int{4}
	for c := (cursor{b: plain[4:]}); len(c.b) > 0; {
		c.option6()
		borders = append(borders, len(plain)-len(c.b))
	}
	for n := range plain {
		var m Message6
		err := m.Parse(plain[:n])
		if want := slices.Contains(borders, n); want != (err == nil) || !want && !errors.Is(err, ErrTruncated) {
			t.Errorf("cut to %d: error %v", n, err)
		}
	}
	envelope := relayed(relayForward, plain)
	for n := range envelope {
		var m Message6
		if err := m.Parse(envelope[:n]); err == nil {
			t.Errorf("cut the envelope to %d: no error", n)
		}
	}
}

func TestAppendName(t *testing.T) {
	long := bytes.Repeat(append([]byte{63}, bytes.Repeat([]byte("a"), 63)...), 4)
	tests := []struct {
		name string
		wire []byte
		want string
	}{
		{"whole", wireName("desk.example"), "desk.example"},
		{"without an end", []byte{4, 'd', 'e', 's', 'k'}, "desk"},
		{"root", []byte{0}, ""},
		{"nothing", nil, ""},
		{"label beyond the end", []byte{5, 'd', 'e', 's', 'k'}, ""},
		{"second label beyond the end", []byte{1, 'd', 9, 'e'}, ""},
		{"pointer", []byte{1, 'd', 0xc0, 0}, ""},
		{"longer than a name", long, ""},
		{"behind the end", []byte{1, 'd', 0, 1, 'e'}, "d"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := appendName([]byte("x:"), tt.wire); string(got) != "x:"+tt.want {
				t.Errorf("got %q, want %q", got, "x:"+tt.want)
			}
		})
	}
}
