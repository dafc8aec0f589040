package quic

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha512"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
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
		putBlock(&got, a, b, c, d)
		if got != want {
			t.Fatalf("key %x, block %x: %x, want %x", key, in, got, want)
		}
	}
}

// TestKeystreamAgainstStandardLibrary runs both ciphers over all lengths, each under a new key.
func TestKeystreamAgainstStandardLibrary(t *testing.T) {
	random := rand.NewChaCha8([32]byte{3})
	inPlace, portable := new(keystream), &keystream{tried: true}
	for size := range 300 {
		var key [keyLen]byte
		random.Read(key[:])
		counter := make([]byte, blockLen)
		random.Read(counter[:ivLen])
		iv := nonce{binary.BigEndian.Uint32(counter), binary.BigEndian.Uint32(counter[4:]), binary.BigEndian.Uint32(counter[8:])}
		counter[blockLen-1] = textCounter
		plain, want, got := make([]byte, size), make([]byte, size), make([]byte, size)
		random.Read(plain)
		block, err := aes.NewCipher(key[:])
		if err != nil {
			t.Fatal(err)
		}
		cipher.NewCTR(block, counter).XORKeyStream(want, plain)
		for name, k := range map[string]*keystream{"in place": inPlace, "portable": portable} {
			k.rekey(&key)
			k.xor(got, plain, &iv, textCounter)
			if !bytes.Equal(got, want) {
				t.Fatalf("%s, %d bytes: %x, want %x", name, size, got, want)
			}
		}
	}
	if portable.inPlace != nil {
		t.Error("the portable cipher was not tested")
	}
}

// TestPortable opens a packet as on an architecture where the standard library's cipher cannot be changed in place.
func TestPortable(t *testing.T) {
	hello := realHello(t, false)
	var c Client
	c.tried, c.opener.packet.tried, c.opener.hash.tabulate = true, true, true
	got, err := c.Add(packet{version: version1, dcid: dcidA, frames: padded(cryptoFrame(0, hello))}.seal(t))
	if err != nil || !bytes.Equal(got, hello) {
		t.Errorf("hello of %d bytes, error %v", len(got), err)
	}
}

// TestInPlace says when a Go release has moved what keystream writes over: everything works then, but slower.
func TestInPlace(t *testing.T) {
	if provenCTR() == nil {
		t.Errorf("crypto/cipher's counter mode cannot be given a new key in place on %s; adapt locateCTR", runtime.GOARCH)
	}
}

// TestProven checks that a stream that is not what it seems is found out.
func TestProven(t *testing.T) {
	right := provenCTR()
	if right == nil {
		t.Fatal("no stream to compare with")
	}
	wrong := map[string]func(*stdCTR){
		"byte order": func(s *stdCTR) { s.swapped = !s.swapped },
		"key":        func(s *stdCTR) { s.words = new([stdKeyWords]uint32) },
		"high half":  func(s *stdCTR) { s.high = new(uint64) },
		"low half":   func(s *stdCTR) { s.low = new(uint64) },
		"offset":     func(s *stdCTR) { s.offset = new(uint64) },
	}
	for name, spoil := range wrong {
		t.Run(name, func(t *testing.T) {
			s := *right
			spoil(&s)
			if s.proven() {
				t.Error("proven")
			}
		})
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
		for name, g := range map[string]*ghash{"as the processor can": {}, "by a table": {tabulate: true}} {
			g.key(element{binary.BigEndian.Uint64(h), binary.BigEndian.Uint64(h[8:])})
			g.update(aad)
			g.block(uint64(size)*8, 0)
			got := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, g.sum.hi), g.sum.lo)
			if !bytes.Equal(got, want) {
				t.Fatalf("%s, %d bytes: %x, want %x", name, size, got, want)
			}
		}
	}
}

// TestKeysInPlace compares the keys of all suites, for connection ids of all lengths, with those by whole sums.
func TestKeysInPlace(t *testing.T) {
	a := provenAuthenticator()
	if a == nil {
		t.Fatalf("crypto/sha256 cannot be begun in the middle on %s; adapt locateState", runtime.GOARCH)
	}
	random := rand.NewChaCha8([32]byte{4})
	for s := range suites {
		for n := range maxCID + 1 {
			dcid := make([]byte, n)
			random.Read(dcid)
			var got, want keys
			a.derive(&got, s, dcid)
			want.derive(s, dcid)
			if got != want {
				t.Fatalf("suite %d, connection id %x: %x, want %x", s, dcid, got, want)
			}
		}
	}
	for name, spoil := range map[string]func(*authenticator){
		"state": func(a *authenticator) { a.state = new(midstate) },
		"sum":   func(a *authenticator) { a.sum = sha512.New() },
	} {
		wrong := *a
		if spoil(&wrong); wrong.proven() {
			t.Errorf("%s: proven", name)
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

func BenchmarkKeystream(b *testing.B) {
	var key [keyLen]byte
	plain, text := make([]byte, 1150), make([]byte, 1150)
	for name, k := range map[string]*keystream{"in place": {}, "portable": {tried: true}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				key[0]++
				k.rekey(&key)
				k.xor(plain, text, &nonce{}, textCounter)
			}
		})
	}
}

func BenchmarkGHASH(b *testing.B) {
	text := make([]byte, 1150)
	for name, g := range map[string]*ghash{"as the processor can": {}, "by a table": {tabulate: true}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				g.key(element{1, 2})
				g.update(text)
			}
		})
	}
}

func BenchmarkKeys(b *testing.B) {
	var k keys
	a := provenAuthenticator()
	for name, derive := range map[string]func(*keys, suite, []byte){"in place": a.derive, "whole sums": (*keys).derive} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				derive(&k, suiteV1, dcidA)
			}
		})
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
