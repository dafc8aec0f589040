package logs

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deep objects may lie in one another.
const maxDepth = 32

// jsonReader walks over one JSON object (RFC 8259) and keeps the values whose paths are asked for. It does not check what it passes
// over: a line that breaks off gives what stands before the break.
type jsonReader struct {
	b    []byte
	at   int
	path []byte
	l    *layout
	f    *fields
}

// splitJSON reads a line of JSON. What stands before the first brace is a header.
func (r *reader) splitJSON(l *layout, line []byte, f *fields) error {
	i := bytes.IndexByte(line, '{')
	if i < 0 {
		return ErrShape
	}
	j := jsonReader{b: line, at: i, path: f.joined[:0], l: l, f: f}
	ok := j.object(0)
	f.joined = j.path[:0]
	if !ok {
		return ErrShape
	}
	return nil
}

func (j *jsonReader) space() byte {
	for j.at < len(j.b) {
		switch c := j.b[j.at]; c {
		case ' ', '\t', '\n', '\r':
			j.at++
		default:
			return c
		}
	}
	return 0
}

// text reads a string, without its quotes.
func (j *jsonReader) text() (b []byte, esc escape, ok bool) {
	j.at++
	from := j.at
	for {
		i := bytes.IndexByte(j.b[j.at:], '"')
		if i < 0 {
			return nil, plain, false
		}
		if i > 0 && j.b[j.at+i-1] == '\\' || esc != plain || bytes.IndexByte(j.b[j.at:j.at+i], '\\') >= 0 {
			esc = jsonText
			at := j.at + i
			slash := 0
			for at-slash > from && j.b[at-slash-1] == '\\' {
				slash++
			}
			if slash%2 == 1 {
				j.at = at + 1
				continue
			}
		}
		j.at += i + 1
		return j.b[from : j.at-1], esc, true
	}
}

// member reads "key": value.
func (j *jsonReader) member(depth int) bool {
	if j.space() != '"' {
		return false
	}
	key, esc, ok := j.text()
	if !ok || j.space() != ':' {
		return false
	}
	j.at++
	length := len(j.path)
	if length > 0 {
		j.path = append(j.path, '.')
	}
	if esc == plain {
		j.path = append(j.path, key...)
	} else {
		j.path = appendJSON(j.path, key)
	}
	ok = j.value(depth + 1)
	j.path = j.path[:length]
	return ok
}

// object reads { "key": value, ... }. It says whether it was whole.
func (j *jsonReader) object(depth int) bool {
	j.at++
	if j.space() == '}' {
		j.at++
		return true
	}
	for {
		if !j.member(depth) {
			return false
		}
		switch j.space() {
		case ',':
			j.at++
		case '}':
			j.at++
			return true
		default:
			return false
		}
	}
}

// value reads whatever a key or an array holds.
func (j *jsonReader) value(depth int) bool {
	switch j.space() {
	case '"':
		b, esc, ok := j.text()
		if ok {
			j.f.set(j.slot(), b, esc)
		}
		return ok
	case '{':
		if depth >= maxDepth {
			return false
		}
		return j.object(depth)
	case '[':
		if depth >= maxDepth {
			return false
		}
		return j.array(depth)
	case 0:
		return false
	}
	from := j.at
	for j.at < len(j.b) && bytes.IndexByte([]byte(",}] \t\r\n"), j.b[j.at]) < 0 {
		j.at++
	}
	j.f.set(j.slot(), j.b[from:j.at], plain)
	return j.at > from
}

// array reads [ value, ... ]; the first value counts as that of the key.
func (j *jsonReader) array(depth int) bool {
	j.at++
	if j.space() == ']' {
		j.at++
		return true
	}
	for {
		if !j.value(depth + 1) {
			return false
		}
		switch j.space() {
		case ',':
			j.at++
		case ']':
			j.at++
			return true
		default:
			return false
		}
	}
}

// slot finds the field at the path, or at the path below one of the roots.
func (j *jsonReader) slot() int {
	slot := j.l.keys.find(j.path)
	for i := 0; i < len(j.l.spec.Root) && slot < 0; i++ {
		if root := j.l.spec.Root[i]; len(j.path) > len(root) && j.path[len(root)] == '.' && string(j.path[:len(root)]) == root {
			slot = j.l.keys.find(j.path[len(root)+1:])
		}
	}
	return slot
}

// appendJSON undoes the escapes of a JSON string (RFC 8259, section 7).
func appendJSON(out, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 >= len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		switch b[i] {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'b', 'f':
			out = append(out, ' ')
		case 'u':
			r, n := jsonRune(b[i+1:])
			out = utf8.AppendRune(out, r)
			i += n
		default:
			out = append(out, b[i])
		}
	}
	return out
}

// jsonRune reads the four digits behind \u, and the second half of a pair.
func jsonRune(b []byte) (r rune, n int) {
	high, digits := hex16(b)
	if digits < 4 {
		return utf8.RuneError, digits
	}
	if r = rune(high); utf16.IsSurrogate(r) && len(b) >= 10 && b[4] == '\\' && b[5] == 'u' {
		if low, digits := hex16(b[6:]); digits == 4 {
			if pair := utf16.DecodeRune(r, rune(low)); pair != utf8.RuneError {
				return pair, 10
			}
		}
	}
	if utf16.IsSurrogate(r) {
		r = utf8.RuneError
	}
	return r, 4
}
