package quic

import "testing"

// Application data behind the handshake's packets is found however little of them was captured, as long as their headers were.
func TestApplicationLen(t *testing.T) {
	long := func(first byte, size int) []byte {
		b := append([]byte{first, 0, 0, 0, 1, 8}, make([]byte, 8)...)
		return append(append(b, 0, 0x40|byte(size>>8), byte(size)), make([]byte, size)...)
	}
	// The types of version 1: Initial (with an empty token: one byte more in front of the length), 0-RTT, Handshake.
	initial := append([]byte{0xc0, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x40, 40}, make([]byte, 40)...)
	early, last, short := long(0xd0, 60), long(0xe0, 52), append([]byte{0x40}, make([]byte, 49)...)
	join := func(packets ...[]byte) (all []byte) {
		for _, p := range packets {
			all = append(all, p...)
		}
		return all
	}
	for _, c := range []struct {
		name     string
		datagram []byte
		captured int
		want     int
		unsure   int
	}{
		{"a handshake's end and a request", join(last, short), 1 << 10, 50, 0},
		{"cut in the request", join(last, short), len(last) + 1, 50, 0},
		{"cut before the request", join(last, short), len(last), 50, 0},
		{"cut in the handshake", join(last, short), 20, 50, 0},
		{"cut in its header", join(last, short), 10, 0, len(last) + 50},
		{"behind an Initial, cut in the Handshake", join(initial, last, short), len(initial) + 20, 50, 0},
		{"behind an Initial alone, whatever it is", join(initial, last, short), len(initial), 0, len(last) + 50},
		{"early data", join(initial, early), 1 << 10, len(early), 0},
		{"early data, cut", join(initial, early), len(initial) + 20, len(early), 0},
		{"no request", join(initial, last), 1 << 10, 0, 0},
		{"padding of zeros", join(last, make([]byte, 50)), 1 << 10, 0, 0},
		{"nothing that can be read", join(last[:10]), 1 << 10, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, unsure := ApplicationLen(c.datagram[:min(c.captured, len(c.datagram))], len(c.datagram))
			if n != c.want || unsure != c.unsure {
				t.Errorf("got %d and %d, want %d and %d", n, unsure, c.want, c.unsure)
			}
		})
	}
}
