package evidence

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// part is a stretch of a stream.
type part struct{ from, to int }

// sendParts sends parts of a hello on a new connection and returns whether its name was found, once.
func sendParts(t *testing.T, h *harness, syn bool, hello []byte, parts ...part) {
	t.Helper()
	h.found = h.found[:0]
	c := h.dial(443, syn)
	for _, p := range parts {
		c.place(p.from, hello[p.from:p.to])
	}
	if len(h.found) != 1 || h.found[0] != "sni chat.example.com" {
		t.Fatalf("parts %v of %d, SYN %v: found %q", parts, len(hello), syn, h.found)
	}
	if f := c.seg(0, c.isn+1+uint32(len(hello)), nil, decode.ACK); !f.Has(flow.Settled|flow.Named) || f.Side != 0 {
		t.Fatalf("parts %v: state %b, side %d", parts, f.State, f.Side)
	}
}

func TestHelloInTwo(t *testing.T) {
	for _, postQuantum := range []bool{false, true} {
		hello := helloOf(t, "chat.example.com", postQuantum)
		if postQuantum && len(hello) < 1300 {
			t.Fatalf("a hello of %d bytes has no post-quantum key", len(hello))
		}
		n := len(hello)
		t.Run(fmt.Sprint("of ", n), func(t *testing.T) {
			h := newHarness(t, Default())
			for cut := 1; cut < n; cut++ {
				a, b, all := part{0, cut}, part{cut, n}, part{0, n}
				sendParts(t, h, true, hello, a, b)
				sendParts(t, h, false, hello, a, b)
				sendParts(t, h, true, hello, b, a)
				if cut%7 == 0 {
					sendParts(t, h, true, hello, b, b, a)
					sendParts(t, h, true, hello, a, a, b)
					sendParts(t, h, true, hello, a, part{cut / 2, n})
					sendParts(t, h, true, hello, part{cut / 2, n}, a)
					sendParts(t, h, true, hello, b, all)
				}
			}
			h.balanced()
		})
	}
}

func TestHelloInThree(t *testing.T) {
	hello := helloOf(t, "chat.example.com", true)
	n := len(hello)
	r := newRand(1)
	h := newHarness(t, Default())
	for port := range 4000 {
		i, j := 1+r.IntN(n-2), 1+r.IntN(n-2)
		if i == j {
			j++
		}
		i, j = min(i, j), max(i, j)
		if port%4 == 0 { // a few bytes at an end
			i, j = 1+port%11, n-1-port%13
		}
		parts := []part{{0, i}, {i, j}, {j, n}}
		r.Shuffle(3, func(a, b int) { parts[a], parts[b] = parts[b], parts[a] })
		syn := parts[0].from > 0 || r.IntN(2) == 0 // without a SYN nobody knows that the start is missing
		for k := range parts {
			switch r.IntN(6) {
			case 0: // overlaps what lies before it
				parts[k].from -= r.IntN(min(parts[k].from, 50) + 1)
			case 1: // said again before the rest
				parts = slices.Insert(parts, k, parts[k])
			}
		}
		sendParts(t, h, syn, hello, parts...)
	}
	h.balanced()
}

func TestHelloByteByByte(t *testing.T) {
	hello := helloOf(t, "chat.example.com", false)
	for _, backwards := range []bool{false, true} {
		h := newHarness(t, Default())
		var parts []part
		for i := range hello {
			parts = append(parts, part{i, i + 1})
		}
		if backwards { // more pieces in the wrong order than are kept: only as many as fit
			parts = nil
			for i := 0; i < len(hello); i += 10 {
				parts = append(parts, part{i, min(i+10, len(hello))})
			}
			slices.Reverse(parts)
		}
		sendParts(t, h, true, hello, parts...)
		h.balanced()
	}
}

func TestHelloInRecords(t *testing.T) {
	hello := helloOf(t, "chat.example.com", true)
	h := newHarness(t, Default())
	for size := 1; size < len(hello)-5; size += 1 + size/4 {
		split := records(hello, size)
		if (len(hello)-5)/size > 1000 { // more records than any client makes
			continue
		}
		n := len(split)
		sendParts(t, h, true, split, part{0, n})
		sendParts(t, h, true, split, part{0, n / 3}, part{n / 3, n})
		sendParts(t, h, true, split, part{n / 3, n}, part{0, n / 3})
	}
	h.balanced()
}

// A first copy counts, as in the receiver.
func TestHelloOverwritten(t *testing.T) {
	hello, other := helloOf(t, "chat.example.com", false), helloOf(t, "evil.example.org", false)
	h := newHarness(t, Default())
	c := h.dial(443, true)
	c.place(0, hello[:100])
	c.place(0, other[:100])
	c.place(100, hello[100:])
	h.names("sni chat.example.com")
	h.balanced()
}

