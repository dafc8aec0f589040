package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// writeTo writes a document to a file, whole or not at all, to a device or pipe that is there, or to stdout.
func (p *program) writeTo(path string, write func(io.Writer) error) error {
	if path == "" {
		out := p.out()
		return unwritten("stdout", cmp.Or(write(out), out.Flush()))
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return unwritten(path, writeInto(path, write))
	}
	return unwritten(path, replace(path, write))
}

// replace writes a new file beside the one that is to be, and puts it in its place once it is whole.
func replace(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".gnomon-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	out := bufio.NewWriterSize(f, 1<<16) // documents come in pieces of a few bytes
	if err := cmp.Or(write(out), out.Flush(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// writeInto writes to what is no file and must not be replaced by one: a device, a pipe.
func writeInto(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, 1<<16)
	return cmp.Or(write(out), out.Flush(), f.Close())
}

// unwritten says why a document could not be written, and what to do. It does not name the file that is written first, of which nobody knows.
func unwritten(path string, err error) error {
	if err == nil {
		return nil
	}
	hint := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint = "; make the directory " + filepath.Dir(path) + " first"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		hint = "; choose a place that this user may write to"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		hint = "; free some room, or write it elsewhere"
	case errors.Is(err, syscall.EISDIR):
		hint = "; name a file in it"
	}
	if inner := (*fs.PathError)(nil); errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("writing %s: %w%s", path, err, hint)
}
