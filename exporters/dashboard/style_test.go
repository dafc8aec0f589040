package dashboard

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// colour reads #rgb or #rrggbb as WCAG's relative luminance.
func colour(t *testing.T, s string) float64 {
	t.Helper()
	if len(s) == 4 {
		s = "#" + strings.Repeat(s[1:2], 2) + strings.Repeat(s[2:3], 2) + strings.Repeat(s[3:4], 2)
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32)
	if err != nil || len(s) != 7 {
		t.Fatalf("%q is no colour", s)
	}
	part := func(shift uint) float64 {
		v := float64(n>>shift&0xff) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

// TestContrast reads the colours of both schemes from the style sheet: text wants 4.5:1, a column beside its ground 3:1 or a pattern.
func TestContrast(t *testing.T) {
	sheet, err := files.ReadFile("style.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, _ := strings.Cut(string(sheet), "@media (prefers-color-scheme: dark)")
	dark, _, _ := strings.Cut(rest, "\n}\n")
	variable := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{3,6})`)
	for scheme, text := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]string{}
		for _, m := range variable.FindAllStringSubmatch(text, -1) {
			colours[m[1]] = m[2]
		}
		for _, tt := range []struct {
			front, back string
			least       float64
		}{
			{"ink", "ground", 4.5}, {"ink", "surface", 4.5}, {"ink", "raised", 4.5}, {"ink", "partial-ground", 4.5}, {"ink", "bad-ground", 4.5},
			{"muted", "ground", 4.5}, {"muted", "surface", 4.5}, {"muted", "raised", 4.5}, {"link", "ground", 4.5}, {"link", "surface", 4.5},
			{"link", "partial-ground", 4.5}, {"link", "bad-ground", 4.5}, {"on-accent", "accent", 4.5}, {"good", "surface", 4.5},
			{"partial", "partial-ground", 4.5}, {"partial", "surface", 4.5}, {"bad", "bad-ground", 4.5}, {"bad", "surface", 4.5},
			{"plain", "surface", 3}, {"watched", "surface", 3}, {"approved", "surface", 3}, {"prohibited", "surface", 3}, {"in-review", "surface", 3},
		} {
			t.Run(scheme+" "+tt.front+" on "+tt.back, func(t *testing.T) {
				a, b := colour(t, colours[tt.front]), colour(t, colours[tt.back])
				if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < tt.least {
					t.Errorf("the contrast is %.2f, at least %v", ratio, tt.least)
				}
			})
		}
	}
}
