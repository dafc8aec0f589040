package journal

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func options(readers ...string) Options {
	var epoch uint64
	return Options{Readers: readers, Meta: []byte("meta"), FileBytes: 20_000, MaxBytes: 1 << 40, PendingBytes: 1 << 20,
		Epoch: func() uint64 { epoch++; return epoch<<32 | 77 }, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

func openJournal(t testing.TB, dir Dir, o Options) *Journal {
	t.Helper()
	j, err := New(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func openReader(t testing.TB, j *Journal, name string) *Reader {
	t.Helper()
	r, err := j.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// record is a payload that tells its number; some hold what looks like records.
func record(n uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, n)
	b = append(b, strings.Repeat("x", int(n*37%900))...)
	if n%3 == 0 {
		b = append(b, numbered(b[:8], 1, n+1)...)
	}
	return b
}

// numbered is a whole record of some epoch.
func numbered(payload []byte, epoch, number uint64) []byte {
	b := reserveFrame(nil, payload)
	numberFrames(b, epoch, number)
	return b
}

func add(t testing.TB, j *Journal, from, n uint64) {
	t.Helper()
	for i := range n {
		if err := j.Append(record(from + i)); err != nil {
			t.Fatal(err)
		}
	}
}

func flush(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
}

// drain reads all there is and returns the numbers that the payloads tell.
func drain(t testing.TB, r *Reader, most int) (got []uint64, lost uint64) {
	t.Helper()
	for {
		b, err := r.Read(most)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range b.Payloads {
			n := binary.BigEndian.Uint64(p)
			if !slices.Equal(p, record(n)) || string(b.Meta) != "meta" {
				t.Fatalf("record %d is not as it was", n)
			}
			got = append(got, n)
		}
		lost += b.Lost
		r.Commit(b)
		if err := r.Save(); err != nil {
			t.Fatal(err)
		}
		if len(b.Payloads) == 0 {
			return got, lost
		}
	}
}

func numbers(from, n uint64) []uint64 {
	var all []uint64
	for i := range n {
		all = append(all, from+i)
	}
	return all
}

// What was flushed is read in order by each reader, over starts, each time once; what all have read goes.
func TestStarts(t *testing.T) {
	dir := newModel(1)
	at := uint64(0)
	for start := range 5 {
		j := openJournal(t, dir, options("a", "b"))
		a, b := openReader(t, j, "a"), openReader(t, j, "b")
		add(t, j, at, 100)
		flush(t, j)
		if got, lost := drain(t, a, 7); !slices.Equal(got, numbers(at, 100)) || lost != 0 {
			t.Fatalf("start %d: a read %v, lost %d", start, got, lost)
		}
		if start%2 == 1 {
			if got, lost := drain(t, b, 1000); !slices.Equal(got, numbers(at-100, 200)) || lost != 0 {
				t.Fatalf("start %d: b read %v, lost %d", start, got, lost)
			}
			if _, files := j.Size(); files != 1 {
				t.Errorf("%d files are left where all was read", files)
			}
		}
		at += 100
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever happens to power and disk: what Flush has called safe is read by every reader, what is read was appended, and nothing is read
// twice but what a crash kept a reader from saying that it had it.
func TestModel(t *testing.T) {
	rounds := uint64(400)
	if testing.Short() {
		rounds = 50
	}
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { newTrial(t, seed).run() })
	}
}

// trial is one life of a journal over a model of a disk.
type trial struct {
	*testing.T
	rnd     *rand.Rand
	dir     *model
	j       *Journal
	readers map[string]*Reader
	next    uint64          // to be appended
	safe    map[uint64]bool // and what was not safe yet
	fresh   []uint64
	torn    bool                         // a crash came while something was not safe
	only    map[uint64]bool              // for reader a alone
	got     map[string]map[uint64]int    // how often each record was read
	again   map[string]map[uint64]bool   // read before a crash without being saved
	unsaved map[string]map[uint64]uint64 // the same, before the crash
}

func newTrial(t *testing.T, seed uint64) *trial {
	tr := &trial{T: t, rnd: rand.New(rand.NewPCG(seed, 3)), dir: newModel(seed), safe: map[uint64]bool{}, only: map[uint64]bool{},
		got: map[string]map[uint64]int{"a": {}, "b": {}}, again: map[string]map[uint64]bool{"a": {}, "b": {}}}
	tr.start()
	return tr
}

func (tr *trial) start() {
	tr.Helper()
	o := options("a", "b")
	o.FileBytes = 500 << tr.rnd.IntN(6)
	tr.j = openJournal(tr.T, tr.dir, o)
	tr.readers = map[string]*Reader{}
	tr.unsaved = map[string]map[uint64]uint64{"a": {}, "b": {}}
	for name := range tr.got {
		tr.readers[name] = openReader(tr.T, tr.j, name)
	}
}

func (tr *trial) run() {
	for range 120 {
		switch what := tr.rnd.IntN(20); {
		case what < 8:
			tr.append()
		case what < 12:
			tr.flush()
		case what < 17:
			tr.read([]string{"a", "b"}[tr.rnd.IntN(2)], tr.rnd.IntN(3) > 0)
		case what < 18:
			tr.dir.faults = []float64{0, 0, 0.3, 1}[tr.rnd.IntN(4)]
		case what < 19:
			tr.crash()
		default:
			tr.alone()
		}
	}
	tr.dir.faults = 0
	if tr.rnd.IntN(2) == 0 {
		tr.crash()
	}
	tr.flush()
	tr.check()
}

func (tr *trial) append() {
	for range 1 + tr.rnd.IntN(10) {
		if err := tr.j.Append(record(tr.next)); err != nil {
			tr.Fatal(err)
		}
		tr.fresh = append(tr.fresh, tr.next)
		tr.next++
	}
}

func (tr *trial) flush() {
	if err := tr.j.Flush(); err != nil {
		if tr.dir.faults == 0 {
			tr.Fatal(err)
		}
		return
	}
	for _, n := range tr.fresh {
		tr.safe[n] = true
	}
	tr.fresh = nil
}

// alone appends a record for reader a only.
func (tr *trial) alone() {
	n := tr.next
	tr.next++
	tr.only[n] = true
	if tr.j.AppendFor("a", [][]byte{record(n)}) == nil {
		tr.safe[n] = true
		tr.flush()
	}
}

func (tr *trial) read(name string, save bool) {
	r := tr.readers[name]
	b, err := r.Read(1 + tr.rnd.IntN(20))
	if err != nil {
		tr.Fatal(err)
	}
	if b.Lost != 0 && !tr.torn { // what was never safe may leave a hole before what has reached the disk nevertheless
		tr.Fatalf("%s lost %d records", name, b.Lost)
	}
	for _, p := range b.Payloads {
		n := binary.BigEndian.Uint64(p)
		if tr.got[name][n]++; tr.got[name][n] > 1 && !tr.again[name][n] {
			tr.Fatalf("%s read record %d twice", name, n)
		}
		if n >= tr.next || tr.only[n] && name != "a" {
			tr.Fatalf("%s read record %d, which is not for it", name, n)
		}
		tr.unsaved[name][n]++
	}
	r.Commit(b)
	if save && r.Save() == nil {
		clear(tr.unsaved[name])
	}
}

func (tr *trial) crash() {
	for name, unsaved := range tr.unsaved {
		for n := range unsaved {
			tr.again[name][n] = true
		}
	}
	tr.dir.crash()
	tr.torn = tr.torn || len(tr.fresh) > 0
	faults := tr.dir.faults
	tr.dir.faults = 0
	tr.fresh = nil // may be there, or not
	tr.start()
	tr.dir.faults = faults
}

func (tr *trial) check() {
	for name, r := range tr.readers {
		for waiting, _ := r.Behind(); waiting > 0; waiting, _ = r.Behind() {
			tr.read(name, true)
		}
		for n := range tr.safe {
			if tr.got[name][n] == 0 && (name == "a" || !tr.only[n]) {
				tr.Errorf("%s never got record %d", name, n)
			}
		}
	}
	if _, files := tr.j.Size(); files > 1 {
		tr.Errorf("%d files are left where all was read", files)
	}
}
