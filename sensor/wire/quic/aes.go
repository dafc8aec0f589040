package quic

import (
	"encoding/binary"
	"math/bits"
)

const (
	blockLen  = 16
	rounds    = 10               // of AES-128 (FIPS 197, section 5)
	roundKeys = 4 * (rounds + 1) // words
)

// schedule is the expanded key of AES-128 (FIPS 197, section 5.2), four words for each round. The standard library's cipher allocates
// for each key, and a sensor meets a new key with each connection. That the tables make its time depend on the key gives
// nothing away: the keys stand on the wire.
type schedule [roundKeys]uint32

// tables are what a round looks up: S-box and MixColumns in one (four rotations of the same 256 words), and the bare S-box for the last.
type tables struct {
	te0, te1, te2, te3 [256]uint32
	sbox               [256]byte
}

// aesTables is a constant, computed from the definition in FIPS 197, sections 5.1.1 and 5.1.3.
var aesTables = makeTables()

func makeTables() *tables {
	t := new(tables)
	t.sbox[0] = 0x63
	// p runs through all powers of the generator 3 and q through their inverses.
	for p, q := byte(3), byte(0xf6); ; p, q = p^double(p), divide3(q) {
		affine := q ^ bits.RotateLeft8(q, 1) ^ bits.RotateLeft8(q, 2) ^ bits.RotateLeft8(q, 3) ^ bits.RotateLeft8(q, 4)
		t.sbox[p] = affine ^ 0x63
		if p == 1 {
			break
		}
	}
	for i, s := range t.sbox {
		w := uint32(double(s))<<24 | uint32(s)<<16 | uint32(s)<<8 | uint32(double(s)^s)
		t.te0[i], t.te1[i] = w, bits.RotateLeft32(w, -8)
		t.te2[i], t.te3[i] = bits.RotateLeft32(w, -16), bits.RotateLeft32(w, -24)
	}
	return t
}

// double multiplies by x in the field of FIPS 197, section 4.2.
func double(b byte) byte {
	return b<<1 ^ b>>7*0x1b
}

// divide3 divides by x + 1 in the same field: it multiplies by the inverse, 0xf6.
func divide3(b byte) (product byte) {
	for f := byte(0xf6); f != 0; f >>= 1 {
		product ^= f & 1 * b
		b = double(b)
	}
	return product
}

// expand fills s with the schedule of a key.
func (s *schedule) expand(key *[keyLen]byte) {
	t := aesTables
	for i := range 4 {
		s[i] = binary.BigEndian.Uint32(key[4*i:])
	}
	constant := byte(1)
	for i := 4; i < roundKeys; i += 4 {
		w := bits.RotateLeft32(s[i-1], 8)
		w = uint32(t.sbox[w>>24])<<24 | uint32(t.sbox[uint8(w>>16)])<<16 | uint32(t.sbox[uint8(w>>8)])<<8 | uint32(t.sbox[uint8(w)])
		s[i] = s[i-4] ^ w ^ uint32(constant)<<24
		s[i+1] = s[i-3] ^ s[i]
		s[i+2] = s[i-2] ^ s[i+1]
		s[i+3] = s[i-1] ^ s[i+2]
		constant = double(constant)
	}
}

// encrypt enciphers one block, given and returned as four big-endian words.
func (s *schedule) encrypt(a, b, c, d uint32) (uint32, uint32, uint32, uint32) {
	t := aesTables
	a, b, c, d = a^s[0], b^s[1], c^s[2], d^s[3]
	for i := 4; i < roundKeys-4; i += 4 {
		a, b, c, d = s[i]^t.te0[a>>24]^t.te1[uint8(b>>16)]^t.te2[uint8(c>>8)]^t.te3[uint8(d)],
			s[i+1]^t.te0[b>>24]^t.te1[uint8(c>>16)]^t.te2[uint8(d>>8)]^t.te3[uint8(a)],
			s[i+2]^t.te0[c>>24]^t.te1[uint8(d>>16)]^t.te2[uint8(a>>8)]^t.te3[uint8(b)],
			s[i+3]^t.te0[d>>24]^t.te1[uint8(a>>16)]^t.te2[uint8(b>>8)]^t.te3[uint8(c)]
	}
	return t.last(a, b, c, d) ^ s[40], t.last(b, c, d, a) ^ s[41], t.last(c, d, a, b) ^ s[42], t.last(d, a, b, c) ^ s[43]
}

// last is a column of the last round, which has no MixColumns.
func (t *tables) last(a, b, c, d uint32) uint32 {
	return uint32(t.sbox[a>>24])<<24 | uint32(t.sbox[uint8(b>>16)])<<16 | uint32(t.sbox[uint8(c>>8)])<<8 | uint32(t.sbox[uint8(d)])
}
