package logs

import "bytes"

// splitCSV reads values between commas (RFC 4180), in quotes where need be, with quotes doubled or behind a backslash.
func (r *reader) splitCSV(l *layout, line []byte, f *fields) error {
	columns, least := l.columns, l.spec.Least
	if l.spec.Header {
		h := &r.header[r.indexOf(l)]
		if err := h.csv(l, line); err != nil {
			return err
		}
		columns = h.columns
	} else {
		line = r.message(line)
	}
	if least == 0 {
		least = len(columns)
	}
	if l.csvValues(columns, line, f) < least {
		return ErrColumns
	}
	return nil
}

// csvValues takes the values and says how many there were.
func (l *layout) csvValues(columns []int, line []byte, f *fields) (n int) {
	separator := l.separator()
	for at := 0; at <= len(line) && n < maxColumns; n++ {
		word, esc, next := csvValue(line, at, separator)
		switch {
		case n < len(columns):
			f.set(columns[n], word, esc)
		case l.zoned && f.zoned == nil && isISO(word) && zonedISO(word):
			f.zoned = word
		}
		at = next
	}
	return n
}

// csv says whether a line is the header, which the first line must be, and which may come again.
func (h *header) csv(l *layout, line []byte) error {
	switch {
	case h.names == 0 && !h.readCSV(l, line):
		return ErrNoHeader
	case bytes.Equal(line, h.line):
		return ErrHeader
	}
	return nil
}

// readCSV takes a header. A line that names none of the fields that are asked for is none.
func (h *header) readCSV(l *layout, line []byte) bool {
	separator, found := l.separator(), false
	for at := 0; at <= len(line) && h.names < maxColumns; h.names++ {
		word, _, next := csvValue(line, at, separator)
		slot := l.keys.find(bytes.ToLower(bytes.TrimSpace(word)))
		found = found || slot >= 0
		h.columns = append(h.columns, slot)
		at = next
	}
	if !found {
		h.columns, h.names = h.columns[:0], 0
		return false
	}
	h.line = append([]byte(nil), line...)
	return true
}

// csvValue takes the value that begins at a place and says where the next one begins.
func csvValue(b []byte, at int, separator byte) (word []byte, esc escape, next int) {
	from := at
	for from < len(b) && b[from] == ' ' {
		from++
	}
	if from < len(b) && b[from] == '"' {
		if end, esc := csvQuote(b, from+1); end > 0 {
			next = end + 1
			if i := bytes.IndexByte(b[next:], separator); i >= 0 {
				return b[from+1 : end], esc, next + i + 1
			}
			return b[from+1 : end], esc, len(b) + 1
		}
	}
	if i := bytes.IndexByte(b[at:], separator); i >= 0 {
		return b[at : at+i], plain, at + i + 1
	}
	return b[at:], plain, len(b) + 1
}

// csvQuote finds the quote that ends a value; 0 if none does.
func csvQuote(b []byte, at int) (end int, esc escape) {
	for at < len(b) {
		i := bytes.IndexByte(b[at:], '"')
		if i < 0 {
			return 0, plain
		}
		at += i
		switch {
		case b[at-1] == '\\':
			esc = backslash
			at++
		case at+1 < len(b) && b[at+1] == '"':
			esc = doubled
			at += 2
		default:
			return at, esc
		}
	}
	return 0, plain
}

// zonedISO says whether a time ends in its zone.
func zonedISO(b []byte) bool {
	n := len(b)
	if n < 20 || n > 40 {
		return false
	}
	return b[n-1] == 'Z' || b[n-6] == '+' || b[n-6] == '-' || b[n-5] == '+' || b[n-5] == '-'
}
