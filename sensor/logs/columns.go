package logs

import "bytes"

// header is what a source's own header lines say of its columns.
type header struct {
	columns []int // slots, by position
	names   int   // how many columns were named
	tabs    bool
	line    []byte // the header itself, where it may come again among the lines
}

// directive reads a line such as "#Fields: date time c-ip" (W3C) or "#fields\tts\tuid" (Zeek). The header holds until the next one.
func (r *reader) directive(line []byte) {
	body := bytes.TrimPrefix(line, r.comments)
	if len(body) < 7 || !bytes.EqualFold(body[:6], []byte("fields")) {
		return
	}
	body = bytes.TrimLeft(body[6:], ":")
	tabs := bytes.IndexByte(body, '\t') >= 0
	body = bytes.Trim(body, " \t")
	for i, l := range r.layouts {
		if l.spec.Header {
			r.header[i].read(l, body, tabs)
		}
	}
}

// maxColumns bounds how many columns a header may name.
const maxColumns = 512

// read takes the names of columns, in any case.
func (h *header) read(l *layout, names []byte, tabs bool) {
	h.columns, h.names, h.tabs = h.columns[:0], 0, tabs
	for len(names) > 0 && h.names < maxColumns {
		var name []byte
		if tabs {
			name, names, _ = bytes.Cut(names, []byte("\t"))
		} else {
			name, names = cutSpace(names)
		}
		h.names++
		h.columns = append(h.columns, l.keys.find(bytes.ToLower(bytes.Trim(name, " \""))))
	}
}

// splitColumns cuts a line at spaces, tabs or another byte. Quotes and brackets hold words together.
func (r *reader) splitColumns(l *layout, line []byte, f *fields) error {
	c := cutter{separator: l.separator(), b: line}
	columns := l.columns
	if l.spec.Header {
		h := &r.header[r.indexOf(l)]
		if h.names > 0 {
			columns = h.columns
			if h.tabs {
				c.separator = '\t'
			}
			return c.named(l, columns, h.names, f)
		}
		if len(columns) == 0 {
			return ErrNoHeader
		}
	}
	if c.separator != '\t' {
		c.b = r.message(line)
		if l.spec.Anchor != "" && !c.anchor() {
			return ErrShape
		}
	}
	return c.split(l, columns, f)
}

// separator is the byte between columns.
func (l *layout) separator() byte {
	switch l.spec.Separator {
	case "":
		if l.spec.Shape == "csv" {
			return ','
		}
		return ' '
	case "space":
		return ' '
	case "tab":
		return '\t'
	case "comma":
		return ','
	}
	return l.spec.Separator[0]
}

// indexOf finds a layout's place.
func (r *reader) indexOf(l *layout) int {
	for i := range r.layouts {
		if r.layouts[i] == l {
			return i
		}
	}
	return 0
}

// cutter takes columns off a line, one after the other.
type cutter struct {
	b         []byte
	at        int
	separator byte
	// What was looked for once, to the end of the line, and is not there: looking again at every word would take for ever.
	noQuote, noBracket bool
}

// anchor passes over words until one is a time since 1970.
func (c *cutter) anchor() bool {
	for {
		c.spaces()
		if n := digits(c.b[c.at:]); n >= 9 && (c.at+n == len(c.b) || c.b[c.at+n] == '.' || c.b[c.at+n] == ' ') {
			return true
		}
		i := bytes.IndexByte(c.b[c.at:], ' ')
		if i < 0 {
			return false
		}
		c.at += i
	}
}

// spaces passes over them.
func (c *cutter) spaces() {
	for c.at < len(c.b) && c.b[c.at] == ' ' {
		c.at++
	}
}

// next takes a column, without its quotes or brackets. from is where it began.
func (c *cutter) next() (word []byte, esc escape, from int, ok bool) {
	if c.separator == ' ' {
		c.spaces()
	}
	if c.at >= len(c.b) {
		return nil, plain, c.at, false
	}
	from = c.at
	switch c.b[from] {
	case '"':
		if word, esc, ok := c.quoted(from); ok {
			return word, esc, from, true
		}
	case '[':
		if word, ok := c.bracketed(from); ok {
			return word, plain, from, true
		}
	}
	end := bytes.IndexByte(c.b[from:], c.separator)
	if end < 0 {
		c.at = len(c.b) + 1
		return c.b[from:], plain, from, true
	}
	c.at = from + end + 1
	return c.b[from : from+end], plain, from, true
}

// quoted takes a word in quotes.
func (c *cutter) quoted(from int) (word []byte, esc escape, ok bool) {
	if c.noQuote {
		return nil, plain, false
	}
	end, escaped := quoteEnd(c.b, from+1, c.separator)
	if c.noQuote = end == 0; c.noQuote {
		return nil, plain, false
	}
	c.at = min(end+2, len(c.b))
	if escaped {
		esc = backslash
	}
	return c.b[from+1 : end], esc, true
}

