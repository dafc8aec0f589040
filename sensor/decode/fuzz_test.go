package decode

import (
	"testing"
	"unsafe"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// within says whether part lies in whole.
func within(part, whole []byte) bool {
	if len(part) == 0 {
		return true
	}
	at, from := uintptr(unsafe.Pointer(unsafe.SliceData(part))), uintptr(unsafe.Pointer(unsafe.SliceData(whole)))
	return at >= from && at+uintptr(len(part)) <= from+uintptr(len(whole))
}

// FuzzBatch takes any bytes as frames of any link type: no panic, and a payload lies within its frame or a reassembled datagram.
func FuzzBatch(f *testing.F) {
	inner := eth(etherIPv4, hello4())
	whole := udp(5000, 443, pattern(100))
	for _, b := range [][]byte{
		inner, eth(etherVLAN, vlan(7, etherIPv6, hello6())),
		eth(etherIPv4, v4(UDP, udp(1, 4789, vxlanOf(8, [3]byte{}, inner)))),
		eth(etherIPv4, v4(47, cat(be16(0x3000), be16(0x88be), be32(9), be32(5), make([]byte, 8), inner))),
		eth(etherIPv4, v4(UDP, udp(2152, 2152, gtpuOf(0x34, cat([]byte{0, 0, 0, 0x85}, []byte{1, 0x10, 9, 0}), hello4())))),
		eth(etherIPv4, v4(UDP, udp(51111, 52222, teredo6()))),
		eth(etherIPv6, frag6(1, protoDestOpts, whole, 0, 48)), eth(etherIPv4, frag4(1, whole, 48, 108)),
		eth(etherMPLS, cat([]byte{0, 1, 0x21, 64}, inner)),
	} {
		f.Add(uint16(linkEthernet), b, uint16(0))
	}
	f.Add(uint16(linkSLL), cat(be16(4), be16(1), be16(6), macA, be16(0), be16(etherIPv4), hello4()), uint16(0))
	f.Add(uint16(linkRadiotap), cat([]byte{0, 0, 9, 0, 2, 0, 0, 0, 0x20, 0x88, 1, 0, 0}, macB, macA, macB, make([]byte, 6),
		[]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(etherIPv4), hello4()), uint16(100))
	f.Add(uint16(linkNFLOG), cat([]byte{2, 0, 0, 5}, []byte{byte(4 + len(hello4())), 0, 9, 0}, hello4()), uint16(0))
	f.Add(uint16(linkPPP), cat([]byte{0xff, 3, 0, 0x21}, hello4()), uint16(3))
	f.Fuzz(func(t *testing.T, link uint16, data []byte, missing uint16) {
		d := New(testSeed)
		frame := capture.Frame{Data: data, WireLen: uint32(len(data)) + uint32(missing), Link: capture.LinkType(link)}
		// The frame as it is, then cut in two: what fragments leave behind meets other bytes.
		half := frame
		half.Data = data[len(data)/2:]
		frames := []capture.Frame{frame, half, frame}
		var s [3]Segment
		n := d.Batch(s[:], frames)
		for i := range s[:n] {
			inFrame := within(s[i].Payload, data)
			for _, g := range d.frags.ready {
				inFrame = inFrame || within(s[i].Payload, g.buf)
			}
			if !inFrame {
				t.Errorf("the payload of segment %d lies elsewhere", i)
			}
			if int(s[i].Len) < len(s[i].Payload) {
				t.Errorf("%d bytes of %d", len(s[i].Payload), s[i].Len)
			}
			if p := s[i].Key.Proto; p != TCP && p != UDP || s[i].Dir > 1 || s[i].Hash != s[i].Key.hash(&d.seed) {
				t.Errorf("segment %+v", s[i])
			}
		}
		var lost uint64
		stats := d.Stats()
		for _, r := range Reasons() {
			lost += stats.Undecoded[r]
		}
		if stats.Frames != 3 || stats.Segments != uint64(n) || lost+uint64(n) != 3 {
			t.Errorf("%+v", stats)
		}
		if d.frags.held > d.frags.budget {
			t.Errorf("%d bytes held", d.frags.held)
		}
	})
}

// FuzzPeer compares with gopacket wherever both read the frame.
func FuzzPeer(f *testing.F) {
	f.Add(eth(etherIPv4, hello4()))
	f.Add(eth(etherVLAN, vlan(7, etherIPv6, hello6())))
	f.Add(eth(etherIPv4, v4(UDP, udp(5000, 443, []byte("datagram")))))
	f.Add(eth(etherVLAN, vlan(7, etherVLAN, vlan(8, etherIPv6, v6(UDP, udp(5000, 443, []byte("datagram")))))))
	p := newPeer()
	f.Fuzz(func(t *testing.T, frame []byte) {
		agree(t, p, frame)
	})
}
