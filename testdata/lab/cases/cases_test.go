package cases

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
)

func TestTable(t *testing.T) {
	known := map[string]bool{}
	for _, c := range clients.All("lab") {
		known[c.Name] = true
	}
	seen := map[string]bool{}
	for _, c := range slices.Concat(Table(), Matrix(), Derivation()) {
		t.Run(c.Name, func(t *testing.T) {
			if seen[c.Name] {
				t.Error("two cases have this name")
			}
			seen[c.Name] = true
			if !known[c.Client] || c.Why == "" || len(c.Requests) == 0 {
				t.Errorf("client %q, why %q, %d requests", c.Client, c.Why, len(c.Requests))
			}
			zone, err := c.zone()
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range c.Names {
				if _, _, ok := zone.Addresses(n.Host); !ok {
					t.Errorf("%s has no address", n.Host)
				}
			}
			about := string(c.about([]string{"program 1"}))
			for _, want := range []string{c.Why, "program 1", "Licence:", c.Requests[0].URL, c.Rewrite.note} {
				if !strings.Contains(about, want) {
					t.Errorf("ABOUT lacks %q:\n%s", want, about)
				}
			}
		})
	}
}

func TestVerify(t *testing.T) {
	requests := list(post("a.example", 100, 1), post("a.example", 20, 1), get("b.example", 1))
	tests := []struct {
		name  string
		hosts []truth.Host
		want  string // part of the error, or empty
	}{
		{"all there", []truth.Host{{Name: "a.example", Uploaded: 120}, {Name: "b.example"}}, ""},
		{"too little", []truth.Host{{Name: "a.example", Uploaded: 119}, {Name: "b.example"}}, "a.example was to get 120 bytes and got 119"},
		{"not asked at all", []truth.Host{{Name: "a.example", Uploaded: 120}}, "b.example"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := verify(requests, []truth.Record{
				{Kind: truth.KindConnection, Hosts: tt.hosts},
				{Kind: truth.KindProxied, Hosts: []truth.Host{{Name: "b.example", Uploaded: 7}}}, // the other leg must not count
			})
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestParseSquidLog(t *testing.T) {
	out := netip.MustParseAddrPort("10.20.0.128:50000")
	tests := []struct {
		name string
		log  string
		want []leg
		bad  bool
	}{
		{"empty", "", nil, false},
		{"probe without a request", "10.20.0.128 40000 - NONE error:transaction-end-before-headers 0 - 0 0 0 0 0\n", nil, false},
		{"tunnel", "10.20.1.11 40000 alice CONNECT chatgpt.com:443 200 10.20.0.128 50000 9000 160 3000 39\n",
			[]leg{{truth.Record{Name: "chatgpt.com", Protocol: "connect", User: "alice"}, []netip.AddrPort{out}}}, false},
		{"two requests on one connection",
			"10.20.1.11 40000 bob GET http://a.example/?down=7 200 10.20.0.128 50000 180 180 307 300\n" +
				"10.20.1.11 40000 bob POST http://b.example/ 200 - 0 280 180 310 300\n",
			[]leg{{truth.Record{Protocol: "http", User: "bob", Requests: 2, Uploaded: 100, Downloaded: 17}, []netip.AddrPort{out}}}, false},
		{"torn line", "10.20.1.11 40000 bob GET\n", nil, true},
		{"size that is none", "10.20.1.11 40000 bob GET http://a.example/ 200 - 0 x 180 307 300\n", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseSquidLog([]byte(tt.log))
			if (err != nil) != tt.bad {
				t.Fatalf("error is %v", err)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("got %d legs, want %d", len(got), len(tt.want))
			}
			for i, want := range tt.want {
				g := got[i].record
				if g.Name != want.record.Name || g.Protocol != want.record.Protocol || g.User != want.record.User ||
					g.Requests != want.record.Requests || g.Uploaded != want.record.Uploaded || g.Downloaded != want.record.Downloaded {
					t.Errorf("leg %d is %+v, want %+v", i, g, want.record)
				}
				if len(got[i].outgoing) != len(want.outgoing) || got[i].outgoing[0] != want.outgoing[0] {
					t.Errorf("leg %d went out from %v, want %v", i, got[i].outgoing, want.outgoing)
				}
			}
		})
	}
}

func TestStamp(t *testing.T) {
	records := []truth.Record{
		{Kind: truth.KindConnection, Client: netip.AddrPortFrom(desk, 1)},
		{Kind: truth.KindConnection, Client: netip.AddrPortFrom(proxy, 1)},
		{Kind: truth.KindDNS, Client: netip.AddrPortFrom(desk, 1)},
		{Kind: truth.KindConnection, Client: netip.AddrPortFrom(desk, 2), Program: "other 2"},
	}
	stamp(records, "program 1", desk)
	for i, want := range []string{"program 1", "", "", "other 2"} {
		if records[i].Program != want {
			t.Errorf("record %d has program %q, want %q", i, records[i].Program, want)
		}
	}
}

// What the estimate is measured on must not be what it was derived from.
func TestDerivationIsNotTheMatrix(t *testing.T) {
	measured := map[string]bool{}
	for _, c := range Matrix() {
		measured[fmt.Sprint(c.Client, c.Version, c.Requests)] = true
	}
	for _, c := range Derivation() {
		if measured[fmt.Sprint(c.Client, c.Version, c.Requests)] {
			t.Errorf("%s uploads what a case of the matrix does", c.Name)
		}
	}
}
