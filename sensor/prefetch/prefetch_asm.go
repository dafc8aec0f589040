//go:build amd64 || arm64 || arm

package prefetch

// Lines asks for the cache line of each address.
//
//go:noescape
func Lines(at *[Group]uintptr)

// Pairs asks for two lines from each address on: 128 bytes.
//
//go:noescape
func Pairs(at *[Group]uintptr)
