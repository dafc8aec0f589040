package dns

import "encoding/binary"

const (
	maxOctets       = 255                 // RFC 1035, section 2.3.4: labels with their lengths, and the root
	maxPresentation = 4 * maxOctets       // when each octet becomes \DDD
	maxJumps        = (maxOctets+1)/2 - 2 // a name has at most 126 labels before the root, each could follow a pointer
)

// names walks the labels of one name. A pointer (RFC 1035, section 4.1.4) must lead to before the labels it ends, and never
// into the header: so a walk cannot come back to where it has been, and hostile messages end it after maxOctets or maxJumps.
type names struct {
	b      []byte
	off    int // of the next label
	run    int // where the labels since the last pointer begin
	next   int // behind the name's own bytes; 0 until the first pointer or the root
	octets int
	jumps  int
}

// label returns the next label, empty at the root.
func (w *names) label() ([]byte, error) {
	for {
		if w.off >= len(w.b) {
			return nil, ErrTruncated
		}
		n := int(w.b[w.off])
		switch n & 0xc0 {
		case 0:
			return w.take(n)
		case 0xc0:
			if err := w.jump(); err != nil {
				return nil, err
			}
		default: // 01 and 10 are extended labels that nobody uses (RFC 6891, section 5)
			return nil, ErrMalformed
		}
	}
}

func (w *names) take(n int) ([]byte, error) {
	at := w.off + 1
	if w.octets += 1 + n; w.octets > maxOctets {
		return nil, ErrMalformed
	}
	if len(w.b)-at < n {
		return nil, ErrTruncated
	}
	w.off = at + n
	if n == 0 && w.next == 0 {
		w.next = w.off
	}
	return w.b[at:w.off], nil
}

func (w *names) jump() error {
	if len(w.b)-w.off < 2 {
		return ErrTruncated
	}
	to := int(binary.BigEndian.Uint16(w.b[w.off:]) & 0x3fff)
	if w.jumps++; to < headerLen || to >= w.run || w.jumps > maxJumps {
		return ErrMalformed
	}
	if w.next == 0 {
		w.next = w.off + 2
	}
	w.off, w.run = to, to
	return nil
}

// appendName appends the name at off to dst in the form of Message.QName and returns where the bytes go on behind it.
func appendName(dst, b []byte, off int) (out []byte, next int, err error) {
	w := names{b: b, off: off, run: off}
	start := len(dst)
	for {
		label, err := w.label()
		if err != nil {
			return dst[:start], 0, err
		}
		if len(label) == 0 {
			break
		}
		if len(dst) > start {
			dst = append(dst, '.')
		}
		dst = appendLabel(dst, label)
	}
	if len(dst) == start {
		dst = append(dst, '.')
	}
	return dst, w.next, nil
}

// plainName is appendName for what almost every question holds: a name without pointers and escapes, all there. It writes to
// dst's beginning, which has room for maxOctets. For other names ok is false and appendName says what they are. The gain is
// measured: 30 ns instead of 61 ns for a query.
func plainName(dst, b []byte, off int) (out []byte, next int, ok bool) {
	out = dst[:maxOctets]
	b = b[off:min(len(b), off+maxOctets)]
	for at := 0; at < len(b); {
		n := int(b[at])
		if n == 0 && at > 0 {
			return out[:at-1], off + at + 1, true
		}
		if n == 0 || n >= 0x40 || n >= len(b)-at {
			break
		}
		label := out[at : at+n]
		for i, c := range b[at+1 : at+1+n] {
			l := plain[c]
			if l == 0 {
				return nil, 0, false
			}
			label[i] = l
		}
		at += 1 + n
		out[at-1] = '.'
	}
	return nil, 0, false
}

func appendLabel(dst, label []byte) []byte {
	for _, c := range label {
		if l := plain[c]; l != 0 {
			dst = append(dst, l)
		} else {
			dst = appendEscaped(dst, c)
		}
	}
	return dst
}

// appendEscaped writes what would otherwise end the label, the name or the line (RFC 1035, section 5.1).
func appendEscaped(dst []byte, c byte) []byte {
	if c < ' ' || c > '~' {
		return append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
	}
	return append(dst, '\\', c)
}

// plain maps a byte that stands for itself in presentation form to its lower case (RFC 4343), and others to 0.
var plain = plainBytes()

func plainBytes() (t [256]byte) {
	for c := byte('!'); c <= '~'; c++ {
		t[c] = c
	}
	for _, c := range []byte(`.'@;()"\`) {
		t[c] = 0
	}
	for c := byte('A'); c <= 'Z'; c++ {
		t[c] = c - 'A' + 'a'
	}
	return t
}

// skipName returns where the bytes go on behind the name at off, looking at no more than that needs. If the name is not
// pointed, that was all of it.
func skipName(b []byte, off int) (next int, pointed bool, err error) {
	for start := off; ; {
		if off >= len(b) {
			return 0, false, ErrTruncated
		}
		n := int(b[off])
		switch {
		case n == 0:
			return off + 1, false, nil
		case n < 0x40:
			if off += 1 + n; off-start >= maxOctets { // the root takes one more
				return 0, false, ErrMalformed
			}
		case n < 0xc0:
			return 0, false, ErrMalformed
		default:
			if len(b)-off < 2 {
				return 0, false, ErrTruncated
			}
			if to := int(binary.BigEndian.Uint16(b[off:]) & 0x3fff); to < headerLen || to >= start {
				return 0, false, ErrMalformed
			}
			return off + 2, true, nil
		}
	}
}

// checkName walks the name at off to its root.
func checkName(b []byte, off int) error {
	if _, pointed, err := skipName(b, off); err != nil || !pointed {
		return err
	}
	w := names{b: b, off: off, run: off}
	for {
		if label, err := w.label(); err != nil || len(label) == 0 {
			return err
		}
	}
}

// sameName compares the names at i and j without regard to case (RFC 4343). They are the same from where they meet. A name
// that cannot be read is the same as none.
func sameName(b []byte, i, j int) bool {
	x, y := names{b: b, off: i, run: i}, names{b: b, off: j, run: j}
	for {
		p, err := x.label()
		if err != nil {
			return false
		}
		q, err := y.label()
		if err != nil || !sameLabel(p, q) {
			return false
		}
		if len(p) == 0 || x.off == y.off {
			return true
		}
	}
}

func sameLabel(p, q []byte) bool {
	if len(p) != len(q) {
		return false
	}
	for i, c := range p {
		if d := q[i]; c != d && (plain[c] != plain[d] || plain[c] == 0) {
			return false
		}
	}
	return true
}

// pointer returns where the name at off leads if it is nothing but a pointer. skipName has looked at it before.
func pointer(b []byte, off int) (to int, ok bool) {
	if b[off] < 0xc0 {
		return 0, false
	}
	return int(binary.BigEndian.Uint16(b[off:]) & 0x3fff), true
}

// malformed is err for a name inside of bytes that are all there: running short in it is damage, not a cut.
func malformed(err error) error {
	if err != nil {
		return ErrMalformed
	}
	return nil
}
