package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

// fontFamily names the fonts within the document: the Go fonts, as Latin, Greek and Cyrillic names must be readable and the fonts every
// PDF reader has are Latin-1 only.
const fontFamily = "go"

// fonts are the two styles' files.
func fonts() map[string][]byte { return map[string][]byte{"": goregular.TTF, "B": gobold.TTF} }

// A glyphSet knows which letters the font can draw, and whether one was asked for that it cannot.
type glyphSet struct {
	font    *sfnt.Font
	buf     sfnt.Buffer
	known   map[rune]bool
	lacking bool
}

func newGlyphSet() (*glyphSet, error) {
	f, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("reading the embedded font: %w", err)
	}
	return &glyphSet{font: f, known: map[rune]bool{}}, nil
}

// has says whether the font draws r.
func (g *glyphSet) has(r rune) bool {
	ok, seen := g.known[r]
	if !seen {
		i, err := g.font.GlyphIndex(&g.buf, r)
		ok = err == nil && i != 0
		g.known[r] = ok
	}
	return ok
}

// drawable replaces what the font lacks by U+FFFD; replaced says whether there was any.
func (g *glyphSet) drawable(s string) (text string, replaced bool) {
	text = strings.Map(func(r rune) rune {
		if g.has(r) {
			return r
		}
		replaced = true
		return utf8.RuneError
	}, s)
	g.lacking = g.lacking || replaced
	return text, replaced
}
