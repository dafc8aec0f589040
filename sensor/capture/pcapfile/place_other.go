//go:build !linux

package pcapfile

import "os"

// place is not known here: files are read.
type place struct {
	window []byte
	at     int64
	upto   int64
	size   int64
}

func newPlace(*os.File, int64) *place { return nil }

func (*place) look() bool { return false }

func (*place) move(int64, int64) bool { return false }

func (*place) holds(uintptr) bool { return false }

func (*place) unmap() {}

func (*place) release() {}
