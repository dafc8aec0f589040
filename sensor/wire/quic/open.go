package quic

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

// open removes the protection of an Initial packet (RFC 9001, section 5.4 and 5.3) and returns its frames, or nil if the keys do not fit.
// The datagram is left as it is.
func (c *Client) open(k *keys, h *header) []byte {
	block, err := aes.NewCipher(k.hp[:])
	if err != nil {
		return nil
	}
	sample := h.packet[h.number+sampleAt:]
	var mask [sampleLen]byte
	block.Encrypt(mask[:], sample[:sampleLen])
	first := h.packet[0] ^ mask[0]&0x0f
	n := int(first&3) + 1
	var number [4]byte
	for i := range n {
		number[4-n+i] = h.packet[h.number+i] ^ mask[1+i]
	}
	if first&0x0c != 0 { // reserved bits (RFC 9000, section 17.2)
		return nil
	}
	aad := append([]byte(nil), h.packet[:h.number+n]...)
	aad[0] = first
	copy(aad[h.number:], number[4-n:])
	nonce := k.iv
	low := binary.BigEndian.Uint32(nonce[8:]) ^ binary.BigEndian.Uint32(number[:])
	binary.BigEndian.PutUint32(nonce[8:], low)
	block, _ = aes.NewCipher(k.key[:])
	gcm, _ := cipher.NewGCM(block)
	plain, err := gcm.Open(nil, nonce[:], h.packet[h.number+n:], aad)
	if err != nil {
		return nil
	}
	return plain
}
