package logs

import "bytes"

// cefHeader names the fields before the extension of an ArcSight Common Event Format record, in their order.
var cefHeader = []string{"cef_version", "device_vendor", "device_product", "device_version", "signature_id", "name", "severity"}

// leefHeader is that of IBM's Log Event Extended Format; version 2 has the attributes' separator behind it.
var leefHeader = []string{"leef_version", "device_vendor", "device_product", "device_version", "event_id"}

// splitCEF reads CEF:0|vendor|product|version|id|name|severity|key=value key=value.
func (r *reader) splitCEF(l *layout, line []byte, f *fields) error {
	i := bytes.Index(line, []byte("CEF:"))
	if i < 0 {
		return ErrShape
	}
	rest := headerFields(l, bytes.TrimLeft(line[i+len("CEF:"):], " "), cefHeader, f)
	if rest == nil {
		return ErrShape
	}
	p := l.pairs
	p.spaces = true
	p.read(&l.keys, rest, f)
	return nil
}

// splitLEEF reads LEEF:1.0|vendor|product|version|id|key=value<tab>key=value. Relays write a tab as #011.
func (r *reader) splitLEEF(l *layout, line []byte, f *fields) error {
	i := bytes.Index(line, []byte("LEEF:"))
	if i < 0 {
		return ErrShape
	}
	line = line[i+len("LEEF:"):]
	rest := headerFields(l, line, leefHeader, f)
	if rest == nil {
		return ErrShape
	}
	separator, rest := attributes(rest, line[0] == '2')
	for more := true; more; {
		var pair []byte
		pair, rest, more = bytes.Cut(rest, separator)
		if key, value, ok := bytes.Cut(pair, []byte("=")); ok {
			f.set(l.pairs.slot(&l.keys, trim(key)), value, plain)
		}
	}
	return nil
}

// attributes finds what stands between the attributes: version 2 of the format says it.
func attributes(rest []byte, second bool) (separator, attributes []byte) {
	separator = []byte("\t")
	if by, after, ok := bytes.Cut(rest, []byte("|")); second && ok && len(by) <= 4 && bytes.IndexByte(by, '=') < 0 {
		rest = after
		if len(by) > 0 {
			separator = leefSeparator(by)
		}
	}
	if !bytes.Contains(rest, separator) && bytes.Contains(rest, []byte("#011")) {
		separator = []byte("#011")
	}
	return separator, rest
}

// leefSeparator reads a byte, or its number as in x09 or 0x5E.
func leefSeparator(by []byte) []byte {
	digits := bytes.TrimPrefix(bytes.TrimPrefix(by, []byte("0")), []byte("x"))
	if len(by) > 1 && len(digits) == 2 && unhex(digits[0]) < 16 && unhex(digits[1]) < 16 {
		return []byte{unhex(digits[0])<<4 | unhex(digits[1])}
	}
	return by
}

// headerFields takes the fields that bars divide and returns what follows them; nil if there are too few.
func headerFields(l *layout, b []byte, names []string, f *fields) []byte {
	for _, name := range names {
		end := 0
		for end < len(b) && b[end] != '|' {
			if b[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(b) {
			return nil
		}
		f.set(l.keys.find([]byte(name)), b[:end], backslash)
		b = b[end+1:]
	}
	return b
}
