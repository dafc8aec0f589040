package flow

// maxHoles bounds how many gaps of one direction are followed at once; the oldest is given up first, and counted.
const maxHoles = 32

// holes are the parts of a direction's sequence space, between Low and Next, that have not been seen: [from, to), oldest first.
type holes struct {
	n  uint8
	of [maxHoles]hole
}

type hole struct{ from, to uint32 }

// add notes a gap. It returns false if an older one had to be given up for it.
func (h *holes) add(from, to uint32) bool {
	kept := true
	if h.n == maxHoles {
		copy(h.of[:], h.of[1:])
		h.n--
		kept = false
	}
	h.of[h.n] = hole{from, to}
	h.n++
	return kept
}

// fill takes [from, to) out of the gaps and returns how many bytes of it were missing until now.
func (h *holes) fill(from, to uint32) (filled uint32, kept bool) {
	kept = true
	for i := 0; i < int(h.n); i++ {
		g := h.of[i]
		lo, hi := later(from, g.from), earlier(to, g.to)
		if int32(hi-lo) <= 0 {
			continue
		}
		filled += hi - lo
		switch {
		case lo == g.from && hi == g.to:
			copy(h.of[i:], h.of[i+1:h.n])
			h.n--
			i--
		case lo == g.from:
			h.of[i].from = hi
		case hi == g.to:
			h.of[i].to = lo
		default:
			h.of[i].to = lo
			kept = h.add(hi, g.to) && kept
		}
	}
	return filled, kept
}

// missing is the sum of the gaps.
func (h *holes) missing() uint64 {
	var n uint64
	for _, g := range h.of[:h.n] {
		n += uint64(g.to - g.from)
	}
	return n
}

func later(a, b uint32) uint32 {
	if int32(a-b) > 0 {
		return a
	}
	return b
}

func earlier(a, b uint32) uint32 {
	if int32(a-b) < 0 {
		return a
	}
	return b
}
