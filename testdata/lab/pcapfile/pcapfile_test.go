package pcapfile

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 123456000, time.UTC)

// packet is a broadcast-free IPv4 frame from 10.20.1.11 to 203.0.113.10 with one byte of payload.
func packet(t *testing.T) []byte {
	t.Helper()
	b, err := hex.DecodeString("020000000a01" + "020000000b01" + "0800" + "4500001500000000401100000a14010bcb00710a" + "ff")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadBack(t *testing.T) {
	tests := []struct {
		name   string
		frames []Frame
	}{
		{"no frames", nil},
		{"two frames", []Frame{{Time: start, Data: []byte{1, 2, 3}}, {Time: start.Add(time.Second), Data: []byte{}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var file bytes.Buffer
			if err := Write(&file, tt.frames); err != nil {
				t.Fatal(err)
			}
			got, err := Read(&file)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.frames) {
				t.Errorf("got %v, want %v", got, tt.frames)
			}
		})
	}
}

func TestReadTruncated(t *testing.T) {
	var file bytes.Buffer
	if err := Write(&file, []Frame{{Time: start, Data: packet(t)}}); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	for n := range whole {
		if n == 24 {
			continue // a header alone is an empty capture
		}
		if _, err := Read(bytes.NewReader(whole[:n])); err == nil {
			t.Errorf("cut at %d: no error", n)
		}
	}
	whole[0]++
	if _, err := Read(bytes.NewReader(whole)); !errors.Is(err, ErrForeign) {
		t.Errorf("foreign magic: got %v, want %v", err, ErrForeign)
	}
}

func TestTags(t *testing.T) {
	in := []Frame{{Time: start, Data: packet(t)}}
	tests := []struct {
		name string
		got  []Frame
		want string // hex between the MAC addresses and the IP header
	}{
		{"one tag", Tag(in, 12), "8100000c0800"},
		{"two tags", TagTwice(in, 100, 12), "88a800648100000c0800"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want, err := hex.DecodeString(tt.want)
			if err != nil {
				t.Fatal(err)
			}
			plain := packet(t)
			want = append(append(plain[:12:12], want...), plain[14:]...)
			if !bytes.Equal(tt.got[0].Data, want) {
				t.Errorf("got  %x\nwant %x", tt.got[0].Data, want)
			}
			if !bytes.Equal(in[0].Data, plain) {
				t.Error("the frame that was passed in has changed")
			}
		})
	}
	runt := []Frame{{Time: start, Data: []byte{1, 2}}}
	if got := Tag(runt, 12); len(got[0].Data) != 2 {
		t.Errorf("a runt became %x", got[0].Data)
	}
}

func TestTunnels(t *testing.T) {
	tunnel := Tunnel{From: netip.MustParseAddr("192.0.2.1"), To: netip.MustParseAddr("192.0.2.2"), ID: 42}
	arp := append(make([]byte, 12), 0x08, 0x06)
	in := []Frame{{Time: start, Data: packet(t)}, {Time: start, Data: arp}}
	tests := []struct {
		name   string
		got    []Frame
		frames int
		proto  byte
		skip   int // bytes between the outer IP header and the inner bytes
		inner  []byte
	}{
		{"vxlan carries every frame whole", tunnel.VXLAN(in), 2, protoUDP, 16, packet(t)},
		{"gre carries packets only", tunnel.GRE(in), 1, protoGRE, 4, packet(t)[14:]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if len(tt.got) != tt.frames {
				t.Fatalf("got %d frames, want %d", len(tt.got), tt.frames)
			}
			ip := tt.got[0].Data[etherHeader:]
			if checksum(ip[:ipv4Header]) != 0 || ip[9] != tt.proto || int(binary.BigEndian.Uint16(ip[2:])) != len(ip) {
				t.Errorf("outer header is %x", ip[:ipv4Header])
			}
			if got := ip[ipv4Header+tt.skip:]; !bytes.Equal(got, tt.inner) {
				t.Errorf("inner bytes are %x, want %x", got, tt.inner)
			}
		})
	}
}

func TestDirectAndNG(t *testing.T) {
	back := packet(t)
	copy(back[26:], []byte{203, 0, 113, 10})
	frames := Direct([]Frame{{Time: start, Data: packet(t)}, {Time: start, Data: back}, {Time: start, Data: []byte{1}}}, netip.MustParsePrefix("10.20.0.0/16"))
	if frames[0].Port != 0 || frames[1].Port != 1 || frames[2].Port != 1 {
		t.Fatalf("ports are %d, %d, %d", frames[0].Port, frames[1].Port, frames[2].Port)
	}
	var file bytes.Buffer
	if err := WriteNG(&file, []string{"east", "west"}, frames); err != nil {
		t.Fatal(err)
	}
	var types []uint32
	for b := file.Bytes(); len(b) > 0; {
		total := binary.LittleEndian.Uint32(b[4:])
		if total%4 != 0 || binary.LittleEndian.Uint32(b[total-4:]) != total {
			t.Fatalf("block of length %d is not closed", total)
		}
		types = append(types, binary.LittleEndian.Uint32(b))
		b = b[total:]
	}
	if want := []uint32{blockSection, blockInterface, blockInterface, blockEnhanced, blockEnhanced, blockEnhanced}; !reflect.DeepEqual(types, want) {
		t.Errorf("blocks are %x, want %x", types, want)
	}
	if err := WriteNG(&file, []string{"east"}, frames); err == nil {
		t.Error("a port without an interface was accepted")
	}
}

func TestSpread(t *testing.T) {
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	frames := []Frame{{Time: at(0), Data: []byte{0}}, {Time: at(10), Data: []byte{1}}, {Time: at(20), Data: []byte{2}}}
	frames = append(frames, Frame{Time: at(14), Data: []byte{3}}) // in the second span, recorded out of order
	got := Spread(frames, []Move{{at(0), at(10), at(1000), 1}, {at(10), at(20), at(5), 3}})
	want := []Frame{{Time: at(5), Data: []byte{1}}, {Time: at(17), Data: []byte{3}}, {Time: at(1000), Data: []byte{0}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
