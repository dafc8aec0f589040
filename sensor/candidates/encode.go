package candidates

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrDamaged says that bytes are no day of Encode.
var ErrDamaged = errors.New("reading a day of names: its bytes are damaged; it is left out")

const (
	encoding = 1 // the first byte
	maxNames = 1 << 20
)

// Encode writes a day for a store: names in order, each without what it has in common with the one before.
func (d *Day) Encode() []byte {
	b := make([]byte, 0, 64+32*len(d.Names))
	b = append(b, encoding, byte(len(d.Label)))
	b = append(b, d.Label...)
	b = binary.AppendVarint(b, d.From)
	b = binary.AppendVarint(b, d.Until)
	b = binary.AppendUvarint(b, d.Over)
	b = binary.AppendUvarint(b, uint64(len(d.Names)))
	before := ""
	for i := range d.Names {
		n := &d.Names[i]
		same := common(before, n.Name)
		b = append(b, byte(same), byte(len(n.Name)-same))
		b = append(b, n.Name[same:]...)
		for _, v := range []uint64{n.Flows, n.Up, n.Down, n.Answers, n.Paced, n.Paths} {
			b = binary.AppendUvarint(b, v)
		}
		b = append(b, byte(len(n.Alias)))
		b = append(b, n.Alias[:byte(len(n.Alias))]...)
		b = n.Clients.append(b)
		before = n.Name
	}
	return b
}

func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// append writes the registers that are not empty.
func (s *Sketch) append(b []byte) []byte {
	at := len(b)
	b = append(b, 0)
	for i, rank := range s {
		if rank > 0 {
			b = append(b, byte(i), rank)
			b[at]++
		}
	}
	return b
}

// Decode reads a day. It takes no more memory than a few times what it is given, whatever that is.
func Decode(b []byte) (*Day, error) {
	r := reader{b: b}
	if r.byte() != encoding {
		return nil, fmt.Errorf("%w: of version %d", ErrDamaged, firstOf(b))
	}
	d := &Day{Label: r.text(int(r.byte()))}
	d.From, d.Until = r.varint(), r.varint()
	d.Over = r.uvarint()
	count := r.uvarint()
	const least = 10 // bytes of a name
	if r.short || count > maxNames || count > uint64(len(r.b)/least) {
		return nil, ErrDamaged
	}
	d.Names = make([]Name, 0, count)
	before := ""
	for range count {
		n := r.name(before)
		if r.short || n.Name <= before {
			return nil, ErrDamaged
		}
		before = n.Name
		d.Names = append(d.Names, n)
	}
	return d, nil
}

// name reads what is kept of a name that stands behind another.
func (r *reader) name(before string) (n Name) {
	same := int(r.byte())
	rest := r.text(int(r.byte()))
	if same > len(before) || same+len(rest) > MaxName {
		r.short = true
		return n
	}
	n.Name = before[:same] + rest
	for _, v := range []*uint64{&n.Flows, &n.Up, &n.Down, &n.Answers, &n.Paced, &n.Paths} {
		*v = r.uvarint()
	}
	n.Alias = r.text(int(r.byte()))
	r.sketch(&n.Clients)
	return n
}

func firstOf(b []byte) byte {
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// reader takes bytes from the front; once it runs short it stays short.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.short = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) text(n int) string {
	if n > len(r.b) {
		r.short, r.b = true, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > math.MaxInt64 {
		r.short, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.short, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) sketch(s *Sketch) {
	for range r.byte() {
		register, rank := r.byte(), r.byte()
		if register >= registers || rank > 64 {
			r.short = true
			return
		}
		s[register] = max(s[register], rank)
	}
}
