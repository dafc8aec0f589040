package evidence

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	stdtls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// recorded is one side of a pipe that keeps what it writes.
type recorded struct {
	net.Conn
	mu  sync.Mutex
	out []byte
}

func (r *recorded) Write(b []byte) (int, error) {
	r.mu.Lock()
	r.out = append(r.out, b...)
	r.mu.Unlock()
	return r.Conn.Write(b)
}

// selfSigned is a certificate of a key made for it.
func selfSigned(t testing.TB, common string, names ...string) stdtls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: common}, DNSNames: names, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return stdtls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// nameless is the client's hello and the first flight of the server in a handshake of which the client names nobody.
func nameless(t testing.TB, version uint16, cert stdtls.Certificate) (hello, flight []byte) {
	t.Helper()
	a, b := net.Pipe()
	client, server := &recorded{Conn: a}, &recorded{Conn: b}
	done := make(chan error)
	go func() {
		done <- stdtls.Server(server, &stdtls.Config{Certificates: []stdtls.Certificate{cert}, MaxVersion: version}).Handshake()
	}()
	err := stdtls.Client(client, &stdtls.Config{InsecureSkipVerify: true, MaxVersion: version}).Handshake()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	b.Close()
	n := 5 + int(client.out[3])<<8 + int(client.out[4])
	return client.out[:n], server.out
}

func TestCertificate(t *testing.T) {
	cert := selfSigned(t, "", "chat.example.com")
	hello, flight := nameless(t, stdtls.VersionTLS12, cert)
	hello13, flight13 := nameless(t, stdtls.VersionTLS13, cert)
	named := helloOf(t, "other.example.com", false)
	n, m := len(hello), len(flight)
	const none, found = "sni ", "certificate chat.example.com"
	tests := []struct {
		name string
		send func(c *conn)
		want []string
	}{
		{"one segment each", func(c *conn) { c.say(hello); c.answer(n, 0, flight) }, []string{none, found}},
		{"many segments", func(c *conn) {
			c.say(hello)
			for at := 0; at < m; at += 100 {
				c.answer(n, at, flight[at:min(at+100, m)])
			}
		}, []string{none, found}},
		{"backwards, overlapping and repeated", func(c *conn) {
			c.say(hello)
			for at := (m - 1) / 100 * 100; at >= 0; at -= 100 {
				c.answer(n, at, flight[at:min(at+130, m)])
				c.answer(n, at, flight[at:min(at+110, m)])
			}
		}, []string{none, found}},
		{"the hello in two", func(c *conn) { c.say(hello[:50]); c.say(hello[50:]); c.answer(n, 0, flight) }, []string{none, found}},
		{"the hello again before the answer", func(c *conn) { c.say(hello); c.place(0, hello); c.answer(n, 0, flight) }, []string{none, found}},
		{"the client goes on before the last segment", func(c *conn) {
			c.say(hello)
			c.answer(n, 400, flight[400:])
			c.say(bytes.Repeat([]byte{0x16}, 150))
			c.answer(n, 0, flight[:400])
		}, []string{none, found}},
		{"behind STARTTLS", func(c *conn) {
			c.reply(0, []byte("220 mail\r\n"))
			c.say([]byte("STARTTLS\r\n"))
			c.reply(10, []byte("220 go on\r\n"))
			c.acked = 21
			c.say(hello)
			c.answer(n+10, 21, flight)
		}, []string{none, found}},
		{"without a SYN", func(c *conn) { c.say(hello); c.answer(n, 0, flight) }, []string{none, found}},
		{"TLS 1.3", func(c *conn) { c.say(hello13); c.answer(len(hello13), 0, flight13) }, []string{none, "certificate "}},
		{"an alert", func(c *conn) { c.say(hello); c.answer(n, 0, []byte{21, 3, 3, 0, 2, 2, 40}) }, []string{none, "certificate "}},
		{"never an answer", func(c *conn) { c.say(hello) }, []string{none}},
		{"a certificate without end", func(c *conn) {
			c.say(hello)
			long := slices.Concat(flight[:60], []byte{0x16, 3, 3, 0x40, 0, 11, 0, 0xff, 0, 0, 0xfe, 0xfd, 0, 0xfe, 0xfa})
			long = append(long, make([]byte, 40<<10)...)
			for at := 0; at < len(long); at += 1400 {
				c.answer(n, at, long[at:min(at+1400, len(long))])
			}
		}, []string{none, "certificate "}},
		{"a gap that never closes", func(c *conn) {
			c.say(hello)
			c.answer(n, 0, flight[:100])
			for at := 200; at < 40<<10; at += 1400 {
				c.answer(n, at, make([]byte, 1400))
			}
		}, []string{none, "certificate "}},
		{"a hello with a name", func(c *conn) { c.say(named); c.answer(len(named), 0, flight) }, []string{"sni other.example.com"}},
		{"in the tunnel of a CONNECT", func(c *conn) {
			connect := []byte("CONNECT a.example:443 HTTP/1.1\r\n\r\n")
			c.say(connect)
			c.reply(0, []byte("HTTP/1.1 200 OK\r\n\r\n"))
			c.acked = 19
			c.say(hello)
			c.answer(n+len(connect), 19, flight)
		}, []string{"connect a.example", none}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, Default())
			c := h.dial(443, tt.name != "without a SYN")
			tt.send(c)
			h.names(tt.want...)
			settled := len(tt.want) > 1 || tt.want[0] != none
			f := c.seg(0, c.isn, nil, decode.ACK)
			if f.Has(flow.Settled) != settled || settled && h.reader.awaited != 0 {
				t.Errorf("state %b, %d awaited", f.State, h.reader.awaited)
			}
			if f.Client() != 0 {
				t.Error("the server became the client")
			}
			h.balanced()
			if h.reader.awaited != 0 {
				t.Errorf("%d awaited after the end", h.reader.awaited)
			}
		})
	}
}

