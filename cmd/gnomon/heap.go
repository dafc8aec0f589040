package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

const (
	// firstCollection is how large the heap of a command that reads files once grows before the first garbage collection. The catalogue
	// and the first tables take half of it and stay, so that looking through them on the way there frees nothing.
	//
	// Measured: 3 to 6 % of the processor time of a scan of 1.6 GB, a fifth of a scan of one packet; no larger at its peak.
	firstCollection = 32 << 20

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
