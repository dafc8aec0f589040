package evidence

import (
	"bytes"
	"math"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

// A flood of half hellos, requests and gaps stays within the budget, is counted, and does not keep a whole hello from being read.
func TestBudget(t *testing.T) {
	hello := helloOf(t, "chat.example.com", true)
	config := Default()
	config.AssemblyBytes = 256 << 10
	h := newHarness(t, config)
	floods := []func(c *conn){
		func(c *conn) { c.say(hello[:1]) },
		func(c *conn) { c.say(hello[:len(hello)-1]) },
		func(c *conn) { c.place(1, hello[1:]) },
		func(c *conn) { c.place(8000, make([]byte, 1400)) },
		func(c *conn) { c.say([]byte("GET / HTTP/1.1\r\nX: " + string(bytes.Repeat([]byte("y"), 1000)))) },
		func(c *conn) { c.say([]byte(post("a.example", "x"))); c.place(c.at+700, make([]byte, 1400)) },
		func(c *conn) { c.reply(0, hello[:500]) },
	}
	for i := range 3000 {
		c := h.dial(443, true)
		floods[i%len(floods)](c)
		largest := maxAssembly + assemblyCost
		if held := h.reader.shop.held; held > config.AssemblyBytes+largest || held < 0 {
			t.Fatalf("after %d connections %d bytes are held, budget %d", i, held, config.AssemblyBytes)
		}
		if sum, n := count(&h.reader.shop); sum != h.reader.shop.held || n*assemblyCost > config.AssemblyBytes {
			t.Fatalf("after %d connections %d bytes in %d assemblies are held, %d are counted", i, sum, n, h.reader.shop.held)
		}
	}
	if h.reader.Stats().GivenUp < 2000 {
		t.Errorf("%d given up", h.reader.Stats().GivenUp)
	}
	h.found = nil
	c := h.dial(443, true)
	c.say(hello[:700])
	c.say(hello[700:])
	h.names("sni chat.example.com")
	h.balanced()
}

// count walks the assemblies that are lent.
func count(s *shop) (bytes, n int) {
	for a := s.oldest; a != nil; a = a.newer {
		bytes += len(a.buf) + assemblyCost
		n++
	}
	return bytes, n
}

// While memory is so short that every new assembly takes away the one before, heads that follow one another still end in balance.
func TestBudgetOfNothing(t *testing.T) {
	config := Default()
	config.AssemblyBytes = 0
	h := newHarness(t, config)
	a, b := h.dial(80, true), h.dial(80, true)
	for range 20 {
		r := []byte(get("a.example"))
		a.say(r[:20])
		b.say(r[:30])
		a.say(append(r[20:len(r):len(r)], r[:25]...))
		b.say(append(r[30:len(r):len(r)], r[:10]...))
		a.say(r[25:])
		b.say(r[10:])
	}
	h.balanced()
}

func TestAssembly(t *testing.T) {
	text := []byte("the quick brown fox jumps over the lazy dog")
	r := newRand(3)
	for range 3000 {
		base := ^uint32(20)
		a := &assembly{base: base}
		seen := make([]bool, len(text))
		want := make([]byte, len(text))
		for range 12 {
			from := r.IntN(len(text))
			to := from + 1 + r.IntN(len(text)-from)
			p := bytes.Clone(text[from:to])
			if r.IntN(3) == 0 { // a copy that differs counts only where it is the first
				p = bytes.ToUpper(p)
			}
			if !a.put(base+uint32(from), p) {
				t.Fatal("refused")
			}
			for i := from; i < to; i++ {
				if !seen[i] {
					seen[i], want[i] = true, p[i-from]
				}
			}
			n := 0
			for n < len(seen) && seen[n] {
				n++
			}
			if !bytes.Equal(a.head(), want[:n]) {
				t.Fatalf("head %q, want %q", a.head(), want[:n])
			}
		}
		n := len(a.head())
		if k := r.IntN(n + 1); k > 0 {
			a.consume(k)
			if !bytes.Equal(a.head(), want[k:n]) && k < n {
				t.Fatalf("head %q behind %d, want %q", a.head(), k, want[k:n])
			}
		}
	}
}

func TestAssemblyRefuses(t *testing.T) {
	tests := []struct {
		name string
		seq  uint32
		n    int
		ok   bool
	}{
		{"before the base", 1000 - 10, 10, true},
		{"half before the base", 1000 - 10, 20, true},
		{"half the space before", 1000 + 1<<31, 10, true},
		{"just less before", 1000 + 1<<31 + 1, 10, true},
		{"at the end", 1000 + maxAssembly - 10, 10, true},
		{"over the end", 1000 + maxAssembly - 9, 10, false},
		{"far ahead", 1000 + math.MaxInt32, 10, false},
		{"too long", 1000, maxAssembly + 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := &assembly{base: 1000}
			if got := a.put(tt.seq, make([]byte, tt.n)); got != tt.ok {
				t.Errorf("%v, want %v", got, tt.ok)
			}
			if len(a.buf) > maxAssembly {
				t.Errorf("%d bytes", len(a.buf))
			}
		})
	}
	t.Run("too many pieces", func(t *testing.T) {
		a := &assembly{}
		for i := range maxSpans {
			if !a.put(uint32(2*i+1), []byte{1}) {
				t.Fatalf("refused piece %d", i)
			}
		}
		if a.put(2*maxSpans+1, []byte{1}) {
			t.Error("kept")
		}
	})
}

