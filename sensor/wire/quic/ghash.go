package quic

import "encoding/binary"

// element is an element of GCM's field, GF(2^128) (NIST SP 800-38D, section 6.3): the first bit on the wire is the highest of hi.
type element struct{ hi, lo uint64 }

// ghash is the multiplication by one hash key: by the processor where it can, else from a table of the key's products with all values of
// a byte.
type ghash struct {
	sum      element
	powers   powers
	tabulate bool // although the processor could
	table    [256]element
}

// key takes a hash key.
func (g *ghash) key(h element) {
	if g.multiplies() {
		g.powers.of(h)
		return
	}
	g.fill(h)
}

func (g *ghash) multiplies() bool { return multiplies() && !g.tabulate }

// fill fills the table. It costs about as much as ten blocks and makes each of them four times as fast as a bitwise product.
func (g *ghash) fill(h element) {
	g.table[0] = element{}
	for bit := 0x80; bit > 0; bit >>= 1 { // the highest bit stands for 1, the next for x and so on
		g.table[bit] = h
		for low := bit << 1; low < len(g.table); low += bit << 1 {
			e := g.table[low]
			g.table[low|bit] = element{e.hi ^ h.hi, e.lo ^ h.lo}
		}
		carry := h.lo & 1
		h = element{h.hi>>1 ^ carry*0xe1<<56, h.lo>>1 | h.hi<<63} // times x, modulo x^128 + x^7 + x^2 + x + 1
	}
}

// update takes data, filled up with zeros to whole blocks.
func (g *ghash) update(data []byte) {
	if g.multiplies() {
		g.powers.blocks(&g.sum, data)
		data = data[len(data)/blockLen*blockLen:]
	}
	for len(data) >= blockLen {
		g.product(binary.BigEndian.Uint64(data), binary.BigEndian.Uint64(data[8:]))
		data = data[blockLen:]
	}
	if len(data) > 0 {
		var last [blockLen]byte
		copy(last[:], data)
		g.update(last[:])
	}
}

// block adds a block.
func (g *ghash) block(hi, lo uint64) {
	var b [blockLen]byte
	binary.BigEndian.PutUint64(b[:], hi)
	binary.BigEndian.PutUint64(b[8:], lo)
	g.update(b[:])
}

// product adds a block to the sum and multiplies by the hash key, by the table. Going through the bytes from the last to the first, the products of
// byte i and byte i+8, which lie one word apart, are added to a 256-bit accumulator, which moves by a byte each time; it is
// reduced once at the end. That takes about two thirds of the time of a reduction for each byte.
func (g *ghash) product(hi, lo uint64) {
	hi, lo = hi^g.sum.hi, lo^g.sum.lo
	var w0, w1, w2, w3 uint64
	for range 8 {
		a, b := &g.table[uint8(hi)], &g.table[uint8(lo)]
		hi, lo = hi>>8, lo>>8
		w3 = w3>>8 | w2<<56
		w2 = (w2>>8 | w1<<56) ^ b.lo
		w1 = (w1>>8 | w0<<56) ^ a.lo ^ b.hi
		w0 = w0>>8 ^ a.hi
	}
	// Bits 128 and on stand for x^128 and up: x^128 = x^7 + x^2 + x + 1.
	w1 ^= w3 ^ w3>>1 ^ w3>>2 ^ w3>>7
	w2 ^= w3<<63 ^ w3<<62 ^ w3<<57
	g.sum.hi = w0 ^ w2 ^ w2>>1 ^ w2>>2 ^ w2>>7
	g.sum.lo = w1 ^ w2<<63 ^ w2<<62 ^ w2<<57
}
