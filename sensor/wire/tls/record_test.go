package tls

import (
	"bytes"
	"crypto/tls"
	"errors"
	"slices"
	"testing"
)

func TestUnwrapInPlace(t *testing.T) {
	stream := realHello(t, wanted())
	msg, need, err := Unwrap(nil, append(slices.Clip(stream), "more"...))
	if err != nil || need != 0 || !bytes.Equal(msg, stream[recordHeaderLen:]) {
		t.Fatalf("got %d bytes, need %d, error %v", len(msg), need, err)
	}
	msg, _, _ = Unwrap(nil, stream)
	if &msg[0] != &stream[recordHeaderLen] {
		t.Error("a hello in one record was copied")
	}
}

func TestUnwrapFragments(t *testing.T) {
	whole := realHello(t, wanted())[recordHeaderLen:]
	for _, size := range []int{len(whole), len(whole) - 1, 1000, 100, 7, 5, 4, 3, 2} {
		stream := fragmented(whole, size)
		dst := make([]byte, 0, len(whole))
		msg, need, err := Unwrap(dst, stream)
		if err != nil || need != 0 || !bytes.Equal(msg, whole) {
			t.Fatalf("records of %d bytes: got %d bytes, need %d, error %v", size, len(msg), need, err)
		}
		if size < len(whole) && &msg[0] != &dst[:1][0] {
			t.Errorf("records of %d bytes: dst was not used", size)
		}
	}
}

// TestUnwrapNeed feeds a stream byte by byte and by what Unwrap asks for: it must not ask for too much, and the end must come.
func TestUnwrapNeed(t *testing.T) {
	whole := realHello(t, wanted())[recordHeaderLen:]
	for _, size := range []int{len(whole), 600, 3} {
		stream := fragmented(whole, size)
		for n := range stream {
			msg, need, err := Unwrap(nil, stream[:n])
			if err != nil || msg != nil || need <= 0 || n+need > len(stream) {
				t.Fatalf("records of %d bytes, %d of %d there: got %d bytes, need %d, error %v", size, n, len(stream), len(msg), need, err)
			}
		}
		n, calls := 0, 0
		for ; ; calls++ {
			msg, need, err := Unwrap(nil, stream[:n])
			if err != nil {
				t.Fatal(err)
			}
			if msg != nil {
				break
			}
			n += need
		}
		if n != len(stream) || calls > 2*(len(whole)/size+2)+8 {
			t.Errorf("records of %d bytes: whole after %d of %d bytes and %d calls", size, n, len(stream), calls)
		}
	}
}

func TestUnwrapRefuses(t *testing.T) {
	hello := makeHello([]int{0x1301}, sni("a.example"))
	tests := []struct {
		name   string
		stream []byte
		want   error
	}{
		{"text, one byte", []byte("G"), ErrMalformed},
		{"alert", record(recordAlert, []byte{2, 40}), ErrMalformed},
		{"version 2", []byte{22, 2}, ErrMalformed},
		{"minor version 5", []byte{22, 3, 5}, ErrMalformed},
		{"empty record", []byte{22, 3, 1, 0, 0}, ErrMalformed},
		{"record longer than allowed", []byte{22, 3, 1, 0x41, 1}, ErrMalformed},
		{"server hello", []byte{22, 3, 3, 0, 80, 2}, ErrMalformed},
		{"hello too short to be one", record(recordHandshake, message(typeClientHello, make([]byte, 20))), ErrMalformed},
		{"hello over 64 KiB", []byte{22, 3, 1, 0x40, 0, 1, 1, 0, 0}, ErrMalformed},
		{"alert between fragments", append(record(recordHandshake, hello[:9]), recordAlert), ErrMalformed},
		{"empty record between fragments", append(record(recordHandshake, hello[:9]), 22, 3, 1, 0, 0), ErrMalformed},
		{"over 1024 records", bytes.Repeat(record(recordHandshake, []byte{1}), 1030), ErrMalformed},
		{"SSL 2.0", sslv2Hello(0x0002, 9, 0, 16), ErrSSLv2},
		{"SSL 2.0 framing, TLS 1.0", sslv2Hello(0x0301, 12, 0, 32), ErrSSLv2},
		{"SSL 2.0, odd suites", sslv2Hello(0x0301, 10, 0, 32), ErrMalformed},
		{"SSL 2.0, version 1", sslv2Hello(0x0100, 9, 0, 16), ErrMalformed},
		{"SSL 2.0, version 5", sslv2Hello(0x0005, 9, 0, 16), ErrMalformed},
		{"SSL 2.0, server", []byte{0x80, 40, 4}, ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			msg, need, err := Unwrap(nil, tt.stream)
			if !errors.Is(err, tt.want) || msg != nil || need != 0 {
				t.Errorf("got %d bytes, need %d, error %v, want %v", len(msg), need, err, tt.want)
			}
		})
	}
}