// A head that comes byte by byte is not read from its start with every byte: reading 60 KiB takes no longer than a moment.
func TestHeadByteByByte(t *testing.T) {
	h := newHarness(t, Default())
	c := h.dial(80, true)
	head := []byte("GET / HTTP/1.1\r\nHost: a.example\r\nX: " + string(bytes.Repeat([]byte("y\n"), 20<<10)) + "\r\n\r\n")
	looks := 0
	for i := range head {
		if i > 512 && mayEnd(head[:i+1], i) {
			looks++
		}
		c.say(head[i : i+1])
	}
	h.names("http-host a.example")
	if looks > 3 {
		t.Errorf("the head is read %d times", looks)
	}
	h.balanced()
}

func TestNoAllocations(t *testing.T) {
	h := newHarness(t, Default())
	hello := helloOf(t, "chat.example.com", false)
	segs := []decode.Segment{
		{Key: tuple(1, 9000, decode.TCP), Payload: bytes.Repeat([]byte("data "), 100), Flags: decode.ACK},
		{Key: tuple(2, 443, decode.TCP), Payload: append([]byte{23, 3, 3, 1, 0}, make([]byte, 500)...), Flags: decode.ACK},
		{Key: tuple(3, 443, decode.UDP), Payload: append([]byte{0x41}, make([]byte, 500)...)},
	}
	for i := range segs {
		h.send(segs[i])
	}
	if got := testing.AllocsPerRun(100, func() {
		for i := range segs {
			f, err := h.flows.Open(&segs[i])
			if err != nil {
				t.Fatal(err)
			}
			h.reader.From(f, &segs[i])
		}
	}); got != 0 {
		t.Errorf("segments without a name: %v allocations", got)
	}
	q := decode.Segment{Key: tuple(4, 53, decode.UDP), Payload: query(1, "chat", "example", "com")}
	quiet := New(Default(), h.flows, silent{})
	if got := testing.AllocsPerRun(100, func() {
		if !quiet.DNS(&q) {
			t.Fatal("not read")
		}
	}); got != 0 {
		t.Errorf("a DNS query: %v allocations", got)
	}
	seg := decode.Segment{Key: tuple(5, 443, decode.TCP), Payload: hello, Len: uint32(len(hello)), Flags: decode.ACK}
	f, err := h.flows.Open(&seg)
	if err != nil {
		t.Fatal(err)
	}
	if got := testing.AllocsPerRun(100, func() { quiet.From(f, &seg) }); got != 0 {
		t.Errorf("a hello: %v allocations", got)
	}
}
