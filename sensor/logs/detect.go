package logs

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
)

// Guess is a format that lines may be of.
type Guess struct {
	Name string
	// Read of Lines lines gave a record, or are of the format and tell of no traffic.
	Read, Lines int
	// Sure is from 0 to 1: how much of the lines could be read, and how far the next format lies behind.
	Sure float64

	rank float64
}

const (
	// maxGuessed bounds how many lines are tried.
	maxGuessed = 64
	// enough is the share of lines that a format must read.
	enough = 0.6
)

// Detect says which formats the first lines of a source may be of, the likeliest first. A line that breaks off at the end of sample
// is left out, unless it is the only one.
func (l *Library) Detect(sample []byte, o Options) []Guess {
	lines := bytes.Split(sample, []byte("\n"))
	if last := len(lines) - 1; last > 0 {
		lines = lines[:last]
	}
	lines = lines[:min(len(lines), maxGuessed)]
	var guesses []Guess
	for _, name := range slices.Sorted(keysOf(l.formats)) {
		if g, ok := l.formats[name].guess(lines, o); ok {
			guesses = append(guesses, g)
		}
	}
	slices.SortStableFunc(guesses, func(a, b Guess) int { return cmp.Compare(b.rank, a.rank) })
	for i := range guesses {
		g := &guesses[i]
		g.Sure = float64(g.Read) / float64(g.Lines)
		if i+1 < len(guesses) {
			g.Sure *= min(1, 0.5+(g.rank-guesses[i+1].rank)/4)
		}
	}
	return guesses
}

// guess tries one format.
func (f *format) guess(lines [][]byte, o Options) (Guess, bool) {
	g := Guess{Name: f.spec.Name}
	marked, filled, records := f.try(lines, o, &g)
	n := float64(g.Lines)
	if records == 0 || float64(g.Read) < enough*n || marked == 0 && len(f.spec.Detect) > 0 {
		return g, false
	}
	g.rank = 10*float64(g.Read)/n + 3*float64(marked)/n + 2*float64(filled)/float64(records*6) + float64(f.spec.Weight)
	if len(f.spec.Detect) == 0 { // its own header names the columns
		g.rank += 3
	}
	return g, true
}

// try counts the lines that hold a mark of the format, what its records tell, and how many there are.
func (f *format) try(lines [][]byte, o Options, g *Guess) (marked, filled, records int) {
	r := f.open(o)
	var rec Record
	for _, line := range lines {
		err := r.Parse(line, &rec)
		if errors.Is(err, ErrHeader) {
			continue
		}
		g.Lines++
		if holds(f.spec.Unlike, line) {
			continue
		}
		if holds(f.spec.Detect, line) {
			marked++
		}
		if err == nil {
			records++
			filled += rec.filled()
		}
		if err == nil || errors.Is(err, ErrOther) {
			g.Read++
		}
	}
	return marked, filled, records
}

// holds says whether a line holds one of several texts.
func holds(texts []string, line []byte) bool {
	for _, text := range texts {
		if bytes.Contains(line, []byte(text)) {
			return true
		}
	}
	return false
}

// filled counts what the record tells.
func (r *Record) filled() (n int) {
	for _, has := range []bool{r.Time != 0, r.Client.IsValid(), len(r.Host) > 0 || r.Server.IsValid(), len(r.User) > 0, r.HasUp, r.HasDown} {
		if has {
			n++
		}
	}
	return n
}
