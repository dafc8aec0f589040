package signatures

import (
	"strings"
	"time"
	"unicode/utf8"
)

// This file reads the part of TOML that catalogue files are written in: bare keys, strings without escapes, dates, booleans, arrays
// and inline tables. It keeps lines and columns, which the TOML package does not give away, and it reads the catalogue in 5.5 ms of
// CPU where the TOML package takes 50 ms: every command pays that at its start. Whatever it does not know it leaves to the TOML
// package (see decode); a test and a fuzz test hold the two against each other.

type valueKind uint8

const (
	valueString valueKind = iota + 1
	valueDate
	valueBool
	valueArray
	valueTable
)

// value is one TOML value. Strings alias the file.
type value struct {
	kind   valueKind
	line   int32
	col    int32
	text   string  // the string, the date as written, "true" or "false"
	items  []value // valueArray
	fields []field // valueTable
}

// field is a key with its value.
type field struct {
	key   string
	value value
	line  int32
	col   int32
}

// Room made at once for the items of an array and the fields of a table: growing them one by one took a third of the time.
const (
	usualItems  = 4
	usualFields = 8
)

// table is what stands under one header, or before the first.
type table struct {
	header string // "source.v2fly", "service"; empty before the first header
	array  bool   // [[service]]
	fields []field
	line   int32
	col    int32
}

// cursor walks over a file. Once odd is set it stays set: the file is TOML of another form, or none.
type cursor struct {
	src       string
	pos       int
	line      int32
	lineStart int
	depth     int
	odd       bool
}

// Beyond these a file is none that anyone wrote by hand; the TOML package may have it.
const (
	maxFields = 64 // of one table
	maxDepth  = 8  // of arrays and tables in each other
)

// parseTree reads a file into its tables; ok is false if it is not written in the form that this file knows, from about at on.
func parseTree(src string) (tables []table, at cursor, ok bool) {
	c := &cursor{src: src, line: 1}
	if !utf8.ValidString(src) {
		return nil, *c, false
	}
	tables = []table{{line: 1, col: 1}}
	for !c.odd {
		c.blank()
		if c.pos == len(c.src) {
			return tables, *c, !c.odd
		}
		if c.src[c.pos] == '[' {
			tables = append(tables, c.header())
			tables[len(tables)-1].fields = make([]field, 0, usualFields)
		} else {
			last := &tables[len(tables)-1]
			last.fields = c.field(last.fields)
		}
		c.endOfLine()
	}
	return nil, *c, false
}

// header reads "[a.b]" or "[[a]]".
func (c *cursor) header() table {
	t := table{line: c.line, col: c.column()}
	c.expect('[')
	t.array = c.accept('[')
	start := c.pos
	c.bareKey()
	for c.accept('.') {
		c.bareKey()
	}
	t.header = c.src[start:c.pos]
	c.expect(']')
	if t.array {
		c.expect(']')
	}
	return t
}

// field reads "key = value" and appends it; a key that is there already makes the file odd.
func (c *cursor) field(fields []field) []field {
	f := field{line: c.line, col: c.column()}
	f.key = c.bareKey()
	c.spaces()
	c.expect('=')
	c.spaces()
	for i := range fields {
		if fields[i].key == f.key {
			c.odd = true
		}
	}
	c.odd = c.odd || len(fields) == maxFields
	if c.odd {
		return fields
	}
	f.value = c.value()
	return append(fields, f)
}

func (c *cursor) value() value {
	v := value{line: c.line, col: c.column()}
	c.depth++
	defer func() { c.depth-- }()
	c.odd = c.odd || c.depth > maxDepth
	switch b := c.peek(); {
	case c.odd:
	case b == '"':
		v.kind, v.text = valueString, c.str()
	case b == '[':
		v.kind, v.items = valueArray, c.array()
	case b == '{':
		v.kind, v.fields = valueTable, c.inlineTable()
	case '0' <= b && b <= '9':
		v.kind, v.text = valueDate, c.date()
	default:
		v.kind, v.text = valueBool, c.bareKey()
		c.odd = c.odd || v.text != "true" && v.text != "false"
	}
	return v
}

// str reads a basic string without escapes; a string of several lines begins with an empty one and is odd at its third quote.
func (c *cursor) str() string {
	c.expect('"')
	start := c.pos
	for c.pos < len(c.src) {
		switch b := c.src[c.pos]; {
		case b == '"':
			c.pos++
			return c.src[start : c.pos-1]
		case b == '\\' || b < ' ' || b == 0x7f:
			c.odd = true
			return ""
		}
		c.pos++
	}
	c.odd = true
	return ""
}

// date reads a local date (2026-11-21). A time behind it makes the file odd where the line should go on.
func (c *cursor) date() string {
	end := min(c.pos+len(time.DateOnly), len(c.src))
	text := c.src[c.pos:end]
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		c.odd = true
	}
	c.pos = end
	return text
}

func (c *cursor) array() (items []value) {
	c.expect('[')
	items = make([]value, 0, usualItems)
	for !c.odd {
		c.blank()
		if c.accept(']') {
			return items
		}
		items = append(items, c.value())
		c.blank()
		if !c.accept(',') {
			c.expect(']')
			return items
		}
	}
	return nil
}

func (c *cursor) inlineTable() (fields []field) {
	c.expect('{')
	c.spaces()
	if c.accept('}') {
		return nil
	}
	fields = make([]field, 0, usualFields)
	for !c.odd {
		fields = c.field(fields)
		c.spaces()
		if c.accept('}') {
			return fields
		}
		c.expect(',')
		c.spaces()
	}
	return nil
}

// bareKey reads a key without quotes.
func (c *cursor) bareKey() string {
	start := c.pos
	for c.pos < len(c.src) && isBare(c.src[c.pos]) {
		c.pos++
	}
	if c.pos == start {
		c.odd = true
	}
	return c.src[start:c.pos]
}

func isBare(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '_' || b == '-'
}

// blank skips spaces, line ends and comments.
func (c *cursor) blank() {
	for c.pos < len(c.src) && !c.odd {
		switch c.src[c.pos] {
		case ' ', '\t':
			c.pos++
		case '\n':
			c.pos++
			c.line++
			c.lineStart = c.pos
		case '#':
			c.comment()
		default:
			return
		}
	}
}

// comment skips to the end of the line.
func (c *cursor) comment() {
	text := c.src[c.pos:]
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	for i := range len(text) {
		if text[i] < ' ' && text[i] != '\t' || text[i] == 0x7f {
			c.odd = true
		}
	}
	c.pos += len(text)
}

// endOfLine skips what may follow a statement: nothing, or a comment.
func (c *cursor) endOfLine() {
	c.spaces()
	if c.peek() == '#' {
		c.comment()
	}
	if c.pos < len(c.src) && c.src[c.pos] != '\n' {
		c.odd = true
	}
}

func (c *cursor) spaces() {
	for c.pos < len(c.src) && (c.src[c.pos] == ' ' || c.src[c.pos] == '\t') {
		c.pos++
	}
}

func (c *cursor) peek() byte {
	if c.pos < len(c.src) {
		return c.src[c.pos]
	}
	return 0
}

func (c *cursor) accept(b byte) bool {
	if c.peek() != b || c.pos == len(c.src) {
		return false
	}
	c.pos++
	return true
}

func (c *cursor) expect(b byte) {
	if !c.accept(b) {
		c.odd = true
	}
}

func (c *cursor) column() int32 { return int32(c.pos - c.lineStart + 1) }
