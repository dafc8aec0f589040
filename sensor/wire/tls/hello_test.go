package tls

import (
	"bytes"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestPlainName(t *testing.T) {
	for n := range 20 {
		for at := range n {
			for c := range 256 {
				name := []byte(strings.Repeat("a", n))
				name[at] = byte(c)
				if got, want := plainName(name), c > ' ' && c <= '~'; got != want {
					t.Fatalf("%q: %v", name, got)
				}
			}
		}
	}
	if plainName(nil) || !plainName(make255('a')) || plainName(append(make255('a'), 'a')) || plainName(make255(0)) {
		t.Error("a name is judged by its length wrongly")
	}
}

func make255(c byte) []byte { return bytes.Repeat([]byte{c}, maxServerName) }

func TestParseRealHello(t *testing.T) {
	tests := []struct {
		name    string
		config  *tls.Config
		server  string
		first   string
		version uint16
	}{
		{"name and protocols", wanted(), "chat.example.com", "h2", tls.VersionTLS13},
		{"address instead of a name", &tls.Config{ServerName: "192.0.2.1"}, "", "", tls.VersionTLS13},
		{"TLS 1.2 at most", &tls.Config{ServerName: "a.example", MaxVersion: tls.VersionTLS12}, "a.example", "", tls.VersionTLS12},
		{"one curve", &tls.Config{ServerName: "a.example", CurvePreferences: []tls.CurveID{tls.X25519}}, "a.example", "", tls.VersionTLS13},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h Hello
			if err := h.Parse(realHello(t, tt.config)[recordHeaderLen:]); err != nil {
				t.Fatal(err)
			}
			if string(h.ServerName) != tt.server || h.NameExtension != (tt.server != "") {
				t.Errorf("server name %q (extension %v), want %q", h.ServerName, h.NameExtension, tt.server)
			}
			if string(h.NextProtocol()) != tt.first {
				t.Errorf("first protocol %q, want %q", h.NextProtocol(), tt.first)
			}
			if h.Version != tt.version || h.LegacyVersion != tls.VersionTLS12 {
				t.Errorf("versions %#x and %#x, want %#x and 0x303", h.Version, h.LegacyVersion, tt.version)
			}
			if h.ECH || h.ESNI {
				t.Error("says ECH or ESNI of a hello without")
			}
		})
	}
}

