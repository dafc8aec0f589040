package quic

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"reflect"
)

// midstate is SHA-256's state between two blocks (FIPS 180-4, section 6.2.2).
type midstate [hashLen / 4]uint32

// firstState is the one before the first block (FIPS 180-4, section 5.3.3).
var firstState = midstate{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}

// authenticator is HMAC-SHA-256 (RFC 2104) of short messages, with the blocks of a key gone through once for all messages under it, and those
// of the salts once for all: 14 blocks for the keys of a connection instead of 20, without the standard library's work around each.
//
// The standard library knows the processor's instructions for SHA-256, but not how to begin in the middle. So, as for keystream, one of its
// sums is kept and its state is written over. CPU time for the keys of a connection: 0.8 µs in place, 1.6 µs by whole sums (BenchmarkKeys).
type authenticator struct {
	sum   hash.Hash
	state *midstate
	block [sha256.BlockSize]byte
	salt  [suites]macKey
}

// macKey is a key, gone through.
type macKey struct{ inner, outer midstate }

// provenAuthenticator returns one that does as the standard library, or nil.
func provenAuthenticator() *authenticator {
	a := &authenticator{sum: sha256.New()}
	if a.state = locateState(a.sum); a.state == nil || !a.proven() {
		return nil
	}
	for s := range a.salt {
		var salt [hashLen]byte
		copy(salt[:], salts[s])
		a.salt[s] = a.key(wordsOf(&salt))
	}
	return a
}

// locateState finds the state of a sum. It only looks: whether what it found means what its name says is for proven.
func locateState(sum hash.Hash) *midstate {
	v := reflect.ValueOf(sum)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil
	}
	return (*midstate)(locate[[hashLen / 4]uint32](v.Elem(), "h"))
}

// proven compares with whole sums, under several keys and over messages of all lengths.
func (a *authenticator) proven() bool {
	var msg [maxHMAC]byte
	for n := range len(msg) + 1 {
		var key [hashLen]byte
		for i := range key {
			key[i] = byte(5*i + 29*n + 3)
		}
		for i := range n {
			msg[i] = byte(11*i + n)
		}
		k := a.key(wordsOf(&key))
		want := hmac(&key, msg[:n])
		if a.mac(&k, msg[:n]) != wordsOf(&want) {
			return false
		}
	}
	return true
}

// derive fills k with the keys of a client as keys.derive does.
func (a *authenticator) derive(k *keys, s suite, dcid []byte) {
	k.suite, k.dcidLen = s, uint8(copy(k.dcid[:], dcid))
	initial := a.key(a.mac(&a.salt[s], k.dcid[:k.dcidLen]))
	client := a.key(a.mac(&initial, []byte(labelClient)))
	key, iv, hp := labelsOf(s)
	a.expand(k.key[:], &client, key)
	a.expand(k.iv[:], &client, iv)
	a.expand(k.hp[:], &client, hp)
}

// expand fills to with words of the sum over a label.
func (a *authenticator) expand(to []byte, key *macKey, label string) {
	sum := a.mac(key, []byte(label))
	for i := range len(to) / 4 {
		binary.BigEndian.PutUint32(to[4*i:], sum[i])
	}
}

// key goes through a key's blocks.
func (a *authenticator) key(words midstate) (k macKey) {
	k.inner = a.padded(&words, 0x36363636)
	k.outer = a.padded(&words, 0x5c5c5c5c)
	return k
}

// padded is the state after the block of a key and a pad.
func (a *authenticator) padded(words *midstate, pad uint32) midstate {
	for i := range len(a.block) / 4 {
		w := pad
		if i < len(words) {
			w ^= words[i]
		}
		binary.BigEndian.PutUint32(a.block[4*i:], w)
	}
	return a.after(&firstState)
}

// mac is the sum of a message of at most maxHMAC bytes.
func (a *authenticator) mac(key *macKey, msg []byte) midstate {
	clear(a.block[:])
	a.end(copy(a.block[:], msg))
	inner := a.after(&key.inner)
	clear(a.block[:])
	for i, w := range inner {
		binary.BigEndian.PutUint32(a.block[4*i:], w)
	}
	a.end(hashLen)
	return a.after(&key.outer)
}

// end writes what stands behind n bytes of the second block, the last one (FIPS 180-4, section 5.1.1).
func (a *authenticator) end(n int) {
	a.block[n] = 0x80
	binary.BigEndian.PutUint64(a.block[len(a.block)-8:], uint64(len(a.block)+n)*8)
}

// after is the state after the block, which came after another state.
func (a *authenticator) after(state *midstate) midstate {
	*a.state = *state
	_, _ = a.sum.Write(a.block[:]) // a whole block: nothing is kept of it, and a sum gives no error
	return *a.state
}

// wordsOf reads bytes as words.
func wordsOf(b *[hashLen]byte) (words midstate) {
	for i := range words {
		words[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	return words
}
