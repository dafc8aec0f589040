package logs

import (
	"bytes"
	"strings"
)

// glob is a pattern in which * stands for anything. A ? alone is anything but nothing.
type glob struct {
	some   bool     // ?
	exact  bool     // no star
	prefix string   // before the first star
	middle [][]byte // between stars
	suffix string   // behind the last
}

func newGlob(pattern string) glob {
	if pattern == "?" {
		return glob{some: true}
	}
	parts := strings.Split(pattern, "*")
	g := glob{prefix: parts[0], exact: len(parts) == 1}
	if !g.exact {
		g.suffix = parts[len(parts)-1]
		g.middle = texts(parts[1 : len(parts)-1])
	}
	return g
}

// fits says whether b is of the pattern.
func (g *glob) fits(b []byte) bool {
	switch {
	case g.some:
		return len(b) > 0
	case g.exact:
		return string(b) == g.prefix
	case len(b) < len(g.prefix)+len(g.suffix) || string(b[:len(g.prefix)]) != g.prefix || string(b[len(b)-len(g.suffix):]) != g.suffix:
		return false
	}
	b = b[len(g.prefix) : len(b)-len(g.suffix)]
	for _, m := range g.middle {
		i := bytes.Index(b, m)
		if i < 0 {
			return false
		}
		b = b[i+len(m):]
	}
	return true
}

// globs are patterns of which one must fit.
type globs []glob

func newGlobs(patterns []string) globs {
	var g globs
	for _, p := range patterns {
		g = append(g, newGlob(p))
	}
	return g
}

func (g globs) fit(b []byte) bool {
	for i := range g {
		if g[i].fits(b) {
			return true
		}
	}
	return false
}
