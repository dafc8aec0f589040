package hugepage

import (
	"math"
	"runtime"
	"strings"
	"testing"
	"unsafe"
)

func TestMake(t *testing.T) {
	type pair struct {
		a uint64
		b uint32
	}
	for _, huge := range []bool{false, true} {
		s, err := Make[pair](100_000, "a test", huge)
		if err != nil {
			t.Fatal(err)
		}
		if len(s) != 100_000 || s[0] != (pair{}) || s[99_999] != (pair{}) {
			t.Errorf("%d values, the last is %v", len(s), s[len(s)-1])
		}
		if runtime.GOOS == "linux" && uintptr(unsafe.Pointer(&s[0]))%4096 != 0 {
			t.Error("the memory is not page-aligned")
		}
		s[99_999].a = 7
		Free(s)
	}
	Free[pair](nil)
}

// More than there are addresses is said to be, and never taken for less.
func TestMakeTooMuch(t *testing.T) {
	for _, n := range []int{math.MaxInt, math.MaxInt / 128, math.MaxInt/128 - 1} {
		if s, err := Make[[128]byte](n, "a test", false); err == nil || s != nil || !strings.Contains(err.Error(), "a test") {
			t.Errorf("%d values: %d, %v", n, len(s), err)
		}
	}
}

func TestTouch(t *testing.T) {
	s, err := Make[uint64](100_000, "a test", false)
	if err != nil {
		t.Fatal(err)
	}
	defer Free(s)
	s[5_000] = 7
	for _, part := range [][]uint64{nil, s[:0], s[:1], s[512:1024], s} {
		Touch(part)
	}
	for i, v := range s {
		if v != 0 && i != 5_000 || i == 5_000 && v != 7 {
			t.Fatalf("value %d is %d", i, v)
		}
	}
}

// BenchmarkFirstReads reads every page before it is written, as a hash table that fills up does.
func BenchmarkFirstReads(b *testing.B) {
	for _, touch := range []bool{false, true} {
		name := "page by page"
		if touch {
			name = "touched"
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := Make[[512]uint64](1024, "a benchmark", false)
				if err != nil {
					b.Fatal(err)
				}
				if touch {
					Touch(s)
				}
				for i := range s {
					if s[i][0] == 0 {
						s[i][0] = 1
					}
				}
				Free(s)
			}
		})
	}
}
