package policy

import (
	"strings"
	"testing"
	"time"
)

func TestGlob(t *testing.T) {
	tests := []struct {
		name, pattern, host string
		want                bool
	}{
		{"same", "a.example.com", "a.example.com", true},
		{"upper case", "A.Example.COM.", "a.example.com", true},
		{"label less", "a.example.com", "example.com", false},
		{"label more", "example.com", "a.example.com", false},
		{"star for a label", "*.example.com", "a.example.com", true},
		{"star not for two", "*.example.com", "a.b.example.com", false},
		{"star not for none", "*.example.com", "example.com", false},
		{"star inside", "contoso-*-eu.example.com", "contoso-x-y-eu.example.com", true},
		{"star for nothing", "contoso*.example.com", "contoso.example.com", true},
		{"two stars in a label", "*-prod-*.example.com", "a-b-prod-c.example.com", true},
		{"two stars, no match", "*-prod-*.example.com", "a-b-prd-c.example.com", false},
		{"star in the middle", "a.*.example.com", "a.b.example.com", true},
		{"deep", "**.example.com", "a.b.example.com", true},
		{"deep for one", "**.example.com", "a.example.com", true},
		{"deep not for none", "**.example.com", "example.com", false},
		{"deep not for a part", "**.example.com", "notexample.com", false},
		{"deep with a star", "**.x*.example.com", "a.b.xy.example.com", true},
		{"no name", "*.example.com", "", false},
		{"dot for a label", "*.example.com", ".example.com", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, err := newGlob(tt.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := g.match(tt.host); got != tt.want {
				t.Errorf("%q matches %q: %v", tt.pattern, tt.host, got)
			}
		})
	}
}

// TestGlobTime wants a pattern full of stars to cost no more than the product of the lengths.
func TestGlobTime(t *testing.T) {
	g, err := newGlob(strings.Repeat("a*", 120) + "b.com")
	if err != nil {
		t.Fatal(err)
	}
	host := strings.Repeat("a", 10_000) + ".com"
	start := time.Now()
	if g.match(host) {
		t.Error("matched")
	}
	if took := time.Since(start); took > time.Minute { // whatever the machine does; without a bound it takes years
		t.Errorf("one name took %v", took)
	}
}
