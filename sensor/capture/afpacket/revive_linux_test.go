package afpacket

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// logTo is a logger into a buffer, without times.
func logTo(b *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// until reads all sources until the log holds so many of the text, and returns the frames.
func until(t *testing.T, sources []capture.Source, log *bytes.Buffer, text string, count int) (frames []seen) {
	t.Helper()
	for deadline := time.Now().Add(patience); strings.Count(log.String(), text) < count; {
		for _, source := range sources {
			got, err := next(t, source)
			if err != nil {
				t.Fatal(err)
			}
			frames = append(frames, got...)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log does not say %q %d times:\n%s", text, count, log)
		}
	}
	return frames
}

// gather reads all sources until there are so many frames.
func gather(t *testing.T, sources []capture.Source, frames []seen, want int) []seen {
	t.Helper()
	for deadline := time.Now().Add(patience); len(frames) < want; {
		for _, source := range sources {
			got, err := next(t, source)
			if err != nil {
				t.Fatal(err)
			}
			frames = append(frames, got...)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d frames came, want %d", len(frames), want)
		}
	}
	return frames
}

func TestLiveDownAndUp(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	veth(t, "gny0", "gny1")
	for _, workers := range []int{1, 2} {
		var log bytes.Buffer
		sources := open(t, Config{Taps: [][]string{{"gnx1", "gny1"}}, Workers: workers, Logger: logTo(&log)})
		x, y := newSender(t, "gnx0"), newSender(t, "gny0")
		for round := 1; round <= 2; round++ {
			ip(t, "link set gnx1 down")
			y.send(datagram(1000, 2000, round))
			if frames := until(t, sources, &log, "interface is down", round); len(frames) > 1 {
				t.Errorf("%d frames while one interface is down, want 1 at most", len(frames))
			}
			up(t, "gnx1", "gnx0")
			x.send(datagram(1000, 2000, 100+round))
			until(t, sources, &log, "interface is up again", round)
		}
		counts := 0
		for _, source := range sources {
			finish(t, source)
			counts += int(source.(capture.Counted).Stats().Received)
		}
		if counts < 4 {
			t.Errorf("%d workers: %d frames in all, want the 4 that were sent", workers, counts)
		}
		if lines := strings.Count(log.String(), "\n"); lines != 4 {
			t.Errorf("%d workers: %d lines in the log, want 4:\n%s", workers, lines, &log)
		}
	}
}

// TestLiveMadeAnew deletes an interface of a tap and makes it again: capture goes on, with the workers in the same order.
func TestLiveMadeAnew(t *testing.T) {
	if !namespace(t) {
		return
	}
	for _, workers := range []int{1, 2} {
		veth(t, "gnx0", "gnx1")
		veth(t, "gny0", "gny1")
		var log bytes.Buffer
		sources := open(t, Config{Taps: [][]string{{"gnx1", "gny1"}}, Workers: workers, Logger: logTo(&log)})
		newSender(t, "gnx0").send(datagram(1000, 2000, 1))
		ip(t, "link del gnx1")
		frames := until(t, sources, &log, "interface is gone", 1)
		frames = gather(t, sources, frames, 1)
		newSender(t, "gny0").send(datagram(1000, 2000, 2))
		frames = gather(t, sources, frames, 2)
		if frames[0].number != 1 || frames[1].number != 2 {
			t.Errorf("frames %v, want what was received before the interface went, and then from the other", numbers(frames))
		}
		veth(t, "gnx0", "gnx1")
		until(t, sources, &log, "interface is up again", 1)
		for i := range sources { // every worker takes its new ring at its next look
			for source := sources[i].(*worker); source.inputs[0].suspect; {
				if _, err := next(t, source); err != nil {
					t.Fatal(err)
				}
			}
		}
		there, back := newSender(t, "gnx0"), newSender(t, "gny0")
		if workers > 1 {
			sendConversations(there, back)
			oneWorkerEach(t, sources)
		} else {
			there.send(datagram(1000, 2000, 0))
			inOrder(t, collect(t, sources[0], 1), 1)
		}
		for _, source := range sources {
			finish(t, source)
		}
		if lines := strings.Count(log.String(), "\n"); lines > 3 { // gone, perhaps down, up again
			t.Errorf("%d lines in the log:\n%s", lines, &log)
		}
		ip(t, "link del gnx1")
		ip(t, "link del gny1")
	}
}

// TestLiveDownAtStart opens a capture on an interface that is not up yet.
func TestLiveDownAtStart(t *testing.T) {
	if !namespace(t) {
		return
	}
	for _, workers := range []int{1, 2} {
		ip(t, "link add gnx0 type veth peer name gnx1")
		ip(t, "link set gnx0 up")
		var log bytes.Buffer
		sources := open(t, Config{Interfaces: []string{"gnx1"}, Workers: workers, Logger: logTo(&log)})
		until(t, sources, &log, "interface is down", 1)
		up(t, "gnx1", "gnx0")
		until(t, sources, &log, "interface is up again", 1)
		out := newSender(t, "gnx0")
		out.send(datagram(1000, 2000, 0))
		gather(t, sources, nil, 1)
		for _, source := range sources {
			finish(t, source)
		}
		ip(t, "link del gnx1")
	}
}

// TestLiveOpenedLater has a worker start without a ring, as on an interface that is down on a kernel before 6.13.
func TestLiveOpenedLater(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	var log bytes.Buffer
	cfg, err := Config{Interfaces: []string{"gnx1"}, BlockSize: blockUnit, Blocks: 2, Logger: logTo(&log)}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWorker(&cfg, []*port{{cfg: &cfg, name: "gnx1", health: healthDown}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	before := w.Now()
	until(t, []capture.Source{w}, &log, "interface is up again", 1)
	if w.Now() <= before {
		t.Error("time stood still while there was no ring")
	}
	newSender(t, "gnx0").send(datagram(1000, 2000, 0))
	inOrder(t, collect(t, w, 1), 1)
	finish(t, w)
}

// TestLiveDownUnderLoad sees that a worker that always has frames, and so never polls, notices an interface that is down.
func TestLiveDownUnderLoad(t *testing.T) {
	if !namespace(t) {
		return
	}
	veth(t, "gnx0", "gnx1")
	w := open(t, Config{Interfaces: []string{"gnx1"}})[0].(*worker)
	ip(t, "link set gnx1 down")
	if w.tick(time.Now()); !w.inputs[0].suspect {
		t.Error("the interface is not suspect")
	}
}
