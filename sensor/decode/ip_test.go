package decode

import (
	"encoding/binary"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

func TestExtensionHeaders(t *testing.T) {
	opt := func(next int, units byte) []byte { return cat([]byte{byte(next), units}, make([]byte, 6+8*int(units))) }
	tests := []struct {
		name string
		next int
		b    []byte
	}{
		{"hop by hop", 0, opt(TCP, 0)},
		{"routing", 43, opt(TCP, 2)},
		{"destination options", 60, opt(TCP, 1)},
		{"mobility", 135, opt(TCP, 0)},
		{"HIP", 139, opt(TCP, 4)},
		{"shim6", 140, opt(TCP, 0)},
		{"AH", 51, cat([]byte{TCP, 4}, make([]byte, 22))},
		{"all of them", 0, cat(opt(60, 0), opt(43, 1), opt(44, 2), []byte{51, 0, 0, 0}, be32(1), []byte{60, 4}, make([]byte, 22), opt(TCP, 0))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			frame := v6(tt.next, cat(tt.b, web("hello")))
			s, reason := one(linkRaw, frame)
			wantHello(t, &s, reason)
			mustNotPanicCut(t, linkRaw, frame)
		})
	}
	t.Run("longer than the packet", func(t *testing.T) {
		if _, got := one(linkRaw, v6(60, cat([]byte{TCP, 200}, make([]byte, 100)))); got != Malformed {
			t.Errorf("%s", got)
		}
	})
}

func TestIPv4Options(t *testing.T) {
	b := hello4()
	b = cat([]byte{0x4f}, b[1:20], make([]byte, 40), b[20:])
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	s, reason := one(linkRaw, b)
	wantHello(t, &s, reason)
}

// The length on the wire and the bytes that were captured are two things.
func TestLengths(t *testing.T) {
	long := pattern(1400)
	big := pattern(60000)
	zero4 := v4(TCP, tcp(50000, 443, ACK, big))
	binary.BigEndian.PutUint16(zero4[2:], 0)
	zero6 := v6(TCP, tcp(50000, 443, ACK, big))
	binary.BigEndian.PutUint16(zero6[4:], 0)
	zeroUDP := v6(UDP, udp(50000, 443, long))
	binary.BigEndian.PutUint16(zeroUDP[40+4:], 0)
	shortUDP := v4(UDP, cat(udp(50000, 443, long), make([]byte, 30)))
	longUDP := v4(UDP, udp(50000, 443, long))
	binary.BigEndian.PutUint16(longUDP[24:], 9000)
	tests := []struct {
		name     string
		link     capture.LinkType
		frame    []byte
		cut      int // bytes missing at the end
		len, got int
	}{
		{"whole", linkRaw, v4(TCP, tcp(50000, 443, ACK, long)), 0, 1400, 1400},
		{"padding", linkEthernet, cat(eth(etherIPv4, v4(TCP, tcp(50000, 443, ACK, nil))), make([]byte, 6)), 0, 0, 0},
		{"padding behind a byte", linkEthernet, cat(eth(etherIPv4, v4(UDP, udp(50000, 443, []byte{9}))), make([]byte, 17)), 0, 1, 1},
		{"padding, IPv6", linkEthernet, cat(eth(etherIPv6, v6(UDP, udp(50000, 443, []byte{9}))), make([]byte, 17)), 0, 1, 1},
		{"cut within the payload", linkRaw, v4(TCP, tcp(50000, 443, ACK, long)), 1390, 1400, 10},
		{"cut behind the header", linkRaw, v4(TCP, tcp(50000, 443, ACK, long)), 1400, 1400, 0},
		{"cut, UDP over IPv6", linkRaw, v6(UDP, udp(50000, 443, long)), 1400, 1400, 0},
		{"cut by the padding alone", linkEthernet, cat(eth(etherIPv4, v4(UDP, udp(50000, 443, []byte{9}))), make([]byte, 17)), 17, 1, 1},
		{"offload, length 0", linkRaw, zero4, 0, 60000, 60000},
		{"offload, length 0, IPv6", linkRaw, zero6, 0, 60000, 60000},
		{"offload, length 0, cut", linkRaw, zero4, 50000, 60000, 10000},
		{"offload, length 0, IPv6, cut", linkRaw, zero6, 59000, 60000, 1000},
		{"offload, UDP length 0", linkRaw, zeroUDP, 0, 1400, 1400},
		{"UDP shorter than IP says", linkRaw, shortUDP, 0, 1400, 1400},
		{"UDP longer than IP says", linkRaw, longUDP, 0, 1400, 1400},
		{"cut behind a shorter UDP", linkRaw, shortUDP, 20, 1400, 1400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := len(tt.frame) - tt.cut
			s, reason := oneOf(New(testSeed), capture.Frame{Data: tt.frame[:n:n], WireLen: uint32(len(tt.frame)), Link: tt.link})
			if reason != Decoded || int(s.Len) != tt.len || len(s.Payload) != tt.got || s.Cut() != (tt.len > tt.got) {
				t.Errorf("%s: %d bytes of %d, cut %v; want %d of %d", reason, len(s.Payload), s.Len, s.Cut(), tt.got, tt.len)
			}
		})
	}
	t.Run("a length on the wire that nobody sends", func(t *testing.T) {
		s, reason := oneOf(New(testSeed), capture.Frame{Data: zero4, WireLen: 1<<32 - 1, Link: linkRaw})
		if reason != Decoded || s.Len > 60000+maxRest {
			t.Errorf("%s, %d", reason, s.Len)
		}
	})
}
