package hugepage

import (
	"runtime"
	"testing"
	"unsafe"
)

func TestMake(t *testing.T) {
	type pair struct {
		a uint64
		b uint32
	}
	for _, lasting := range []bool{false, true} {
		s, err := Make[pair](100_000, "a test", lasting)
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
