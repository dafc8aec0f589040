package evidence

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	stdtls "crypto/tls"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// quicHello is the hello that crypto/tls sends over QUIC.
func quicHello(t testing.TB, name string) []byte {
	t.Helper()
	conn := stdtls.QUICClient(&stdtls.QUICConfig{TLSConfig: &stdtls.Config{ServerName: name, NextProtos: []string{"h3"}, MinVersion: stdtls.VersionTLS13}})
	defer conn.Close()
	conn.SetTransportParameters([]byte{1, 2, 0x67, 0x10})
	if err := conn.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	for {
		switch e := conn.NextEvent(); e.Kind {
		case stdtls.QUICWriteData:
			return slices.Clone(e.Data)
		case stdtls.QUICNoEvent:
			t.Fatal("crypto/tls sends no hello")
		}
	}
}

// initial is a client's Initial packet of version 1 with a part of the CRYPTO stream (RFC 9001, section 5).
func initial(t testing.TB, cid []byte, number uint32, offset int, data []byte) []byte {
	t.Helper()
	label := func(secret []byte, name string, n int) []byte {
		info := append([]byte{0, byte(n), byte(6 + len(name))}, "tls13 "+name+"\x00"...)
		out, err := hkdf.Expand(sha256.New, secret, string(info), n)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	salt := []byte{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a}
	secret, err := hkdf.Extract(sha256.New, cid, salt)
	if err != nil {
		t.Fatal(err)
	}
	secret = label(secret, "client in", 32)
	key, iv, hp := label(secret, "quic key", 16), label(secret, "quic iv", 12), label(secret, "quic hp", 16)

	frames := binary.BigEndian.AppendUint32([]byte{6}, 0x80000000|uint32(offset))
	frames = append(binary.BigEndian.AppendUint32(frames, 0x80000000|uint32(len(data))), data...)
	frames = append(frames, make([]byte, max(0, 1180-len(frames)))...)
	b := append([]byte{0xc3, 0, 0, 0, 1, byte(len(cid))}, cid...)
	b = append(b, 0, 0) // no source id, no token
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(4+len(frames)+16))
	at := len(b)
	b = binary.BigEndian.AppendUint32(b, number)
	binary.BigEndian.PutUint32(iv[8:], binary.BigEndian.Uint32(iv[8:])^number)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	b = gcm.Seal(b, iv, frames, b)
	if block, err = aes.NewCipher(hp); err != nil {
		t.Fatal(err)
	}
	mask := make([]byte, 16)
	block.Encrypt(mask, b[at+4:at+20])
	b[0] ^= mask[0] & 0x0f
	for i := range 4 {
		b[at+i] ^= mask[1+i]
	}
	return b
}

func (h *harness) datagram(port int, dir uint8, b []byte) *flow.Flow {
	return h.send(decode.Segment{Key: tuple(port, 443, decode.UDP), Dir: dir, Payload: b})
}

func TestQUIC(t *testing.T) {
	cid, other := []byte("first id"), []byte("other id")
	hello := quicHello(t, "chat.example.com")
	n := len(hello)
	whole := func(cid []byte) []byte { return initial(t, cid, 0, 0, hello) }
	first, second := initial(t, cid, 0, 0, hello[:900]), initial(t, cid, 1, 900, hello[900:])
	sni := "quic-sni chat.example.com"
	tests := []struct {
		name string
		send func(h *harness)
		want []string
	}{
		{"one datagram", func(h *harness) { h.datagram(1, 0, whole(cid)) }, []string{sni}},
		{"two datagrams", func(h *harness) { h.datagram(1, 0, first); h.datagram(1, 0, second) }, []string{sni}},
		{"swapped", func(h *harness) { h.datagram(1, 0, second); h.datagram(1, 0, first) }, []string{sni}},
		{"repeated", func(h *harness) {
			h.datagram(1, 0, first)
			h.datagram(1, 0, first)
			h.datagram(1, 0, second)
			h.datagram(1, 0, first)
		}, []string{sni}},
		{"with an answer between", func(h *harness) {
			h.datagram(1, 0, first)
			h.datagram(1, 1, initial(t, other, 0, 0, make([]byte, 90)))
			h.datagram(1, 0, second)
		}, []string{sni}},
		{"the client is side B", func(h *harness) { h.datagram(1, 1, whole(cid)) }, []string{sni}},
		{"damaged", func(h *harness) { b := whole(cid); b[600] ^= 1; h.datagram(1, 0, b) }, nil},
		{"half", func(h *harness) { h.datagram(1, 0, first) }, nil},
		{"behind other datagrams", func(h *harness) {
			for range maxLooked - 1 {
				h.datagram(1, 0, []byte("STUN or so"))
			}
			h.datagram(1, 0, whole(cid))
		}, []string{sni}},
		{"behind too many", func(h *harness) {
			for range maxLooked {
				h.datagram(1, 0, []byte("a game"))
			}
			h.datagram(1, 0, whole(cid))
		}, nil},
	}
	if n < 1000 {
		t.Fatalf("a hello of %d bytes needs no second datagram", n)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, Default())
			tt.send(h)
			h.names(tt.want...)
			if len(tt.want) > 0 && h.reader.clients.lent != 0 {
				t.Errorf("%d clients are lent after the name was found", h.reader.clients.lent)
			}
			h.balanced()
		})
	}
}

// Clients are bounded, refusals are counted, and every one comes back when its flow ends.
func TestQUICClientsAreBounded(t *testing.T) {
	config := Default()
	config.QUICHandshakes = 10
	h := newHarness(t, config)
	hello := quicHello(t, "chat.example.com")
	half := initial(t, []byte("first id"), 0, 0, hello[:500])
	for port := range 30 {
		h.datagram(port, 0, half)
	}
	if h.reader.clients.lent != 10 || h.reader.Stats().GivenUp != 20 {
		t.Errorf("%d lent, %d given up; want 10, 20", h.reader.clients.lent, h.reader.Stats().GivenUp)
	}
	h.datagram(3, 0, initial(t, []byte("first id"), 1, 500, hello[500:]))
	h.names("quic-sni chat.example.com")
	if h.reader.clients.lent != 9 {
		t.Errorf("%d lent", h.reader.clients.lent)
	}
	h.balanced()
	h.found = nil // a used client is as good as a new one
	h.datagram(100, 0, initial(t, []byte("next  id"), 0, 0, quicHello(t, "other.example.com")))
	h.names("quic-sni other.example.com")
	h.balanced()
	if len(h.reader.clients.free) > 10 {
		t.Errorf("%d clients for at most 10", len(h.reader.clients.free))
	}
}
