package bundle

import "testing"

// FuzzOpen: whatever is offered, nothing that was not signed is taken, and nothing panics.
func FuzzOpen(f *testing.F) {
	m := newMaker(f)
	data, signature := m.bundle(f, "2026.12.1", lastDay)
	f.Add(data, signature)
	f.Add(data[:len(data)/2], signature)
	f.Add([]byte{}, []byte("untrusted comment: x\nRUQ=\ntrusted comment: y\nAA==\n"))
	f.Fuzz(func(t *testing.T, d, s []byte) {
		b, err := Open(d, s, m.keys)
		if (b == nil) == (err == nil) {
			t.Fatalf("Open = %v, %v", b, err)
		}
		if b != nil && string(d) != string(data) {
			t.Fatalf("%d bytes that nobody signed were taken", len(d))
		}
		if files, err := unpack(d); err == nil {
			_, _ = versionOf(files)
		}
	})
}
