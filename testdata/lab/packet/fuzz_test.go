package packet

import (
	"encoding/hex"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, text := range []string{overIPv4, overIPv6} {
		frame, err := hex.DecodeString(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		p, ok := Parse(frame)
		if !ok && len(p.Payload) > 0 {
			t.Error("a frame that is refused has a payload")
		}
		if len(p.Payload) > len(frame) {
			t.Errorf("payload of %d bytes in a frame of %d", len(p.Payload), len(frame))
		}
	})
}
