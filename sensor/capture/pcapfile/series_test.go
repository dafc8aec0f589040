package pcapfile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// captureOf writes a capture whose frames have the given times, in seconds.
func captureOf(t *testing.T, dir, name string, times ...int64) string {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range times {
		if err := w.Write(capture.Frame{Data: []byte("frame"), WireLen: 5, Link: 1, Time: s * 1e9}); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Captures are read in the order of their times; one that overlaps begins a new run; a damaged one gives what could be read.
func TestSeries(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name     string
		files    [][]int64 // the times of each file's frames; nil: not a capture
		want     [][]int64 // the times of each run's frames
		complain int
	}{
		{"one", [][]int64{{1, 2}}, [][]int64{{1, 2}}, 0},
		{"in order", [][]int64{{1, 2}, {3, 4}}, [][]int64{{1, 2, 3, 4}}, 0},
		{"out of order", [][]int64{{300, 400}, {1, 2}, {200}}, [][]int64{{1, 2, 200, 300, 400}}, 0},
		{"nearly in order", [][]int64{{100, 200}, {170, 300}}, [][]int64{{100, 200, 170, 300}}, 0},
		{"two views of one time", [][]int64{{100, 900}, {100, 900}}, [][]int64{{100, 900}, {100, 900}}, 0},
		{"empty ones between", [][]int64{{}, {100}, {}, {200}}, [][]int64{{100, 200}}, 0},
		{"no capture", [][]int64{{100}, nil, {200}}, [][]int64{{100, 200}}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var files []string
			for i, times := range c.files {
				if times == nil {
					path := filepath.Join(dir, "text")
					if err := os.WriteFile(path, []byte("no capture at all, but text"), 0o600); err != nil {
						t.Fatal(err)
					}
					files = append(files, path)
					continue
				}
				files = append(files, captureOf(t, dir, string(rune('a'+i)), times...))
			}
			complaints := 0
			s, err := NewSeries(files, Open, func(error) { complaints++ })
			if err != nil {
				t.Fatal(err)
			}
			var got [][]int64
			for {
				if times := seconds(t, s); len(times) > 0 {
					got = append(got, times)
				}
				if !s.Resume() {
					break
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if !slices.EqualFunc(got, c.want, slices.Equal) || complaints != c.complain {
				t.Errorf("runs %v with %d complaints, want %v with %d", got, complaints, c.want, c.complain)
			}
		})
	}
}

func seconds(t *testing.T, s *Series) (at []int64) {
	t.Helper()
	var batch [3]capture.Frame
	for {
		n, err := s.Next(batch[:])
		for _, f := range batch[:n] {
			at = append(at, f.Time/1e9)
		}
		if errors.Is(err, io.EOF) {
			return at
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
