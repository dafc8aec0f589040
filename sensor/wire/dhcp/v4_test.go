package dhcp

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// summary is a message in one line.
func summary(m *Message) string {
	return fmt.Sprintf("%d reply=%v %x %x client=%v yours=%v relay=%v wanted=%v server=%v lease=%d/%v host=%q fqdn=%q id=%x", m.Type, m.Reply, m.ID, m.MAC,
		m.Client, m.Yours, m.Relay, m.Wanted, m.Server, m.Lease, m.HasLease, m.HostName, m.FQDN, m.ClientID)
}

func TestParse(t *testing.T) {
	plain := fixed{op: opRequest, hardware: 1, length: 6, id: 1, mac: clientMAC}
	const head = "1 00005e00531f client=invalid IP yours=invalid IP relay=invalid IP "
	tests := []struct {
		name    string
		message []byte
		want    string
		err     error
	}{
		{"udhcpc asks", captured4(t, udhcpcRequestHex), "3 reply=false 419f9026 00005e00531f client=invalid IP yours=invalid IP relay=invalid IP " +
			`wanted=192.0.2.58 server=192.0.2.1 lease=0/false host="desk-17" fqdn="desk-17.corp.example" id=0100005e00531f`, nil},
		{"dhclient asks", captured4(t, dhclientRequestHex), "3 reply=false 456e4a67 00005e00531f client=invalid IP yours=invalid IP relay=invalid IP " +
			`wanted=192.0.2.58 server=192.0.2.1 lease=0/false host="desk-17" fqdn="desk-17.corp.example" id=`, nil},
		{"dnsmasq answers", captured4(t, dnsmasqAckHex), "5 reply=true 456e4a67 00005e00531f client=invalid IP yours=192.0.2.58 relay=invalid IP " +
			`wanted=invalid IP server=192.0.2.1 lease=7200/true host="desk-17" fqdn="desk-17.corp.example" id=`, nil},
		{"relayed", ack(), "5 reply=true 3903f326 00005e00531f client=invalid IP yours=10.1.2.3 relay=10.1.2.254 wanted=invalid IP server=10.1.2.1 " +
			`lease=86400/true host="" fqdn="" id=`, nil},
		{"name in pieces", build4(plain, option{optHostName, []byte("des")}, typed(Inform), option{optHostName, []byte("k-17")}),
			"8 reply=false " + head + `wanted=invalid IP server=invalid IP lease=0/false host="desk-17" fqdn="" id=`, nil},
		{"overloaded", build4(fixed{op: opRequest, hardware: 1, length: 6, id: 1, mac: clientMAC, fileOptions: options4(typed(Request), option{optHostName, []byte("in-")}),
			serverField: options4(option{optHostName, []byte("both")})}, option{optOverload, []byte{3}}),
			"3 reply=false " + head + `wanted=invalid IP server=invalid IP lease=0/false host="in-both" fqdn="" id=`, nil},
		{"no ethernet", build4(fixed{op: opRequest, hardware: 32, length: 16, id: 1, mac: clientMAC}, typed(Discover)),
			"1 reply=false 1 000000000000 client=invalid IP yours=invalid IP relay=invalid IP wanted=invalid IP server=invalid IP lease=0/false host=\"\" fqdn=\"\" id=", nil},
		{"group's address", build4(fixed{op: opRequest, hardware: 1, length: 6, id: 1, mac: MAC{1, 0, 0x5e}}, typed(Discover)),
			"1 reply=false 1 000000000000 client=invalid IP yours=invalid IP relay=invalid IP wanted=invalid IP server=invalid IP lease=0/false host=\"\" fqdn=\"\" id=", nil},
		{"options of odd length", build4(plain, typed(Request), option{optLease, []byte{1}}, option{optRequestedIP, []byte{1, 2}}, option{optServerID, nil}, option{optFQDN, []byte{4, 0}}),
			"3 reply=false " + head + `wanted=invalid IP server=invalid IP lease=0/false host="" fqdn="" id=`, nil},
		{"compressed FQDN", build4(plain, typed(Request), option{optFQDN, []byte{4, 0, 0, 1, 'a', 0xc0, 12}}),
			"3 reply=false " + head + `wanted=invalid IP server=invalid IP lease=0/false host="" fqdn="" id=`, nil},
		{"first label alone", build4(plain, typed(Request), option{optFQDN, []byte{4, 0, 0, 1, 'a'}}),
			"3 reply=false " + head + `wanted=invalid IP server=invalid IP lease=0/false host="" fqdn="a" id=`, nil},
		{"BOOTP", build4(plain), "", ErrMalformed},
		{"another cookie", bytes.Replace(ack(), []byte{0x63, 0x82, 0x53, 0x63}, []byte{0x63, 0x82, 0x53, 0x64}, 1), "", ErrMalformed},
		{"another operation", build4(fixed{op: 3, hardware: 1, length: 6}, typed(Ack)), "", ErrMalformed},
		{"hardware address too long", build4(fixed{op: 1, hardware: 1, length: 17}, typed(Ack)), "", ErrMalformed},
		{"overload without an end", build4(fixed{op: opRequest, hardware: 1, length: 6, fileOptions: bytes.Repeat([]byte{200, 0}, 64)},
			typed(Request), option{optOverload, []byte{overloadFile}}), "", ErrTruncated},
		{"empty", nil, "", ErrTruncated},
	}
	var m Message
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := m.Parse(tt.message); !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if got := summary(&m); tt.err == nil && got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestParseLongName wants a name that goes on for ever to be kept up to a bound.
func TestParseLongName(t *testing.T) {
	options := []option{typed(Request)}
	for range 100 {
		options = append(options, option{optHostName, bytes.Repeat([]byte("x"), 255)}, option{optFQDN, bytes.Repeat([]byte("y"), 255)},
			option{optClientID, bytes.Repeat([]byte("z"), 255)})
	}
	var m Message
	if err := m.Parse(build4(fixed{op: opRequest, hardware: 1, length: 6}, options...)); err != nil {
		t.Fatal(err)
	}
	for what, kept := range map[string][]byte{"host name": m.HostName, "FQDN": m.FQDN, "client id": m.ClientID} {
		if len(kept) > maxOption {
			t.Errorf("%s of %d octets is kept, at most %d", what, len(kept), maxOption)
		}
	}
}

// TestParseTruncated cuts messages at every length before their end mark.
func TestParseTruncated(t *testing.T) {
	for name, whole := range map[string][]byte{"request": request(), "ack": ack(), "udhcpc": captured4(t, udhcpcRequestHex),
		"dhclient": captured4(t, dhclientRequestHex), "dnsmasq": captured4(t, dnsmasqAckHex)} {
		t.Run(name, func(t *testing.T) {
			var m Message
			end := bytes.LastIndexByte(whole, optEnd)
			for n := range end {
				if err := m.Parse(whole[:n]); !errors.Is(err, ErrTruncated) {
					t.Fatalf("cut to %d of %d: error %v, want %v", n, end, err, ErrTruncated)
				}
			}
			if err := m.Parse(whole[:end+1]); err != nil {
				t.Errorf("cut behind the end mark: %v", err)
			}
		})
	}
}

// TestParseAgainstGopacket asks another reader for its opinion.
func TestParseAgainstGopacket(t *testing.T) {
	for name, b := range map[string][]byte{"request": request(), "ack": ack(), "udhcpc": captured4(t, udhcpcRequestHex),
		"dhclient": captured4(t, dhclientRequestHex), "dnsmasq": captured4(t, dnsmasqAckHex)} {
		t.Run(name, func(t *testing.T) {
			var their layers.DHCPv4
			if err := their.DecodeFromBytes(b, gopacket.NilDecodeFeedback); err != nil {
				t.Fatal(err)
			}
			var m Message
			if err := m.Parse(b); err != nil {
				t.Fatal(err)
			}
			want := Message{Reply: their.Operation == layers.DHCPOpReply, ID: their.Xid, MAC: MAC(their.ClientHWAddr),
				Client: addr4(their.ClientIP.To4()), Yours: addr4(their.YourClientIP.To4()), Relay: addr4(their.RelayAgentIP.To4())}
			for _, o := range their.Options {
				switch o.Type {
				case layers.DHCPOptMessageType:
					want.Type = Type(o.Data[0])
				case layers.DHCPOptHostname:
					want.HostName = o.Data
				case layers.DHCPOptClientID:
					want.ClientID = o.Data
				case layers.DHCPOptRequestIP:
					want.Wanted, _ = netip.AddrFromSlice(o.Data)
				case layers.DHCPOptServerID:
					want.Server, _ = netip.AddrFromSlice(o.Data)
				case layers.DHCPOptLeaseTime:
					c := cursor{b: o.Data}
					want.Lease, want.HasLease = c.uint32(), true
				}
			}
			want.FQDN = m.FQDN // it does not read that one
			if got, want := summary(&m), summary(&want); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// TestParseForgets wants nothing of one message in the next.
func TestParseForgets(t *testing.T) {
	var used, fresh Message
	if err := used.Parse(request()); err != nil {
		t.Fatal(err)
	}
	release := build4(fixed{op: opRequest, hardware: 1, length: 6, client: "10.1.2.3"}, typed(Release))
	if err := errors.Join(used.Parse(release), fresh.Parse(release)); err != nil {
		t.Fatal(err)
	}
	if got, want := summary(&used), summary(&fresh); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if reflect.DeepEqual(fresh, Message{}) {
		t.Error("a release gave an empty message")
	}
}

func TestParseAllocs(t *testing.T) {
	message, message6 := request(), reply6()
	var m Message
	var m6 Message6
	if n := testing.AllocsPerRun(100, func() {
		if m.Parse(message) != nil || m6.Parse(message6) != nil {
			t.Fatal("a message was not read")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	message := request()
	var m Message
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Parse(message); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse6(b *testing.B) {
	message := reply6()
	var m Message6
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Parse(message); err != nil {
			b.Fatal(err)
		}
	}
}
