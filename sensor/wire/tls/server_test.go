package tls

import (
	"bytes"
	"crypto/tls"
	"errors"
	"slices"
	"testing"
)

func TestServerHello(t *testing.T) {
	pair := certificate(t, "a.example")
	tests := []struct {
		name    string
		version uint16
		next    string
	}{
		{"TLS 1.3", tls.VersionTLS13, ""},
		{"TLS 1.2", tls.VersionTLS12, "h2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			msg, need, err := UnwrapServer(nil, serverStream(t, pair, tt.version))
			if err != nil || need != 0 {
				t.Fatalf("need %d, error %v", need, err)
			}
			var s ServerHello
			if err := s.Parse(msg); err != nil {
				t.Fatal(err)
			}
			if s.Version != tt.version || string(s.NextProtocol) != tt.next || s.CipherSuite == 0 {
				t.Errorf("version %#x, protocol %q, suite %#x; want %#x, %q", s.Version, s.NextProtocol, s.CipherSuite, tt.version, tt.next)
			}
			for n := range msg {
				if err := s.Parse(msg[:n]); !errors.Is(err, ErrTruncated) {
					t.Fatalf("cut at %d: error %v, want %v", n, err, ErrTruncated)
				}
			}
		})
	}
}

func TestServerHelloMalformed(t *testing.T) {
	body := append([]byte{3, 3}, make([]byte, randomLen+1)...) // no session id
	body = append(body, 0x13, 1, 0)                            // suite, compression
	tests := []struct {
		name string
		msg  []byte
		want error
	}{
		{"no extensions", message(typeServerHello, body), nil},
		{"client hello", makeHello([]int{0x1301}), ErrMalformed},
		{"bytes behind", append(message(typeServerHello, body), 0), ErrMalformed},
		{"extensions too long", message(typeServerHello, append(slices.Clip(body), 0, 9, 1)), ErrMalformed},
		{"extension too long", message(typeServerHello, append(slices.Clip(body), 0, 4, 0, 16, 0, 9)), ErrMalformed},
		{"bytes behind the extensions", message(typeServerHello, append(slices.Clip(body), 0, 0, 1)), ErrMalformed},
		{"cut suite", message(typeServerHello, body[:len(body)-2]), ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s ServerHello
			if err := s.Parse(tt.msg); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestLeafCertificate(t *testing.T) {
	pair := certificate(t, "a.example", "a.example", "*.b.example")
	stream := serverStream(t, pair, tls.VersionTLS12)
	var messages []byte // the same bytes in records of other sizes
	for rest := stream; len(rest) > 0 && rest[0] == recordHandshake; {
		n := recordHeaderLen + int(rest[3])<<8 + int(rest[4])
		messages = append(messages, rest[recordHeaderLen:n]...)
		rest = rest[n:]
	}
	streams := map[string][]byte{
		"as sent":               stream,
		"one record":            record(recordHandshake, messages),
		"records of 700 bytes":  fragmented(messages, 700),
		"records of 40 bytes":   fragmented(messages, 40),
		"records of five bytes": fragmented(messages, 5),
	}
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			n := 0
			for {
				der, need, err := LeafCertificate(nil, stream[:n])
				if err != nil || der == nil && need <= 0 {
					t.Fatalf("%d bytes: need %d, error %v", n, need, err)
				}
				if der != nil {
					if !bytes.Equal(der, pair.Certificate[0]) {
						t.Error("another certificate")
					}
					return
				}
				n += need
			}
		})
	}
}

