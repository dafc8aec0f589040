package codec

import (
	"encoding/binary"
	"math"
	"reflect"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Decoder reads records of one schema. It may be used by several goroutines.
type Decoder struct{ root *structure }

// Decode reads a record into ev, whatever ev was before. Nothing of ev aliases record.
func (d *Decoder) Decode(record []byte, ev *event.Event) error {
	*ev = event.Event{}
	r := reader{text: string(record)} // one copy for all strings of the record
	r.structure(d.root, reflect.ValueOf(ev).Elem(), 0)
	if r.bad || r.at != len(r.text) {
		return ErrRecord
	}
	return nil
}

// reader walks through a record. Once it is bad it stays bad.
type reader struct {
	text string
	at   int
	bad  bool
}

func (r *reader) fail() { r.bad, r.at = true, len(r.text) }

func (r *reader) uvarint() uint64 {
	var n uint64
	for shift := 0; shift < 7*binary.MaxVarintLen64; shift += 7 {
		if r.at == len(r.text) {
			break
		}
		c := r.text[r.at]
		r.at++
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	r.fail()
	return 0
}

func (r *reader) varint() int64 {
	n := r.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

// take returns the next n bytes.
func (r *reader) take(n uint64) string {
	if n > uint64(len(r.text)-r.at) {
		r.fail()
		return ""
	}
	s := r.text[r.at : r.at+int(n)]
	r.at += int(n)
	return s
}

func (r *reader) str() string { return r.take(r.uvarint()) }

// count is the length of a list or map; each of its values takes a byte at least.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.text)-r.at) {
		r.fail()
		return 0
	}
	return int(n)
}

// structure reads a struct; v is not valid where the struct is skipped.
func (r *reader) structure(s *structure, v reflect.Value, depth int) {
	if depth == maxNested {
		r.fail()
		return
	}
	for {
		n := r.uvarint()
		if n == 0 || r.bad {
			return
		}
		if n > uint64(len(s.fields)) {
			r.fail()
			return
		}
		f := &s.fields[n-1]
		if f.index < 0 || !v.IsValid() {
			r.skip(f.kind, depth+1)
			continue
		}
		r.value(f.kind, v.Field(f.index), depth+1)
	}
}

func (r *reader) value(k *kind, v reflect.Value, depth int) {
	switch k.code {
	case codeUint:
		v.SetUint(r.uvarint())
	case codeInt:
		v.SetInt(r.varint())
	case codeBool:
		v.SetBool(r.uvarint() != 0)
	case codeFloat:
		v.SetFloat(r.float())
	case codeString:
		v.SetString(r.str())
	case codePointer:
		p := reflect.New(v.Type().Elem())
		r.value(k.elem, p.Elem(), depth)
		v.Set(p)
	case codeList:
		r.list(k.elem, v, depth)
	case codeMap:
		r.entries(k.elem, v, depth)
	default:
		r.structure(k.of, v, depth)
	}
}

func (r *reader) float() float64 {
	b := r.take(8)
	if r.bad {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64([]byte(b)))
}

// list grows with what is really there: a length alone takes no memory.
func (r *reader) list(elem *kind, v reflect.Value, depth int) {
	for i := range r.count() {
		if r.bad {
			return
		}
		if i >= v.Cap() {
			v.Grow(1)
		}
		v.SetLen(i + 1)
		r.value(elem, v.Index(i), depth+1)
	}
}

func (r *reader) entries(elem *kind, v reflect.Value, depth int) {
	n := r.count()
	if n == 0 {
		return
	}
	m := reflect.MakeMap(v.Type())
	for range n {
		name := r.str()
		if r.bad {
			return
		}
		e := reflect.New(v.Type().Elem()).Elem()
		r.value(elem, e, depth+1)
		m.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), e)
	}
	v.Set(m)
}

// skip passes over a value that this version has no field for.
//
//nolint:gocyclo // a case for each kind of value
func (r *reader) skip(k *kind, depth int) {
	if depth >= maxNested {
		r.fail()
		return
	}
	switch k.code {
	case codeUint, codeInt, codeBool:
		r.uvarint()
	case codeFloat:
		r.take(8)
	case codeString:
		r.str()
	case codePointer:
		r.skip(k.elem, depth)
	case codeList:
		for n := r.count(); n > 0 && !r.bad; n-- {
			r.skip(k.elem, depth+1)
		}
	case codeMap:
		for n := r.count(); n > 0 && !r.bad; n-- {
			r.str()
			r.skip(k.elem, depth+1)
		}
	default:
		r.structure(k.of, reflect.Value{}, depth)
	}
}
