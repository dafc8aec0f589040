//go:build !amd64 && !arm64 && !arm

package prefetch

// Lines does nothing where no instruction for it is known here.
func Lines(*[Group]uintptr) {}

// Pairs does nothing either.
func Pairs(*[Group]uintptr) {}
