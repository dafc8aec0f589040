package journal

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// written makes a directory with three files of records, and says how many records each has.
func written(t testing.TB) (dir *model, per uint64) {
	t.Helper()
	dir, per = newModel(9), 6
	for start := range uint64(3) {
		j := openJournal(t, dir, options("a"))
		for n := range per {
			if err := j.Append(binary.BigEndian.AppendUint64(nil, start*per+n)); err != nil {
				t.Fatal(err)
			}
		}
		flush(t, j)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir, per
}

// readBack opens a journal and reads all that there is.
func readBack(t testing.TB, dir Dir) (got []uint64, lost uint64, j *Journal) {
	t.Helper()
	j = openJournal(t, dir, options("a"))
	r := openReader(t, j, "a")
	for {
		b, err := r.Read(4)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range b.Payloads {
			if len(p) != 8 {
				t.Fatalf("a record of %d bytes", len(p))
			}
			got = append(got, binary.BigEndian.Uint64(p))
		}
		r.Commit(b)
		if len(b.Payloads) == 0 {
			_, lost = r.Behind()
			return got, lost, j
		}
	}
}

// Any one byte may change, any file may end anywhere or be blank from anywhere on: the start goes on, what is whole is read, each record
// once and as it was, and the rest is counted, or set aside with its file.
func TestDamage(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(b []byte, at int) []byte
		most   func(per uint64) uint64 // how many records may be lost in a file whose head is whole
	}{
		{"flipped", func(b []byte, at int) []byte { b[at] ^= 0x20; return b }, func(uint64) uint64 { return 1 }},
		{"blank", func(b []byte, at int) []byte { clear(b[at:]); return b }, func(per uint64) uint64 { return per }},
		{"cut", func(b []byte, at int) []byte { return b[:at] }, func(per uint64) uint64 { return per }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for file := range uint64(3) {
				whole, per := written(t)
				size := len(whole.names[nameOf(file*per)].data)
				for at := range size {
					dir, _ := written(t)
					n := dir.names[nameOf(file*per)]
					n.data = c.damage(n.data, at)
					got, lost, j := readBack(t, dir)
					want := numbers(0, 3*per)
					for _, n := range got {
						i := slices.Index(want, n)
						if i < 0 {
							t.Fatalf("file %d, byte %d: record %d is read twice or out of order: %v", file, at, n, got)
						}
						want = want[i+1:]
					}
					missing := 3*per - uint64(len(got))
					inHead := at < size-int(per)*(frameHead+8)
					switch {
					case inHead && missing > per, !inHead && missing > c.most(per):
						t.Fatalf("file %d, byte %d: %d records are missing", file, at, missing)
					case !inHead && file < 2 && lost != missing:
						t.Fatalf("file %d, byte %d: %d records are missing, %d counted", file, at, missing, lost)
					case inHead && file < 2 && lost != missing:
						t.Fatalf("head of file %d, byte %d: %d records are missing, %d counted", file, at, missing, lost)
					}
					if err := j.Append(binary.BigEndian.AppendUint64(nil, 99)); err != nil {
						t.Fatal(err)
					}
					flush(t, j)
				}
			}
		})
	}
}

// A file whose head is damaged is set aside, no more than a few of them, and what was in it is counted.
func TestSetAside(t *testing.T) {
	dir := newModel(3)
	at := uint64(0)
	for range 8 {
		j := openJournal(t, dir, options("a"))
		add(t, j, at, 10)
		flush(t, j)
		name := j.last().name
		dir.names[name].data[20] ^= 1
		at += 10
	}
	j := openJournal(t, dir, options("a"))
	add(t, j, at, 1)
	flush(t, j)
	got, lost := drain(t, openReader(t, j, "a"), 100)
	if !slices.Equal(got, []uint64{at}) || lost == 0 && j.Counts().SetAside == 0 {
		t.Errorf("read %v, lost %d, %+v", got, lost, j.Counts())
	}
	aside := 0
	for name := range dir.names {
		if strings.HasSuffix(name, bad) {
			aside++
		}
	}
	if aside != keptBad {
		t.Errorf("%d files were set aside and kept", aside)
	}
}

