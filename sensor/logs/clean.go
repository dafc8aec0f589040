package logs

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// cleaner changes a value before it is read. What it writes anew goes to scratch, which it returns.
type cleaner struct {
	name  string
	n     int    // word, part
	by    []byte // part
	apply func(c *cleaner, b, scratch []byte) (value, grown []byte)
}

// cleaners are the names that a source may carry behind a bar.
var cleaners = map[string]func(c *cleaner, b, scratch []byte) (value, grown []byte){
	"word":    word,
	"part":    part,
	"percent": percent,
	"squid":   squidText,
	"ldap":    ldapName,
	"request": requestTarget,
	"domain":  domainOnly,
	"pick":    pickDomain,
	"address": addressWithPort,
	"labels":  countedLabels,
}

// newCleaner reads "word 2", "part / 1", "percent".
func newCleaner(text string) (cleaner, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return cleaner{}, fmt.Errorf("an empty cleaner; write a name behind the bar")
	}
	c := cleaner{name: words[0], apply: cleaners[words[0]]}
	if c.apply == nil {
		return c, fmt.Errorf("unknown cleaner %q; README.md lists them", words[0])
	}
	want := map[string]int{"word": 2, "part": 3}[c.name]
	if want == 0 {
		want = 1
	}
	if len(words) != want {
		return c, fmt.Errorf("cleaner %q takes %d words, as README.md shows", text, want)
	}
	if want == 1 {
		return c, nil
	}
	if want == 3 {
		c.by = []byte(words[1])
	}
	n, err := strconv.Atoi(words[want-1])
	if err != nil || n < 1 && n != -1 {
		return c, fmt.Errorf("cleaner %q: %q is no position; the first is 1, the last -1", text, words[want-1])
	}
	c.n = n
	return c, nil
}

// word takes one of the words that spaces divide.
func word(c *cleaner, b, scratch []byte) ([]byte, []byte) {
	if c.n < 0 {
		return bytes.TrimRight(b, " ")[bytes.LastIndexByte(bytes.TrimRight(b, " "), ' ')+1:], scratch
	}
	rest := bytes.TrimLeft(b, " ")
	var w []byte
	for range c.n {
		w, rest = cutSpace(rest)
	}
	return w, scratch
}

// part takes one of the parts that a separator divides.
func part(c *cleaner, b, scratch []byte) ([]byte, []byte) {
	if c.n < 0 {
		if i := bytes.LastIndex(b, c.by); i >= 0 {
			b = b[i+len(c.by):]
		}
		return b, scratch
	}
	for range c.n - 1 {
		_, after, ok := bytes.Cut(b, c.by)
		if !ok {
			return nil, scratch
		}
		b = after
	}
	b, _, _ = bytes.Cut(b, c.by)
	return b, scratch
}

// percent undoes %20 (RFC 3986, section 2.1).
func percent(_ *cleaner, b, scratch []byte) ([]byte, []byte) {
	if bytes.IndexByte(b, '%') < 0 {
		return b, scratch
	}
	from := len(scratch)
	for i := 0; i < len(b); i++ {
		if b[i] == '%' && i+2 < len(b) && unhex(b[i+1]) < 16 && unhex(b[i+2]) < 16 {
			scratch = append(scratch, unhex(b[i+1])<<4|unhex(b[i+2]))
			i += 2
			continue
		}
		scratch = append(scratch, b[i])
	}
	return scratch[from:], scratch
}

// squidText undoes what Squid does to the names of users: it doubles backslashes and writes other bytes as %20.
func squidText(c *cleaner, b, scratch []byte) ([]byte, []byte) {
	b, scratch = percent(c, b, scratch)
	if !bytes.Contains(b, []byte(`\\`)) {
		return b, scratch
	}
	from := len(scratch)
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+1 < len(b) && b[i+1] == '\\' {
			i++
		}
		scratch = append(scratch, b[i])
	}
	return scratch[from:], scratch
}

// ldapName takes the user out of LDAP://server/OU=Users,DC=corp/NAME, in which commas of names carry a backslash.
func ldapName(_ *cleaner, b, scratch []byte) ([]byte, []byte) {
	if len(b) < 7 || !bytes.EqualFold(b[:7], []byte("ldap://")) {
		return b, scratch
	}
	b = b[bytes.LastIndexByte(b, '/')+1:]
	if bytes.IndexByte(b, '\\') < 0 {
		return b, scratch
	}
	from := len(scratch)
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+1 < len(b) {
			i++
		}
		scratch = append(scratch, b[i])
	}
	return scratch[from:], scratch
}

// requestTarget takes the target out of a request line (RFC 9112, section 3): what stands between method and version.
func requestTarget(_ *cleaner, b, scratch []byte) ([]byte, []byte) {
	_, rest := cutSpace(bytes.TrimLeft(b, " "))
	if i := bytes.LastIndexByte(rest, ' '); i > 0 && bytes.HasPrefix(rest[i+1:], []byte("HTTP")) {
		rest = rest[:i]
	}
	return rest, scratch
}

// domainOnly keeps a name that can be a host's and drops what a firewall's administrator called it.
func domainOnly(_ *cleaner, b, scratch []byte) ([]byte, []byte) {
	if !domainLike(splitHost(b).host) {
		return nil, scratch
	}
	return b, scratch
}

// pickDomain takes the first of several captured headers that can be a host, as HAProxy writes them: {host|agent}.
func pickDomain(_ *cleaner, b, scratch []byte) ([]byte, []byte) {
	for one := range bytes.SplitSeq(bytes.Trim(b, "{}"), []byte("|")) {
		if domainLike(splitHost(one).host) {
			return one, scratch
		}
	}
	return nil, scratch
}

// addressWithPort drops the port from an address that always has one, IPv6 without brackets too.
func addressWithPort(_ *cleaner, b, scratch []byte) ([]byte, []byte) {
	if i := bytes.LastIndexByte(b, ':'); i > 0 {
		b = b[:i]
	}
	if len(b) > 2 && b[0] == '[' && b[len(b)-1] == ']' { // RFC 3986, section 3.2.2
		b = b[1 : len(b)-1]
	}
	return b, scratch
}

// countedLabels reads a name as Windows' DNS server writes it: (3)www(7)example(3)com(0).
func countedLabels(_ *cleaner, b, scratch []byte) ([]byte, []byte) {
	from := len(scratch)
	for len(b) > 0 && b[0] == '(' {
		end := bytes.IndexByte(b, ')')
		if end < 0 {
			return nil, scratch
		}
		b = b[end+1:]
		label := b
		if i := bytes.IndexByte(b, '('); i >= 0 {
			label, b = b[:i], b[i:]
		} else {
			b = nil
		}
		if len(label) > 0 && len(scratch) > from {
			scratch = append(scratch, '.')
		}
		scratch = append(scratch, label...)
	}
	return scratch[from:], scratch
}

// nothing says whether a value stands for none.
func nothing(b []byte) bool {
	switch len(b) {
	case 0:
		return true
	case 1:
		return b[0] == '-'
	case 2, 3, 4, 5, 6, 7, 9, 26:
	default:
		return false
	}
	switch string(b) {
	case "--", "NA", `""`, "N/A", "n/a", "nil", "NIL", "None", "none", "NONE", "null", "NULL", "Null", "(nil)", "(null)", "(none)",
		"Unknown", "unknown", "UNKNOWN", "(empty)", "undefined", "Not Found", "No Authentication Required":
		return true
	}
	return false
}
