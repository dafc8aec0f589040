package logs

import "bytes"

// escape is what was done to a value, to be undone when it is used.
type escape uint8

const (
	plain     escape = iota
	backslash        // \" \\ \t \x22
	doubled          // ""
	jsonText         // RFC 8259, section 7
)

// value is one field of a line.
type value struct {
	b   []byte
	esc escape
}

// fields are the values of one line, by slot. A slot is a field that a format asks for; all others are passed over.
type fields struct {
	values  []value
	zoned   []byte // a column without a name that holds a time with its zone
	scratch []byte // what had to be written anew
	joined  []byte // several fields put together, until the next are
	misfit  bool
	action  []byte // the last action, and what it means
	acted   Action
}

func (f *fields) reset() {
	clear(f.values)
	f.scratch, f.zoned, f.misfit = f.scratch[:0], nil, false
}

// set keeps the first value that is not empty.
func (f *fields) set(slot int, b []byte, esc escape) {
	if slot >= 0 && len(f.values[slot].b) == 0 {
		f.values[slot] = value{b, esc}
	}
}

// get is the value of a slot, with its escapes undone; nil where it stands for nothing.
func (f *fields) get(slot int) []byte {
	v := f.values[slot]
	if v.esc != plain {
		v.b = f.unescape(v)
	}
	for len(v.b) > 0 && v.b[0] == ' ' {
		v.b = v.b[1:]
	}
	for n := len(v.b); n > 0 && v.b[n-1] == ' '; n-- {
		v.b = v.b[:n-1]
	}
	if nothing(v.b) {
		return nil
	}
	return v.b
}

// unescape writes a value into scratch, without its escapes.
func (f *fields) unescape(v value) []byte {
	from := len(f.scratch)
	switch v.esc {
	case doubled:
		for i := 0; i < len(v.b); i++ {
			f.scratch = append(f.scratch, v.b[i])
			if v.b[i] == '"' && i+1 < len(v.b) && v.b[i+1] == '"' {
				i++
			}
		}
	case jsonText:
		f.scratch = appendJSON(f.scratch, v.b)
	default:
		f.scratch = appendUnescaped(f.scratch, v.b)
	}
	return f.scratch[from:]
}

// appendUnescaped undoes \" and \\ and \x22. A backslash before any other letter stays: it is the one of DOMAIN\user.
func appendUnescaped(out, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 >= len(b) {
			out = append(out, b[i])
			continue
		}
		switch next := b[i+1]; {
		case bytes.IndexByte([]byte(`"\'=|,]`), next) >= 0:
			out = append(out, next)
			i++
		case next == 'x' && i+3 < len(b) && unhex(b[i+2]) < 16 && unhex(b[i+3]) < 16:
			out = append(out, unhex(b[i+2])<<4|unhex(b[i+3]))
			i += 3
		default:
			out = append(out, '\\')
		}
	}
	return out
}

// keys finds the slot of a field by its name: a table over length, first and last byte, then a comparison.
type keys struct {
	names []string
	first [256]uint8 // slot+1
	next  []uint8
}

// maxSlots bounds how many fields a layout may ask for.
const maxSlots = 250

func hashKey[T string | []byte](k T) uint8 {
	return uint8(len(k)*31) + k[0]*7 + k[len(k)-1] + k[len(k)/2]*3
}

// add gives a name a slot.
func (k *keys) add(name string) int {
	if slot := k.find([]byte(name)); slot >= 0 {
		return slot
	}
	slot := len(k.names)
	k.names = append(k.names, name)
	h := hashKey(name)
	k.next = append(k.next, k.first[h])
	k.first[h] = uint8(slot + 1)
	return slot
}

// find returns -1 for a name that nobody asks for.
func (k *keys) find(name []byte) int {
	if len(name) == 0 {
		return -1
	}
	for i := k.first[hashKey(name)]; i != 0; i = k.next[i-1] {
		if string(name) == k.names[i-1] {
			return int(i) - 1
		}
	}
	return -1
}
