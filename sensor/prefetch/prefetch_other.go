//go:build !amd64 && !arm64 && !arm

package prefetch

import "unsafe"

// Lines does nothing where no instruction for it is known here.
func Lines(*[Group]uintptr) {}

// line does nothing either.
func line(unsafe.Pointer) {}
