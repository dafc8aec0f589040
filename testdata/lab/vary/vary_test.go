package vary

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/packet"
	"github.com/gnomon-sensor/gnomon/testdata/lab/pcapfile"
)

// segment is a TCP segment over IPv4 and Ethernet.
func segment(src, dst string, seq uint32, payload int) []byte {
	from, to := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	b := append(make([]byte, 12), 0x08, 0)
	b = append(b, 0x45, 0, byte((40+payload)>>8), byte(40+payload), 0, 0, 0, 0, 64, packet.TCP, 0, 0)
	b = append(append(b, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
	b = binary.BigEndian.AppendUint16(b, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint32(b, seq)
	b = append(b, 0, 0, 0, 0, 5<<4, 0x10, 1, 0, 0, 0, 0, 0)
	return append(b, make([]byte, payload)...)
}

// talk is a connection of a hundred segments of 1,448 bytes each way.
func talk() []pcapfile.Frame {
	const client, server = "10.20.1.11:40000", "203.0.113.10:443"
	var out []pcapfile.Frame
	for n := range uint32(100) {
		at := time.Unix(1_700_000_000, int64(n)*1e6)
		out = append(out, pcapfile.Frame{Time: at, Data: segment(client, server, n*1448, 1448)},
			pcapfile.Frame{Time: at.Add(time.Microsecond), Data: segment(server, client, n*1448, 1448)})
	}
	return out
}

func TestVariants(t *testing.T) {
	const whole = 100 * 1448
	want := map[string]struct{ frames, up, down int }{
		"whole": {200, whole, whole}, "client alone": {100, whole, 0}, "server alone": {100, 0, whole},
		"from the middle": {120, 60 * 1448, 60 * 1448}, "out of order": {200, whole, whole},
		"twice": {400, 2 * whole, 2 * whole}, "snaplen 128": {200, 100 * 74, 100 * 74}, "MTU 1280": {400, whole, whole},
		"any": {400, 2 * whole, 2 * whole}, "pause": {200, whole, whole},
	}
	for _, v := range Variants() {
		t.Run(v.Name, func(t *testing.T) {
			frames := v.Apply(talk())
			if v.Name == "VLAN" || v.Name == "VXLAN" { // the rewriters have their own test
				if len(frames) != 200 || len(frames[0].Data) <= len(talk()[0].Data) {
					t.Errorf("%d frames, the first of %d bytes", len(frames), len(frames[0].Data))
				}
				return
			}
			up, down := 0, 0
			for _, f := range frames {
				if p, ok := packet.Parse(f.Data); ok && client(p) {
					up += len(p.Payload)
				} else {
					down += len(p.Payload)
				}
			}
			w, ok := want[v.Name]
			if ok && (len(frames) != w.frames || up != w.up || down != w.down) {
				t.Errorf("%d frames with %d and %d bytes, want %+v", len(frames), up, down, w)
			}
		})
	}
}

func TestLossIsSmall(t *testing.T) {
	if n := len(lose(talk())); n < 190 || n == 200 {
		t.Errorf("%d of 200 frames are left", n)
	}
}

func TestSplitFits(t *testing.T) {
	seen := map[uint32]bool{}
	for _, f := range split(talk()) {
		p, ok := packet.Parse(f.Data)
		if !ok || len(f.Data)-ethernet > 1280 || int(binary.BigEndian.Uint16(f.Data[totalAt:])) != len(f.Data)-ethernet {
			t.Fatalf("a frame of %d bytes", len(f.Data))
		}
		if client(p) {
			seen[p.Seq] = true
		}
	}
	if !seen[0] || !seen[1240] || !seen[1448] {
		t.Error("sequence numbers do not follow the split")
	}
}

func TestPauseIsTwoMinutes(t *testing.T) {
	frames := pause(talk())
	if d := frames[len(frames)-1].Time.Sub(frames[0].Time); d < 2*time.Minute || d > 2*time.Minute+time.Second {
		t.Errorf("%v", d)
	}
}
