package signatures

import (
	"fmt"
	"testing"
)

// A catalogue of long names has many more tails than its table begins with room for: all are found once it has grown.
func TestMatcherGrows(t *testing.T) {
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprintf("suffix a%d.b%d.c%d.d%d.e%d.f%d.g%d.example", i, i, i, i, i, i, i))
	}
	c := testCatalogue(t, oneService("long", names...))
	if got, want := c.matcher.used, 50*7; got != want {
		t.Errorf("%d tails, want %d", got, want)
	}
	if len(c.matcher.nodes) < 2*c.matcher.used {
		t.Errorf("%d places for %d tails: more than half are taken", len(c.matcher.nodes), c.matcher.used)
	}
	for i := range 50 {
		name := fmt.Sprintf("a%d.b%d.c%d.d%d.e%d.f%d.g%d.example", i, i, i, i, i, i, i)
		if got := idOf(c, "www."+name); got != "long" {
			t.Errorf("below %s is %s", name, got)
		}
		if got := idOf(c, name[len(fmt.Sprintf("a%d.", i)):]); got != "-" {
			t.Errorf("above %s is %s", name, got)
		}
	}
}

// Two tails of one hash, or a tail of the hash that marks a free place, cannot both be told apart: the table is refused.
func TestMatcherClash(t *testing.T) {
	hits := []Hit{{Name: &Name{Name: "one.example", Match: MatchExact}}, {Name: &Name{Name: "two.example", Match: MatchExact}}}
	tests := []struct {
		name string
		of   int
		hash uint64
		ok   bool
	}{
		{"another hash", 1, 8, true},
		{"the same tail again", 0, 7, true},
		{"another tail of the hash", 1, 7, false},
		{"no hash", 1, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &matcher{hits: hits}
			m.grow(0)
			if _, err := m.tail(0, hits[0].Name.Name, 7, 2); err != nil {
				t.Fatal(err)
			}
			if _, err := m.tail(tt.of, hits[tt.of].Name.Name, tt.hash, 2); (err == nil) != tt.ok {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
