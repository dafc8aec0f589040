package afpacket

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestLiveOpenErrors(t *testing.T) {
	if !namespace(t) {
		return
	}
	ip(t, "link add gnd0 type veth peer name gnd2")
	_, err := Open(Config{Interfaces: []string{"gnd0", "gnd1"}})
	if !errors.Is(err, unix.ENODEV) || !strings.Contains(err.Error(), "opening capture on gnd1: ") || !strings.Contains(err.Error(), "gnd0") {
		t.Errorf("error %v, want one that names gnd1, and the interfaces there are", err)
	}
	if name, err := DefaultInterface(); err == nil {
		t.Errorf("the default interface is %q although none is up", name)
	}
	ip(t, "link set gnd0 up")
	if name, err := DefaultInterface(); err != nil || name != "gnd0" {
		t.Errorf("the default interface is %q, %v, want gnd0, the only one", name, err)
	}
	veth(t, "gnx0", "gnx1")
	ip(t, "addr add 192.0.2.1/24 dev gnx0")
	ip(t, "route add default via 192.0.2.2")
	if name, err := DefaultInterface(); err != nil || name != "gnx0" {
		t.Errorf("the default interface is %q, %v, want gnx0, which has the route", name, err)
	}
}

// TestLivePermission drops the privilege of its thread and is told what to do.
func TestLivePermission(t *testing.T) {
	if !namespace(t) {
		return
	}
	var data [2]unix.CapUserData // no capability at all
	if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0]); err != nil {
		t.Fatal(err)
	}
	_, err := Open(Config{Interfaces: []string{"lo"}})
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_RAW") {
		t.Errorf("error %v, want one of permission that names CAP_NET_RAW", err)
	}
}

func TestLiveStateAndOffloads(t *testing.T) {
	if !namespace(t) {
		return
	}
	ip(t, "link add gnx0 mtu 1400 type veth peer name gnx1")
	index, err := State("gnx0")
	if err != nil || index.Index == 0 {
		t.Fatalf("%+v, %v", index, err)
	}
	enter := here(t)
	for _, tt := range []struct {
		name string
		do   string
		want LinkState
	}{
		{"down", "link set gnx0 down", LinkState{MTU: 1400, Hardware: 1}},
		{"up without the other end", "link set gnx0 up", LinkState{MTU: 1400, Hardware: 1, Up: true}},
		{"up", "link set gnx1 up", LinkState{MTU: 1400, Hardware: 1, Up: true, Running: true}},
		{"promiscuous", "link set gnx0 promisc on", LinkState{MTU: 1400, Hardware: 1, Up: true, Running: true, Promiscuous: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			enter(t)
			ip(t, tt.do)
			tt.want.Index = index.Index
			for deadline := time.Now().Add(patience); ; { // the carrier comes a little later than the command ends
				got, err := State("gnx0")
				if err != nil {
					t.Fatal(err)
				}
				if got == tt.want {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("%+v, want %+v", got, tt.want)
				}
			}
		})
	}
	got, err := Offloads("gnx0")
	if err != nil || !got.GSO || !got.TSO || got.LRO {
		t.Errorf("offloads of a veth are %+v, %v, want GSO and TSO and no LRO", got, err)
	}
	if got, err := State("lo"); err != nil || !got.Loopback || got.Hardware != unix.ARPHRD_LOOPBACK {
		t.Errorf("the loopback is %+v, %v", got, err)
	}
}
