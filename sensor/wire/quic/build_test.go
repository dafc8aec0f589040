package quic

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"
)

// packet is a long header packet to be protected: an encoder apart from the code under test, on the standard library.
type packet struct {
	version  uint32
	typ      packetType // as version 1 counts them
	dcid     []byte
	scid     []byte
	token    []byte
	number   uint32
	length   int    // of the encoded number; 0 is 2
	keysOf   []byte // connection id that the keys derive from; nil is dcid
	server   bool   // protected with the server's keys
	reserved byte   // bits that have to be zero
	frames   []byte
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// expandLabel is HKDF-Expand-Label with an empty context (RFC 8446, section 7.1).
func expandLabel(t testing.TB, secret []byte, label string, n int) []byte {
	t.Helper()
	info := []byte{byte(n >> 8), byte(n), byte(6 + len(label))}
	out, err := hkdf.Expand(sha256.New, secret, string(append(info, "tls13 "+label+"\x00"...)), n)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// saltOf repeats the salts as they stand in the documents.
func saltOf(t testing.TB, version uint32) []byte {
	switch {
	case version == 0x6b3343cf:
		return unhex(t, "0dede3def700a6db819381be6e269dcbf9bd2ed9")
	case version >= 0xff000021 && version <= 0xff000022 || version>>24 != 0xff && version>>20 != 0xfac:
		return unhex(t, "38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
	case version >= 0xff00001d && version <= 0xff000020:
		return unhex(t, "afbfec289993d24c9e9786f19c6111e04390a899")
	case version == 0xff000015 || version == 0xff000016 || version == 0xfaceb001:
		return unhex(t, "7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a")
	}
	return unhex(t, "c3eef712c72ebb5a11a7d2432bb46365bef9f502")
}

// protection derives key, iv and header key.
func (p *packet) protection(t testing.TB) (key, iv, hp []byte) {
	cid := p.keysOf
	if cid == nil {
		cid = p.dcid
	}
	secret, err := hkdf.Extract(sha256.New, cid, saltOf(t, p.version))
	if err != nil {
		t.Fatal(err)
	}
	side, prefix := "client in", "quic "
	if p.server {
		side = "server in"
	}
	if p.version == version2 {
		prefix = "quicv2 "
	}
	secret = expandLabel(t, secret, side, 32)
	return expandLabel(t, secret, prefix+"key", 16), expandLabel(t, secret, prefix+"iv", 12), expandLabel(t, secret, prefix+"hp", 16)
}

// seal encodes and protects the packet.
func (p packet) seal(t testing.TB) []byte {
	t.Helper()
	n := p.length
	if n == 0 {
		n = 2
	}
	typ := byte(p.typ)
	if p.version == version2 {
		typ = (typ + 1) & 3
	}
	b := binary.BigEndian.AppendUint32([]byte{0xc0 | typ<<4 | p.reserved<<2 | byte(n-1)}, p.version)
	b = append(append(b, byte(len(p.dcid))), p.dcid...)
	b = append(append(b, byte(len(p.scid))), p.scid...)
	if p.typ == initial {
		b = append(append(b, byte(len(p.token))), p.token...) // a length below 64 takes one byte
	}
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(n+len(p.frames)+tagLen))
	at := len(b)
	b = append(b, binary.BigEndian.AppendUint32(nil, p.number)[4-n:]...)

	key, iv, hp := p.protection(t)
	nonce := slices.Clone(iv)
	for i, v := range binary.BigEndian.AppendUint32(nil, p.number) {
		nonce[8+i] ^= v
	}
	b = gcmOf(t, key).Seal(b, nonce, p.frames, b)
	block, err := aes.NewCipher(hp)
	if err != nil {
		t.Fatal(err)
	}
	mask := make([]byte, sampleLen)
	block.Encrypt(mask, b[at+sampleAt:at+sampleAt+sampleLen])
	b[0] ^= mask[0] & 0x0f
	for i := range n {
		b[at+i] ^= mask[1+i]
	}
	return b
}

func gcmOf(t testing.TB, key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return gcm
}

// cryptoFrame makes a CRYPTO frame with encodings of four bytes.
func cryptoFrame(offset int, data []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{frameCrypto}, 0x80000000|uint32(offset))
	return append(binary.BigEndian.AppendUint32(b, 0x80000000|uint32(len(data))), data...)
}

// padded fills frames up so that the packet is about as long as clients make it.
func padded(frames []byte) []byte {
	return append(slices.Clip(frames), make([]byte, max(0, 1180-len(frames)))...)
}

// realHello is the ClientHello that crypto/tls sends over QUIC, of about 1,500 bytes with post-quantum keys and about 300 without.
func realHello(t testing.TB, postQuantum bool) []byte {
	t.Helper()
	config := &tls.Config{ServerName: "chat.example.com", NextProtos: []string{"h3"}, MinVersion: tls.VersionTLS13}
	if !postQuantum {
		config.CurvePreferences = []tls.CurveID{tls.X25519}
	}
	conn := tls.QUICClient(&tls.QUICConfig{TLSConfig: config})
	defer conn.Close()
	conn.SetTransportParameters([]byte{1, 2, 0x67, 0x10})
	if err := conn.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	for {
		switch e := conn.NextEvent(); e.Kind {
		case tls.QUICWriteData:
			return slices.Clone(e.Data)
		case tls.QUICNoEvent:
			t.Fatal("crypto/tls sends no hello")
		}
	}
}

var (
	dcidA = []byte{0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08}
	dcidB = []byte("retry's own id")
	dcidC = []byte("server id")
)
