package input

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/gnomon-sensor/gnomon/sensor/logs"
)

// key tells files apart for as long as they are there: a number may be used again when its file has gone.
type key struct{ dev, ino uint64 }

// found is a file that is there.
type found struct {
	key
	path    string
	size    int64
	changed int64 // nanoseconds since 1970
	rotated bool  // its name says that nobody writes it any more
}

// errIrregular is what a log can not be.
var errIrregular = errors.New("it is no regular file")

// look says what is at a path, links followed.
func look(path string) (found, error) {
	info, err := os.Stat(path)
	if err != nil {
		return found{}, err
	}
	return describe(path, info)
}

func describe(path string, info os.FileInfo) (found, error) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() {
		return found{}, fmt.Errorf("%s: %w", path, errIrregular)
	}
	return found{key: key{st.Dev, st.Ino}, path: path, size: info.Size(), changed: info.ModTime().UnixNano()}, nil
}

// openSame opens a file if it is still the one that was found. A pipe that has taken its place does not hold anybody up.
func openSame(path string, k key) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		var is found
		if is, err = describe(path, info); err == nil && is.key == k {
			return f, nil
		}
	}
	return nil, errors.Join(err, f.Close(), errReplaced)
}

// errReplaced is a file that was another one a moment ago; the next round sees which.
var errReplaced = errors.New("another file has taken its place")

// maxPrefix is how many of its first octets a file is told by.
const maxPrefix = 4096

// prefix is what a file is told by when its number does not: so many first octets, without compression, and a hash of them.
type prefix struct {
	Len  int    `json:"len"`
	Hash string `json:"hash"`
}

func prefixOf(head []byte) prefix {
	head = head[:min(len(head), maxPrefix)]
	sum := sha256.Sum256(head)
	return prefix{len(head), hex.EncodeToString(sum[:16])}
}

// of says whether head is the beginning of the file.
func (p *prefix) of(head []byte) bool {
	return p.Len > 0 && len(head) >= p.Len && prefixOf(head[:p.Len]).Hash == p.Hash
}

// place is how far a file has been read.
type place struct {
	Path    string   `json:"path"` // where it was seen last
	Dev     uint64   `json:"dev"`
	Ino     uint64   `json:"ino"`
	Prefix  prefix   `json:"prefix"`
	Offset  int64    `json:"offset"`         // behind the last line that was taken, without compression
	Skip    bool     `json:"skip,omitempty"` // the offset is in a line that is too long
	Header  []string `json:"header,omitempty"`
	Format  string   `json:"format,omitempty"`
	Packed  bool     `json:"packed,omitempty"` // compressed
	Ended   bool     `json:"ended,omitempty"`  // compressed, and read to its end
	Size    int64    `json:"size"`             // in the directory, when it was looked at last
	Changed int64    `json:"changed"`          // when it was changed, then
	Gone    int64    `json:"gone,omitempty"`   // since when it is not there, or holds something else
}

// unread is how much of a file was not read, as far as that is known.
func (p *place) unread() int64 {
	switch {
	case !p.Packed:
		return max(0, p.Size-p.Offset)
	case p.Ended:
		return 0
	}
	return p.Size // not even half is half
}

// headOf returns the first octets of a file without its compression; errUnfinished if a compressed file breaks off in them.
func headOf(f *os.File) (head []byte, packed bool, err error) {
	magic := make([]byte, 4)
	n, _ := f.ReadAt(magic, 0) // a shorter file is not compressed
	packed = logs.Compressed(magic[:n])
	r, err := unpacked(f)
	if err != nil {
		return nil, packed, unfinished(err)
	}
	head = make([]byte, 0, maxPrefix)
	for len(head) < maxPrefix && err == nil {
		n, err = r.Read(head[len(head):maxPrefix])
		head = head[:len(head)+n]
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return head, packed, unfinished(err)
}

// unpacked returns what a file holds, from its beginning.
func unpacked(f *os.File) (io.Reader, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return logs.Unpack(f, info.Size())
}

// unfinished makes an early end something that may go on. A ZIP file has an end, or is damaged.
func unfinished(err error) error {
	if errors.Is(err, logs.ErrArchive) {
		return err
	}
	if errors.Is(err, logs.ErrUnfinishedArchive) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errUnfinished
	}
	return err
}

// errUnfinished is a compressed file that is still being written, or was cut.
var errUnfinished = errors.New("the compressed file is not whole")
