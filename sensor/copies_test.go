package sensor_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// framesOf are the frames of a case's capture, copied.
func framesOf(t testing.TB, dir string) (all []capture.Frame) {
	t.Helper()
	source := input(t, dir)
	var batch [64]capture.Frame
	for {
		n, err := source.Next(batch[:])
		for _, f := range batch[:n] {
			f.Data = slices.Clone(f.Data)
			all = append(all, f)
		}
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// mirrored has every frame n times, so far apart, merged by time. The copies went through another port: other addresses of the link, a
// tag of a VLAN, a router's mark in the IP header.
func mirrored(frames []capture.Frame, n int, apart int64) *tape {
	p := &tape{frames: slices.Clone(frames)}
	for i := 1; i < n; i++ {
		for _, f := range frames {
			f.Time += int64(i) * apart
			f.Data = otherPort(f.Data)
			f.WireLen += uint32(len(f.Data) - int(min(f.WireLen, uint32(len(f.Data)))))
			p.frames = append(p.frames, f)
		}
	}
	slices.SortStableFunc(p.frames, func(a, b capture.Frame) int { return int(a.Time - b.Time) })
	return p
}

func otherPort(b []byte) []byte {
	out := slices.Concat([]byte{2, 9, 9, 9, 9, 9, 2, 8, 8, 8, 8, 8}, []byte{0x81, 0, 0, 77}, b[12:])
	switch ip := out[18:]; {
	case out[16] == 8 && out[17] == 0: // IPv4: TTL, checksum
		ip[8], ip[10], ip[11] = ip[8]-1, 0xab, 0xcd
	case out[16] == 0x86 && out[17] == 0xdd: // IPv6: hop limit
		ip[7]--
	}
	return out
}

// totals are what must not change when frames are captured several times.
func totals(r *recorder, packets bool) []string {
	var all []string
	for _, ev := range r.events {
		line := fmt.Sprintln(ev.Network.Transport, ev.Source.IP, *ev.Source.Port, ev.Destination.IP, *ev.Destination.Port, ev.Destination.Domain,
			ev.Network.Application, ev.Gnomon.Upload)
		if ev.Source.Bytes != nil {
			line += fmt.Sprintln(*ev.Source.Bytes, *ev.Destination.Bytes)
		}
		if packets && ev.Source.Packets != nil && ev.Network.Transport == "udp" { // two resets of a Linux host cannot be told from copies
			line += fmt.Sprintln(*ev.Source.Packets, *ev.Destination.Packets)
		}
		if ev.DNS != nil {
			line += fmt.Sprintln(ev.DNS.ID, ev.DNS.Question, ev.DNS.Type, ev.DNS.ResolvedIP)
		}
		if ev.TLS != nil {
			line += fmt.Sprintln(ev.TLS.Client.ServerName)
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}

// Frames that are captured two or three times count once, in every case.
func TestCopies(t *testing.T) {
	classify := classifier(t)
	inspect := func(p *tape) *recorder {
		all := settings()
		all.All = true
		return runWith(t, all, p, classify)
	}
	for _, dir := range cases(t) {
		frames := framesOf(t, dir)
		once := inspect(&tape{frames: frames})
		for _, tt := range []struct {
			name    string
			n       int
			apart   int64
			packets bool // the numbers of packets are the same, too
		}{
			{"three times, at once", 3, 0, true},
			{"twice, 20 us apart", 2, 20e3, true},
			{"three times, 2 ms apart", 3, 2e6, false}, // until the first copy, TCP's are not looked for
			{"twice, 10 ms apart", 2, 10e6, false},
		} {
			t.Run(filepath.Base(dir)+" "+tt.name, func(t *testing.T) {
				got, want := totals(inspect(mirrored(frames, tt.n, tt.apart)), tt.packets), totals(once, tt.packets)
				for i := range max(len(got), len(want)) {
					if i >= len(got) || i >= len(want) || got[i] != want[i] {
						t.Fatalf("document %d of %d (want %d) differs:\n%s\nwant:\n%s", i, len(got), len(want), at(got, i), at(want, i))
					}
				}
			})
		}
	}
}

// What is said twice is no copy: another identification, or later, or other content.
func TestNoCopies(t *testing.T) {
	payload := []byte(strings.Repeat("what a game says ", 10))
	other := slices.Clone(payload)
	other[len(other)-1]++
	tests := []struct {
		name   string
		send   func(p *tape)
		bytes  int
		copies uint64
	}{
		{"another identification", func(p *tape) { p.udp(client, server, payload); p.udp(client, server, payload) }, 2 * len(payload), 0},
		{"the same", func(p *tape) { p.udp(client, server, payload); p.id--; p.udp(client, server, payload) }, len(payload), 1},
		{"later", func(p *tape) {
			p.udp(client, server, payload)
			p.id--
			p.now += 150e6
			p.udp(client, server, payload)
		}, 2 * len(payload), 0},
		{"another end", func(p *tape) { p.udp(client, server, payload); p.id--; p.udp(client, server, other) }, 2 * len(payload), 0},
		{"another length", func(p *tape) { p.udp(client, server, payload); p.id--; p.udp(client, server, payload[:9]) }, len(payload) + 9, 0},
		{"late, in a flow of many, with none before", func(p *tape) {
			for range 20 {
				p.udp(client, server, payload)
			}
			p.id--
			p.udp(client, server, payload)
		}, 21 * len(payload), 0},
		{"late, in a flow of many, after one", func(p *tape) {
			p.udp(client, server, payload)
			p.id--
			for range 20 {
				p.udp(client, server, payload)
			}
			p.id--
			p.udp(client, server, payload)
		}, 20 * len(payload), 2},
		{"short, without identification", func(p *tape) {
			for range 2 {
				p.id = 0xffff // ip adds one
				p.udp(client, server, payload[:8])
			}
		}, 16, 0},
		{"long enough to tell, without identification", func(p *tape) {
			for range 2 {
				p.id = 0xffff
				p.udp(client, server, payload)
			}
		}, len(payload), 1},
		{"long after one", func(p *tape) {
			for range 20 {
				p.udp(client, server, payload)
			}
			p.lookup(client, 7, "a.example")
			p.frames = append(p.frames, p.frames[len(p.frames)-1])
			p.now += 70e9
			p.udp(client, server, payload)
			p.id--
			p.udp(client, server, payload)
			p.id--
			p.udp(client, server, payload)
		}, 23 * len(payload), 1 + 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTape()
			tt.send(p)
			var r recorder
			all := settings()
			all.All = true
			s, err := sensor.New(all, p, classifier(t), &r)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			flows := flowsOf(&r)
			if len(flows) != 1 || *flows[0].Source.Bytes != uint64(tt.bytes) {
				t.Errorf("%d flows; %d bytes, want %d", len(flows), *flows[0].Source.Bytes, tt.bytes)
			}
			if got := s.Coverage().Copies; got != tt.copies {
				t.Errorf("%d copies, want %d", got, tt.copies)
			}
		})
	}
}

// Acknowledgements that repeat each other are no copies: where there is no identification, the checksum tells of their other options.
func TestRepeatedAcknowledgements(t *testing.T) {
	for _, tt := range []struct {
		name    string
		another uint16 // added to the checksum
		packets uint64 // of the client: the SYN, the acknowledgements of the handshake and of the answer, and the repetition
	}{
		{"other options", 1, 4},
		{"a copy", 0, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newTape()
			p.lookup(client, 7, "a.example")
			p.frames = append(p.frames, p.frames[len(p.frames)-1]) // a copy: every segment is compared from here on
			p.dial(client, server, 1000).hear([]byte("what a server says"))
			last := p.frames[len(p.frames)-1]
			clear(last.Data[18:20]) // identification
			repeated := last
			repeated.Data = slices.Clone(last.Data)
			sum := repeated.Data[14+20+16:]
			binary.BigEndian.PutUint16(sum, binary.BigEndian.Uint16(sum)+tt.another)
			p.frames = append(p.frames, repeated)
			var r recorder
			all := settings()
			all.All = true
			s, err := sensor.New(all, p, classifier(t), &r)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := *flowsOf(&r)[0].Source.Packets; got != tt.packets {
				t.Errorf("%d packets, want %d", got, tt.packets)
			}
		})
	}
}

// Every bit of the start, the middle and the end tells; of up to 64 bytes, every bit.
func TestPrintTellsApart(t *testing.T) {
	for n := range 65 {
		sent := 1
		p := newTape()
		base := make([]byte, n)
		p.udp(client, server, base)
		for at := range base {
			other := slices.Clone(base)
			other[at] = 1
			p.id--
			p.now -= 1e6
			p.udp(client, server, other)
			sent++
		}
		all := settings()
		all.All = true
		if flows := flowsOf(runWith(t, all, p, nil)); len(flows) > 0 && *flows[0].Source.Bytes != uint64(sent*n) {
			t.Errorf("%d bytes: %d counted, %d sent", n, *flows[0].Source.Bytes, sent*n)
		}
	}
}
