package afpacket

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDefaultRoute4(t *testing.T) {
	const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	for _, tt := range []struct {
		name, table, want string
	}{
		{"none", head, ""},
		{"empty", "", ""},
		{"one", head + "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n", "eth0"},
		{"only a net", head + "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n", ""},
		{"half of everything", head + "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n", ""},
		{"lowest metric", head + "wlan0\t00000000\t010200C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n" +
			"eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n", "eth0"},
		{"down", head + "eth0\t00000000\t010200C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\n", ""},
		{"unreachable", head + "*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n", ""},
		{"cut line", head + "eth0\t00000000\t0102", ""},
		{"metric that is no number", head + "eth0\t00000000\t010200C0\t0003\t0\t0\tx\t00000000\t0\t0\t0\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tables[0].defaultRoute(strings.NewReader(tt.table)); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestDefaultRoute6(t *testing.T) {
	zero, gateway := strings.Repeat("0", 32), "fd"+strings.Repeat("0", 29)+"1"
	line := func(dst, prefix, metric, flags, name string) string {
		return strings.Join([]string{dst, prefix, zero, "00", gateway, metric, "00000002", "00000000", flags, name}, " ") + "\n"
	}
	for _, tt := range []struct {
		name, table, want string
	}{
		{"empty", "", ""},
		{"one", line(zero, "00", "00000400", "00000003", "eth0"), "eth0"},
		{"unreachable on lo", line(zero, "00", "ffffffff", "00200200", "lo"), ""},
		{"link local", line("fe80"+zero[4:], "40", "00000100", "00000001", "eth0"), ""},
		{"lowest metric", line(zero, "00", "00000400", "00000003", "eth1") + line(zero, "00", "00000064", "00000003", "eth0"), "eth0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tables[1].defaultRoute(strings.NewReader(tt.table)); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestStateOfMissing(t *testing.T) {
	for _, tt := range []struct{ name, iface string }{
		{"absent", "gnomon-none"},
		{"name too long", "an-interface-name-of-many-letters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := State(tt.iface); !errors.Is(err, unix.ENODEV) {
				t.Errorf("State gives %v, want ENODEV", err)
			}
			if _, err := Offloads(tt.iface); !errors.Is(err, unix.ENODEV) {
				t.Errorf("Offloads gives %v, want ENODEV", err)
			}
		})
	}
}

func TestFanoutOption(t *testing.T) {
	for _, tt := range []struct {
		name        string
		group, want int
	}{
		{"new", newGroup, 0x2000_0000},
		{"the first since the system started", 0, 0},
		{"one", 1, 1},
		{"last", 0xffff, 0xffff},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fanoutOption(tt.group); got != tt.want {
				t.Errorf("%#x, want %#x", got, tt.want)
			}
		})
	}
}
