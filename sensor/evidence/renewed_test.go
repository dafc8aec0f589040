package evidence

import (
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// clear is a long header packet of version 1 whose content nobody can open: first byte, connection ids.
func clear(first byte, version uint32, dcid, scid []byte) []byte {
	b := []byte{first, byte(version >> 24), byte(version >> 16), byte(version >> 8), byte(version)}
	b = append(append(b, byte(len(dcid))), dcid...)
	b = append(append(b, byte(len(scid))), scid...)
	b = append(b, 0, 0x44, 0x80) // no token, 1,152 bytes
	return append(b, make([]byte, 1152)...)
}

func TestRenewed(t *testing.T) {
	const firstByte, retryByte, handshakeByte = 0xc3, 0xf0, 0xe0
	one, two, mine, serverID := []byte("first id"), []byte("other id"), []byte("me"), []byte("server id")
	a, b := quicHello(t, "a.example.com"), quicHello(t, "b.example.com")
	again := quicHello(t, "a.example.com")
	hello := func(cid, hello []byte) []byte { return initial(t, cid, 0, 0, hello) }
	reply := clear(firstByte, 1, mine, serverID)
	const nameA, nameB = "quic-sni a.example.com", "quic-sni b.example.com"
	tests := []struct {
		name    string
		send    func(h *harness)
		want    []string
		renewed int
	}{
		{"another name", func(h *harness) {
			h.datagram(1, 0, hello(one, a))
			h.datagram(1, 1, reply)
			h.datagram(1, 0, hello(two, b))
		}, []string{nameA, nameB}, 1},
		{"another connection to the same name", func(h *harness) {
			h.datagram(1, 0, hello(one, a))
			h.datagram(1, 1, reply)
			h.datagram(1, 0, hello(two, again))
		}, []string{nameA, nameA}, 1},
		{"a hello over two datagrams", func(h *harness) {
			h.datagram(1, 0, hello(one, a))
			h.datagram(1, 1, reply)
			h.datagram(1, 0, initial(t, two, 0, 0, b[:700]))
			h.datagram(1, 0, initial(t, two, 1, 700, b[700:]))
		}, []string{nameA, nameB}, 1},
		{"back and forth", func(h *harness) {
			h.datagram(1, 0, hello(one, a))
			h.datagram(1, 0, hello(two, b))
			h.datagram(1, 0, hello(two, b))
			h.datagram(1, 0, hello([]byte("third id"), a))
		}, []string{nameA, nameB, nameA}, 2},
		{"the same datagram again", func(h *harness) {
			h.datagram(1, 0, hello(one, a))
			h.datagram(1, 0, hello(one, a))
			h.datagram(1, 0, initial(t, one, 7, 0, a))
		}, []string{nameA}, 0},
		{"the client goes on with the server's id", func(h *harness) {
			h.datagram(1, 0, hello(one, a))
			h.datagram(1, 1, reply)
			h.datagram(1, 0, clear(firstByte, 1, serverID, mine))
			h.datagram(1, 0, clear(handshakeByte, 1, serverID, mine))
		}, []string{nameA}, 0},
		{"the server was not captured", func(h *harness) {
			h.datagram(1, 0, hello(one, a))
			h.datagram(1, 0, clear(firstByte, 1, serverID, mine))
			h.datagram(1, 0, clear(firstByte, 1, serverID, mine))
			h.datagram(1, 0, hello(two, b))
		}, []string{nameA, nameB}, 1},
		{"Retry", func(h *harness) {
			h.datagram(1, 0, hello(one, a))
			h.datagram(1, 1, clear(retryByte, 1, mine, two))
			h.datagram(1, 0, hello(two, a))
			h.datagram(1, 1, reply)
			h.datagram(1, 0, clear(firstByte, 1, serverID, mine))
		}, []string{nameA}, 0},
		{"Retry that was not captured", func(h *harness) {
			h.datagram(1, 0, hello(one, a))
			h.datagram(1, 0, hello(two, a))
			h.datagram(1, 0, hello(two, a))
		}, []string{nameA}, 0},
		{"version negotiation", func(h *harness) {
			h.datagram(1, 0, hello(one, a))
			h.datagram(1, 1, clear(0x80, 0, mine, one))
			h.datagram(1, 0, hello(two, again))
			h.datagram(1, 1, reply)
		}, []string{nameA}, 0},
		{"another name after negotiation and a connection", func(h *harness) {
			h.datagram(1, 0, hello(one, a))
			h.datagram(1, 1, clear(0x80, 0, mine, one))
			h.datagram(1, 0, hello(two, again))
			h.datagram(1, 1, reply)
			h.datagram(1, 0, hello([]byte("third id"), b))
		}, []string{nameA, nameB}, 1},
		{"QUIC behind a game", func(h *harness) {
			for range maxLooked + 1 {
				h.datagram(1, 1, []byte("a game"))
			}
			h.datagram(1, 0, hello(one, a))
		}, []string{nameA}, 1},
		{"short headers", func(h *harness) {
			h.datagram(1, 0, hello(one, a))
			h.datagram(1, 0, append([]byte{0x40}, two...))
			h.datagram(1, 1, append([]byte{0x40}, two...))
		}, []string{nameA}, 0},
		{"0-RTT in front of the other hello", func(h *harness) {
			h.datagram(1, 0, hello(one, a))
			early := clear(0xd0, 1, two, mine)
			early = append(early[:7+len(two)+len(mine)], early[8+len(two)+len(mine):]...) // no token there
			h.datagram(1, 0, append(early, hello(two, b)...))
		}, []string{nameA, nameB}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, Default())
			tt.send(h)
			h.names(tt.want...)
			if h.renewed != tt.renewed || h.reader.clients.lent != 0 {
				t.Errorf("renewed %d times, want %d; %d clients lent", h.renewed, tt.renewed, h.reader.clients.lent)
			}
			h.balanced()
		})
	}
}

// What cannot be opened is tried a few times only.
func TestRenewedIsBounded(t *testing.T) {
	h := newHarness(t, Default())
	f := h.datagram(1, 0, initial(t, []byte("first id"), 0, 0, quicHello(t, "a.example.com")))
	for i := range 3 * maxFutile {
		f = h.datagram(1, 0, clear(0xc3, 1, []byte{1, 2, 3, 4, 5, 6, 7, byte(i)}, nil))
	}
	if got := f.Acked[0]; got != maxFutile {
		t.Errorf("%d tries, want %d", got, maxFutile)
	}
	if !f.Has(flow.Settled|flow.Named) || h.renewed != 0 {
		t.Errorf("state %b, %d renewed", f.State, h.renewed)
	}
}

func TestRenewedDoesNotAllocate(t *testing.T) {
	h := newHarness(t, Default())
	first, second := initial(t, []byte("first id"), 0, 0, quicHello(t, "a.example.com")), initial(t, []byte("other id"), 0, 0, quicHello(t, "b.example.com"))
	h.datagram(1, 0, first)
	f := h.datagram(1, 0, second)
	seg := h.last
	if got := testing.AllocsPerRun(100, func() {
		f.Low[0], f.Half[0].Next = 1, 1
		if !h.reader.Renewed(f, &seg) {
			t.Fatal("not seen")
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