func TestParse(t *testing.T) {
	plain := sni("plain.example")
	suites := []int{0x1301}
	tests := []struct {
		name    string
		msg     []byte
		want    error
		server  string
		version uint16
		ech     bool
		esni    bool
	}{
		{name: "no extensions at all", msg: makeHello(suites), version: 0x303},
		{name: "no extensions in the list", msg: makeHello(suites, []extension{}...), version: 0x303},
		{name: "name", msg: makeHello(suites, plain), server: "plain.example", version: 0x303},
		{name: "unknown extension first", msg: makeHello(suites, extension{0x7777, []byte("x")}, plain), server: "plain.example", version: 0x303},
		{name: "empty name", msg: makeHello(suites, sni("")), version: 0x303},
		{name: "embedded NUL", msg: makeHello(suites, sni("good.example\x00.evil.example")), version: 0x303},
		{name: "line break", msg: makeHello(suites, sni("good.example\n")), version: 0x303},
		{name: "blank", msg: makeHello(suites, sni("good example")), version: 0x303},
		{name: "not ASCII", msg: makeHello(suites, sni("b\xfccher.example")), version: 0x303},
		{name: "longer than DNS allows", msg: makeHello(suites, sni(strings.Repeat("a", 256))), version: 0x303},
		{name: "two names of one server", msg: makeHello(suites, plain, sni("other.example")), version: 0x303},
		{name: "name type unknown", msg: makeHello(suites, extension{extServerName, []byte{0, 6, 1, 0, 3, 'a', '.', 'b'}}), version: 0x303},
		{name: "unknown type, then a host", msg: makeHello(suites, extension{extServerName, []byte{0, 10, 1, 0, 1, 'x', 0, 0, 3, 'a', '.', 'b'}}), server: "a.b", version: 0x303},
		{name: "name longer than its list", msg: makeHello(suites, extension{extServerName, []byte{0, 6, 0, 0, 9, 'a', '.', 'b'}}), version: 0x303},
		{name: "list longer than its extension", msg: makeHello(suites, extension{extServerName, []byte{0, 9, 0, 0, 3, 'a', '.', 'b'}}), version: 0x303},
		{name: "ECH", msg: makeHello(suites, plain, extension{0xfe0d, nil}), server: "plain.example", version: 0x303, ech: true},
		{name: "ECH of draft 8", msg: makeHello(suites, extension{65032, nil}), version: 0x303, ech: true},
		{name: "ECH of draft 9", msg: makeHello(suites, extension{65033, nil}), version: 0x303, ech: true},
		{name: "ECH of draft 10", msg: makeHello(suites, extension{65034, nil}), version: 0x303, ech: true},
		{name: "ESNI", msg: makeHello(suites, extension{0xffce, nil}), version: 0x303, esni: true},
		{name: "GREASE is no version", msg: makeHello(suites, versions(0xdada, 0x303, 0x304)), version: 0x304},
		{name: "a draft of TLS 1.3", msg: makeHello(suites, versions(0x303, 0x7f1c)), version: 0x7f1c},
		{name: "only GREASE", msg: makeHello(suites, versions(0x0a0a)), version: 0x303},
		{name: "bytes behind the message", msg: append(makeHello(suites, plain), 0), want: ErrMalformed},
		{name: "another message", msg: message(typeServerHello, make([]byte, 50)), want: ErrMalformed},
		{name: "not version 3", msg: message(typeClientHello, make([]byte, 50)), want: ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := Hello{ServerName: []byte("left over"), ECH: true, ESNI: true}
			if err := h.Parse(tt.msg); !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				return
			}
			if string(h.ServerName) != tt.server || h.Version != tt.version || h.ECH != tt.ech || h.ESNI != tt.esni {
				t.Errorf("got %q %#x ECH %v ESNI %v, want %q %#x %v %v",
					h.ServerName, h.Version, h.ECH, h.ESNI, tt.server, tt.version, tt.ech, tt.esni)
			}
		})
	}
}

func TestParseDamagedLengths(t *testing.T) {
	whole := makeHello([]int{0x1301, 0x1302}, sni("a.example"))
	tests := []struct {
		name string
		at   int // byte to change
		to   byte
	}{
		{"session id over 32", 38, 33},
		{"odd cipher suites", 40, 3},
		{"cipher suites beyond the end", 39, 0xff},
		{"compression beyond the end", 45, 0xff},
		{"extensions end early", 48, 3},
		{"extensions beyond the end", 47, 1},
		{"extension beyond the list", 52, 0xff},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			msg := slices.Clone(whole)
			msg[tt.at] = tt.to
			var h Hello
			if err := h.Parse(msg); !errors.Is(err, ErrMalformed) {
				t.Errorf("error %v, want %v", err, ErrMalformed)
			}
		})
	}
}

func TestParseTruncated(t *testing.T) {
	msg := realHello(t, wanted())[recordHeaderLen:]
	for n := range msg {
		var h Hello
		if err := h.Parse(msg[:n]); !errors.Is(err, ErrTruncated) {
			t.Fatalf("cut at %d of %d: error %v, want %v", n, len(msg), err, ErrTruncated)
		}
		if n < handshakeHeaderLen {
			continue
		}
		short := slices.Clone(msg[:n]) // a message whose header is as short as the rest, so that the inside is cut
		size := n - handshakeHeaderLen
		short[1], short[2], short[3] = byte(size>>16), byte(size>>8), byte(size)
		// Cut behind the compression methods, it is a whole hello of the time before extensions.
		if err := h.Parse(short); err == nil && h.extensions != nil || err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("message of %d bytes: error %v, extensions %d bytes", n, err, len(h.extensions))
		}
	}
}

