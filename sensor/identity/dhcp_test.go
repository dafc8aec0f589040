package identity

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dhcp"
)

// message4 writes a message of IPv4: its type, the client's card, two addresses and options.
func message4(reply bool, typ dhcp.Type, mac dhcp.MAC, client, yours string, options ...[]byte) []byte {
	b := make([]byte, 236, 300)
	b[0], b[1], b[2] = 1, 1, 6
	if reply {
		b[0] = 2
	}
	b[7] = 77 // of the transaction
	if client != "" {
		copy(b[12:], netip.MustParseAddr(client).AsSlice())
	}
	if yours != "" {
		copy(b[16:], netip.MustParseAddr(yours).AsSlice())
	}
	copy(b[28:], mac[:])
	b = append(b, 0x63, 0x82, 0x53, 0x63, 53, 1, byte(typ))
	for _, o := range options {
		b = append(b, o...)
	}
	return append(b, 255)
}

func opt(code byte, value []byte) []byte { return append([]byte{code, byte(len(value))}, value...) }

func lease(seconds uint32) []byte { return opt(51, binary.BigEndian.AppendUint32(nil, seconds)) }

func name(s string) []byte { return opt(12, []byte(s)) }

// message6 writes a message of IPv6 with a client whose DUID holds mac.
func message6(typ dhcp.Type6, mac dhcp.MAC, addr string, seconds uint32, fqdn string) []byte {
	b := append([]byte{byte(typ), 0, 0, 77, 0, 1, 0, 10, 0, 3, 0, 1}, mac[:]...)
	if fqdn != "" {
		wire := append([]byte{1, byte(len(fqdn))}, fqdn...)
		b = append(append(b, 0, 39, 0, byte(len(wire))), wire...)
	}
	if addr != "" {
		b = append(b, 0, 3, 0, 40, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 24)
		b = append(append(b, netip.MustParseAddr(addr).AsSlice()...), 0, 0, 0, 0)
		b = binary.BigEndian.AppendUint32(b, seconds)
	}
	return b
}

