package main

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A document replaces a file as a whole, and never a pipe or a device, such as /dev/null.
func TestWriteTo(t *testing.T) {
	document := func(w io.Writer) error {
		_, err := io.WriteString(w, "document")
		return err
	}
	for _, tt := range []struct {
		name string
		make func(path string) error
		want fs.FileMode
	}{
		{"nothing there", func(string) error { return nil }, 0},
		{"a file", func(path string) error { return os.WriteFile(path, []byte("something longer than it"), 0o600) }, 0},
		{"a pipe", func(path string) error { return unix.Mkfifo(path, 0o600) }, fs.ModeNamedPipe},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "report")
			if err := tt.make(path); err != nil {
				t.Fatal(err)
			}
			var in *os.File
			if tt.want != 0 { // held open at both ends, as neither open would return without the other
				var err error
				if in, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
					t.Fatal(err)
				}
				defer in.Close()
			}
			if err := (&program{}).writeTo(path, document); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Type() != tt.want {
				t.Fatalf("it is %v now, %v; want type %v", info, err, tt.want)
			}
			if in == nil {
				if in, err = os.Open(path); err != nil {
					t.Fatal(err)
				}
				defer in.Close()
			}
			got := make([]byte, 100)
			if n, err := in.Read(got); err != nil || string(got[:n]) != "document" {
				t.Errorf("it holds %q, %v", got[:n], err)
			}
		})
	}
}

// What cannot be written is named as it was given, with what to do, and leaves nothing behind.
func TestUnwritten(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name, path string
		fails      error // of making the document
		want       string
	}{
		{"no directory", filepath.Join(dir, "none", "report.pdf"), nil, "no such file or directory; make the directory " + filepath.Join(dir, "none") + " first"},
		{"a directory", dir, nil, "is a directory; name a file in it"},
		{"no room", "/dev/full", nil, "no space left on device; free some room, or write it elsewhere"},
		{"not made", filepath.Join(dir, "report.pdf"), errors.New("drawing it: no ink"), "drawing it: no ink"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := (&program{}).writeTo(tt.path, func(w io.Writer) error {
				_, err := io.WriteString(w, "document")
				return cmp.Or(tt.fails, err)
			})
			if want := "writing " + tt.path + ": " + tt.want; err == nil || err.Error() != want {
				t.Errorf("error %v; want %s", err, want)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
