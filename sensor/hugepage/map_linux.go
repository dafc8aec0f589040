package hugepage

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugeSize is the size of a huge page on most machines.
const hugeSize = 2 << 20

// allocate maps zeroed memory, and asks for huge pages if they are wanted: `madvise` is what most systems are set to. What may hold one begins where
// one may begin; kernels from 6.7 on see to that themselves for some lengths. The system need not set aside what is not used yet: a table has the
// addresses of all that it may hold one day.
func allocate(bytes int, huge bool) ([]byte, error) {
	more := 0
	if bytes >= hugeSize {
		more = hugeSize
	}
	at, err := unix.MmapPtr(-1, 0, nil, uintptr(bytes+more), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil {
		return nil, err
	}
	if more > 0 {
		before := -uintptr(at) % hugeSize
		trim(at, before)
		at = unsafe.Add(at, before)
		trim(unsafe.Add(at, pages(bytes)), hugeSize-before)
	}
	b := unsafe.Slice((*byte)(at), bytes)
	if huge {
		advise(b)
	}
	return b, nil
}

// pages rounds up to whole pages.
func pages(bytes int) int {
	size := unix.Getpagesize()
	return (bytes + size - 1) / size * size
}

// trim gives back what lies around.
func trim(at unsafe.Pointer, bytes uintptr) {
	if bytes > 0 {
		_ = unix.MunmapPtr(at, bytes) // it was mapped
	}
}

// advise asks for huge pages: without them it is only slower.
func advise(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }

// populate has pages there for writing (Linux 5.14); without it they come one by one.
func populate(b []byte) { _ = unix.Madvise(b, unix.MADV_POPULATE_WRITE) }

func release(b []byte) { trim(unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b))) }
