package policy

import (
	"regexp"
	"strings"
	"testing"
)

// FuzzGlob compares patterns with regular expressions.
func FuzzGlob(f *testing.F) {
	f.Add("contoso-*.openai.azure.com", "contoso-eu.openai.azure.com")
	f.Add("**.a*b*.example", "x.y.azbz.example")
	f.Add("*.com", ".com")
	f.Fuzz(func(t *testing.T, pattern, host string) {
		g, err := newGlob(pattern)
		host = strings.ToLower(host)
		if err != nil || strings.HasPrefix(host, ".") || strings.Contains(host, "..") || strings.HasSuffix(host, ".") {
			return
		}
		rest, deep := strings.CutPrefix(strings.ToLower(strings.TrimSuffix(pattern, ".")), "**.")
		text := strings.ReplaceAll(regexp.QuoteMeta(rest), `\*`, `[^.]*`)
		if deep {
			text = `(?:[^.]+\.)+` + text
		}
		want, err := regexp.MatchString(`^(?s:`+text+`)$`, host)
		if err != nil { // no regular expression says the same
			return
		}
		if got := g.match(host); got != want {
			t.Fatalf("%q matches %q: %v", pattern, host, got)
		}
	})
}

func FuzzDate(f *testing.F) {
	f.Add("2026-12-31")
	f.Add("2026-12-31T00:00:00+01:00")
	f.Fuzz(func(t *testing.T, text string) {
		var d, again Date
		if d.UnmarshalText([]byte(text)) == nil && (again.UnmarshalText([]byte(d.String())) != nil || again != d) {
			t.Fatalf("%q is %q, which is %q", text, d, again)
		}
	})
}
