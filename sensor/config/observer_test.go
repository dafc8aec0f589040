package config

import (
	"strings"
	"testing"
)

func TestObserverID(t *testing.T) {
	for _, c := range []struct {
		name, id string
		fits     bool
	}{
		{"none", "", true}, {"of the machine", "machine", true}, {"a UUID", "0b5c6a1e-6a55-4c4f-9f3c-1f1f0b6f2a11", true},
		{"upper case", "0B5C6A1E-6A55-4C4F-9F3C-1F1F0B6F2A11", false}, {"no dashes", strings.Repeat("0", 36), false},
		{"dashes alone", strings.Repeat("-", 36), false}, {"short", "0b5c6a1e", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Observer{ID: c.id}
			if err := o.validate(); (err == nil) != c.fits || err != nil && !strings.Contains(err.Error(), "observer.id") {
				t.Errorf("got %v", err)
			}
		})
	}
}
