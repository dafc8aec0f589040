package sensor

import "testing"

func TestMACString(t *testing.T) {
	for mac, want := range map[[6]byte]string{{}: "", {0, 0x1b, 0x2c, 0x3d, 0x4e, 0xff}: "00-1B-2C-3D-4E-FF"} {
		if got := macString(mac); got != want {
			t.Errorf("%x is written %q, want %q", mac, got, want)
		}
	}
}
