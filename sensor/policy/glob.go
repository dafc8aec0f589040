package policy

import (
	"fmt"
	"slices"
	"strings"
)

// glob is a pattern of host names, label by label.
type glob struct {
	labels []string
	deep   bool // one label or more may stand before them
}

// maxPattern is the length of the longest name (RFC 1035, section 2.3.4).
const maxPattern = 253

// newGlob reads a pattern. Its last label has no star, so that it is never a pattern of all names.
func newGlob(pattern string) (glob, error) {
	text := strings.ToLower(strings.TrimSuffix(pattern, "."))
	rest, deep := strings.CutPrefix(text, "**.")
	g := glob{labels: strings.Split(rest, "."), deep: deep}
	if len(text) > maxPattern || slices.Contains(g.labels, "") {
		return glob{}, fmt.Errorf("names: %q is no pattern of names; write for example contoso-*.openai.azure.com", pattern)
	}
	if strings.Contains(rest, "**") {
		return glob{}, fmt.Errorf("names: %q has ** elsewhere than at its beginning; write * for a part of one label", pattern)
	}
	if strings.Contains(g.labels[len(g.labels)-1], "*") {
		return glob{}, fmt.Errorf("names: %q ends in a star, so it would match names of anybody; end it in a domain", pattern)
	}
	for _, c := range rest {
		if c <= ' ' || strings.ContainsRune(`/\:?[]{}"'`, c) {
			return glob{}, fmt.Errorf("names: %q has %q in it, which no name has; only * stands for something else", pattern, c)
		}
	}
	return g, nil
}

// match says that a name in lower case, without a dot at its end, is one of the pattern's.
func (g *glob) match(name string) bool {
	for i := len(g.labels) - 1; i >= 0; i-- { // from the end, where names differ first
		if name == "" {
			return false
		}
		label := name
		if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
			name, label = name[:dot], name[dot+1:]
		} else {
			name = ""
		}
		if !matchLabel(g.labels[i], label) {
			return false
		}
	}
	return g.deep == (name != "")
}

// matchLabel compares a label with a pattern: after the last star that was met, as much is skipped as is needed.
func matchLabel(pattern, label string) bool {
	star, retry := -1, 0
	p, l := 0, 0
	for l < len(label) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, l
			p++
		case p < len(pattern) && pattern[p] == label[l]:
			p++
			l++
		case star >= 0:
			retry++
			p, l = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
