package logs

import (
	"bytes"
	"io"
	"testing"
)

// Whatever a file holds, it is read or refused, in bounded time.
func FuzzArchive(f *testing.F) {
	f.Add(zipped(f, "a.log", "one\ntwo\n", "b.log", "three"))
	f.Add(zipped(f, "d/", "", "a.zip", string(zipped(f, "b", "c"))))
	f.Add(zipped(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Unpack(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		n, err := io.Copy(io.Discard, io.LimitReader(r, 64<<20))
		if most := int64(len(b))*1100 + 1<<16; Archived(b[:min(4, len(b))]) && err == nil && n > most {
			t.Fatalf("%d octets came of %d", n, len(b))
		}
	})
}
