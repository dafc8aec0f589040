package journal

import (
	"io"
	"os"
	"path/filepath"
)

// Dir is the directory of a journal: the seam at which tests forget what was not synced.
type Dir interface {
	// Create makes a file that is not there yet.
	Create(name string) (File, error)
	// Open opens a file that is there, for reading and truncating.
	Open(name string) (File, error)
	// List names the files and their sizes, in any order.
	List() ([]Entry, error)
	// Rename gives a file another name; it replaces what has that name.
	Rename(from, to string) error
	// Remove removes a file; one that is open can still be read.
	Remove(name string) error
	// Sync makes what was created, renamed and removed outlive a loss of power.
	Sync() error
}

// File is a file of the journal. Write appends.
type File interface {
	io.ReaderAt
	io.Writer
	io.Closer
	Truncate(size int64) error
	// Sync makes what was written outlive a loss of power.
	Sync() error
}

// Entry is a file in a directory.
type Entry struct {
	Name string
	Size int64
}

// Disk is a directory of the file system.
type Disk string

var _ Dir = Disk("")

// OpenDisk makes the directory if it is not there. Others may not look into it: records tell who does what.
func OpenDisk(path string) (Disk, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", err
	}
	return Disk(path), Disk(filepath.Dir(path)).Sync()
}

// Create implements Dir.
func (d Disk) Create(name string) (File, error) {
	return file(os.OpenFile(filepath.Join(string(d), name), os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o600))
}

// Open implements Dir.
func (d Disk) Open(name string) (File, error) {
	return file(os.OpenFile(filepath.Join(string(d), name), os.O_RDWR|os.O_APPEND, 0))
}

// file keeps a nil *os.File from becoming a File that is not nil.
func file(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

// List implements Dir.
func (d Disk) List() ([]Entry, error) {
	names, err := os.ReadDir(string(d))
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, n := range names {
		if info, err := n.Info(); err == nil && info.Mode().IsRegular() { // else it has just gone
			all = append(all, Entry{n.Name(), info.Size()})
		}
	}
	return all, nil
}

// Rename implements Dir.
func (d Disk) Rename(from, to string) error {
	return os.Rename(filepath.Join(string(d), from), filepath.Join(string(d), to))
}

// Remove implements Dir.
func (d Disk) Remove(name string) error { return os.Remove(filepath.Join(string(d), name)) }

// Sync implements Dir.
func (d Disk) Sync() error {
	f, err := os.Open(string(d))
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
