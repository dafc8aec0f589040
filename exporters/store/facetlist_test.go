package store

import (
	"context"
	"testing"
)

// Words are read as they were written, whatever they are, and those that come later too.
func TestWords(t *testing.T) {
	s := open(t, testConfig(t))
	given := []facet{
		{},
		{site: "berlin", service: "chat", vendor: "Vendor", category: "c", kind: "web", status: "approved", department: "sales", use: "interactive"},
		{site: "12 3", service: " ", vendor: "a\x00b", category: "ü", kind: "\n", status: "7", department: "日本", use: "'"},
		{site: "later"},
	}
	numbers := map[uint32]facet{}
	for i, f := range given {
		s.mu.Lock()
		id, err := s.w.facetNumber(context.Background(), f)
		s.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		numbers[id] = f
		if i == 1 {
			continue // so that two come at once
		}
		if err := s.view(context.Background(), func(_ context.Context, v *view) error {
			for id, f := range numbers {
				if got := v.words.facets[id]; got != f {
					t.Errorf("facet %d is read as %+v, was %+v", id, got, f)
				}
			}
			if len(v.words.ids) != len(numbers) {
				t.Errorf("there are %d facets, want %d", len(v.words.ids), len(numbers))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// A facet that is cut anywhere is not taken for one.
func TestParseFacet(t *testing.T) {
	const whole = "7\xffa\xffbb\xffccc\xff\xff\xffs\xffd\xff"
	id, f, ok := parseFacet(whole)
	if want := (facet{site: "a", service: "bb", vendor: "ccc", status: "s", department: "d"}); !ok || id != 7 || f != want {
		t.Errorf("got %d, %+v, %v", id, f, ok)
	}
	for n := range whole {
		if _, _, ok := parseFacet(whole[:n]); ok {
			t.Errorf("%q was taken for a facet", whole[:n])
		}
	}
	for _, s := range []string{whole + "\xff", "-1" + whole[1:], "99999999999" + whole[1:]} {
		if _, _, ok := parseFacet(s); ok {
			t.Errorf("%q was taken for a facet", s)
		}
	}
}