func TestLeafCertificateRefuses(t *testing.T) {
	hello := message(typeServerHello, append([]byte{3, 3}, make([]byte, 36)...))
	tests := []struct {
		name   string
		stream []byte
		want   error
	}{
		{"TLS 1.3", serverStream(t, certificate(t, "a.example"), tls.VersionTLS13), ErrNoCertificate},
		{"key exchange instead", fragmented(append(slices.Clip(hello), 12, 0, 0, 1, 0), 99), ErrNoCertificate},
		{"resumption", append(fragmented(hello, 99), record(recordChangeCipherSpec, []byte{1})...), ErrNoCertificate},
		{"client's stream", realHello(t, wanted()), ErrMalformed},
		{"text", []byte("HTTP/1.1 400"), ErrMalformed},
		{"list length wrong", fragmented(append(slices.Clip(hello), message(typeCertificate, []byte{0, 0, 9, 0, 0, 1, 0})...), 99), ErrMalformed},
		{"certificate beyond its list", fragmented(append(slices.Clip(hello), message(typeCertificate, []byte{0, 0, 4, 0, 0, 9, 0})...), 99), ErrMalformed},
		{"empty list", fragmented(append(slices.Clip(hello), message(typeCertificate, []byte{0, 0, 3, 0, 0, 0})...), 99), ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			der, need, err := LeafCertificate(nil, tt.stream)
			if !errors.Is(err, tt.want) || der != nil || need != 0 {
				t.Errorf("got %d bytes, need %d, error %v, want %v", len(der), need, err, tt.want)
			}
		})
	}
}

func TestCertificateNames(t *testing.T) {
	tests := []struct {
		name   string
		common string
		names  []string
	}{
		{"both", "a.example", []string{"a.example", "*.b.example", "c.example"}},
		{"only common name", "a.example", nil},
		{"only names", "", []string{"a.example"}},
		{"neither", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c Certificate
			if err := c.Parse(certificate(t, tt.common, tt.names...).Certificate[0]); err != nil {
				t.Fatal(err)
			}
			if string(c.CommonName) != tt.common {
				t.Errorf("common name %q, want %q", c.CommonName, tt.common)
			}
			if got := namesOf(&c); !slices.Equal(got, tt.names) {
				t.Errorf("names %q, want %q", got, tt.names)
			}
		})
	}
}

func namesOf(c *Certificate) (names []string) {
	for name := range c.Names() {
		names = append(names, string(name))
	}
	return names
}

func TestCertificateUnusableCommonName(t *testing.T) {
	var c Certificate
	if err := c.Parse(certificate(t, "Example Root CA", "a.example").Certificate[0]); err != nil {
		t.Fatal(err)
	}
	if c.CommonName != nil {
		t.Errorf("common name %q, want none: it has blanks", c.CommonName)
	}
}

func TestCertificateTruncated(t *testing.T) {
	der := certificate(t, "a.example", "a.example").Certificate[0]
	for n := range der {
		var c Certificate
		if err := c.Parse(der[:n]); !errors.Is(err, ErrMalformed) {
			t.Fatalf("cut at %d of %d: error %v, want %v", n, len(der), err, ErrMalformed)
		}
	}
}

func TestCertificateDamaged(t *testing.T) {
	der := certificate(t, "a.example", "a.example", "b.example").Certificate[0]
	for at := range der {
		for _, to := range []byte{0, 0x1f, 0x30, 0x7f, 0x80, 0x82, 0x83, 0x84, 0xff} {
			b := slices.Clone(der)
			b[at] = to
			var c Certificate
			if err := c.Parse(b); err != nil && !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
			for _, name := range namesOf(&c) {
				if !plainName([]byte(name)) {
					t.Fatalf("byte %d is %#x: name %q", at, to, name)
				}
			}
		}
	}
}

func TestCertificateDoesNotAllocate(t *testing.T) {
	stream := serverStream(t, certificate(t, "a.example", "a.example", "b.example"), tls.VersionTLS12)
	var c Certificate
	got := testing.AllocsPerRun(100, func() {
		der, _, err := LeafCertificate(nil, stream)
		if err != nil || c.Parse(der) != nil {
			t.Fatal("the certificate is not read")
		}
		for name := range c.Names() {
			if len(name) == 0 {
				t.Fatal("an empty name")
			}
		}
	})
	if got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

func BenchmarkCertificate(b *testing.B) {
	stream := serverStream(b, certificate(b, "a.example", "a.example", "b.example"), tls.VersionTLS12)
	var c Certificate
	b.ReportAllocs()
	for b.Loop() {
		der, _, err := LeafCertificate(nil, stream)
		if err != nil || c.Parse(der) != nil {
			b.Fatal(err)
		}
	}
}