// answer sends bytes of the server that acknowledge so many of the client's.
func (c *conn) answer(acked, at int, b []byte) *flow.Flow {
	return c.h.send(decode.Segment{Key: tuple(c.port, c.to, decode.TCP), Dir: 1, Seq: 5001 + uint32(at), Ack: c.isn + 1 + uint32(acked), Payload: b, Flags: decode.ACK})
}

func TestCertificatesAwaitedAreBounded(t *testing.T) {
	hello, flight := nameless(t, stdtls.VersionTLS12, selfSigned(t, "chat.example.com"))
	h := newHarness(t, Default())
	for range maxAwaited + 10 {
		h.dial(443, false).say(hello)
	}
	if h.reader.awaited != maxAwaited || h.reader.Stats().GivenUp != 10 {
		t.Errorf("%d awaited, %d given up; want %d and 10", h.reader.awaited, h.reader.Stats().GivenUp, maxAwaited)
	}
	h.found = nil
	(&conn{h: h, port: 5, to: 443, isn: ^uint32(700)}).answer(len(hello), 0, flight)
	h.names("certificate chat.example.com")
	h.dial(443, false).say(hello)
	if h.reader.awaited != maxAwaited {
		t.Errorf("%d awaited after one has come", h.reader.awaited)
	}
	h.balanced()
}

func TestSoleName(t *testing.T) {
	tests := []struct {
		names []string
		want  string
	}{
		{[]string{"a.example"}, "a.example"},
		{[]string{"a.example", "www.a.example"}, "a.example"},
		{[]string{"www.a.example", "A.example"}, "A.example"},
		{[]string{"a.example", "A.EXAMPLE"}, "a.example"},
		{[]string{"a.example", "b.example"}, ""},
		{[]string{"a.example", "www.b.example"}, ""},
		{[]string{"*.a.example"}, ""},
		{[]string{"a.example", "*.a.example"}, ""},
		{[]string{"localhost"}, ""},
		{[]string{"192.0.2.1"}, ""},
		{[]string{"a b.example"}, ""},
		{nil, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.names), func(t *testing.T) {
			var names [][]byte
			for _, name := range tt.names {
				names = append(names, []byte(name))
			}
			if got := string(soleName(names)); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// A hello in one record must not become the buffer in which the next one is put together: its bytes are the frame's.
func TestHelloLeavesItsFrameAlone(t *testing.T) {
	h := newHarness(t, Default())
	frame := helloOf(t, "first.example.com", true)
	before := slices.Clone(frame)
	h.dial(443, true).say(frame)
	second := records(helloOf(t, "second.example.com", false), 50)
	h.dial(443, true).say(second)
	h.names("sni first.example.com", "sni second.example.com")
	if !bytes.Equal(frame, before) {
		t.Error("the bytes of the first frame were written over")
	}
}

// The certificate costs no allocation once the buffers are there.
func BenchmarkCertificate(b *testing.B) {
	hello, flight := nameless(b, stdtls.VersionTLS12, selfSigned(b, "", "chat.example.com", "www.chat.example.com"))
	h := newHarness(b, Default())
	b.ReportAllocs()
	for b.Loop() {
		c := h.dial(443, false)
		c.say(hello)
		c.answer(len(hello), 0, flight)
		h.found, h.client = h.found[:0], h.client[:0]
	}
}
