package decode

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// alike decodes a frame in one piece and layer by layer: both must say the same.
func alike(t *testing.T, f *capture.Frame) {
	t.Helper()
	d := New(testSeed)
	var one, other Segment
	if f.VLANValid {
		one.Link.VLAN, other.Link.VLAN = 1+f.VLAN&0xfff, 1+f.VLAN&0xfff
	}
	if !d.fast(&one, f) {
		return
	}
	if int(f.WireLen) > len(f.Data) {
		d.rest = min(int(f.WireLen)-len(f.Data), maxRest)
	}
	if reason := d.link(&other, f.Link, f.Data); reason != Decoded {
		t.Fatalf("%x is decoded at once, and by layers it is %v", f.Data, reason)
	}
	if !bytes.Equal(one.Payload, other.Payload) {
		t.Fatalf("%x: payloads differ", f.Data)
	}
	one.Payload, other.Payload = nil, nil
	if one.Key != other.Key || one.Hash != other.Hash || one.Len != other.Len || one.Seq != other.Seq || one.Ack != other.Ack ||
		one.Window != other.Window || one.Flags != other.Flags || one.Dir != other.Dir || one.Link != other.Link {
		t.Fatalf("%x:\n%+v at once,\n%+v by layers", f.Data, one, other)
	}
}

// The usual frames are decoded in one piece, cut at any length or changed in any octet they are what the layers say.
func TestFast(t *testing.T) {
	for _, k := range frameKinds() {
		t.Run(k.name, func(t *testing.T) {
			var s Segment
			usual := map[string]bool{"TCP4": true, "TCP6": true, "UDP4": true, "UDP6": true, "VLAN": true, "QinQ": true}[k.name]
			if got := New(testSeed).fast(&s, &capture.Frame{Data: k.b, WireLen: uint32(len(k.b)), Link: linkEthernet}); got != usual {
				t.Errorf("decoded in one piece: %v, want %v", got, usual)
			}
			for n := range len(k.b) {
				alike(t, &capture.Frame{Data: k.b[:n], WireLen: uint32(len(k.b)), Link: linkEthernet})
				alike(t, &capture.Frame{Data: k.b[:n], WireLen: uint32(n), Link: linkEthernet, VLANValid: true, VLAN: 9})
			}
			for i := range min(len(k.b), 100) {
				for _, x := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255} {
					b := bytes.Clone(k.b)
					b[i] ^= x
					alike(t, &capture.Frame{Data: append(b, 0, 0, 0), WireLen: uint32(len(b)) + 3, Link: linkEthernet})
				}
			}
		})
	}
}

func FuzzFast(f *testing.F) {
	for _, k := range frameKinds() {
		f.Add(k.b, uint16(len(k.b)))
	}
	f.Fuzz(func(t *testing.T, b []byte, wire uint16) {
		alike(t, &capture.Frame{Data: b, WireLen: uint32(wire), Link: linkEthernet})
		if len(b) > 14 { // whatever it was, as IPv4
			binary.BigEndian.PutUint16(b[12:], etherIPv4)
			alike(t, &capture.Frame{Data: b, WireLen: uint32(wire), Link: linkEthernet})
		}
	})
}
