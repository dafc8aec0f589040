package ike

import "testing"

func FuzzParse(f *testing.F) {
	f.Add(message(7, 0, version2, exchangeSAInit, 0, 40))
	f.Add(message(7, 9, version1, exchangeQuick, 5, 40))
	f.Add(marked(message(7, 9, version2, 35, 1, 40)))
	f.Add(esp(0xc0ffee00, 3, 72))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := Parse(b); err == nil && (m.Initiator == 0 || m.ESP || len(b) < headerLen) {
			t.Errorf("%d bytes are taken for %+v", len(b), m)
		}
		if m, err := ParseNAT(b); err == nil && m.ESP == (m.Initiator != 0) {
			t.Errorf("%d bytes are taken for %+v", len(b), m)
		}
	})
}