// A cursor that is damaged costs records that come again, none that are missing.
func TestDamagedCursor(t *testing.T) {
	for at := range 60 {
		dir := newModel(uint64(at))
		j := openJournal(t, dir, options("a", "b"))
		add(t, j, 0, 20)
		flush(t, j)
		if got, _ := drain(t, openReader(t, j, "a"), 100); len(got) != 20 {
			t.Fatal(got)
		}
		n := dir.names[cursorPrefix+"a"]
		if at < len(n.data) {
			n.data[at] ^= 1
		} else {
			n.data = n.data[:at%len(n.data)]
		}
		j = openJournal(t, dir, options("a", "b"))
		add(t, j, 20, 5)
		flush(t, j)
		got, lost := drain(t, openReader(t, j, "a"), 100)
		if want := numbers(0, 25); !slices.Equal(got, want) || lost != 0 {
			t.Fatalf("byte %d: read %v, lost %d", at, got, lost)
		}
	}
}

// Records that nobody takes go when they are old, by the clock of this process or, for those of an earlier one, when the clock has settled.
func TestAge(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	o := options("a")
	o.MaxAge, o.Now = time.Hour, func() time.Time { return now }
	dir := newModel(5)
	j := openJournal(t, dir, o)
	add(t, j, 0, 10)
	flush(t, j)
	now = now.Add(2 * time.Hour) // the sensor was off
	j = openJournal(t, dir, o)
	r := openReader(t, j, "a")
	add(t, j, 10, 10)
	flush(t, j)
	if _, files := j.Size(); files != 2 {
		t.Fatalf("%d files right after a start: nothing goes before the clock can be trusted", files)
	}
	now = now.Add(settled + time.Second)
	flush(t, j)
	if waiting, lost := r.Behind(); waiting != 10 || lost != 10 || j.Counts().Expired != 1 {
		t.Errorf("%d wait, %d lost, %+v", waiting, lost, j.Counts())
	}
	if got, lost := drain(t, r, 100); !slices.Equal(got, numbers(10, 10)) || lost != 0 {
		t.Errorf("read %v, lost %d", got, lost)
	}
	if _, lost := r.Behind(); lost != 10 {
		t.Errorf("%d lost", lost)
	}
}

// What a reader loses to the cap is what it does not read, no more and no less, whatever it was reading when files went, and over starts.
func TestCapped(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			dir := newModel(seed)
			o := options("a")
			o.MaxBytes, o.FileBytes = 30_000, 3000
			next, read := uint64(0), uint64(0)
			var r *Reader
			for range 6 {
				j := openJournal(t, dir, o)
				r = openReader(t, j, "a")
				for range 60 {
					n := rnd.Uint64N(8)
					add(t, j, next, n)
					next += n
					flush(t, j)
					if bytes, _ := j.Size(); bytes > o.MaxBytes {
						t.Fatalf("%d bytes", bytes)
					}
					if rnd.IntN(4) > 0 {
						continue
					}
					b, err := r.Read(1 + rnd.IntN(5))
					if err != nil {
						t.Fatal(err)
					}
					n = rnd.Uint64N(40)
					add(t, j, next, n)
					next += n
					flush(t, j) // files may go while the batch is under way
					read += uint64(len(b.Payloads))
					r.Commit(b)
					if err := r.Save(); err != nil {
						t.Fatal(err)
					}
				}
			}
			got, _ := drain(t, r, 1000)
			read += uint64(len(got))
			if _, lost := r.Behind(); lost == 0 || read+lost != next {
				t.Errorf("%d read, %d lost of %d", read, lost, next)
			}
		})
	}
}

// Several goroutines append, flush, read and save at once, on a real disk.
func TestAtOnce(t *testing.T) {
	dir, err := OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o := options("a", "b")
	o.FileBytes = 5000
	j := openJournal(t, dir, o)
	const writers, each = 4, 500
	var writing, reading sync.WaitGroup
	for w := range uint64(writers) {
		writing.Go(func() {
			for n := range uint64(each) {
				if err := j.Append(record(w*each + n)); err != nil {
					t.Error(err)
				}
				if n%50 == 0 {
					if err := j.Flush(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for _, name := range []string{"a", "b"} {
		r := openReader(t, j, name)
		reading.Go(func() {
			seen := map[uint64]bool{}
			for len(seen) < writers*each {
				changed := j.Changed()
				b, err := r.Read(64)
				if err != nil || b.Lost > 0 {
					t.Errorf("%s: %v, %d lost", name, err, b.Lost)
					return
				}
				for _, p := range b.Payloads {
					seen[binary.BigEndian.Uint64(p)] = true
				}
				r.Commit(b)
				if err := r.Save(); err != nil {
					t.Error(err)
				}
				if len(b.Payloads) == 0 {
					<-changed
				}
			}
		})
	}
	writing.Wait()
	flush(t, j)
	reading.Wait()
	if _, files := j.Size(); files > 1 {
		t.Errorf("%d files are left", files)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
