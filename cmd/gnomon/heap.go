package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

const (
	// firstCollection is how large the heap of a command that reads files once grows before the first garbage collection. The catalogue
	// and the first tables stay, so that looking through them on the way there frees little.
	//
	// Measured: 3 to 6 % of the processor time of a scan of 1.6 GB with 32 MB, a fifth of a scan of one packet; with 64 MB the two collections that a
	// scan of 400,000 handshakes went through fall away, 16 ms of its 960, at a peak of 121 MB for 118.
	firstCollection = 64 << 20

	leastHeap       = 4 << 20 // the Go runtime begins with a collection at this size
	usualPercentage = 100     // of growth from one collection to the next; the runtime's own default
)

// collectLater puts the first garbage collection off. After it, all is as usual. A GOGC that the user has set is left alone.
func collectLater() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(usualPercentage * firstCollection / leastHeap)
	// The first collection finds that nothing holds this. It must not share a block with anything that lives.
	sentinel := new([64]byte)
	runtime.AddCleanup(sentinel, func(percentage int) { debug.SetGCPercent(percentage) }, usualPercentage)
}
