package identity

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dhcp"
)

var desk = netip.MustParseAddr("10.0.0.1")

func card(n byte) dhcp.MAC { return dhcp.MAC{0, 0, 0x5e, 0, 0x53, n} }

// device is a binding of desk.
func device(mac byte, host string, from, until event.Time) Binding {
	return Binding{Addr: desk, MAC: card(mac), Host: host, Source: SourceDHCP, Confidence: High, From: from, Until: until}
}

func user(name string, from, until event.Time) Binding {
	return Binding{Addr: desk, User: Name{name, ""}, Source: "kerberos", Confidence: High, From: from, Until: until}
}

func TestBindings(t *testing.T) {
	type end struct {
		mac byte
		at  event.Time
	}
	tests := []struct {
		name  string
		binds []Binding
		ends  []end
		want  map[event.Time]string // host|user at times
	}{
		{"one", []Binding{device(1, "a", 10, 20)}, nil, map[event.Time]string{9: "|", 10: "a|", 19: "a|", 20: "|"}},
		{"renewed", []Binding{device(1, "a", 10, 20), device(1, "a", 15, 30)}, nil, map[event.Time]string{10: "a|", 25: "a|", 30: "|"}},
		{"shortened", []Binding{device(1, "a", 10, 90), device(1, "a", 15, 30)}, nil, map[event.Time]string{29: "a|", 30: "|"}},
		{"renewed without a name", []Binding{device(1, "a", 10, 20), device(1, "", 15, 30)}, nil, map[event.Time]string{25: "a|"}},
		{"name comes later", []Binding{device(1, "", 10, 20), device(1, "a", 15, 30)}, nil, map[event.Time]string{12: "a|", 25: "a|"}},
		{"taken over", []Binding{device(1, "a", 10, 50), device(2, "b", 20, 30)}, nil, map[event.Time]string{19: "a|", 20: "b|", 30: "|", 40: "|"}},
		{"taken over by a nameless one", []Binding{device(1, "a", 10, 50), device(2, "", 20, 30)}, nil, map[event.Time]string{19: "a|", 20: "|"}},
		{"renamed", []Binding{device(1, "a", 10, 50), device(1, "b", 20, 30)}, nil, map[event.Time]string{19: "a|", 20: "b|", 30: "|"}},
		{"past told late", []Binding{device(2, "b", 20, 30), device(1, "a", 10, 50)}, nil, map[event.Time]string{9: "|", 19: "a|", 20: "b|", 30: "|"}},
		{"corrected", []Binding{device(1, "a", 10, 50), device(2, "b", 10, 50)}, nil, map[event.Time]string{10: "b|"}},
		{"released", []Binding{device(1, "a", 10, 50)}, []end{{1, 20}}, map[event.Time]string{19: "a|", 20: "|"}},
		{"released by another", []Binding{device(1, "a", 10, 50)}, []end{{2, 20}}, map[event.Time]string{20: "a|"}},
		{"ends before it begins", []Binding{device(1, "a", 10, 10)}, nil, map[event.Time]string{10: "|"}},
		{"user", []Binding{device(1, "a", 10, 50), user("anna", 12, 40)}, nil, map[event.Time]string{11: "a|", 12: "a|anna", 40: "a|"}},
		{"next user", []Binding{user("anna", 12, 40), user("ben", 20, 30)}, nil, map[event.Time]string{19: "|anna", 20: "|ben", 30: "|"}},
		{"another device ends the user", []Binding{device(1, "a", 10, 50), user("anna", 12, 40), device(2, "b", 20, 50)}, nil,
			map[event.Time]string{19: "a|anna", 20: "b|", 30: "b|"}},
		{"another device after the lease ends the user", []Binding{device(1, "a", 10, 15), user("anna", 12, 40), device(2, "b", 20, 50)}, nil,
			map[event.Time]string{19: "|anna", 20: "b|"}},
		{"renewal keeps the user", []Binding{device(1, "a", 10, 50), user("anna", 12, 40), device(1, "a", 20, 50)}, nil,
			map[event.Time]string{20: "a|anna"}},
		{"release ends the user", []Binding{device(1, "a", 10, 50), user("anna", 12, 40)}, []end{{1, 20}}, map[event.Time]string{19: "a|anna", 20: "|"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := NewBindings(100)
			for _, n := range tt.binds {
				b.Bind(n)
			}
			for _, e := range tt.ends {
				b.End(desk, card(e.mac), e.at)
			}
			for at, want := range tt.want {
				d, u := b.Lookup(desk, at)
				if got := d.Host + "|" + u.User.Key(); got != want {
					t.Errorf("at %d: got %q, want %q", at, got, want)
				}
			}
		})
	}
}

// TestBindingsAnyOrder compares lookups with the rule itself: the latest binding that has begun decides, whenever it was told.
func TestBindingsAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for round := range 500 {
		b := NewBindings(100)
		var told []Binding
		for i := range 1 + rng.IntN(maxHistory) {
			from := event.Time(10*rng.IntN(20) + i) // never two at once
			n := device(byte(1+i), fmt.Sprint("host", i), from, from+event.Time(1+rng.IntN(60)))
			told = append(told, n)
			b.Bind(n)
		}
		for at := event.Time(0); at < 300; at++ {
			want := ""
			began := event.Time(-1)
			for _, n := range told {
				if n.From <= at && n.From > began {
					began, want = n.From, ""
					if at < n.Until {
						want = n.Host
					}
				}
			}
			if got, _ := b.Lookup(desk, at); got.Host != want {
				t.Fatalf("round %d at %d: got %q, want %q of %v", round, at, got.Host, want, told)
			}
		}
	}
}

func TestBindingsBounded(t *testing.T) {
	b := NewBindings(1000)
	for i := range 5000 {
		b.Bind(Binding{Addr: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), Host: "h", From: 1, Until: 2})
		b.Bind(device(byte(i), fmt.Sprint(i), event.Time(i+1), event.Time(i+2))) // an address that changes hands all the time
	}
	kept, evicted := b.Len()
	if kept > 1000 || evicted < 4000 || len(b.addrs) != b.order.Len() {
		t.Errorf("%d bindings kept, %d addresses evicted, %d and %d listed", kept, evicted, len(b.addrs), b.order.Len())
	}
	if h := b.addrs[desk]; h == nil || len(h.devices) != maxHistory {
		t.Errorf("the address that was bound last: %+v", h)
	}
	if d, _ := b.Lookup(netip.AddrFrom4([4]byte{10, 0, 4999 >> 8, 4999 & 255}), 1); d.Host != "h" {
		t.Errorf("the last address is forgotten: %+v", d)
	}
}

func TestBindingsAllocs(t *testing.T) {
	b := NewBindings(100)
	b.Bind(device(1, "a", 10, 20))
	if n := testing.AllocsPerRun(100, func() { b.Lookup(desk, 15) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
