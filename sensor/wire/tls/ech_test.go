package tls

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"testing"
)

// echList is an ECHConfigList with one configuration (RFC 9849, section 4): X25519, HKDF-SHA256, AES-128-GCM.
func echList(t testing.TB, id byte, name string) []byte {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := append([]byte{id, 0, 0x20, 0, 32}, key.PublicKey().Bytes()...)
	c = append(c, 0, 4, 0, 1, 0, 1, 64, byte(len(name)))
	c = append(append(c, name...), 0, 0)
	list := binary.BigEndian.AppendUint16(nil, uint16(len(c)+4))
	list = binary.BigEndian.AppendUint16(append(list, 0xfe, 0x0d), uint16(len(c)))
	return append(list, c...)
}

func TestECHConfigID(t *testing.T) {
	ext := func(body ...byte) []byte {
		return makeHello([]int{0x1301}, extension{extECH, body})
	}
	tests := []struct {
		name string
		msg  []byte
		id   uint8
		ok   bool
	}{
		{"a real client", realHello(t, &tls.Config{ServerName: "hidden.example", MinVersion: tls.VersionTLS13,
			EncryptedClientHelloConfigList: echList(t, 0x2a, "front.example")})[recordHeaderLen:], 0x2a, true},
		{"without", realHello(t, wanted())[recordHeaderLen:], 0, false},
		{"outer", ext(0, 0, 1, 0, 1, 7, 0, 1, 9, 0, 2, 8, 8), 7, true},
		{"inner", ext(1), 0, false},
		{"no payload", ext(0, 0, 1, 0, 1, 7, 0, 1, 9, 0, 0), 7, false},
		{"more behind it", ext(0, 0, 1, 0, 1, 7, 0, 1, 9, 0, 2, 8, 8, 8), 7, false},
		{"twice", makeHello([]int{0x1301}, extension{extECH, []byte{0, 0, 1, 0, 1, 7, 0, 1, 9, 0, 2, 8, 8}}, extension{extECH, []byte{0, 0, 1, 0, 1, 6, 0, 1, 9, 0, 2, 8, 8}}), 7, true},
		{"empty, then another", makeHello([]int{0x1301}, extension{extECH, nil}, extension{extECH, []byte{0, 0, 1, 0, 1, 6, 0, 1, 9, 0, 2, 8, 8}}), 0, false},
		{"of a draft", makeHello([]int{0x1301}, extension{extECHDraftFirst, []byte{0, 1, 0, 1, 7, 0, 1, 9, 0, 2, 8, 8}}), 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h Hello
			if err := h.Parse(tt.msg); err != nil {
				t.Fatal(err)
			}
			if id, ok := h.ECHConfigID(); ok != tt.ok || ok && id != tt.id {
				t.Errorf("%d, %v; want %d, %v", id, ok, tt.id, tt.ok)
			}
			if n := testing.AllocsPerRun(10, func() { h.ECHConfigID() }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// TestECHConfigIDTruncated cuts the extension at every length: no identifier comes out of a part of it.
func TestECHConfigIDTruncated(t *testing.T) {
	whole := []byte{0, 0, 1, 0, 1, 7, 0, 1, 9, 0, 2, 8, 8}
	for n := range whole {
		var h Hello
		if err := h.Parse(makeHello([]int{0x1301}, extension{extECH, whole[:n]})); err != nil {
			t.Fatal(err)
		}
		if id, ok := h.ECHConfigID(); ok {
			t.Errorf("%d of %d bytes give %d", n, len(whole), id)
		}
	}
}

func BenchmarkECHConfigID(b *testing.B) {
	var h Hello
	if err := h.Parse(makeHello([]int{0x1301}, extension{extECH, []byte{0, 0, 1, 0, 1, 7, 0, 1, 9, 0, 2, 8, 8}})); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := h.ECHConfigID(); !ok {
			b.Fatal("no identifier")
		}
	}
}
