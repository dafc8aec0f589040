package pcapfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

func TestRead(t *testing.T) {
	for _, v := range variants() {
		half := len(v.file) / 2
		for _, form := range []struct {
			name string
			open func() io.Reader
		}{
			{"whole", func() io.Reader { return bytes.NewReader(v.file) }},
			{"byte by byte", func() io.Reader { return iotest.OneByteReader(bytes.NewReader(v.file)) }},
			{"end with the data", func() io.Reader { return iotest.DataErrReader(bytes.NewReader(v.file)) }},
			{"gzip", func() io.Reader { return bytes.NewReader(gzipOf(t, v.file[:half], v.file[half:])) }},
			{"gzip byte by byte", func() io.Reader { return iotest.OneByteReader(bytes.NewReader(gzipOf(t, v.file))) }},
			{"zstd", func() io.Reader { return bytes.NewReader(zstdOf(t, v.file[:half], v.file[half:])) }},
			{"zstd byte by byte", func() io.Reader { return iotest.OneByteReader(bytes.NewReader(zstdOf(t, v.file))) }},
		} {
			for _, batch := range []int{1, 3, 64} {
				t.Run(fmt.Sprintf("%s/%s/%d", v.name, form.name, batch), func(t *testing.T) {
					got, f, err := readAll(t, form.open(), batch)
					if !errors.Is(err, io.EOF) {
						t.Fatalf("got error %v, want EOF", err)
					}
					same(t, got, v.want)
					if n := f.Stats().Received; n != uint64(len(v.want)) {
						t.Errorf("got %d frames received, want %d", n, len(v.want))
					}
				})
			}
		}
	}
}

func TestInterfaceNames(t *testing.T) {
	for _, c := range []struct {
		name string
		file []byte
		want []string
	}{
		{"two interfaces", ngVariant("", binary.BigEndian).file, []string{"eth1", "any", ""}},
		{"repeated in the third section", sectionsVariant().file, []string{"eth1", "eth2", ""}},
		{"classic pcap has none", variants()[0].file, []string{"", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, f, _ := readAll(t, bytes.NewReader(c.file), 8)
			for i, want := range c.want {
				if got := f.InterfaceName(uint16(i)); got != want {
					t.Errorf("interface %d: got %q, want %q", i, got, want)
				}
			}
		})
	}
}

func TestDropped(t *testing.T) {
	n := &ngFile{}
	n.section(binary.LittleEndian)
	n.iface(1, 0)
	n.iface(1, 0)
	count := func(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }
	n.statistics(0, option{5, count(10)})
	n.statistics(0, option{5, count(10)}, option{7, count(3)}) // totals: three more
	n.statistics(1, option{4, count(99)}, option{5, count(1)}) // 4 is what was received
	n.statistics(9, option{5, count(1000)})
	_, f, err := readAll(t, bytes.NewReader(n.b), 8)
	if got := f.Stats(); !errors.Is(err, io.EOF) || got.Dropped != 14 || got.Received != 0 {
		t.Errorf("got %+v and %v, want 14 dropped and EOF", got, err)
	}
}

