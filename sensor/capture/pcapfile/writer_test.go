package pcapfile

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

func TestWriter(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := []capture.Frame{
		{Data: payload(60), Time: startNano + 999_999_999, WireLen: 1500, Link: 1},
		{Data: nil, Time: 0, WireLen: 0, Link: 1},
		{Data: payload(maxFrame), Time: (1<<32 - 1) * 1e9, WireLen: maxFrame, Link: 1},
	}
	for _, frame := range want {
		if err := w.Write(frame); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name  string
		frame capture.Frame
		want  string
	}{
		{"too long", capture.Frame{Data: payload(maxFrame + 1), Link: 1}, "writing a frame of 262145 bytes: a capture file holds 262144 at most"},
		{"other link", capture.Frame{Link: 101}, "this file is for type 1; use one file for each"},
		{"before 1970", capture.Frame{Link: 1, Time: -1}, "holds times from 1970 to 2106"},
		{"after 2106", capture.Frame{Link: 1, Time: math.MaxInt64}, "holds times from 1970 to 2106"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := w.Write(c.frame); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	got, _, err := readAll(t, &b, 8)
	if !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
	same(t, got, want)
}

func TestWriterFullDisk(t *testing.T) {
	full := errors.New("no space left on device")
	for _, c := range []struct {
		name string
		room int
		want string
	}{
		{"header", 0, "writing the header of a capture file: no space left on device"},
		{"frame", 24, "writing a frame to a capture file: no space left on device"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, err := NewWriter(&small{room: c.room, err: full}, 1)
			if err == nil {
				err = w.Write(capture.Frame{Data: payload(60), Link: 1})
			}
			if !errors.Is(err, full) || err.Error() != c.want {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// small is a writer with room for so many bytes.
type small struct {
	room int
	err  error
}

func (s *small) Write(b []byte) (int, error) {
	if len(b) > s.room {
		return 0, s.err
	}
	s.room -= len(b)
	return len(b), nil
}
