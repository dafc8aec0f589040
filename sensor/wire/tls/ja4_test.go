package tls

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// The lists of the worked example in the public description of JA4, in the client's order.
var (
	exampleSuites  = []int{0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35}
	exampleSchemes = []int{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601}
)

// exampleExtensions are those of the example with a given ALPN; without schemes, signature_algorithms is an empty list.
func exampleExtensions(schemes []int, protocols ...string) []extension {
	return []extension{
		{0x0a0a, nil}, {0x001b, nil}, sni("example.com"), {0x0033, nil}, alpn(protocols...), {0x4469, nil}, {0x0017, nil}, {0x002d, nil},
		values(0x000d, schemes...), {0x0005, nil}, {0x0023, nil}, {0x0012, nil}, versions(0x0a0a, 0x304, 0x303), {0xff01, nil},
		{0x000b, nil}, {0x000a, nil}, {0x0015, nil}, {0xfafa, []byte{0}},
	}
}

func TestJA4(t *testing.T) {
	greased := append([]int{0x1a1a}, exampleSuites...)
	tests := []struct {
		name      string
		msg       []byte
		transport byte
		want      string
	}{
		{"published example", makeHello(greased, exampleExtensions(exampleSchemes, "h2", "http/1.1")...), TransportTCP,
			"t13d1516h2_8daaf6152771_e5627efa2ab1"},
		{"published example without signature algorithms", makeHello(greased, exampleExtensions(nil, "h2")...), TransportTCP,
			"t13d1516h2_8daaf6152771_6d807ffa2a79"},
		{"over QUIC", makeHello(greased, exampleExtensions(exampleSchemes, "h3")...), TransportQUIC, "q13d1516h3_8daaf6152771_e5627efa2ab1"},
		{"HTTP/1.1", makeHello(greased, exampleExtensions(exampleSchemes, "http/1.1")...), TransportTCP, "t13d1516h1_8daaf6152771_e5627efa2ab1"},
		{"nothing but suites", makeHello(exampleSuites), TransportTCP, "t12i150000_8daaf6152771_000000000000"},
		{"only GREASE", makeHello([]int{0x2a2a}, extension{0x3a3a, nil}), TransportTCP, "t12i000000_000000000000_000000000000"},
		{"only name and protocol", makeHello(exampleSuites, sni("a.example"), alpn("h2")), TransportTCP, "t12d1502h2_8daaf6152771_000000000000"},
		{"name extension that is unusable", makeHello(exampleSuites, sni("")), TransportTCP, "t12d150100_8daaf6152771_000000000000"},
		{"draft version", makeHello(exampleSuites, sni("a.example"), versions(0x7f17)), TransportTCP, "t00d150200_8daaf6152771_" + sum("002b")},
		{"one character", makeHello(exampleSuites, alpn("x")), TransportTCP, "t12i1501xx_8daaf6152771_000000000000"},
		{"hex of AB", makeHello(exampleSuites, alpn("\xab")), TransportTCP, "t12i1501ab_8daaf6152771_000000000000"},
		{"hex of AB CD", makeHello(exampleSuites, alpn("\xab\xcd")), TransportTCP, "t12i1501ad_8daaf6152771_000000000000"},
		{"hex of 30 AB", makeHello(exampleSuites, alpn("\x30\xab")), TransportTCP, "t12i15013b_8daaf6152771_000000000000"},
		{"hex of 30 31 AB CD", makeHello(exampleSuites, alpn("\x30\x31\xab\xcd")), TransportTCP, "t12i15013d_8daaf6152771_000000000000"},
		{"alphanumeric ends", makeHello(exampleSuites, alpn("\x30\xab\xcd\x31")), TransportTCP, "t12i150101_8daaf6152771_000000000000"},
		{"150 suites count as 99", makeHello(make([]int, 150)), TransportTCP, "t12i990000_" + sum(zeros(150)) + "_000000000000"},
		{"more than 512 suites", makeHello(make([]int, 513)), TransportTCP, ""},
		{"512 suites", makeHello(make([]int, 512)), TransportTCP, "t12i990000_" + sum(zeros(512)) + "_000000000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h Hello
			if err := h.Parse(tt.msg); err != nil {
				t.Fatal(err)
			}
			if got := string(h.AppendJA4([]byte("before "), tt.transport)); got != "before "+tt.want {
				t.Errorf("fingerprint %q, want %q", got, "before "+tt.want)
			}
		})
	}
}

// sum is a truncated hash as the description defines it.
func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:6])
}

func zeros(n int) (text string) {
	for range n {
		text += ",0000"
	}
	return text[1:]
}

func TestJA4DoesNotAllocate(t *testing.T) {
	var h Hello
	if err := h.Parse(realHello(t, wanted())[recordHeaderLen:]); err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 0, 36)
	if got := testing.AllocsPerRun(100, func() { dst = h.AppendJA4(dst[:0], TransportTCP) }); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
	if len(dst) != 36 {
		t.Errorf("fingerprint %q has %d characters, want 36", dst, len(dst))
	}
}

func BenchmarkJA4(b *testing.B) {
	var h Hello
	if err := h.Parse(realHello(b, wanted())[recordHeaderLen:]); err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, 0, 36)
	b.ReportAllocs()
	for b.Loop() {
		dst = h.AppendJA4(dst[:0], TransportTCP)
	}
}
