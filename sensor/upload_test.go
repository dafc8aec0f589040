package sensor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// sums are what slices have to add up to, by flow.
type sums struct {
	up, down uint64
	upload   event.Upload
	known    int
}

func sumsOf(r *recorder) map[string]sums {
	all := map[string]sums{}
	for _, ev := range flowsOf(r) {
		if ev.Source.Bytes == nil {
			continue // a further name
		}
		s := all[ev.Gnomon.Flow.ID]
		s.up += *ev.Source.Bytes
		s.down += *ev.Destination.Bytes
		if u := ev.Gnomon.Upload; u != nil {
			s.upload.Bytes += u.Bytes
			s.upload.Low += u.Low
			s.upload.High += u.High
			s.upload.Bursts += u.Bursts
			s.upload.Turns += u.Turns
			s.known = 1
		}
		all[ev.Gnomon.Flow.ID] = s
	}
	return all
}

// The slices of a flow add up to the whole, to the byte, however short they are.
func TestSlicesAddUp(t *testing.T) {
	classify := classifier(t)
	dirs, err := os.ReadDir(casesDir)
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, dir := range dirs {
		path := filepath.Join(casesDir, dir.Name())
		whole := settings()
		whole.All = true
		want := sumsOf(runWith(t, whole, input(t, path), classify))
		for _, every := range []int64{1e6, 7e6, 1e9} {
			t.Run(fmt.Sprintf("%s/%d ms", dir.Name(), every/1e6), func(t *testing.T) {
				sliced := settings()
				sliced.All, sliced.SliceAll, sliced.FirstSlice, sliced.Slice = true, true, every, every
				got := sumsOf(runWith(t, sliced, input(t, path), classify))
				for id, sum := range want {
					if got[id] != sum {
						t.Errorf("slices of %s add up to %+v, want %+v", id, got[id], sum)
					}
				}
				if len(got) != len(want) {
					t.Errorf("%d flows, want %d", len(got), len(want))
				}
			})
		}
	}
}

// A sensor that is started anew amid a flow goes on without repeating or inventing: both halves together are the whole but for what was
// on the way when it stopped.
func TestRestart(t *testing.T) {
	for _, name := range []string{"upload-50k", "curl-h1", "firefox-quic", "go-quic", "node-websocket", "python-h1"} {
		frames := framesOf(t, filepath.Join(casesDir, name))
		all := settings()
		all.All = true
		whole := most(run(t, all, &tape{frames: frames}))
		for cut := 1; cut < len(frames); cut += max(1, len(frames)/40) {
			t.Run(fmt.Sprintf("%s at %d", name, cut), func(t *testing.T) {
				first, second := settings(), settings()
				first.All, second.All = true, true
				early, late := run(t, first, &tape{frames: frames[:cut]}), run(t, second, &tape{frames: frames[cut:]})
				before, after := most(early), most(late)
				if id := inBoth(early, late); id != "" {
					t.Errorf("the record %s was written twice", id)
				}
				if low := before.upload.Low + after.upload.Low; low > whole.upload.High {
					t.Errorf("at least %d bytes, want at most %d", low, whole.upload.High)
				}
				if up := before.up + after.up; up > whole.up {
					t.Errorf("%d bytes, want at most %d", up, whole.up)
				}
				got := before.upload.Bytes + after.upload.Bytes
				const slack = 4096 // heads, and a record cut in two
				if got > whole.upload.Bytes+slack || before.upload.High+after.upload.High+slack < whole.upload.Bytes {
					t.Errorf("%d and %d bytes, want %d together", before.upload.Bytes, after.upload.Bytes, whole.upload.Bytes)
				}
			})
		}
	}
}

// inBoth returns a record that two runs have written, if there is one.
func inBoth(a, b *recorder) string {
	seen := map[string]bool{}
	for _, ev := range flowsOf(a) {
		seen[ev.Event.ID] = true
	}
	for _, ev := range flowsOf(b) {
		if seen[ev.Event.ID] {
			return ev.Event.ID
		}
	}
	return ""
}

// most is the flow that sent the most.
func most(r *recorder) (out sums) {
	for _, s := range sumsOf(r) {
		if s.up > out.up {
			out = s
		}
	}
	return out
}

func TestOnward(t *testing.T) {
	v := sensor.NewVisits()
	v.Through("10.0.0.9", "openai-chatgpt", "10.0.0.1", 1e9)
	tests := []struct {
		name, address, service string
		at                     int64
		want                   bool
	}{
		{"the proxy, at once", "10.0.0.9", "openai-chatgpt", 2e9, true},
		{"the proxy, within the visit", "10.0.0.9", "openai-chatgpt", 1000e9, true},
		{"the proxy, much later", "10.0.0.9", "openai-chatgpt", 1900e9, false},
		{"the proxy, for itself", "10.0.0.9", "claude", 2e9, false},
		{"the client", "10.0.0.1", "openai-chatgpt", 2e9, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if client, ok := v.Onward(tt.address, tt.service, tt.at); ok != tt.want || ok && client != "10.0.0.1" {
				t.Errorf("%q, %v, want %v", client, ok, tt.want)
			}
		})
	}
}
