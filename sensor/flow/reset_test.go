package flow

import (
	"testing"
	"unsafe"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

// Of the flow that had a slot before nothing stays in the one that has it now.
func TestReset(t *testing.T) {
	var f Flow
	octets := unsafe.Slice((*byte)(unsafe.Pointer(&f)), flowSize)
	for i := range octets {
		octets[i] = 0xff
	}
	seg := decode.Segment{Key: decode.Key{A: decode.Address{Lo: 1}, B: decode.Address{Lo: 2}, Ports: 3, Proto: decode.TCP}, Hash: 4<<32 | 5, Time: 6,
		Link: decode.Link{VLAN: 7, Interface: 8, Tunnels: 9}}
	f.reset(&seg)
	want := Flow{Key: seg.Key, First: 6, Last: 6, State: Live, mark: 4, tag: 5, Iface: 8, VLAN: 7, Tunnels: 9}
	if f != want {
		t.Errorf("%+v, want %+v", f, want)
	}
}
