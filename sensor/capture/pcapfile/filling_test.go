package pcapfile

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// Where batches end follows from the file, not from how much the kernel gave at once.
func TestFilling(t *testing.T) {
	data := variants()[0].file
	batches := func(in io.Reader) (sizes []int) {
		f, err := open(filling{in}, nil, "test", 0)
		if err != nil {
			t.Fatal(err)
		}
		batch := make([]capture.Frame, 1<<10)
		for {
			n, err := f.Next(batch)
			if err == io.EOF {
				return sizes
			}
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, n)
		}
	}
	want := batches(bytes.NewReader(data))
	for _, tt := range []struct {
		name string
		in   io.Reader
	}{
		{"byte by byte", iotest.OneByteReader(bytes.NewReader(data))},
		{"halves", iotest.HalfReader(bytes.NewReader(data))},
		{"the end with the data", iotest.DataErrReader(bytes.NewReader(data))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := batches(tt.in); !slices.Equal(got, want) {
				t.Errorf("batches of %v frames, want %v", got, want)
			}
		})
	}
}
