package logs

import (
	"bytes"
	"strings"
)

// pairs says how keys and values stand in a line.
type pairs struct {
	assign    []byte
	separator []byte
	spaces    bool // values hold spaces without quotes: one ends where the next key begins
	known     map[string]bool
	rest      [][]byte
	prefixes  [][]byte
	keyByte   [256]bool
}

func newPairs(s *layoutSpec) pairs {
	p := pairs{assign: []byte(s.Assign), spaces: s.Spaces || len(s.Keys) > 0, rest: texts(s.Rest), prefixes: texts(s.Prefixes)}
	if len(p.assign) == 0 {
		p.assign = []byte("=")
	}
	p.separator = []byte(s.Separator)
	if by, ok := map[string]string{"": " ", "space": " ", "tab": "\t", "comma": ","}[s.Separator]; ok {
		p.separator = []byte(by)
	}
	if len(s.Keys) > 0 {
		p.known = map[string]bool{}
		for _, k := range s.Keys {
			p.known[k] = true
		}
	}
	for c := range p.keyByte {
		b := byte(c)
		p.keyByte[c] = digit(b) || letter(b) || strings.IndexByte("_-."+s.KeyBytes, b) >= 0
	}
	return p
}

// splitPairs reads key=value. Whatever holds no key is passed over: a syslog header, words before the first pair.
func (r *reader) splitPairs(l *layout, line []byte, f *fields) error {
	if len(l.columns) > 0 {
		r.leadingWords(l, line, f)
	}
	for _, key := range l.pairs.rest {
		if i := bytes.Index(line, key); i >= 0 {
			f.set(l.keys.find(key), bytes.TrimLeft(line[i+len(key):], " "), plain)
			line = line[:i]
		}
	}
	if l.pairs.read(&l.keys, line, f) == 0 {
		return ErrShape
	}
	return nil
}

// leadingWords takes the columns that stand before the first pair.
func (r *reader) leadingWords(l *layout, line []byte, f *fields) {
	c := cutter{separator: l.pairs.separator[0], b: line}
	if c.separator == ' ' {
		c.b = r.message(line)
	}
	if l.spec.Anchor != "" && !c.anchor() {
		return
	}
	for _, slot := range l.columns {
		word, esc, _, ok := c.next()
		if !ok || bytes.Contains(word, l.pairs.assign) {
			return
		}
		f.set(slot, word, esc)
	}
}

// read takes all pairs and says how many there were.
func (p *pairs) read(k *keys, b []byte, f *fields) (n int) { //nolint:gocognit,gocyclo // the way of most lines of firewalls, in one loop
	if p.spaces {
		return p.readSpaced(k, b, f)
	}
	for at := 0; at < len(b); {
		i := bytes.Index(b[at:], p.assign)
		if i < 0 {
			return n
		}
		i += at
		key := i
		for key > at && p.keyByte[b[key-1]] {
			key--
		}
		slot := p.slot(k, b[key:i])
		i += len(p.assign)
		n++
		if quote := p.assign[len(p.assign)-1] == '"'; quote || i < len(b) && b[i] == '"' {
			if !quote {
				i++
			}
			end, escaped := closing(b, i)
			if slot >= 0 {
				esc := plain
				if escaped {
					esc = backslash
				}
				f.set(slot, b[i:end], esc)
			}
			at = end + 1
			continue
		}
		end := bytes.Index(b[i:], p.separator)
		if end < 0 {
			end = len(b) - i
		}
		if at = i + end; slot < 0 && len(p.assign) > 1 { // what stands before the first key ends like one
			at = i
		}
		f.set(slot, b[i:i+end], plain)
	}
	return n
}

// slot finds a key, without its prefix if it has one of those.
func (p *pairs) slot(k *keys, key []byte) int {
	if len(key) > 0 && key[0] == ' ' {
		key = bytes.TrimLeft(key, " ")
	}
	slot := k.find(key)
	for i := 0; i < len(p.prefixes) && slot < 0; i++ {
		if bytes.HasPrefix(key, p.prefixes[i]) {
			slot = k.find(key[len(p.prefixes[i]):])
		}
	}
	return slot
}

// closing finds the quote that ends a value, the end of the line if none does.
func closing(b []byte, at int) (end int, escaped bool) {
	for {
		i := bytes.IndexByte(b[at:], '"')
		if i < 0 {
			return len(b), escaped
		}
		at += i
		slash := 0
		for slash < at && b[at-slash-1] == '\\' {
			slash++
		}
		if slash > 0 {
			escaped = true
		}
		if slash%2 == 0 {
			return at, escaped || bytes.IndexByte(b[at-i:at], '\\') >= 0
		}
		at++
	}
}

// readSpaced takes pairs whose values go on until the next key.
func (p *pairs) readSpaced(k *keys, b []byte, f *fields) (n int) {
	slot, from := -1, 0
	for at := 0; ; {
		i := bytes.Index(b[at:], p.assign)
		if i < 0 {
			break
		}
		i += at
		at = i + len(p.assign)
		key, ok := p.keyBefore(b, from, i)
		if !ok {
			continue
		}
		set(f, slot, b[from:key])
		slot, from = p.slot(k, b[key:i]), at
		n++
		at = p.quoted(b, at)
	}
	set(f, slot, b[from:])
	return n
}

// quoted passes over a value in quotes; where the quote that closes is not followed by a separator there is none.
func (p *pairs) quoted(b []byte, at int) int {
	if at >= len(b) || b[at] != '"' {
		return at
	}
	end, _ := closing(b, at+1)
	if end < len(b) && (end+1 == len(b) || b[end+1] == ' ' || b[end+1] == p.separator[0]) {
		return end + 1
	}
	return at
}

// set keeps a value that goes on until the next key.
func set(f *fields, slot int, b []byte) {
	if slot < 0 {
		return
	}
	b = bytes.Trim(b, " \t,;")
	if len(b) >= 2 && b[0] == '"' && b[len(b)-1] == '"' {
		b = b[1 : len(b)-1]
	}
	esc := plain
	if bytes.IndexByte(b, '\\') >= 0 {
		esc = backslash
	}
	f.set(slot, b, esc)
}

// keyBefore finds the key that ends at an assignment. It stands behind a separator, or is one of those that the format lists: appliances
// glue two pairs together (1.1.1.1pop_ingress_ip=...).
func (p *pairs) keyBefore(b []byte, from, end int) (key int, ok bool) {
	if end > 0 && b[end-1] == '\\' {
		return 0, false
	}
	key = end
	for key > from && p.keyByte[b[key-1]] {
		key--
	}
	if key == end {
		return 0, false
	}
	if p.known == nil {
		return key, key == 0 || key == from || bytes.IndexByte(p.separator, b[key-1]) >= 0 || b[key-1] == ' '
	}
	return p.listed(b, key, end)
}

// listed finds the key that the format lists, at the end of a word that another value may stand in front of.
func (p *pairs) listed(b []byte, key, end int) (int, bool) {
	if p.known[string(b[key:end])] {
		return key, true
	}
	const shortest, longest = 4, 64
	for glued := max(key+1, end-longest); glued <= end-shortest; glued++ {
		if digit(b[glued-1]) && p.known[string(b[glued:end])] {
			return glued, true
		}
	}
	return 0, false
}
