//go:build !linux

package main

import "io"

// widthOf knows terminals on Linux only; elsewhere tables have all their columns.
func widthOf(io.Writer) int { return 0 }
