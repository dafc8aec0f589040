package hugepage

import "golang.org/x/sys/unix"

// allocate maps zeroed memory and asks for huge pages: `madvise` is what most systems are set to.
func allocate(bytes int) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	_ = unix.Madvise(b, unix.MADV_HUGEPAGE) // without huge pages it is only slower
	return b, nil
}

func release(b []byte) { _ = unix.Munmap(b) }
