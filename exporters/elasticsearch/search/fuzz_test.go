package search

import (
	"encoding/json"
	"testing"
)

// FuzzCursor holds that no text makes a question that a page did not end at.
func FuzzCursor(f *testing.F) {
	good, _ := writeCursor([]json.RawMessage{[]byte("1795288192144"), []byte(`"0abc"`)})
	f.Add(good)
	f.Add("WzEsIngiXQ")
	f.Fuzz(func(t *testing.T, s string) {
		at, err := parseCursor(s)
		if err == nil && len(at) != 2 {
			t.Errorf("%v", at)
		}
	})
}
