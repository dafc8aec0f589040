//go:build !linux

package flow

// allocate uses the Go heap where there is no mmap with huge pages; the table works the same, only slower.
func allocate(bytes int) ([]byte, error) { return make([]byte, bytes), nil }

func release([]byte) {}
