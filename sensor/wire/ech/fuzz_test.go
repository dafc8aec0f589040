package ech

import "testing"

func FuzzNext(f *testing.F) {
	f.Add(listOf(config(1, "a.example")))
	f.Add(listOf(record(0xfe0a, []byte{1, 2, 3}), config(3, "c.example")))
	f.Fuzz(func(t *testing.T, value []byte) {
		list, err := Open(value)
		for err == nil && len(list) > 0 {
			before := len(list)
			var c Config
			var known bool
			c, known, list, err = Next(list)
			if known == (err != nil) && known || len(c.PublicName) > maxName || err == nil && len(list) >= before {
				t.Fatalf("name of %d bytes, known %v, %d bytes left of %d, %v", len(c.PublicName), known, len(list), before, err)
			}
		}
	})
}
