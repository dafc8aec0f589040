package evidence

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// query is a DNS question for an A record.
func query(id uint16, labels ...string) []byte {
	b := binary.BigEndian.AppendUint16(nil, id)
	b = append(b, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	for _, l := range labels {
		b = append(append(b, byte(len(l))), l...)
	}
	return append(b, 0, 0, 1, 0, 1)
}

// answer is a response to q with one address.
func answer(q []byte) []byte {
	b := slices.Clone(q)
	b[2], b[3], b[7] = 0x81, 0x80, 1
	return append(b, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1)
}

func framed(messages ...[]byte) []byte {
	var b []byte
	for _, m := range messages {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(m))), m...)
	}
	return b
}

func TestDNSOverTCP(t *testing.T) {
	stream := framed(query(1, "a", "example"), query(2, "chat", "example", "com"), query(3, "b", "example"))
	want := []string{"a.example", "chat.example.com", "b.example"}
	n := len(stream)
	h := newHarness(t, Default())
	check := func(name string, parts ...part) {
		t.Helper()
		h.asked = nil
		c := h.dial(53, true)
		for _, p := range parts {
			c.place(p.from, stream[p.from:p.to])
		}
		if !slices.Equal(h.asked, want) {
			t.Fatalf("%s, parts %v: asked %q, want %q", name, parts, h.asked, want)
		}
	}
	check("whole", part{0, n})
	for i := 1; i < n; i++ {
		check("two", part{0, i}, part{i, n})
		check("two swapped", part{i, n}, part{0, i})
		check("two, overlapping", part{0, i}, part{i / 2, n})
		check("again", part{0, i}, part{0, i}, part{i, n})
	}
	var bytes []part
	for i := range n {
		bytes = append(bytes, part{i, i + 1})
	}
	check("byte by byte", bytes...)
	h.balanced()
}

func TestDNSOverTCPMore(t *testing.T) {
	t.Run("both directions, many messages", func(t *testing.T) {
		h := newHarness(t, Default())
		c := h.dial(53, true)
		at := 0
		for i := range uint16(500) { // far more than is searched for a name
			q := query(i, "name", "example")
			c.say(framed(q))
			c.reply(at, framed(answer(q)))
			at += 2 + len(answer(q))
		}
		if len(h.asked) != 1000 || h.asked[998] != "name.example" || h.asked[999] != "re name.example" {
			t.Errorf("%d messages", len(h.asked))
		}
		h.balanced()
	})
	t.Run("from the middle", func(t *testing.T) {
		h := newHarness(t, Default())
		c := h.dial(53, false)
		c.say(framed(query(1, "a", "example")))
		c.say(framed(query(2, "b", "example"))[:9])
		c.say(framed(query(2, "b", "example"))[9:])
		if !slices.Equal(h.asked, []string{"a.example", "b.example"}) {
			t.Errorf("%q", h.asked)
		}
		h.balanced()
	})
	t.Run("behind a loss", func(t *testing.T) {
		h := newHarness(t, Default())
		c := h.dial(53, true)
		c.say(framed(query(1, "a", "example")))
		c.at += 100 // lost, but acknowledged
		f := c.say(framed(query(2, "b", "example")))
		h.send(decode.Segment{Key: f.Key, Dir: 1, Seq: 5001, Ack: c.isn + 1 + uint32(c.at), Flags: decode.ACK})
		c.say(framed(query(3, "c", "example")))
		if !slices.Equal(h.asked, []string{"a.example", "b.example", "c.example"}) {
			t.Errorf("%q", h.asked)
		}
		h.balanced()
	})
	t.Run("something else on the port", func(t *testing.T) {
		h := newHarness(t, Default())
		hello := helloOf(t, "chat.example.com", true)
		for _, parts := range [][]part{{{0, len(hello)}}, {{0, 9}, {9, len(hello)}}, {{0, 100}, {100, len(hello)}}, {{100, len(hello)}, {0, 100}}} {
			c := h.dial(53, true)
			for _, p := range parts {
				c.place(p.from, hello[p.from:p.to])
			}
		}
		h.dial(53, true).say([]byte(get("a.example")))
		one := "sni chat.example.com"
		h.names(one, one, one, one, "http-host a.example")
		if len(h.asked) != 0 {
			t.Errorf("asked %q", h.asked)
		}
		h.balanced()
	})
}

func TestDNSOverUDP(t *testing.T) {
	h := newHarness(t, Default())
	q := query(7, "a", "example")
	tests := []struct {
		name  string
		key   decode.Key
		b     []byte
		taken bool
	}{
		{"query", tuple(50000, 53, decode.UDP), q, true},
		{"answer", tuple(50000, 53, decode.UDP), answer(q), true},
		{"another port", tuple(50000, 5353, decode.UDP), q, false},
		{"TCP", tuple(50000, 53, decode.TCP), q, false},
		{"something else", tuple(50000, 53, decode.UDP), []byte("hello, this is no name server's business"), false},
		{"cut", tuple(50000, 53, decode.UDP), q[:10], false},
		{"nothing", tuple(50000, 53, decode.UDP), nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h.asked = nil
			if got := h.reader.DNS(&decode.Segment{Key: tt.key, Payload: tt.b}); got != tt.taken || (len(h.asked) == 1) != tt.taken {
				t.Errorf("taken %v, asked %q", got, h.asked)
			}
		})
	}
}

// On a port where names may come, nothing is held of what can be none.
func TestNothingIsHeldOfOthers(t *testing.T) {
	h := newHarness(t, Default())
	var last *flow.Flow
	for _, said := range []string{"SSH-2.0-client\r\n", "\x00\x01\x02\x03", "\x16\x03\x01", "220 mail ready\r\n", "\x80\x01\x02", "\xff\xff", "G", "PROPXYZ"} {
		c := h.dial(22, true)
		c.say([]byte(said))
		last = c.say([]byte(" and more of it, which is nothing that shows a name"))
		if h.reader.shop.oldest != nil || last.Side != 0 {
			t.Errorf("%q: something is held", said)
		}
	}
	h.names()
	h.balanced()
}
