package traffic

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
)

// The same mode makes the same capture's sizes each time, and has as many packets as it says.
func TestMake(t *testing.T) {
	for _, mode := range Modes() {
		t.Run(mode.Name, func(t *testing.T) {
			mode.flows /= 1000
			if mode.packets > 0 {
				mode.packets = 1000
			}
			var truths [2]Truth
			var sums [2][32]byte
			for i := range truths {
				path := filepath.Join(t.TempDir(), "x.pcap")
				var err error
				if truths[i], err = Make(mode, path); err != nil {
					t.Fatal(err)
				}
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				sums[i] = sha256.Sum256(b)
				if truths[i].Packets < 30 || truths[i].Up == 0 || truths[i].Down == 0 || len(b) < 60*truths[i].Packets {
					t.Errorf("%d packets, %d bytes up, %d down, in a file of %d", truths[i].Packets, truths[i].Up, truths[i].Down, len(b))
				}
			}
			if truths[0].Packets != truths[1].Packets || truths[0].Up != truths[1].Up || truths[0].Down != truths[1].Down {
				t.Errorf("it differs from one time to the next: %+v", truths)
			}
			if mode.Name == "dns" && sums[0] != sums[1] {
				t.Error("the same look-ups make another file")
			}
		})
	}
}