func TestHelloWhere(t *testing.T) {
	hello := helloOf(t, "chat.example.com", true)
	text := make([]byte, 102000)
	for i := range text {
		text[i] = byte('a' + i%26)
	}
	t.Run("in a large upload", func(t *testing.T) {
		h := newHarness(t, Default())
		c := h.dial(9000, true)
		for i := 0; i < len(text); i += 1000 {
			c.say(text[i : i+1000])
		}
		f := c.say(hello)
		c.say(hello)
		h.names()
		if f.Has(flow.Named) {
			t.Error("named")
		}
		h.balanced()
	})
	t.Run("in an upload that the server answers", func(t *testing.T) {
		h := newHarness(t, Default())
		c := h.dial(9000, true)
		for i := 0; i < 20000; i += 1000 {
			c.say(text[i : i+1000])
			c.reply(i, text[i:i+1000])
		}
		if f := c.say(hello); !f.Has(flow.Settled) {
			t.Error("still looked at")
		}
		h.names()
		h.balanced()
	})
	t.Run("from the server", func(t *testing.T) { // mail servers deliver to one another: whoever says hello is the client
		h := newHarness(t, Default())
		c := h.dial(9000, true)
		c.reply(0, hello)
		h.names("sni chat.example.com")
		if h.client[0] != 1 {
			t.Error("whoever says hello is the client")
		}
		h.balanced()
	})
	t.Run("in a reset", func(t *testing.T) {
		h := newHarness(t, Default())
		c := h.dial(443, true)
		c.seg(0, c.isn+1, hello, decode.RST)
		h.names()
		h.balanced()
	})
	t.Run("on a SYN", func(t *testing.T) {
		h := newHarness(t, Default())
		c := h.dial(443, false)
		c.seg(0, c.isn, hello[:600], decode.SYN)
		c.place(600, hello[600:])
		h.names("sni chat.example.com")
		h.balanced()
	})
	t.Run("cut by the snaplen", func(t *testing.T) {
		h := newHarness(t, Default())
		h.send(decode.Segment{Key: tuple(1, 443, decode.TCP), Payload: hello[:60], Len: uint32(len(hello)), Flags: decode.ACK})
		h.names()
		h.balanced()
	})
	t.Run("never whole", func(t *testing.T) {
		h := newHarness(t, Default())
		c := h.dial(443, true)
		c.say(hello[:len(hello)-1])
		h.balanced()
		h.names()
	})
	t.Run("two on one connection", func(t *testing.T) { // the second would be encrypted: only the first counts
		h := newHarness(t, Default())
		c := h.dial(443, true)
		c.say(hello)
		c.say(helloOf(t, "other.example.com", false))
		h.names("sni chat.example.com")
		h.balanced()
	})
}

func TestHelloBehindAPreamble(t *testing.T) {
	hello := helloOf(t, "chat.example.com", true)
	proxy2 := append([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"), 10, 0, 0, 1, 10, 0, 0, 2, 0xc3, 0x50, 1, 0xbb)
	tests := []struct {
		name string
		said []string // the client's, each a segment
	}{
		{"SOCKS5", []string{"\x05\x01\x00", "\x05\x01\x00\x03\x10chat.example.com\x01\xbb"}},
		{"SOCKS5 with a password", []string{"\x05\x02\x00\x02", "\x01\x04user\x04pass", "\x05\x01\x00\x01\xc0\x00\x02\x01\x01\xbb"}},
		{"SOCKS4a", []string{"\x04\x01\x01\xbb\x00\x00\x00\x01me\x00chat.example.com\x00"}},
		{"PROXY 1", []string{"PROXY TCP4 10.0.0.1 10.0.0.2 50000 443\r\n"}},
		{"PROXY 1, a letter first", []string{"P", "ROXY TCP4 10.0.0.1 10.0.0.2 50000 443\r\n"}},
		{"PROXY 2", []string{string(proxy2)}},
		{"PROXY 2, in pieces", []string{string(proxy2[:1]), string(proxy2[1:])}},
		{"STARTTLS, SMTP", []string{"EHLO client\r\n", "STARTTLS\r\n"}},
		{"STARTTLS, IMAP", []string{"a1 CAPABILITY\r\n", "a2 STARTTLS\r\n"}},
		{"STARTTLS, POP3", []string{"CAPA\r\n", "STLS\r\n"}},
		{"STARTTLS, LDAP", []string{"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"}},
		{"PostgreSQL", []string{"\x00\x00\x00\x08\x04\xd2\x16\x2f"}},
		{"XMPP", []string{"<?xml version='1.0'?><stream:stream to='x'>", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"}},
		{"STARTTLS in a telnet", []string{"S", "T", "A", "R", "T", "T", "L", "S", "\r", "\n"}},
	}
	for _, tt := range tests {
		whole := ""
		for _, s := range tt.said {
			whole += s
		}
		ways := map[string]func(c *conn){
			"next segment": func(c *conn) {
				for _, s := range tt.said {
					c.say([]byte(s))
					c.reply(0, []byte("ok\r\n"))
				}
				c.say(hello)
			},
			"next segments": func(c *conn) {
				for _, s := range tt.said {
					c.say([]byte(s))
				}
				c.say(hello[:700])
				c.say(hello[700:])
			},
			"same segment": func(c *conn) {
				c.say(append([]byte(whole), hello...))
			},
			"same segment, in two": func(c *conn) {
				c.say(append([]byte(whole), hello[:700]...))
				c.say(hello[700:])
			},
			"hello first": func(c *conn) {
				c.place(len(whole), hello)
				c.place(0, []byte(whole))
			},
			"the end of the hello first": func(c *conn) {
				c.place(len(whole)+700, hello[700:])
				c.place(0, []byte(whole))
				c.place(len(whole), hello[:700])
			},
		}
		for way, send := range ways {
			t.Run(tt.name+", "+way, func(t *testing.T) {
				h := newHarness(t, Default())
				send(h.dial(1080, true))
				h.names("sni chat.example.com")
				h.balanced()
			})
		}
	}
}

// What was lost before the capture, but acknowledged, is not waited for.
func TestHelloBehindALoss(t *testing.T) {
	hello := helloOf(t, "chat.example.com", true)
	h := newHarness(t, Default())
	c := h.dial(1080, true)
	c.place(40, hello[:700])
	h.send(decode.Segment{Key: tuple(1, 1080, decode.TCP), Dir: 1, Seq: 5001, Ack: c.isn + 1 + 40, Flags: decode.ACK})
	c.place(740, hello[700:])
	h.names("sni chat.example.com")
	h.balanced()
}
