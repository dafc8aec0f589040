package quic

import "math/bits"

const (
	inlineHello = 2 << 10  // a hello with post-quantum keys has about 1,800 bytes
	maxHello    = 64 << 10 // offsets beyond are refused: our limit, the wire's is 2^62
	helloHeader = 4        // msg_type, uint24 length (RFC 8446, section 4)
	clientHello = 1        // RFC 8446, section 4
)

// assembly puts the CRYPTO stream together (RFC 9000, section 19.6): pieces in any order, repeated and overlapping. A bit for each
// byte says what is there, so that no pattern of pieces can use up a list. Up to 2 KiB it does not allocate.
type assembly struct {
	prefix int // bytes from the start without a gap
	data   []byte
	seen   []uint64

	inlineData [inlineHello]byte
	inlineSeen [inlineHello / 64]uint64
}

// reset forgets all bytes. What was allocated for a large hello goes with them.
func (a *assembly) reset() {
	a.prefix = 0
	a.data, a.seen = a.inlineData[:], a.inlineSeen[:]
	a.inlineSeen = [inlineHello / 64]uint64{}
}

// write takes the bytes at an offset of the stream. It returns false if they lie beyond every hello.
func (a *assembly) write(offset uint64, b []byte) bool {
	if offset > maxHello || uint64(len(b)) > maxHello-offset {
		return false
	}
	start, end := int(offset), int(offset)+len(b)
	if a.data == nil {
		a.reset()
	}
	if end > len(a.data) {
		a.grow(end)
	}
	copy(a.data[start:end], b)
	a.mark(start, end)
	return true
}

// grow makes room for size bytes.
func (a *assembly) grow(size int) {
	room := len(a.data)
	for room < size {
		room *= 2
	}
	data, seen := make([]byte, room), make([]uint64, room/64)
	copy(data, a.data)
	copy(seen, a.seen)
	a.data, a.seen = data, seen
}

// mark notes that the bytes from start to end are there, and moves the prefix on.
func (a *assembly) mark(start, end int) {
	for at := start; at < end; {
		word, bit := at/64, at%64
		n := min(64-bit, end-at)
		a.seen[word] |= (^uint64(0) >> (64 - n)) << bit
		at += n
	}
	if start > a.prefix {
		return
	}
	for a.prefix < len(a.data) {
		missing := ^a.seen[a.prefix/64] >> (a.prefix % 64)
		step := min(bits.TrailingZeros64(missing), 64-a.prefix%64)
		a.prefix += step
		if a.prefix%64 != 0 || step == 0 {
			return
		}
	}
}

// hello returns the ClientHello if it is whole, and false if no ClientHello can come of what is there.
func (a *assembly) hello() (msg []byte, ok bool) {
	if a.prefix > 0 && a.data[0] != clientHello {
		return nil, false
	}
	if a.prefix < helloHeader {
		return nil, true
	}
	size := helloLen(a.data)
	if size > maxHello {
		return nil, false
	}
	if size > a.prefix {
		return nil, true
	}
	return a.data[:size:size], true
}

// helloLen is the length of a handshake message with its header (RFC 8446, section 4), of which at least the header is there.
func helloLen(b []byte) int {
	return helloHeader + int(b[1])<<16 + int(b[2])<<8 + int(b[3])
}
