package hugepage

import "golang.org/x/sys/unix"

// allocate maps zeroed memory, and asks for huge pages if they are wanted: `madvise` is what most systems are set to.
func allocate(bytes int, huge bool) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	if huge {
		advise(b)
	}
	return b, nil
}

// advise asks for huge pages: without them it is only slower.
func advise(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }

// populate has pages there for writing (Linux 5.14); without it they come one by one.
func populate(b []byte) { _ = unix.Madvise(b, unix.MADV_POPULATE_WRITE) }

func release(b []byte) { _ = unix.Munmap(b) }