func TestFirstBytes(t *testing.T) {
	header := variants()[0].file[:24]
	for _, c := range []struct {
		name string
		file []byte
		want string // "" is a capture without frames
	}{
		{"header only", header, ""},
		{"header only, gzip", gzipOf(t, header), ""},
		{"pcapng section only", variants()[3].file[:12+16+16], ""},
		{"empty", nil, "reading x.pcap: the file is empty: not a capture file; give"},
		{"empty under gzip", gzipOf(t, nil), "reading x.pcap: the file is empty: not a capture file; give"},
		{"three bytes", header[:3], "reading x.pcap: it starts with bytes d4c3b2: not a capture file; give"},
		{"text", []byte("hello, world, this is a log\n"), "reading x.pcap: it starts with bytes 68656c6c: not a capture file"},
		{"text under zstd", zstdOf(t, []byte("hello, world")), "reading x.pcap: it starts with bytes 68656c6c: not a"},
		{"pcapng magic only", []byte{0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 1, 2, 3, 4}, "byte-order magic 01020304 is none: not a capture file"},
		{"cut header", header[:20], "record 1 at byte 0: takes 24 bytes, of which the file has 20; the 0 frames before it were used"},
		{"gzip header only", []byte{0x1f, 0x8b, 8, 0}, "record 1 at byte 0: the compressed data ends in the middle; the 0 frames"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := readAll(t, bytes.NewReader(c.file), 8)
			if c.want == "" && !errors.Is(err, io.EOF) {
				t.Errorf("got error %v, want EOF", err)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %q", err, c.want)
			}
			if strings.Contains(c.want, "not a capture") && !errors.Is(err, ErrNotCapture) {
				t.Errorf("%v is not ErrNotCapture", err)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	v := variants()[0]
	for _, c := range []struct {
		name string
		file []byte
	}{{"plain", v.file}, {"gzip", gzipOf(t, v.file)}, {"zstd", zstdOf(t, v.file)}} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, c.name)
			if err := os.WriteFile(path, c.file, 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := drain(f, 8)
			if !errors.Is(err, io.EOF) {
				t.Errorf("got error %v, want EOF", err)
			}
			same(t, got, v.want)
			if done, total := f.Progress(); done != int64(len(c.file)) || total != done {
				t.Errorf("got progress %d of %d, want %d of as many", done, total, len(c.file))
			}
			if f.Name() != path {
				t.Errorf("got name %s, want %s", f.Name(), path)
			}
			if err := errors.Join(f.Close(), f.Close()); err != nil {
				t.Errorf("closing twice: %v", err)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "no"), "opening capture file " + filepath.Join(dir, "no") + ": no such file or directory; check the path and the permission to read it"},
		{"directory", dir, "it is a directory; name the files in it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Open(c.path); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestPipe reads from pipes that give bytes late, and closes one that waits.
func TestPipe(t *testing.T) {
	v := variants()[0]
	for _, c := range []struct {
		name string
		open func(r *os.File) (*File, error)
	}{
		{"standard input", func(r *os.File) (*File, error) {
			in := newStdin(r)
			return open(in, in, "standard input", in.size())
		}},
		{"path", func(r *os.File) (*File, error) { return Open(fmt.Sprintf("/dev/fd/%d", r.Fd())) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			defer w.Close()
			if _, err := w.Write(v.file); err != nil { // a pipe holds it
				t.Fatal(err)
			}
			f, err := c.open(r)
			if err != nil {
				t.Fatal(err)
			}
			batch := make([]capture.Frame, len(v.want))
			n, err := f.Next(batch)
			if n != len(v.want) || err != nil {
				t.Fatalf("got %d frames and %v, want %d before the pipe ends", n, err, len(v.want))
			}
			same(t, batch, v.want)
			ended := make(chan error)
			go func() {
				_, err := f.Next(batch)
				ended <- err
			}()
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if err := <-ended; !errors.Is(err, os.ErrClosed) {
				t.Errorf("got %v from Next after Close, want os.ErrClosed", err)
			}
			if _, total := f.Progress(); total != 0 {
				t.Errorf("got total %d for a pipe, want 0", total)
			}
		})
	}
}

func TestRedirected(t *testing.T) {
	v := variants()[0]
	path := filepath.Join(t.TempDir(), "a.pcap")
	if err := os.WriteFile(path, append([]byte("before"), v.file...), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Seek(6, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	in := newStdin(file)
	f, err := open(in, in, "standard input", in.size())
	if err != nil {
		t.Fatal(err)
	}
	got, err := drain(f, 8)
	if !errors.Is(err, io.EOF) {
		t.Errorf("got error %v, want EOF", err)
	}
	same(t, got, v.want)
	if done, total := f.Progress(); done != total || total != int64(len(v.file)) {
		t.Errorf("got progress %d of %d, want %d", done, total, len(v.file))
	}
}

func TestBrokenDisk(t *testing.T) {
	v := variants()[0]
	sick := errors.New("input/output error")
	for _, c := range []struct {
		name string
		r    io.Reader
		is   error
	}{
		{"plain", io.MultiReader(bytes.NewReader(v.file), iotest.ErrReader(sick)), sick},
		{"gzip", io.MultiReader(bytes.NewReader(gzipOf(t, v.file)), iotest.ErrReader(sick)), sick},
		{"no progress", io.MultiReader(bytes.NewReader(v.file), idle{}), io.ErrNoProgress},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := readAll(t, c.r, 8)
			if !errors.Is(err, c.is) {
				t.Errorf("got %v, want %v", err, c.is)
			}
			if errors.As(err, new(*DamagedError)) {
				t.Errorf("%v: a sick disk is not a damaged file", err)
			}
			same(t, got, v.want)
		})
	}
}

// idle is a reader that never has anything to give.
type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }
