package tls

import (
	"bytes"
	"crypto/tls"
	"errors"
	"reflect"
	"testing"
)

func FuzzHello(f *testing.F) {
	f.Add(realHello(f, wanted())[recordHeaderLen:])
	f.Add(realHello(f, &tls.Config{ServerName: "a.example", MaxVersion: tls.VersionTLS12})[recordHeaderLen:])
	f.Add(makeHello([]int{0x1301}, exampleExtensions(exampleSchemes, "h2")...))
	f.Add(makeHello([]int{0x1301}))
	f.Fuzz(func(t *testing.T, msg []byte) {
		var h Hello
		if h.Parse(msg) != nil {
			return
		}
		if want := inOrder(&h); !reflect.DeepEqual(h, want) {
			t.Errorf("%+v, one extension after the other %+v", h, want)
		}
		if h.ServerName != nil && (!h.NameExtension || !plainName(h.ServerName) || !bytes.Contains(msg, h.ServerName)) {
			t.Errorf("server name %q", h.ServerName)
		}
		if ja4 := h.AppendJA4(nil, TransportTCP); len(ja4) != 36 && len(ja4) != 0 {
			t.Errorf("fingerprint %q", ja4)
		}
		if _, ok := h.ECHConfigID(); ok && !h.ECH {
			t.Error("an identifier without the extension")
		}
		for name := range h.NextProtocols() {
			if len(name) > 255 {
				t.Errorf("protocol of %d bytes", len(name))
			}
		}
	})
}

func FuzzUnwrap(f *testing.F) {
	hello := realHello(f, wanted())
	f.Add(hello)
	f.Add(fragmented(hello[recordHeaderLen:], 100))
	f.Add(sslv2Hello(0x0301, 12, 0, 32))
	f.Fuzz(func(t *testing.T, stream []byte) {
		msg, need, err := Unwrap(nil, stream)
		if (msg != nil) == (err != nil || need > 0) || err != nil && need > 0 {
			t.Fatalf("%d bytes, need %d and error %v at once", len(msg), need, err)
		}
		if begins := msg != nil || need > 0 || errors.Is(err, ErrSSLv2); begins && len(stream) > 0 && !MayBegin(stream) {
			t.Fatalf("%x may not begin with a hello, it says, but does", stream)
		}
		if msg == nil {
			return
		}
		if len(msg) > maxMessage || len(msg) > len(stream) || msg[0] != typeClientHello {
			t.Fatalf("message of %d bytes out of %d", len(msg), len(stream))
		}
		for n := 0; n < len(stream); n += 1 + len(stream)/64 { // what is whole was plausible at every length
			if _, _, err := Unwrap(nil, stream[:n]); err != nil {
				t.Fatalf("%d of %d bytes: %v", n, len(stream), err)
			}
		}
	})
}

func FuzzFind(f *testing.F) {
	hello := realHello(f, wanted())
	f.Add(hello)
	f.Add(append([]byte("CONNECT a.example:443 HTTP/1.1\r\n\r\n"), hello...))
	f.Add(bytes.Repeat([]byte{recordHandshake, 3, 1}, 50))
	f.Fuzz(func(t *testing.T, stream []byte) {
		at, ok := Find(stream)
		if !ok {
			return
		}
		if at >= findWindow || len(stream)-at < findMin {
			t.Fatalf("found at %d of %d", at, len(stream))
		}
		if _, _, err := Unwrap(nil, stream[at:at+findMin]); err != nil {
			t.Fatalf("found at %d what cannot be unwrapped: %v", at, err)
		}
	})
}

func FuzzServer(f *testing.F) {
	pair := certificate(f, "a.example", "a.example")
	f.Add(serverStream(f, pair, tls.VersionTLS12))
	f.Add(serverStream(f, pair, tls.VersionTLS13))
	f.Fuzz(func(t *testing.T, stream []byte) {
		if msg, _, err := UnwrapServer(nil, stream); err == nil && msg != nil {
			var s ServerHello
			if s.Parse(msg) == nil && s.NextProtocol != nil && !bytes.Contains(msg, s.NextProtocol) {
				t.Errorf("protocol %q", s.NextProtocol)
			}
		}
		if der, _, err := LeafCertificate(nil, stream); err == nil && len(der) > len(stream) {
			t.Errorf("certificate of %d bytes out of %d", len(der), len(stream))
		}
	})
}

func FuzzCertificate(f *testing.F) {
	f.Add(certificate(f, "a.example", "a.example", "*.b.example").Certificate[0])
	f.Add(certificate(f, "a.example").Certificate[0])
	f.Fuzz(func(t *testing.T, der []byte) {
		var c Certificate
		if c.Parse(der) != nil {
			return
		}
		for _, name := range namesOf(&c) {
			if !plainName([]byte(name)) || !bytes.Contains(der, []byte(name)) {
				t.Errorf("name %q", name)
			}
		}
	})
}

func FuzzRecords(f *testing.F) {
	stream, _ := mixed()
	f.Add(stream[:2000], uint8(7))
	f.Add(realHello(f, wanted()), uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		for _, blind := range []bool{false, true} {
			var r Records
			if blind {
				r.Blind()
			}
			if got := total(&r, stream, int(size)+1); got != len(stream) {
				t.Errorf("of %d bytes, %d were accounted for", len(stream), got)
			}
		}
	})
}
