//go:build amd64 || arm64 || arm

package prefetch

import "unsafe"

// Lines asks for the cache line of each address.
//
//go:noescape
func Lines(at *[Group]uintptr)

// line asks for one line.
//
//go:noescape
func line(at unsafe.Pointer)
