package synthetic

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/gnomon-sensor/gnomon/testdata/lab/packet"
)

// TestCommitted holds the committed cases against what the package makes.
func TestCommitted(t *testing.T) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			for name, want := range c.Files() {
				got, err := os.ReadFile(filepath.Join("../../cases", c.Name, name))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%s differs from what is made today; run go run . synthetic ../cases", name)
				}
			}
		})
	}
}

// TestFrames reads every frame back.
func TestFrames(t *testing.T) {
	for _, c := range Cases() {
		flows := map[packet.Flow]int{}
		for i, f := range c.Frames {
			p, ok := packet.Parse(f.Data)
			if !ok {
				t.Fatalf("%s: frame %d is none", c.Name, i)
			}
			flows[p.Flow]++
			if header := f.Data[14:34]; checksum(header) != 0 {
				t.Errorf("%s: frame %d has a wrong checksum", c.Name, i)
			}
		}
		if len(flows) < len(c.Truth) {
			t.Errorf("%s: %d directions for %d conversations", c.Name, len(flows), len(c.Truth))
		}
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	for _, c := range Cases() {
		if err := c.Write(dir); err != nil {
			t.Fatal(err)
		}
		for name, want := range c.Files() {
			if got, err := os.ReadFile(filepath.Join(dir, c.Name, name)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s/%s: %d bytes, %v", c.Name, name, len(got), err)
			}
		}
	}
}
