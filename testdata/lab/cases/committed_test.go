package cases

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
	"github.com/gnomon-sensor/gnomon/testdata/lab/packet"
	"github.com/gnomon-sensor/gnomon/testdata/lab/pcapfile"
	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
)

// readTruth returns the records of a truth file.
func readTruth(t *testing.T, path string) []truth.Record {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var records []truth.Record
	for dec := json.NewDecoder(bytes.NewReader(content)); dec.More(); {
		var r truth.Record
		if err := dec.Decode(&r); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

// readCapture returns the frames of a capture file.
func readCapture(t *testing.T, path string) []pcapfile.Frame {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	frames, err := pcapfile.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

// holds reports truth records whose conversation is not in the capture, in both directions.
func holds(t *testing.T, all []packet.Packet, records []truth.Record) {
	t.Helper()
	type ends struct{ from, to netip.AddrPort }
	seen := map[ends]bool{}
	for _, p := range all {
		seen[ends{p.Src, p.Dst}] = true
	}
	for _, r := range records {
		if !seen[ends{r.Client, r.Server}] || !seen[ends{r.Server, r.Client}] {
			t.Errorf("no packets both ways of %s %s - %s (%s)", r.Kind, r.Client, r.Server, r.Name)
		}
	}
}

func TestCommittedCases(t *testing.T) {
	const dir = "../../cases"
	for _, c := range Table() {
		t.Run(c.Name, func(t *testing.T) {
			records := readTruth(t, filepath.Join(dir, c.Name, truthFile))
			if err := verify(c.Requests, records); err != nil {
				t.Error(err)
			}
			about, err := os.ReadFile(filepath.Join(dir, c.Name, "ABOUT"))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(about), "Why: "+c.Why) {
				t.Error("ABOUT gives another reason than the table; make the case anew or correct it")
			}
			if strings.HasSuffix(c.Rewrite.file, "ng") {
				return // this package does not read what it writes there; see pcapfile's own test
			}
			frames := readCapture(t, filepath.Join(dir, c.Name, "input.pcap"))
			if c.Rewrite.do != nil {
				rewritten(t, c.Name, frames)
				return
			}
			all := packets(frames)
			holds(t, all, records)
			if c.Shape != nil {
				if err := c.Shape(all); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestCommittedDemo(t *testing.T) {
	const dir = "../../captures"
	records := readTruth(t, filepath.Join(dir, "demo."+truthFile))
	frames := readCapture(t, filepath.Join(dir, "demo.pcap"))
	holds(t, packets(frames), records)
	for i := 1; i < len(frames); i++ {
		if frames[i].Time.Before(frames[i-1].Time) {
			t.Fatalf("frame %d is earlier than the one before it", i+1)
		}
	}
	var requests []clients.Request
	for _, s := range officeDay() {
		requests = append(requests, s.requests...)
	}
	if err := verify(requests, records); err != nil {
		t.Error(err)
	}
}

// rewritten wants the outermost EtherType and what follows it to be those of the case in every frame.
func rewritten(t *testing.T, name string, frames []pcapfile.Frame) {
	t.Helper()
	want, ok := map[string]string{
		"vlan":  "8100000c",
		"qinq":  "88a800648100000c",
		"vxlan": "080045", "gre": "080045",
	}[name]
	if !ok {
		t.Fatal("this test does not know the rewrite")
	}
	if len(frames) == 0 {
		t.Fatal("the capture is empty")
	}
	for i, f := range frames {
		if got := hex.EncodeToString(f.Data[12:]); !strings.HasPrefix(got, want) {
			t.Fatalf("frame %d goes on with %.20s behind its addresses, want %s", i+1, got, want)
		}
	}
}

func TestStepsOfADeskAreApart(t *testing.T) {
	const least = 15 * time.Second // a stretched browser visit
	last := map[netip.Addr]time.Duration{}
	steps := officeDay()
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	for _, s := range steps {
		if before, ok := last[s.desk]; ok && s.at-before < least {
			t.Errorf("desk %s starts at %v and again at %v", s.desk, before, s.at)
		}
		last[s.desk] = s.at
	}
}

func TestShapesRefuse(t *testing.T) {
	client, server := netip.MustParseAddrPort("10.20.1.11:40000"), netip.MustParseAddrPort("203.0.113.10:443")
	out := packet.Flow{Proto: packet.TCP, Src: client, Dst: server}
	quic := packet.Flow{Proto: packet.UDP, Src: client, Dst: server}
	back := packet.Flow{Proto: packet.UDP, Src: server, Dst: client}
	first := append([]byte{22, 3, 1, 0, 30, 1}, make([]byte, 19)...) // 20 of 30 bytes of a hello
	rest := make([]byte, 10)
	initial := []byte{0xc3, 0, 0, 0, 1}
	whole := []packet.Packet{{Flow: out, Seq: 1, Payload: first}, {Flow: out, Seq: 26, Payload: rest}}
	swapped := []packet.Packet{whole[1], whole[0]}
	tests := []struct {
		name  string
		shape shape
		all   []packet.Packet
		ok    bool
	}{
		{"long hello", longHello, whole, true},
		{"long hello, swapped", longHello, swapped, false},
		{"swapped hello", swappedHello, swapped, true},
		{"swapped hello in order", swappedHello, whole, false},
		{"two Initials", longInitial, []packet.Packet{{Flow: quic, Payload: initial}, {Flow: quic, Payload: initial}}, true},
		{"one Initial before the answer", longInitial, []packet.Packet{{Flow: quic, Payload: initial}, {Flow: back, Payload: initial}, {Flow: quic, Payload: initial}}, false},
		{"impaired", impaired, []packet.Packet{whole[1], whole[0], whole[0]}, true},
		{"not impaired", impaired, whole, false},
		{"no look-up over TCP", lookUpOverTCP, whole, false},
		{"said often enough", said(443, true, map[string]int{"\x00": 2}), whole, true},
		{"never said", said(443, true, map[string]int{"CONNECT": 1}), whole, false},
		{"nothing at all", longHello, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.shape(tt.all)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, errShape) {
				t.Errorf("got %v, want success %v", err, tt.ok)
			}
		})
	}
}
