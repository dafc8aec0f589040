package spool

import (
	"context"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Room makes those wait who can while half of the memory is full of what the disk has not taken, and Sync makes room at once.
func TestRoomInMemory(t *testing.T) {
	c := testConfig(t.TempDir(), "store")
	c.Memory, c.Sync = 64<<10, time.Hour
	s := openSpool(t, c)
	attach(t, s, "store", newFake(func(int, *event.Event) (exporters.State, error) { return exporters.Stored, nil }))
	n := 0
	for full := false; !full && n < 10000; n++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		full = s.Room(ctx) != nil
		cancel()
		if !full {
			offer(s, n, 1)
		}
	}
	if _, pending := s.journal.Pending(); n == 10000 || pending > c.Memory*3/4 || s.Stats().Refused != 0 {
		t.Errorf("after %d records %d octets wait; %+v", n, pending, s.Stats())
	}
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := s.Room(context.Background()); err != nil {
		t.Error(err)
	}
	if written := s.Stats().Written; written != uint64(n-1) {
		t.Errorf("%d of %d records are on the disk", written, n-1)
	}
	closeSpool(t, s)
}
