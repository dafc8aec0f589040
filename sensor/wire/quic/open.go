package quic

import (
	"encoding/binary"
	"slices"
)

// opener holds what opening a packet needs besides the packet, so that nothing is allocated.
type opener struct {
	owner  *keys // whose schedules and table these are
	header schedule
	packet keystream
	hash   ghash
	plain  []byte
	inline [1536]byte // room for plain, unless a datagram is larger than Ethernet's
}

// nonce is a packet's nonce (RFC 9001, section 5.3), the first three words of its counter blocks.
type nonce [3]uint32

const (
	tagCounter  = 1 // the counter block that masks the tag (NIST SP 800-38D, section 7.1)
	textCounter = 2 // and the first of the text
)

// reservedBits of the first byte have to be zero (RFC 9000, section 17.2). Checking them, and the first frame's type, before the tag
// sorts out most packets of other keys.
const reservedBits = 0x0c

// headLen is what is deciphered first, to see how much is worth it.
const headLen = 2 * blockLen

// open removes the protection of an Initial packet and returns its frames, or nil if the keys do not fit. The datagram is left as it
// is; the frames are valid until the next call. If the first frame brings the whole hello, those behind it are left out.
func (o *opener) open(k *keys, h *header) []byte {
	fresh := o.owner != k
	if fresh {
		o.owner = nil
		o.header.expand(&k.hp)
	}
	first, n, number := o.unmask(h)
	if !fresh || first&reservedBits == 0 {
		return o.unseal(k, h, first, n, number)
	}
	return nil
}

// unseal checks and deciphers a packet whose header is unmasked.
func (o *opener) unseal(k *keys, h *header, first byte, n int, number uint32) []byte {
	fresh := o.owner != k
	if fresh {
		o.packet.rekey(&k.key)
	}
	iv := nonce{binary.BigEndian.Uint32(k.iv[0:]), binary.BigEndian.Uint32(k.iv[4:]), binary.BigEndian.Uint32(k.iv[8:]) ^ number}
	sealed := h.packet[h.number+n : len(h.packet)-tagLen]
	if first&reservedBits != 0 || len(sealed) == 0 || !o.plausible(&iv, sealed[0]) {
		return nil
	}
	if fresh {
		o.hash.key(o.packet.block(&nonce{}, 0)) // NIST SP 800-38D, section 7.1
		o.owner = k
	}
	if o.plain == nil {
		o.plain = o.inline[:0]
	}
	o.plain = slices.Grow(o.plain[:0], len(h.packet)) // which is longer than the header, and than the text by a block
	if !o.authentic(&iv, h, first, n, number) {
		return nil
	}
	o.plain = o.plain[:len(sealed)]
	head := min(headLen, len(sealed))
	o.packet.xor(o.plain[:head], sealed[:head], &iv, textCounter)
	end := worth(o.plain[:head], len(sealed))
	if end > head {
		o.packet.xor(o.plain[head:end], sealed[head:end], &iv, textCounter+headLen/blockLen)
	}
	return o.plain[:end]
}

// unmask removes the header protection (RFC 9001, section 5.4.1). It returns the true first byte, the length of the packet number, and
// the number.
func (o *opener) unmask(h *header) (first byte, n int, number uint32) {
	sample := h.packet[h.number+sampleAt:]
	a, b, _, _ := o.header.encrypt(binary.BigEndian.Uint32(sample), binary.BigEndian.Uint32(sample[4:]),
		binary.BigEndian.Uint32(sample[8:]), binary.BigEndian.Uint32(sample[12:]))
	first = h.packet[0] ^ byte(a>>24)&0x0f
	n = int(first&3) + 1
	number = binary.BigEndian.Uint32(h.packet[h.number:]) ^ (a<<8 | b>>24)
	return first, n, number >> (32 - 8*n)
}

// plausible tells whether the text begins with a frame that an Initial may carry.
func (o *opener) plausible(iv *nonce, sealed byte) bool {
	mask := o.packet.block(iv, textCounter)
	return plausibleFrame(sealed ^ byte(mask.hi>>56))
}

// authentic checks the tag over the header, as it was before it was masked, and the sealed text (RFC 9001, section 5.3; NIST SP
// 800-38D, section 7.2). It writes over plain.
func (o *opener) authentic(iv *nonce, h *header, first byte, n int, number uint32) bool {
	end := h.number + n
	aad := append(o.plain[:0], h.packet[:end]...)
	aad[0] = first
	for i := range n {
		aad[end-1-i] = byte(number >> (8 * i))
	}
	sealed, tag := h.packet[end:len(h.packet)-tagLen], h.packet[len(h.packet)-tagLen:]
	o.hash.sum = element{}
	o.hash.update(aad)
	o.hash.update(sealed)
	o.hash.block(uint64(len(aad))*8, uint64(len(sealed))*8)
	mask := o.packet.block(iv, tagCounter)
	return binary.BigEndian.Uint64(tag) == o.hash.sum.hi^mask.hi && binary.BigEndian.Uint64(tag[8:]) == o.hash.sum.lo^mask.lo
}

// worth returns how much of size bytes of text is worth deciphering, judging by its head: a first frame with the whole hello makes the
// rest, mostly padding, unimportant.
func worth(head []byte, size int) int {
	if len(head) == 0 || head[0] != frameCrypto {
		return size
	}
	offset, at, ok := varint(head, 1)
	if !ok || offset != 0 {
		return size
	}
	length, at, ok := varint(head, at)
	if !ok || length > uint64(size-at) || at+helloHeader > len(head) {
		return size
	}
	if hello := helloLen(head[at:]); uint64(hello) > length {
		return size
	}
	return at + int(length)
}
