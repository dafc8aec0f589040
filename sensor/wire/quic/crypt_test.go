package quic

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

func TestAESAgainstStandardLibrary(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	for range 1000 {
		var key [keyLen]byte
		var in, want, got [blockLen]byte
		random.Read(key[:])
		random.Read(in[:])
		block, err := aes.NewCipher(key[:])
		if err != nil {
			t.Fatal(err)
		}
		block.Encrypt(want[:], in[:])
		var s schedule
		s.expand(&key)
		a, b, c, d := s.encrypt(binary.BigEndian.Uint32(in[0:]), binary.BigEndian.Uint32(in[4:]),
			binary.BigEndian.Uint32(in[8:]), binary.BigEndian.Uint32(in[12:]))
		for i, w := range []uint32{a, b, c, d} {
			binary.BigEndian.PutUint32(got[4*i:], w)
		}
		if got != want {
			t.Fatalf("key %x, block %x: %x, want %x", key, in, got, want)
		}
	}
}

// TestGHASHAgainstStandardLibrary takes the sum out of a tag: with the same nonce, the tag's mask is that of an empty message, whose
// sum is that of a block of zeros.
func TestGHASHAgainstStandardLibrary(t *testing.T) {
	random := rand.NewChaCha8([32]byte{2})
	for size := range 100 {
		key, aad, nonce := make([]byte, keyLen), make([]byte, size), make([]byte, ivLen)
		random.Read(key)
		random.Read(aad)
		gcm := gcmOf(t, key)
		want, mask := gcm.Seal(nil, nonce, nil, aad), gcm.Seal(nil, nonce, nil, nil)
		for i := range want {
			want[i] ^= mask[i]
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		h := make([]byte, blockLen)
		block.Encrypt(h, h)
		var g ghash
		g.key(element{binary.BigEndian.Uint64(h), binary.BigEndian.Uint64(h[8:])})
		g.update(aad)
		g.block(uint64(size)*8, 0)
		got := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, g.sum.hi), g.sum.lo)
		if !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: %x, want %x", size, got, want)
		}
	}
}

func TestClientDoesNotAllocate(t *testing.T) {
	hello := realHello(t, true)
	half := len(hello) / 2
	one := packet{version: version1, dcid: dcidA, frames: padded(cryptoFrame(0, hello[:half]))}.seal(t)
	two := packet{version: version1, dcid: dcidA, number: 1, frames: padded(cryptoFrame(half, hello[half:]))}.seal(t)
	server := packet{version: version1, dcid: dcidB, keysOf: dcidA, server: true, frames: padded(cryptoFrame(0, hello))}.seal(t)
	var c Client
	got := testing.AllocsPerRun(100, func() {
		c.Reset()
		c.Add(two)
		c.Add(server)
		if hello, err := c.Add(one); hello == nil || err != nil {
			t.Fatal("no hello", err)
		}
	})
	if got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

// BenchmarkInitial is a client's first datagram, from keys to hello.
func BenchmarkInitial(b *testing.B) {
	for name, frames := range map[string][]byte{
		"short hello": padded(cryptoFrame(0, realHello(b, false))),
		"full packet": padded(cryptoFrame(0, append(realHello(b, true)[:1100:1100], "cut here"...))),
	} {
		b.Run(name, func(b *testing.B) {
			datagram := packet{version: version1, dcid: dcidA, frames: frames}.seal(b)
			var c Client
			b.ReportAllocs()
			for b.Loop() {
				c.Reset()
				if _, err := c.Add(datagram); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSecondInitial is a client's further datagram, with keys that are known.
func BenchmarkSecondInitial(b *testing.B) {
	datagram := packet{version: version1, dcid: dcidA, frames: padded(cryptoFrame(1, make([]byte, 1100)))}.seal(b)
	var c Client
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Add(datagram); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkServerInitial is a datagram of the other direction, given by mistake.
func BenchmarkServerInitial(b *testing.B) {
	datagram := packet{version: version1, dcid: dcidB, keysOf: dcidA, server: true, frames: make([]byte, 1150)}.seal(b)
	var c Client
	b.ReportAllocs()
	for b.Loop() {
		c.Reset()
		if _, err := c.Add(datagram); err != ErrSealed {
			b.Fatal(err)
		}
	}
}

func BenchmarkKeys(b *testing.B) {
	var k keys
	b.ReportAllocs()
	for b.Loop() {
		k.derive(suiteV1, dcidA)
	}
}

func BenchmarkLooksInitial(b *testing.B) {
	datagram := packet{version: version1, dcid: dcidA, frames: make([]byte, 1150)}.seal(b)
	b.ReportAllocs()
	for b.Loop() {
		if !LooksInitial(datagram) {
			b.Fatal("does not look like one")
		}
	}
}
