//go:build !linux

package hugepage

// allocate uses the Go heap where there is no mmap with huge pages; tables work the same, only slower.
func allocate(bytes int, _ bool) ([]byte, error) { return make([]byte, bytes), nil }

func advise([]byte) {}

func populate([]byte) {}

func release([]byte) {}
