// Package hugepage lends memory outside the Go heap, of which the garbage collector need not know, for tables that are read at random on the
// path of every packet; in huge pages where the system has them and they are worth their price. It keeps nothing itself.
package hugepage

import (
	"fmt"
	"math"
	"unsafe"
)

// Make returns n zeroed values of T, page-aligned. T must hold no pointers: the garbage collector does not look there. Where memory runs
// out it is an error, which names what the memory was for.
//
// huge asks for huge pages. They spare page-table misses in tables much larger than the processor's caches, and a fault for every 4 KiB: 40 MiB took 4.5 ms
// against 22. But a hypervisor may have to find each of them first: then it was 75 ms, and 64 MiB took 150 to 210 ms against 35. What is
// small, or used for a moment, should not ask.
func Make[T any](n int, what string, huge bool) ([]T, error) {
	var one T
	size := int(unsafe.Sizeof(one))
	if n > (math.MaxInt-4<<20)/size { // where addresses have 32 bits
		return nil, fmt.Errorf("mapping memory for %s: %d times %d bytes are more than there are addresses; give it less", what, n, size)
	}
	b, err := allocate(n*size, huge)
	if err != nil {
		return nil, fmt.Errorf("mapping %d bytes for %s: %w; give it less or free memory", n*size, what, err)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n), nil
}

// Advise asks for huge pages in a part of what Make returned without, from where on they are worth their price.
func Advise[T any](s []T) {
	var one T
	if len(s) > 0 {
		advise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(one))))
	}
}

// Touch has all of s there at once where the system knows how to, for a table that will soon be used all over, and be read at a place before it is
// written: page by page the first read and the first write of each would be a fault of its own. In BenchmarkFirstReads 4 MiB cost 3.4 ms that way and
// 1.5 ms this way. What is written from one end to the other gains nothing: its pages come into the cache when they are wanted.
func Touch[T any](s []T) {
	var one T
	if len(s) > 0 {
		populate(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(one))))
	}
}

// Free gives the memory of s back, all that Make returned. Nothing may touch it afterwards.
func Free[T any](s []T) {
	var one T
	if len(s) > 0 {
		release(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(one))))
	}
}