func TestNextProtocols(t *testing.T) {
	tests := []struct {
		name string
		ext  extension
		want []string
	}{
		{"several", alpn("h3", "h2", "http/1.1"), []string{"h3", "h2", "http/1.1"}},
		{"one", alpn("h2"), []string{"h2"}},
		{"cut inside a name", extension{extALPN, vector16([]byte("\x02h2\x09http"))}, []string{"h2"}},
		{"not the length of its list", extension{extALPN, []byte("\x00\x09\x02h2")}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h Hello
			if err := h.Parse(makeHello([]int{0x1301}, tt.ext)); err != nil {
				t.Fatal(err)
			}
			var got []string
			for name := range h.NextProtocols() {
				got = append(got, string(name))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("protocols %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHelloDoesNotAllocate(t *testing.T) {
	stream := realHello(t, wanted())
	var h Hello
	got := testing.AllocsPerRun(100, func() {
		msg, _, err := Unwrap(nil, stream)
		if err != nil || h.Parse(msg) != nil || h.NextProtocol() == nil {
			t.Fatal("the hello is not read")
		}
		for name := range h.NextProtocols() {
			if len(name) == 0 {
				t.Fatal("an empty protocol")
			}
		}
	})
	if got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

func BenchmarkParse(b *testing.B) {
	msg := realHello(b, wanted())[recordHeaderLen:]
	var h Hello
	b.ReportAllocs()
	for b.Loop() {
		if err := h.Parse(msg); err != nil {
			b.Fatal(err)
		}
	}
}

// browserHellos are hellos like a browser's, each with its extensions in another order.
func browserHellos(n int) [][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	all := []extension{
		sni("chat.a.example"), {0x17, nil}, {0xff01, []byte{0}}, values(10, 0x11ec, 29, 23, 24), {11, []byte{1, 0}}, {35, nil},
		alpn("h2", "http/1.1"), {5, []byte{1, 0, 0, 0, 0}},
		values(extSignatureAlgorithms, 0x0403, 0x0804, 0x0401), {18, nil}, {51, make([]byte, 1263)}, {45, []byte{1, 1}},
		versions(0x4a4a, 0x0304, 0x0303), {27, []byte{2, 0, 2}}, {0x44cd, []byte{0, 3, 2, 'h', '2'}}, {extECH, make([]byte, 250)},
	}
	var out [][]byte
	for range n {
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		out = append(out, makeHello([]int{0x1301, 0x1302, 0xc02b}, all...))
	}
	return out
}

// inOrder is what a hello says when its extensions are read one after the other.
func inOrder(h *Hello) Hello {
	slow := Hello{LegacyVersion: h.LegacyVersion, Version: h.LegacyVersion, ciphers: h.ciphers, extensions: h.extensions}
	slow.parseInOrder()
	return slow
}

// In whatever order extensions come, some of them more than once, they say what they say one after the other.
func TestParseShuffled(t *testing.T) {
	kinds := []int{extServerName, extSignatureAlgorithms, extALPN, extEarlyData, extSupportedVersions, extECH, extECHDraftFirst, extECHDraftLast, extESNI,
		0x0a0a, 0xff01, 0xfe07, 0xfe0e, 63, 64, 10, 45}
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		var all []extension
		for range random.IntN(12) {
			body := sni("a.example").body
			switch random.IntN(4) {
			case 0:
				body = versions(0x0304, 0x1a1a, random.IntN(1<<16)).body
			case 1:
				body = body[:random.IntN(len(body)+1)]
			}
			all = append(all, extension{uint16(kinds[random.IntN(len(kinds))]), body})
		}
		var h Hello
		if err := h.Parse(makeHello([]int{0x1301}, all...)); err != nil {
			t.Fatal(err)
		}
		if want := inOrder(&h); !reflect.DeepEqual(h, want) {
			t.Fatalf("of %v: %+v, one after the other %+v", all, h, want)
		}
	}
}

func BenchmarkParseShuffled(b *testing.B) {
	hellos := browserHellos(1024)
	var h Hello
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := h.Parse(hellos[i%len(hellos)]); err != nil || len(h.ServerName) != 14 {
			b.Fatal(err)
		}
	}
}