func TestUnwrapSSLv2Cut(t *testing.T) {
	stream := sslv2Hello(0x0301, 12, 0, 32)
	for n := range stream {
		_, need, err := Unwrap(nil, stream[:n])
		if n < minSSLv2 && (err != nil || need <= 0 || n+need > minSSLv2) || n >= minSSLv2 && !errors.Is(err, ErrSSLv2) {
			t.Fatalf("%d bytes: need %d, error %v", n, need, err)
		}
	}
}

// sslv2Hello makes a hello in SSL 2.0 framing with the given lengths.
func sslv2Hello(version, suites, sessionID, challenge int) []byte {
	body := append([]byte{typeClientHello}, u16(version)...)
	body = append(append(append(body, u16(suites)...), u16(sessionID)...), u16(challenge)...)
	body = append(body, make([]byte, suites+sessionID+challenge)...)
	return append([]byte{0x80 | byte(len(body)>>8), byte(len(body))}, body...)
}

func TestUnwrapFragmentsDoNotAllocate(t *testing.T) {
	whole := realHello(t, wanted())[recordHeaderLen:]
	stream := fragmented(whole, 100)
	dst := make([]byte, 0, len(whole))
	got := testing.AllocsPerRun(100, func() {
		msg, _, err := Unwrap(dst, stream)
		if err != nil {
			t.Fatal(err)
		}
		dst = msg[:0]
	})
	if got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

func TestFind(t *testing.T) {
	hello := realHello(t, wanted())
	hello[35] = 0xff // of the random: where the decoy would have the length of a session identifier, which it cannot be
	before := map[string]string{
		"nothing":  "",
		"CONNECT":  "CONNECT chat.example.com:443 HTTP/1.1\r\nHost: chat.example.com:443\r\n\r\n",
		"SOCKS 5":  "\x05\x01\x00\x05\x01\x00\x03\x10chat.example.com\x01\xbb",
		"STARTTLS": "EHLO client.example\r\nSTARTTLS\r\n",
		"X.224":    "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00",
		"decoy":    "\x16\x03\x01\x16\x03\x01\x00\x16",
	}
	for name, preamble := range before {
		t.Run(name, func(t *testing.T) {
			stream := append([]byte(preamble), hello...)
			at, ok := Find(stream)
			if !ok || at != len(preamble) {
				t.Fatalf("found at %d, %v, want %d", at, ok, len(preamble))
			}
			msg, _, err := Unwrap(nil, stream[at:])
			var h Hello
			if err != nil || h.Parse(msg) != nil || string(h.ServerName) != "chat.example.com" {
				t.Errorf("what was found is not the hello: %v", err)
			}
			for n := range stream { // the beginning is enough, and nothing less finds anything else
				at, ok := Find(stream[:n])
				if ok != (n >= len(preamble)+findMin) || ok && at != len(preamble) {
					t.Fatalf("%d bytes: found at %d, %v", n, at, ok)
				}
			}
		})
	}
}

func TestFindNothing(t *testing.T) {
	tests := []struct {
		name   string
		stream []byte
	}{
		{"text", bytes.Repeat([]byte("To: someone\r\nSubject: \x16\x03\x01 hello\r\n"), 300)},
		{"only the type byte", bytes.Repeat([]byte{recordHandshake}, 9000)},
		{"beyond the window", append(make([]byte, findWindow), realHello(t, wanted())...)},
		{"server hello", serverStream(t, certificate(t, "a.example"), tls.VersionTLS12)[:60]},
		{"record longer than its hello", append(record(recordHandshake, append(makeHello([]int{0x1301}), 0)), 0)},
		{"odd cipher suites", damagedHello(44+1, 3)},
		{"no cipher suites", damagedHello(44+1, 0)},
		{"session id over 32", damagedHello(43, 33)},
		{"no compression", damagedHello(44+2+4, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if at, ok := Find(tt.stream); ok {
				t.Errorf("found at %d", at)
			}
		})
	}
}

// damagedHello is a hello in a record with one byte changed.
func damagedHello(at int, to byte) []byte {
	b := record(recordHandshake, makeHello([]int{0x1301, 0x1302}, sni("a.example")))
	b[at] = to
	return b
}

func BenchmarkUnwrap(b *testing.B) {
	stream := realHello(b, wanted())
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Unwrap(nil, stream); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnwrapFragments(b *testing.B) {
	stream := fragmented(realHello(b, wanted())[recordHeaderLen:], 200)
	dst := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Unwrap(dst, stream); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	stream := append([]byte("CONNECT chat.example.com:443 HTTP/1.1\r\nHost: chat.example.com:443\r\n\r\n"), realHello(b, wanted())...)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Find(stream); !ok {
			b.Fatal("not found")
		}
	}
}
