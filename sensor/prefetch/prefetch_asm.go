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

// Pairs asks for two lines from each address on: 128 bytes.
//
//go:noescape
func Pairs(at *[Group]uintptr)
