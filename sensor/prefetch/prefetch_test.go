package prefetch

import (
	"testing"
	"unsafe"
)

func TestAnyAddress(t *testing.T) {
	memory := make([]byte, 4096)
	first := uintptr(unsafe.Pointer(&memory[0]))
	for _, tt := range []struct {
		name string
		at   [Group]uintptr
	}{
		{"none", [Group]uintptr{}},
		{"own", [Group]uintptr{first, first + 1, first + 63, first + 64, first + 4095, first + 4096, first, first}},
		{"nobody's", [Group]uintptr{1, 4095, ^uintptr(0), ^uintptr(63), 1 << 31, first ^ 1<<30, ^first, 64}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			was := tt.at
			if n := testing.AllocsPerRun(100, func() {
				Lines(&tt.at)
				for _, at := range tt.at {
					line(*(*unsafe.Pointer)(unsafe.Pointer(&at)))
				}
			}); n != 0 {
				t.Errorf("%v allocations", n)
			}
			if tt.at != was {
				t.Error("the addresses were changed")
			}
		})
	}
}

func BenchmarkLines(b *testing.B) {
	memory := make([]byte, 4096)
	var at [Group]uintptr
	for i := range at {
		at[i] = uintptr(unsafe.Pointer(&memory[i*128]))
	}
	b.ReportAllocs()
	for b.Loop() {
		Lines(&at)
	}
}
