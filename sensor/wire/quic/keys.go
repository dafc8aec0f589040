package quic

import "crypto/sha256"

const (
	keyLen  = 16 // AES-128 (RFC 9001, section 5.2)
	ivLen   = 12 // RFC 9001, section 5.3
	hashLen = sha256.Size
	padLen  = sha256.BlockSize // HMAC pads its key to a block (RFC 2104, section 2)
)

// keys protect a client's Initial packets under one connection id.
type keys struct {
	dcid    [maxCID]byte
	dcidLen uint8
	suite   suite
	key     [keyLen]byte
	iv      [ivLen]byte
	hp      [keyLen]byte
}

// Labels for HKDF-Expand-Label (RFC 9001, sections 5.1 and 5.2; RFC 9369, section 3.3.2), as they stand on the wire of RFC 8446, section 7.1:
// the output's length, the length of the label, "tls13 " and the label, an empty context; then the counter of
// HKDF-Expand (RFC 5869, section 2.3), which is 1 since no output is longer than a hash.
const (
	labelClient = "\x00\x20\x0ftls13 client in\x00\x01"
	labelKey    = "\x00\x10\x0etls13 quic key\x00\x01"
	labelIV     = "\x00\x0c\x0dtls13 quic iv\x00\x01"
	labelHP     = "\x00\x10\x0dtls13 quic hp\x00\x01"
	labelKeyV2  = "\x00\x10\x10tls13 quicv2 key\x00\x01"
	labelIVV2   = "\x00\x0c\x0ftls13 quicv2 iv\x00\x01"
	labelHPV2   = "\x00\x10\x0ftls13 quicv2 hp\x00\x01"
)

// derive fills k with the keys of a client whose first packet went to dcid (RFC 9001, section 5.2).
func (k *keys) derive(s suite, dcid []byte) {
	k.suite, k.dcidLen = s, uint8(copy(k.dcid[:], dcid))
	var salt [hashLen]byte
	copy(salt[:], salts[s])
	secret := hmac(&salt, k.dcid[:k.dcidLen])
	secret = hmac(&secret, []byte(labelClient))
	key, iv, hp := labelsOf(s)
	out := hmac(&secret, []byte(key))
	copy(k.key[:], out[:])
	out = hmac(&secret, []byte(iv))
	copy(k.iv[:], out[:])
	out = hmac(&secret, []byte(hp))
	copy(k.hp[:], out[:])
}

// labelsOf returns the labels of what protects packets.
func labelsOf(s suite) (key, iv, hp string) {
	if s == suiteV2 {
		return labelKeyV2, labelIVV2, labelHPV2
	}
	return labelKey, labelIV, labelHP
}

// is tells whether these are the keys for a connection id.
func (k *keys) is(s suite, dcid []byte) bool {
	return k.dcidLen > 0 && k.suite == s && string(k.dcid[:k.dcidLen]) == string(dcid)
}

// maxHMAC is the longest message that hmac is given.
const maxHMAC = 32

// hmac is HMAC-SHA-256 (RFC 2104) of a short message under a key of at most 32 bytes, zeros behind it. crypto/hmac allocates
// its state; two sums over arrays on the stack do not.
func hmac(key *[hashLen]byte, msg []byte) [hashLen]byte {
	var inner [padLen + maxHMAC]byte
	var outer [padLen + hashLen]byte
	copy(inner[:], key[:])
	copy(outer[:], key[:])
	for i := range padLen {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	n := copy(inner[padLen:], msg)
	sum := sha256.Sum256(inner[:padLen+n])
	copy(outer[padLen:], sum[:])
	return sha256.Sum256(outer[:])
}
