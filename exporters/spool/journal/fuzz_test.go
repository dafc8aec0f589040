package journal

import (
	"testing"
)

// Whatever lies in the files of a directory, it is opened, read to its end and written to.
func FuzzOpen(f *testing.F) {
	dir, per := written(f)
	first, last := dir.names[nameOf(0)].data, dir.names[nameOf(per)].data
	f.Add(first, last, []byte(cursor{3, 1}.String()))
	f.Add(first[:len(first)-5], []byte{}, []byte("gnomon cursor"))
	f.Add([]byte{}, last, []byte(nil))
	f.Add(make([]byte, 200), append(last[:len(last):len(last)], first...), []byte(cursor{1 << 62, 0}.String()))
	f.Fuzz(func(t *testing.T, a, b, place []byte) {
		dir := newModel(1)
		for name, data := range map[string][]byte{nameOf(0): a, nameOf(per): b, cursorPrefix + "a": place} {
			n := &inode{data: append([]byte(nil), data...)}
			dir.do(func(d map[string]*inode) { d[name] = n })
		}
		j := openJournal(t, dir, options("a"))
		r := openReader(t, j, "a")
		if err := j.Append([]byte("fresh")); err != nil {
			t.Fatal(err)
		}
		flush(t, j)
		last := ""
		for rounds := 0; ; rounds++ {
			batch, err := r.Read(3)
			if err != nil {
				t.Fatal(err)
			}
			if len(batch.Payloads) == 0 {
				break
			}
			if rounds > len(a)+len(b)+1 {
				t.Fatal("reading does not end")
			}
			last = string(batch.Payloads[len(batch.Payloads)-1])
			r.Commit(batch)
		}
		if last != "fresh" {
			t.Errorf("the last record is %q", last)
		}
	})
}
