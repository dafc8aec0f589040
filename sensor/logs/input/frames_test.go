package input

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// cutAll returns every message, with errors in their place.
func cutAll(r io.Reader) (out []string) {
	f := newFrames(r)
	for {
		message, err := f.next()
		switch {
		case errors.Is(err, errLong), errors.Is(err, errHalf):
			out = append(out, err.Error())
		case err != nil:
			return out
		default:
			out = append(out, string(message))
		}
	}
}

func TestFrames(t *testing.T) {
	long := strings.Repeat("x", maxMessage)
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"line feeds", "<13>one\n<13>two\r\n<13>three\x00\n", []string{"<13>one", "<13>two", "<13>three"}},
		{"octets", "7 <13>one7 <13>two", []string{"<13>one", "<13>two"}},
		{"octets with a line feed inside and behind", "9 <13>a\nb\n\n7 <13>two", []string{"<13>a\nb", "<13>two"}},
		{"both", "7 <13>one<13>two\n7 <13>six", []string{"<13>one", "<13>two", "<13>six"}},
		{"the last does not end", "<13>one\n<13>two", []string{"<13>one", "<13>two"}},
		{"the last is half", "7 <13>one9 <13>tw", []string{"<13>one", errHalf.Error()}},
		{"half a length", "7 <13>one9", []string{"<13>one", errHalf.Error()}},
		{"a line that begins with a number", "1767225600.000 5 192.0.2.1\n17 <b\n", []string{"1767225600.000 5 192.0.2.1", errHalf.Error()}},
		{"a number alone", "1767225600\n99999999999 <1\n", []string{"1767225600", "99999999999 <1"}},
		{"too long by its length", fmt.Sprintf("%d <1>%s7 <13>one", maxMessage+3+1, long+"y"), []string{errLong.Error(), "<13>one"}},
		{"too long to its line feed", long + long + long + "\n<13>one\n", []string{errLong.Error(), "<13>one"}},
		{"as long as may be", long + "\n", []string{long}},
		{"a length that lies", "999999999 <13>one\n", []string{errLong.Error(), errHalf.Error()}},
		{"empty lines", "\n\n<13>one\n", []string{"", "", "<13>one"}},
		{"nothing", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := cutAll(strings.NewReader(tt.text)); !slices.Equal(got, tt.want) {
				t.Errorf("got %.200q, want %.200q", got, tt.want)
			}
			if len(tt.text) < 1000 {
				if got := cutAll(iotest.OneByteReader(strings.NewReader(tt.text))); !slices.Equal(got, tt.want) {
					t.Errorf("by single octets: got %.200q, want %.200q", got, tt.want)
				}
			}
		})
	}
}

// Cut at any length, a stream gives what it gave before the cut, and at most one half message.
func TestFramesTruncated(t *testing.T) {
	const text = "7 <13>one<13>two\n12 <14>1 - hell\n<13>x\n"
	whole := cutAll(strings.NewReader(text))
	for n := range len(text) {
		got := cutAll(strings.NewReader(text[:n]))
		if len(got) > len(whole) {
			t.Errorf("%q gives %q", text[:n], got)
		}
		for i := range max(0, len(got)-1) {
			if got[i] != whole[i] {
				t.Errorf("%q gives %q", text[:n], got)
			}
		}
	}
}

func TestFramesAllocs(t *testing.T) {
	r := &again{text: []byte("7 <13>one<13>two\n")}
	f := newFrames(r)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := f.next(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a message", n)
	}
}

// again is a stream that has no end.
type again struct{ text []byte }

func (a *again) Read(b []byte) (int, error) { return copy(b, a.text), nil }

func BenchmarkFrames(b *testing.B) {
	line := strings.TrimSuffix(squid(0, 1), "\n")
	f := newFrames(&again{text: fmt.Appendf(nil, "%d <134>%s", len(line)+5, line)})
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if _, err := f.next(); err != nil {
			b.Fatal(err)
		}
	}
}
