package traffic

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
)

// hellos are ClientHello messages of clients that differ, for a name of nameLen octets that is written over.
type hellos struct {
	messages [][]byte // with the handshake header
	quic     []byte
}

// nameLen is the length of every name: one hello fits all.
const nameLen = 24

// newHellos has crypto/tls make a hello for each shape of client: with and without a post-quantum key share, TLS 1.2, and over QUIC.
func newHellos() (*hellos, error) {
	name := strings.Repeat("x", nameLen-4) + ".com"
	h := &hellos{}
	for _, c := range []*tls.Config{
		{NextProtos: []string{"h2", "http/1.1"}},
		{NextProtos: []string{"h2", "http/1.1"}, CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256}},
		{NextProtos: []string{"http/1.1"}, MaxVersion: tls.VersionTLS12, CurvePreferences: []tls.CurveID{tls.X25519}},
	} {
		c.ServerName = name
		message, err := overTCP(c)
		if err != nil {
			return nil, err
		}
		h.messages = append(h.messages, message)
	}
	var err error
	h.quic, err = overQUIC(&tls.Config{ServerName: name, NextProtos: []string{"h3"}, MinVersion: tls.VersionTLS13})
	return h, err
}

// overTCP returns the first handshake message of a client.
func overTCP(c *tls.Config) ([]byte, error) {
	near, far := net.Pipe()
	defer far.Close()
	go func() {
		_ = tls.Client(near, c).Handshake() // it fails: nobody answers
		_ = near.Close()
	}()
	var message []byte
	for len(message) < 4 || len(message) < 4+int(message[1])<<16+int(message[2])<<8+int(message[3]) {
		var head [5]byte
		if _, err := readFull(far, head[:]); err != nil {
			return nil, fmt.Errorf("reading a hello: %w", err)
		}
		record := make([]byte, binary.BigEndian.Uint16(head[3:]))
		if _, err := readFull(far, record); err != nil {
			return nil, fmt.Errorf("reading a hello: %w", err)
		}
		message = append(message, record...)
	}
	return message, nil
}

func readFull(c net.Conn, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var k int
		k, err = c.Read(b[n:])
		n += k
	}
	return n, err
}

// overQUIC returns the hello that a QUIC client puts into CRYPTO frames.
func overQUIC(c *tls.Config) ([]byte, error) {
	client := tls.QUICClient(&tls.QUICConfig{TLSConfig: c})
	defer func() { _ = client.Close() }() // it has nothing to say
	client.SetTransportParameters([]byte{1, 2, 0x40, 0x64})
	if err := client.Start(context.Background()); err != nil {
		return nil, fmt.Errorf("making a hello for QUIC: %w", err)
	}
	var message []byte
	for e := client.NextEvent(); e.Kind != tls.QUICNoEvent; e = client.NextEvent() {
		if e.Kind == tls.QUICWriteData && e.Level == tls.QUICEncryptionLevelInitial {
			message = append(message, e.Data...)
		}
	}
	if len(message) == 0 {
		return nil, errors.New("making a hello for QUIC: crypto/tls gave none")
	}
	return message, nil
}

// named returns message with its name replaced by name.
func named(message []byte, name string) []byte {
	out := append([]byte(nil), message...)
	placeholder := strings.Repeat("x", nameLen-4) + ".com"
	copy(out[strings.Index(string(out), placeholder):], name)
	return out
}

// record puts a handshake message into a TLS record (RFC 8446, section 5.1).
func record(message []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{22, 3, 1}, uint16(len(message))), message...)
}

// initialSalt is that of QUIC version 1 (RFC 9001, section 5.2).
const initialSalt = "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"

// initials protects the client's Initial packets that carry a hello: as many as it takes, each in a datagram of 1200 bytes (RFC 9000,
// section 14.1).
func initials(hello []byte, dcid [8]byte) ([][]byte, error) {
	secret, err := hkdf.Extract(sha256.New, dcid[:], []byte(initialSalt))
	if err != nil {
		return nil, fmt.Errorf("deriving keys: %w", err)
	}
	client := expand(secret, "client in", 32)
	var out [][]byte
	for number, at := uint32(0), 0; at < len(hello); number++ {
		n := min(len(hello)-at, 1100)
		datagram, err := initial(client, dcid, number, cryptoFrame(at, hello[at:at+n]))
		if err != nil {
			return nil, err
		}
		out = append(out, datagram)
		at += n
	}
	return out, nil
}

// cryptoFrame is a CRYPTO frame (RFC 9000, section 19.6).
func cryptoFrame(offset int, data []byte) []byte {
	b := []byte{6}
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(offset))
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(len(data)))
	return append(b, data...)
}

// expand is HKDF-Expand-Label (RFC 8446, section 7.1).
func expand(secret []byte, label string, n int) []byte {
	label = "tls13 " + label
	out, err := hkdf.Expand(sha256.New, secret, string([]byte{byte(n >> 8), byte(n), byte(len(label))})+label+"\x00", n)
	if err != nil {
		panic(err) // the lengths are constants
	}
	return out
}

// initial is one protected packet (RFC 9001, section 5).
func initial(secret []byte, dcid [8]byte, number uint32, frames []byte) ([]byte, error) {
	const size, tag, numberLen = 1200, 16, 4
	head := append([]byte{0xc0 | numberLen - 1, 0, 0, 0, 1, 8}, dcid[:]...)
	head = append(head, 0, 0) // no source connection identifier, no token
	plain := append(frames, make([]byte, size-len(head)-2-numberLen-tag-len(frames))...)
	head = binary.BigEndian.AppendUint16(head, 0x4000|uint16(numberLen+len(plain)+tag))
	head = binary.BigEndian.AppendUint32(head, number)
	block, err := aes.NewCipher(expand(secret, "quic key", 16))
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	nonce := expand(secret, "quic iv", 12)
	binary.BigEndian.PutUint32(nonce[8:], binary.BigEndian.Uint32(nonce[8:])^number)
	sealed := aead.Seal(nil, nonce, plain, head)
	mask, err := aes.NewCipher(expand(secret, "quic hp", 16))
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	var m [16]byte
	mask.Encrypt(m[:], sealed[:16])
	out := append(head, sealed...)
	out[0] ^= m[0] & 0x0f
	for i := range numberLen {
		out[len(head)-numberLen+i] ^= m[1+i]
	}
	return out, nil
}
