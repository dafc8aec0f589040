// Package exporters holds the seam through which records leave the sensor. Each way out lives in a sub-directory; batching, retry and
// durability live once, in front of all of them (package spool), so that no exporter has a retry loop of its own.
package exporters

import (
	"context"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// State is what became of one event.
type State uint8

// The outcomes. The zero value is Again, so that an exporter that forgets an event loses nothing.
const (
	Again  State = iota // not stored now; try this event again
	Stored              // stored, or was there already
	Never               // will never be accepted as it is; goes to the dead letters with the reason
)

// Outcome is the fate of one event of a batch.
type Outcome struct {
	State     State
	Duplicate bool   // for Stored: it was there already
	Reason    string // for Never and Again: what the other side said
}

// Exporter takes batches of events out of the process.
type Exporter interface {
	// Export writes batch and sets out[i] for batch[i]; len(out) == len(batch). A non-nil error means that none was tried and out is
	// not looked at. Events and their memory belong to the caller and are not changed. Export is called from one goroutine.
	Export(ctx context.Context, batch []event.Event, out []Outcome) error
	// Close flushes what Export accepted and lets go of everything. Export is not called after it.
	Close() error
}

// Sized is an Exporter that wants batches of another size than others.
type Sized interface {
	// BatchSize is how many events Export takes at most; it does not change.
	BatchSize() int
}

// Forgetful is an Exporter that may not know whether it has an event already.
type Forgetful interface {
	// Forgets says that events which were called stored would be there twice if they were exported again after a crash, except those of the
	// last batch.
	Forgets() bool
}
