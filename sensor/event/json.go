package event

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// The pieces of AppendJSON. Every member ends with a comma, which the object's end takes off again. Keys come with their quotes and colon.

// end closes an object or a list, and puts the comma behind it.
func end(b []byte, bracket byte) []byte {
	if last := len(b) - 1; b[last] == ',' {
		b[last] = bracket
	} else {
		b = append(b, bracket)
	}
	return append(b, ',')
}

// text appends a member that is absent when it is empty.
func text(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	return must(b, key, s)
}

// must appends a member that is always there.
func must(b []byte, key, s string) []byte {
	return append(appendString(append(b, key...), s), ',')
}

// texts appends a list that is absent when it is empty.
func texts(b []byte, key string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(append(b, key...), '[')
	for _, s := range list {
		b = append(appendString(b, s), ',')
	}
	return end(b, ']')
}

// moment appends a time that is absent when it is unknown.
func moment(b []byte, key string, t Time) []byte {
	if t == 0 {
		return b
	}
	b = append(append(b, key...), '"')
	b = t.Time().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"', ',')
}

// count appends a figure that is absent when it is zero.
func count(b []byte, key string, n uint64) []byte {
	if n == 0 {
		return b
	}
	return number(b, key, n)
}

// number appends a figure that is always there.
func number(b []byte, key string, n uint64) []byte {
	return append(strconv.AppendUint(append(b, key...), n, 10), ',')
}

// known appends a figure that is absent when it is unknown.
func known[T uint16 | uint64](b []byte, key string, n *T) []byte {
	if n == nil {
		return b
	}
	return number(b, key, uint64(*n))
}

// fact appends a member that is always there.
func fact(b []byte, key string, yes bool) []byte {
	return append(strconv.AppendBool(append(b, key...), yes), ',')
}

// perhaps appends a fact that is absent when it is unknown.
func perhaps(b []byte, key string, yes *bool) []byte {
	if yes == nil {
		return b
	}
	return fact(b, key, *yes)
}

const hexadecimal = "0123456789abcdef"

// appendString writes a string as encoding/json does: what HTML or JavaScript might take for theirs is escaped, and so is what is not UTF-8.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if plain(c) {
				i++
				continue
			}
			b = appendEscape(append(b, s[from:i]...), c)
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(append(b, s[from:i]...), `\ufffd`...)
			from = i + size
		case r == '\u2028' || r == '\u2029':
			b = append(append(b, s[from:i]...), `\u202`...)
			b = append(b, hexadecimal[r&0xf])
			from = i + size
		}
		i += size
	}
	return append(append(b, s[from:]...), '"')
}

// plain says whether an ASCII character stands for itself.
func plain(c byte) bool {
	return c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
}

// appendEscape writes one that does not.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexadecimal[c>>4], hexadecimal[c&0xf])
}