func TestDHCP(t *testing.T) {
	const second = event.Time(1e9)
	start := on("2026-05-04")
	type seen struct {
		after event.Time
		bytes []byte
	}
	mac := card(1)
	v6 := netip.MustParseAddr("2001:db8::1")
	tests := []struct {
		name    string
		traffic []seen
		addr    netip.Addr
		at      event.Time
		host    string
		mac     dhcp.MAC
	}{
		{"asked and granted", []seen{{0, message4(false, dhcp.Request, mac, "", "", name("Desk-1"))},
			{second, message4(true, dhcp.Ack, mac, "", "10.0.0.1", lease(3600))}}, desk, 60 * second, "desk-1", mac},
		{"asked alone", []seen{{0, message4(false, dhcp.Request, mac, "", "", name("desk"), opt(50, desk.AsSlice()))}}, desk, second, "", dhcp.MAC{}},
		{"offered alone", []seen{{0, message4(true, dhcp.Offer, mac, "", "10.0.0.1", lease(3600), name("desk"))}}, desk, second, "", dhcp.MAC{}},
		{"refused", []seen{{0, message4(true, dhcp.Nak, mac, "", "10.0.0.1", lease(3600), name("desk"))}}, desk, second, "", dhcp.MAC{}},
		{"granted by a client", []seen{{0, message4(false, dhcp.Ack, mac, "", "10.0.0.1", lease(3600), name("desk"))}}, desk, second, "", dhcp.MAC{}},
		{"server's name first", []seen{{0, message4(false, dhcp.Request, mac, "", "", name("mine"))},
			{second, message4(true, dhcp.Ack, mac, "", "10.0.0.1", lease(3600), name("yours"))}}, desk, 60 * second, "yours", mac},
		{"no name", []seen{{0, message4(true, dhcp.Ack, mac, "", "10.0.0.1", lease(3600))}}, desk, second, "", mac},
		{"another card's question", []seen{{0, message4(false, dhcp.Request, card(2), "", "", name("other"))},
			{second, message4(true, dhcp.Ack, mac, "", "10.0.0.1", lease(3600))}}, desk, 60 * second, "", mac},
		{"question too long ago", []seen{{0, message4(false, dhcp.Request, mac, "", "", name("desk"))},
			{61 * second, message4(true, dhcp.Ack, mac, "", "10.0.0.1", lease(3600))}}, desk, 62 * second, "", mac},
		{"before", []seen{{second, message4(true, dhcp.Ack, mac, "", "10.0.0.1", lease(3600), name("desk"))}}, desk, 0, "", dhcp.MAC{}},
		{"lease over", []seen{{0, message4(true, dhcp.Ack, mac, "", "10.0.0.1", lease(60), name("desk"))}}, desk, 60 * second, "", dhcp.MAC{}},
		{"for ever", []seen{{0, message4(true, dhcp.Ack, mac, "", "10.0.0.1", lease(dhcp.Infinite), name("desk"))}}, desk, 1e6 * second, "desk", mac},
		{"confirmed without a lease", []seen{{0, message4(false, dhcp.Inform, mac, "10.0.0.1", "", name("desk"))},
			{second, message4(true, dhcp.Ack, mac, "10.0.0.1", "")}}, desk, 3600 * second, "desk", mac},
		{"confirmation too old", []seen{{0, message4(true, dhcp.Ack, mac, "10.0.0.1", "", name("desk"))}}, desk, 3600 * second, "", dhcp.MAC{}},
		{"released", []seen{{0, message4(true, dhcp.Ack, mac, "", "10.0.0.1", lease(3600), name("desk"))},
			{second, message4(false, dhcp.Release, mac, "10.0.0.1", "")}}, desk, 2 * second, "", dhcp.MAC{}},
		{"declined", []seen{{0, message4(true, dhcp.Ack, mac, "", "10.0.0.1", lease(3600), name("desk"))},
			{second, message4(false, dhcp.Decline, mac, "", "", opt(50, desk.AsSlice()))}}, desk, 2 * second, "", dhcp.MAC{}},
		{"released by another", []seen{{0, message4(true, dhcp.Ack, mac, "", "10.0.0.1", lease(3600), name("desk"))},
			{second, message4(false, dhcp.Release, card(2), "10.0.0.1", "")}}, desk, 2 * second, "desk", mac},
		{"hostile name", []seen{{0, message4(true, dhcp.Ack, mac, "", "10.0.0.1", lease(3600), name("de\x1bsk"))}}, desk, second, "", mac},
		{"no name of its own", []seen{{0, message4(true, dhcp.Ack, mac, "", "10.0.0.1", lease(3600), name("localhost"))}}, desk, second, "", mac},
		{"IPv6", []seen{{0, message6(dhcp.Request6, mac, "", 0, "Desk6")}, {second, message6(dhcp.Reply6, mac, "2001:db8::1", 600, "")}}, v6, 9 * second, "desk6", mac},
		{"IPv6 advertised alone", []seen{{0, message6(dhcp.Advertise6, mac, "2001:db8::1", 600, "desk6")}}, v6, second, "", dhcp.MAC{}},
		{"IPv6 lease over", []seen{{0, message6(dhcp.Reply6, mac, "2001:db8::1", 600, "desk6")}}, v6, 600 * second, "", dhcp.MAC{}},
		{"IPv6 released", []seen{{0, message6(dhcp.Reply6, mac, "2001:db8::1", 600, "desk6")}, {second, message6(dhcp.Release6, mac, "2001:db8::1", 0, "")}},
			v6, 2 * second, "", dhcp.MAC{}},
		{"IPv6 ended by the server", []seen{{0, message6(dhcp.Reply6, mac, "2001:db8::1", 600, "desk6")}, {second, message6(dhcp.Reply6, mac, "2001:db8::1", 0, "")}},
			v6, 2 * second, "", dhcp.MAC{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDHCP(NewBindings(100), time.Hour)
			for _, s := range tt.traffic {
				read := d.Datagram4
				if tt.addr.Is6() {
					read = d.Datagram6
				}
				if err := read(s.bytes, start+s.after); err != nil {
					t.Fatal(err)
				}
			}
			got, _ := d.bindings.Lookup(tt.addr, start+tt.at)
			if got.Host != tt.host || got.MAC != tt.mac {
				t.Errorf("got %q %x, want %q %x", got.Host, got.MAC, tt.host, tt.mac)
			}
		})
	}
}

// TestDHCPBounded floods with questions that nobody answers.
func TestDHCPBounded(t *testing.T) {
	d := newDHCP(NewBindings(100), time.Hour)
	for i := range 3 * maxPending {
		m := message4(false, dhcp.Request, card(1), "", "", name("desk"))
		binary.BigEndian.PutUint32(m[4:], uint32(i))
		if err := d.Datagram4(m, 1); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.pending) != maxPending {
		t.Errorf("%d questions are remembered, want %d", len(d.pending), maxPending)
	}
}

func TestDHCPDamaged(t *testing.T) {
	d := newDHCP(NewBindings(100), time.Hour)
	if err := d.Datagram4([]byte{1, 1, 6}, 1); !errors.Is(err, dhcp.ErrTruncated) {
		t.Errorf("error %v", err)
	}
	if err := d.Datagram6([]byte{0, 1, 6, 7}, 1); !errors.Is(err, dhcp.ErrMalformed) {
		t.Errorf("error %v", err)
	}
}
