package evidence

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

func get(host string) string {
	return "GET /secret HTTP/1.1\r\nHost: " + host + "\r\nAccept: */*\r\n\r\n"
}

func post(host, body string) string {
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", host, len(body), body)
}

func chunked(host, body string) string {
	half := len(body) / 2
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%x;x=y\r\n%s\r\n0\r\nTrailer: 1\r\n\r\n",
		host, half, body[:half], len(body)-half, body[half:])
}

// trap is a body that contains requests.
var trap = strings.Repeat("x", 20) + "\r\n\r\n" + get("trap.example") + get("trap.example")

func TestRequests(t *testing.T) {
	tests := []struct {
		name   string
		stream string
		want   []string
	}{
		{"one", get("a.example"), []string{"http-host a.example"}},
		{"several hosts", get("a.example") + get("b.example") + get("a.example"), []string{"http-host a.example", "http-host b.example", "http-host a.example"}},
		{"a body", post("a.example", trap) + get("b.example"), []string{"http-host a.example", "http-host b.example"}},
		{"a chunked body", chunked("a.example", trap) + get("b.example"), []string{"http-host a.example", "http-host b.example"}},
		{"bodies of both kinds", chunked("a.example", trap) + post("b.example", trap) + chunked("c.example", "zz"), []string{"http-host a.example", "http-host b.example", "http-host c.example"}},
		{"blank lines between", get("a.example") + "\r\n" + get("b.example"), []string{"http-host a.example", "http-host b.example"}},
		{"a proxy's", "GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n" + get("b.example"), []string{"http-host a.example", "http-host b.example"}},
		{"no host", "GET / HTTP/1.0\r\n\r\n" + get("b.example"), []string{"http-host ", "http-host b.example"}},
	}
	for _, tt := range tests {
		b := []byte(tt.stream)
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, Default())
			for size := 1; size <= len(b); size += 1 + size/8 { // in segments of every size
				h.found = nil
				c := h.dial(80, true)
				for at := 0; at < len(b); at += size {
					c.say(b[at:min(at+size, len(b))])
					if at%3 == 0 { // sent again
						c.place(at, b[at:min(at+size, len(b))])
					}
				}
				if !slices.Equal(h.found, tt.want) {
					t.Fatalf("segments of %d: found %q, want %q", size, h.found, tt.want)
				}
			}
			h.balanced()
		})
	}
}

// Two neighbours of a stream's segments are swapped on the way: nothing is invented, and where the first request stands still, all is found.
func TestRequestsOutOfOrder(t *testing.T) {
	b := []byte(post("a.example", trap+trap) + chunked("b.example", trap) + get("c.example"))
	want := []string{"http-host a.example", "http-host b.example", "http-host c.example"}
	complete := 0
	r := newRand(2)
	h := newHarness(t, Default())
	for range 2000 {
		h.found = nil
		c := h.dial(80, true)
		size := 20 + r.IntN(200)
		var parts []part
		for at := 0; at < len(b); at += size {
			parts = append(parts, part{at, min(at+size, len(b))})
		}
		if k := r.IntN(len(parts)); k > 0 {
			parts[k-1], parts[k] = parts[k], parts[k-1]
		}
		for _, p := range parts {
			c.place(p.from, b[p.from:p.to])
		}
		for _, name := range h.found {
			if !slices.Contains(want, name) {
				t.Fatalf("parts %v: found %q", parts, h.found)
			}
		}
		if len(h.found) == 3 {
			complete++
		}
	}
	h.balanced()
	if complete < 2000 {
		t.Errorf("all three hosts were found in only %d of 2000 streams", complete)
	}
}

// A segment of a body is lost: its text is no request, and the next request is found.
func TestRequestsWithLoss(t *testing.T) {
	for _, stream := range []string{post("a.example", strings.Repeat(trap, 10)), chunked("a.example", strings.Repeat(trap, 10))} {
		b := []byte(stream)
		at := strings.Index(stream, "GET /secret") // the text stands at the start of a segment
		h := newHarness(t, Default())
		c := h.dial(80, true)
		c.place(0, b[:at-20])
		for i := at; i < len(b); i += len(trap) { // twenty bytes before the text are missing
			c.place(i, b[i:min(i+len(trap), len(b))])
		}
		c.place(len(b), []byte(get("b.example")))
		h.names("http-host a.example", "http-host b.example")
		h.balanced()

		h = newHarness(t, Default())
		c = h.dial(80, true)
		c.place(0, b[:at])
		c.place(at+len(trap), b[at+len(trap):at+2*len(trap)])
		c.place(at, b[at:at+len(trap)]) // late, and begins like a request
		h.names("http-host a.example")
		h.balanced()
	}
}

