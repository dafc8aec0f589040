package afpacket

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// TestLiveDrops floods a ring that nobody reads: what it could not hold is counted, and nothing else is missing.
func TestLiveDrops(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	source := open(t, Config{Interfaces: []string{"gnx1"}, BlockSize: blockUnit, Blocks: 2})[0]
	out := newSender(t, "gnx0")
	const count = 1000
	for i := range count {
		out.send(append(datagram(1000, 2000, i), make([]byte, 1000)...))
	}
	frames := finish(t, source)
	stats := source.(capture.Counted).Stats()
	if stats.Dropped == 0 || stats.Freezes == 0 {
		t.Errorf("stats are %+v, want drops and freezes", stats)
	}
	others := stats.Received - uint64(len(frames)) // that the kernel sent by itself
	if sum := stats.Received + stats.Dropped; sum < count || sum > count+others+50 {
		t.Errorf("%d received and %d dropped of %d", stats.Received, stats.Dropped, count)
	}
}

// TestLiveCloseLosesNothing closes right after sending, when the frames are still in a block that is not full.
func TestLiveCloseLosesNothing(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	source := open(t, Config{Interfaces: []string{"gnx1"}, Timeout: 200 * time.Millisecond})[0]
	out := newSender(t, "gnx0")
	const count = 500
	for i := range count {
		out.send(datagram(1000, 2000, i))
	}
	inOrder(t, finish(t, source), count)
	if n, err := source.Next(make([]capture.Frame, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %d, %v, want 0, EOF", n, err)
	}
	if err := source.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func TestLiveCloseEndsNext(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	enter := here(t)
	for _, tt := range []struct {
		name string
		read bool // a reader waits in Next when Close comes
	}{{"while reading", true}, {"never read", false}} {
		t.Run(tt.name, func(t *testing.T) {
			enter(t)
			sources, err := Open(Config{Interfaces: []string{"gnx1"}, BlockSize: blockUnit, Blocks: 2})
			if err != nil {
				t.Fatal(err)
			}
			source := sources[0]
			reading, ended := make(chan struct{}), make(chan error, 1)
			if tt.read {
				go func() {
					batch := make([]capture.Frame, 1)
					_, err := source.Next(batch)
					close(reading)
					for err == nil {
						_, err = source.Next(batch)
					}
					ended <- err
				}()
				<-reading
			}
			if err := source.Close(); err != nil {
				t.Fatal(err)
			}
			if !tt.read {
				_, err := source.Next(make([]capture.Frame, 1))
				ended <- err
			}
			select {
			case err := <-ended:
				if !errors.Is(err, io.EOF) {
					t.Errorf("Next ends with %v, want EOF", err)
				}
			case <-time.After(patience):
				t.Error("Next does not end")
			}
			if !source.(*worker).released {
				t.Error("the memory was not given back")
			}
		})
	}
}

// TestLiveBesideReader asks for figures and closes while another goroutine reads; the race detector looks on.
func TestLiveBesideReader(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	source := open(t, Config{Interfaces: []string{AnyInterface}})[0]
	ended := make(chan uint64)
	go func() {
		var batch [16]capture.Frame
		for received := uint64(0); ; {
			n, err := source.Next(batch[:])
			if received += uint64(n); err != nil {
				ended <- received
				return
			}
		}
	}()
	out := newSender(t, "gnx0")
	for i := range 500 {
		out.send(datagram(1000, 2000, i))
		source.(capture.Counted).Stats()
		source.(capture.Clocked).Now()
		source.(capture.Named).InterfaceName(1)
	}
	for range 2 {
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	}
	received := <-ended
	if stats := source.(capture.Counted).Stats(); stats.Received != received || received < 1000 || stats.Dropped != 0 {
		t.Errorf("the reader got %d frames and the stats are %+v, want 1000 and more on both ends", received, stats)
	}
}
