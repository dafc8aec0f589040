package pcapfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Sniff says if a file that starts with these bytes (four are enough) can be a capture: classic pcap, pcapng, or something under gzip
// or zstd, which may be anything.
func Sniff(first []byte) bool {
	return isClassic(first) || isNG(first) || compressionOf(first) != plain
}

// Find replaces each directory in paths by the capture files in it and below it, in the order of their paths, and keeps everything else
// as it is. What is a capture is told by the first bytes, under gzip and zstd too, not by the name. Symbolic links are followed; a file
// or directory that can be reached in several ways is taken once for each path given, so loops end.
//
// What was found is returned even if there are errors; each of those names its path.
func Find(paths []string) ([]string, error) {
	var found []string
	var errs []error
	for _, path := range paths {
		if path == "-" {
			found = append(found, path)
			continue
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("looking for captures in %s: %w; check the path", path, bare(err)))
		case !info.IsDir():
			found = append(found, path)
		default:
			s := search{seen: map[identity]bool{}}
			s.enter(path, info)
			if len(s.found) == 0 && len(s.errs) == 0 {
				s.errs = append(s.errs, errNone(path, s.files))
			}
			found = append(found, s.found...)
			errs = append(errs, s.errs...)
		}
	}
	return found, errors.Join(errs...)
}

func errNone(path string, files int) error {
	return fmt.Errorf("looking for captures in %s: none of its %d files is one; give a directory with pcap or pcapng files", path, files)
}

func errUnreadable(path string, err error) error {
	return fmt.Errorf("looking for captures in %s: %w; allow reading it or leave it out", path, bare(err))
}

// search is a walk over one directory.
type search struct {
	seen  map[identity]bool
	files int
	found []string
	errs  []error
}

// identity tells files apart, whatever they are called.
type identity struct{ device, inode uint64 }

// first notes a file or directory and says if it is met for the first time.
func (s *search) first(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	id := identity{device: stat.Dev, inode: stat.Ino}
	if s.seen[id] {
		return false
	}
	s.seen[id] = true
	return true
}

// enter looks at what is in a directory. os.ReadDir sorts it.
func (s *search) enter(directory string, info fs.FileInfo) {
	if !s.first(info) {
		return
	}
	entries, err := os.ReadDir(directory)
	if err != nil {
		s.errs = append(s.errs, errUnreadable(directory, err))
	}
	for _, entry := range entries {
		path := filepath.Join(directory, entry.Name())
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP): // a link to nowhere, or a file that has just gone
		case err != nil:
			s.errs = append(s.errs, errUnreadable(path, err))
		case info.IsDir():
			s.enter(path, info)
		case info.Mode().IsRegular():
			s.look(path, info)
		}
	}
}

// look takes a file if it is a capture.
func (s *search) look(path string, info fs.FileInfo) {
	s.files++
	if info.Size() == 0 || !s.first(info) {
		return
	}
	file, err := os.Open(path)
	if err != nil {
		s.errs = append(s.errs, errUnreadable(path, err))
		return
	}
	defer file.Close()
	head, err := firstBytes(file)
	switch {
	case err != nil:
		s.errs = append(s.errs, fmt.Errorf("looking for captures in %s: %w; repair it or leave it out", path, bare(err)))
	case isClassic(head), isNG(head):
		s.found = append(s.found, path)
	}
}

// firstBytes returns the first four bytes of a file, decompressed; fewer if that is all there is or can be unpacked.
func firstBytes(file io.Reader) ([]byte, error) {
	disk := &meter{in: file}
	head := make([]byte, magicSize)
	n, _ := io.ReadFull(disk, head) // a short file is no capture; what the disk says is looked at below
	if c := compressionOf(head[:n]); c != plain {
		n = 0
		if in, err := c.reader(io.MultiReader(bytes.NewReader(bytes.Clone(head)), disk)); err == nil {
			n, _ = io.ReadFull(in, head)
		}
	}
	return head[:n], disk.err
}