// bracketed takes words in brackets.
func (c *cutter) bracketed(from int) (words []byte, ok bool) {
	if c.noBracket || c.separator != ' ' {
		return nil, false
	}
	end := bytes.IndexByte(c.b[from:], ']')
	if c.noBracket = end < 0; c.noBracket {
		return nil, false
	}
	end += from
	if end+1 < len(c.b) && c.b[end+1] != ' ' {
		return nil, false
	}
	c.at = min(end+2, len(c.b))
	return c.b[from+1 : end], true
}

// quoteEnd finds the quote that closes, one before a separator or the end; 0 if none does.
func quoteEnd(b []byte, at int, separator byte) (end int, escaped bool) {
	for at < len(b) {
		i := bytes.IndexByte(b[at:], '"')
		if i < 0 {
			return 0, false
		}
		escaped = escaped || bytes.IndexByte(b[at:at+i], '\\') >= 0
		at += i
		slash := 0
		for at-slash > 0 && b[at-slash-1] == '\\' {
			slash++
		}
		if slash%2 == 0 && (at+1 == len(b) || b[at+1] == separator) {
			return at, escaped
		}
		escaped = true
		at++
	}
	return 0, false
}

// split takes the columns of a layout in order.
func (c *cutter) split(l *layout, columns []int, f *fields) error {
	least := l.spec.Least
	if least == 0 {
		least = len(columns)
	}
	for i, slot := range columns {
		word, esc, from, ok := c.next()
		if !ok {
			if i < least {
				return ErrColumns
			}
			return nil
		}
		switch {
		case i == l.elastic:
			word, esc = c.stretch(l, word, esc, from)
		case l.open && i == len(columns)-1:
			word, esc, c.at = c.b[from:], plain, len(c.b)
		}
		f.set(slot, word, esc)
	}
	return nil
}

// maxWords bounds how many words a column may hold.
const maxWords = 32

// stretch lets a column go on until a word comes that can only be the next one.
func (c *cutter) stretch(l *layout, word []byte, esc escape, from int) ([]byte, escape) {
	after := c.at
	for words := 0; ; words++ {
		at := c.at
		_, _, start, ok := c.next()
		if !ok || words == maxWords { // nothing that follows was found: the column is one word
			c.at = after
			return word, esc
		}
		end := bytes.IndexByte(c.b[start:], ' ')
		if end < 0 {
			end = len(c.b) - start
		}
		if !l.until.fit(c.b[start : start+end]) {
			continue
		}
		c.at = start
		if at == after {
			return word, esc
		}
		return bytes.TrimRight(c.b[from:start], " "), plain
	}
}

// named takes the columns that a header has named. Their number need not be what the header says: then it lies (see realign).
func (c *cutter) named(l *layout, columns []int, names int, f *fields) error {
	start, n := c.at, 0
	for n < maxColumns {
		word, esc, _, ok := c.next()
		if !ok {
			break
		}
		if n < len(columns) {
			f.set(columns[n], word, esc)
		}
		n++
	}
	if n == 1 && names > 3 {
		return ErrColumns
	}
	if f.misfit = n != names; f.misfit {
		c.at = start
		c.realign(l, columns, n-names, f)
	}
	return nil
}

// realign corrects a line that has columns more or fewer than its header names: somewhere in it one was put in or left out. A column that
// makes sense only where the header has it tells that all to its left are right; one that makes sense only when columns are counted from
// the end tells that all to its right are to be counted so. A figure between the two is none, for nobody knows which one it is.
func (c *cutter) realign(l *layout, columns []int, shift int, f *fields) {
	shifted := c.shifted(columns, shift)
	right, wrong := l.sure(columns, shifted, f)
	for i, slot := range columns {
		switch {
		case slot < 0 || i <= right:
		case i >= wrong:
			f.values[slot] = shifted[i]
		case l.figures[slot] && string(f.values[slot].b) != string(shifted[i].b):
			f.values[slot] = value{}
		}
	}
}

// sure finds the last column that is surely right, and the first that is surely not.
func (l *layout) sure(columns []int, shifted []value, f *fields) (right, wrong int) {
	right, wrong = -1, len(columns)
	for i, slot := range columns {
		if slot < 0 || l.makes[slot] == nil {
			continue
		}
		here, there := l.makes[slot](f.values[slot].b), l.makes[slot](shifted[i].b)
		switch {
		case here && !there:
			right = i
		case there && !here && i < wrong:
			wrong = i
		}
	}
	return right, wrong
}

// shifted are the words as they stand when columns are counted from the end.
func (c *cutter) shifted(columns []int, shift int) []value {
	words := make([]value, len(columns))
	for i := -shift; ; i++ {
		word, esc, _, ok := c.next()
		if !ok {
			return words
		}
		if i >= 0 && i < len(columns) {
			words[i] = value{word, esc}
		}
	}
}

// Words that make sense as what they should be.
func isCount(b []byte) bool {
	_, ok := parseCount(b)
	return ok || nothing(b)
}

func isAddr(b []byte) bool {
	_, _, ok := parseAddr(b)
	return ok
}

func isHost(b []byte) bool { return domainLike(splitHost(b).host) || isAddr(b) }
