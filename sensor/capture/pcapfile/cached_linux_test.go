package pcapfile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestFromCache(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 3<<16)
	for _, tt := range []struct {
		name    string
		refused bool
		piece   int
	}{{"cached", false, 1 << 20}, {"in odd pieces", false, 99_991}, {"refused", true, 1 << 20}} {
		t.Run(tt.name, func(t *testing.T) {
			c, file := cachedFile(t, want)
			c.refused = tt.refused
			var got []byte
			b := make([]byte, tt.piece)
			for {
				n, err := c.Read(b)
				got = append(got, b[:n]...)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes, not the %d of the file", len(got), len(want))
			}
			if c.refused && !tt.refused {
				t.Log("the file system here reads nothing without waiting; the usual way was taken")
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(b); !errors.Is(err, os.ErrClosed) {
				t.Errorf("reading a closed file: %v", err)
			}
		})
	}
}

// A file that is cut while it is read ends where it ends now.
func TestFromCacheCut(t *testing.T) {
	c, file := cachedFile(t, make([]byte, 1<<20))
	b := make([]byte, 1<<19)
	if n, err := io.ReadFull(c, b); err != nil {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if err := os.Truncate(file.Name(), 1000); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(b); n != 0 || err != io.EOF {
		t.Errorf("%d bytes, %v after the cut", n, err)
	}
}

func cachedFile(t *testing.T, content []byte) (*cached, *os.File) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	c, ok := fromCache(file).(*cached)
	if !ok {
		t.Fatal("the file cannot be read past the scheduler")
	}
	return c, file
}