func TestConnect(t *testing.T) {
	hello := helloOf(t, "chat.example.com", true)
	connect := []byte("CONNECT chat.example.com:443 HTTP/1.1\r\nHost: chat.example.com:443\r\n\r\n")
	again := []byte("CONNECT chat.example.com:443 HTTP/1.1\r\nProxy-Authorization: Basic dTpw\r\n\r\n")
	target, sni := "connect chat.example.com", "sni chat.example.com"
	tests := []struct {
		name string
		send func(c *conn)
		want []string
	}{
		{"hello in the next segment", func(c *conn) { c.say(connect); c.reply(0, []byte("HTTP/1.1 200 OK\r\n\r\n")); c.say(hello) }, []string{target, sni}},
		{"hello in the same segment", func(c *conn) { c.say(append(slices.Clone(connect), hello...)) }, []string{target, sni}},
		{"hello begins in the same segment", func(c *conn) { c.say(append(slices.Clone(connect), hello[:300]...)); c.say(hello[300:]) }, []string{target, sni}},
		{"a few bytes in the same segment", func(c *conn) { c.say(append(slices.Clone(connect), hello[:3]...)); c.say(hello[3:]) }, []string{target, sni}},
		{"head in two, hello behind", func(c *conn) { c.say(connect[:30]); c.say(append(slices.Clone(connect[30:]), hello...)) }, []string{target, sni}},
		{"hello in two, swapped", func(c *conn) {
			c.say(connect)
			c.place(len(connect)+500, hello[500:])
			c.place(len(connect), hello[:500])
		}, []string{target, sni}},
		{"head again", func(c *conn) { c.say(connect); c.place(0, connect); c.say(hello) }, []string{target, sni}},
		{"407, then again", func(c *conn) {
			c.say(connect)
			c.reply(0, []byte("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"))
			c.say(again)
			c.say(hello)
		}, []string{target, target, sni}},
		{"refused, then another request", func(c *conn) { c.say(connect); c.say([]byte(get("b.example"))) }, []string{target, "http-host b.example"}},
		{"SOCKS inside", func(c *conn) {
			c.say(append(slices.Clone(connect), 5, 1, 0))
			c.say(append([]byte{5, 1, 0, 1, 1, 2, 3, 4, 1, 187}, hello...))
		}, []string{target, sni}},
		{"something else, and a hello far behind", func(c *conn) {
			c.say(connect)
			for range 12 {
				c.say(make([]byte, 1000))
			}
			c.say(hello)
		}, []string{target}},
		{"never whole", func(c *conn) { c.say(connect[:len(connect)-2]) }, []string{target}},
		{"to the server's side nothing is said", func(c *conn) { c.say(connect); c.reply(0, []byte(get("trap.example"))) }, []string{target}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, Default())
			tt.send(h.dial(3128, true))
			h.balanced() // what was only begun is told at the end
			h.names(tt.want...)
		})
	}
}

func TestRequestCutBySnaplen(t *testing.T) {
	h := newHarness(t, Default())
	b := []byte(get("a.example"))
	h.send(decode.Segment{Key: tuple(1, 80, decode.TCP), Payload: b[:len(b)-8], Len: uint32(len(b)), Flags: decode.ACK})
	h.names("http-host a.example")
	h.balanced()
}

// Where a segment claims to lie far away from all others, nothing happens.
func TestRequestsFarAway(t *testing.T) {
	for _, offset := range []uint32{math.MaxInt32, math.MaxInt32 + 1, math.MaxInt32 + 2, math.MaxUint32, 1 << 20, 1<<31 + 1<<20} {
		for _, first := range []string{get("a.example"), post("a.example", "1234")[:58], "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n\r\n", "GET / HT"} {
			h := newHarness(t, Default())
			c := h.dial(80, true)
			c.say([]byte(first))
			for _, b := range []string{"x", get("a.example"), strings.Repeat("y", 70000)} {
				c.seg(0, c.isn+1+uint32(c.at)+offset, []byte(b), decode.ACK)
				c.seg(0, c.isn+1+uint32(c.at-len(b))+offset, []byte(b), decode.ACK)
			}
			h.balanced()
		}
	}
}

func TestBody(t *testing.T) {
	tests := []struct {
		name   string
		stream string
		want   int64
		known  bool
	}{
		{"none", get("a.example"), 0, true},
		{"length", post("a.example", trap), int64(len(trap)), true},
		{"chunked", chunked("a.example", trap), int64(len(trap)), true},
		{"two", post("a.example", trap) + chunked("a.example", trap), 2 * int64(len(trap)), true},
		{"half", post("a.example", trap)[:100], 100 - int64(strings.Index(post("a.example", trap), "\r\n\r\n")) - 4, true},
		{"chunks that are none", "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 0, false},
		{"no request", "hello there", 0, false},
		{"a tunnel", "CONNECT a.example:443 HTTP/1.1\r\n\r\n", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, Default())
			c := h.dial(80, true)
			var f *flow.Flow
			for at := 0; at < len(tt.stream); at += 30 {
				f = c.say([]byte(tt.stream[at:min(at+30, len(tt.stream))]))
			}
			if n, known := h.reader.Body(f); n != tt.want || known != tt.known {
				t.Errorf("%d bytes, known %v; want %d, %v", n, known, tt.want, tt.known)
			}
			h.balanced()
		})
	}
}
