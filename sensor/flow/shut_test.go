package flow

import (
	"fmt"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

// When a sliced flow ends follows from its own packets, whatever else the table holds: what its client is seen to use by then decides what
// becomes of it.
func TestShutDoesNotHangOnOthers(t *testing.T) {
	const fin = decode.FIN | decode.ACK
	for _, tt := range []struct {
		name  string
		flags [2]uint8 // of the last segment of each side
		want  int64    // milliseconds after the last segment
	}{
		{"closed by both", [2]uint8{fin, fin}, 35_500},
		{"reset", [2]uint8{decode.ACK, decode.RST}, 35_500},
		{"closed by one", [2]uint8{fin, decode.ACK}, 3602_000},
		{"silent", [2]uint8{decode.ACK, decode.ACK}, 3602_000},
	} {
		for _, others := range []int{0, 1, 500} {
			t.Run(fmt.Sprintf("%s, %d others", tt.name, others), func(t *testing.T) {
				table, _ := newTable(t, Default())
				for i := range others {
					put(t, table, udpSeg(100+i, second, 0, 10))
				}
				first, last := tcpSeg(1, 10*second, 0, 1000, 100, tt.flags[0]), tcpSeg(1, 10*second, 1, 5000, 100, tt.flags[1])
				table.Slices(put(t, table, first), 10*second, 2*second, 60*second)
				put(t, table, last)
				now := 10 * second
				for table.Find(&last) != nil && now < 4000*second {
					now += second / 2
					table.Due(now)
				}
				if after := (now - 10*second) / 1e6; after != tt.want {
					t.Errorf("the flow ended %d ms after its last segment, want %d", after, tt.want)
				}
			})
		}
	}
}
