package afpacket

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzRing walks a ring whose blocks hold anything: every frame lies within its block, and the walk ends.
func FuzzRing(f *testing.F) {
	seed := fakeRing(2)
	seed.fill(0, fakeFrame{data: payload(1)}, fakeFrame{data: payload(2), hatype: unix.ARPHRD_NONE})
	seed.fill(1, fakeFrame{data: payload(3), status: unix.TP_STATUS_VLAN_VALID, tci: 5}, fakeFrame{data: payload(4), hatype: unix.ARPHRD_IPGRE, header: 24})
	f.Add(bytes.Clone(seed.mem[:400]), bytes.Clone(seed.mem[fakeBlockSize:][:400]))
	seed.fill(0)
	f.Add(bytes.Clone(seed.mem[:blockHeader]), []byte{})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		s := fakeRing(2)
		copy(s.mem[:fakeBlockSize], first)
		copy(s.mem[fakeBlockSize:], second)
		if frames, most := drainAny(s), 2*fakeBlockSize/frameHeader; frames > most {
			t.Errorf("%d frames in a ring that has room for %d", frames, most)
		}
		if s.left != 0 || s.held != 0 {
			t.Errorf("%d frames and %d blocks were left behind", s.left, s.held)
		}
	})
}
