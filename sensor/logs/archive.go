package logs

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// What a ZIP file begins with: a file in it, or the end of its directory if there is none (APPNOTE.TXT, sections 4.3.7 and 4.3.16).
var (
	zipMagic      = []byte("PK\x03\x04")
	zipEmptyMagic = []byte("PK\x05\x06")
)

const (
	// zipEnd is the length of the end of the directory without its comment, which has at most so many octets.
	zipEnd, zipComment = 22, 1<<16 - 1
	// maxDirectory bounds the directory of a ZIP file in octets, which is held in memory as a whole: about 20,000 files.
	maxDirectory = 2 << 20
)

// ErrArchive is a ZIP file that is not read, for the reason that stands beside it. ErrUnfinishedArchive is one that has no end: it may still be written.
var (
	ErrArchive           = errors.New("the ZIP file is not read")
	ErrUnfinishedArchive = errors.New("the ZIP file has no end")
)

// Unpack returns what a file holds, without its compression: what Decompress knows, and the files in a ZIP file one after the other, each ending in a
// line feed. Of a ZIP file the directory alone is held in memory, and is bounded.
func Unpack(f io.ReaderAt, size int64) (*bufio.Reader, error) {
	head := make([]byte, len(zipMagic))
	n, _ := f.ReadAt(head, 0) // a shorter file is no archive
	if !Archived(head[:n]) {
		return Decompress(io.NewSectionReader(f, 0, 1<<62))
	}
	z, err := openArchive(f, size)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(z, 64<<10), nil
}

// Archived says whether a file that begins with head is a ZIP file.
func Archived(head []byte) bool {
	return bytes.Equal(head, zipMagic) || bytes.Equal(head, zipEmptyMagic)
}

// archive reads the files of a ZIP file one after the other.
type archive struct {
	files []*zip.File
	now   io.ReadCloser // nil: between two files
	name  string
	last  byte
}

// openArchive reads the directory, if it is not too large, and looks whether every file in it can be read as a log.
func openArchive(f io.ReaderAt, size int64) (*archive, error) {
	if err := checkDirectory(f, size); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(f, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are only shown
		return nil, fmt.Errorf("%w: %w", ErrArchive, err)
	}
	a := &archive{}
	packed := uint64(0)
	for _, file := range z.File {
		if packed += file.CompressedSize64; packed > uint64(size) || file.CompressedSize64 > uint64(size) {
			return nil, fmt.Errorf("%w: the files in it lie upon each other", ErrArchive)
		}
		if passedOver(file) {
			continue
		}
		if err := legible(file); err != nil {
			return nil, err
		}
		a.files = append(a.files, file)
	}
	return a, nil
}

// checkDirectory finds the end of the directory (APPNOTE.TXT, section 4.3.16) and bounds what lies before it.
func checkDirectory(f io.ReaderAt, size int64) error {
	tail := make([]byte, min(size, zipEnd+zipComment))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	at := endOfDirectory(tail)
	if at < 0 {
		return ErrUnfinishedArchive
	}
	end := size - int64(len(tail)) + int64(at)
	directory, offset := int64(binary.LittleEndian.Uint32(tail[at+12:])), int64(binary.LittleEndian.Uint32(tail[at+16:]))
	switch {
	case offset == 1<<32-1 || directory == 1<<32-1 || binary.LittleEndian.Uint16(tail[at+10:]) == 1<<16-1:
		return fmt.Errorf("%w: it is larger than 4 GiB or holds more than 65,534 files (ZIP64); unpack it first", ErrArchive)
	case directory > maxDirectory || offset < end-directory-maxDirectory || offset > end:
		return fmt.Errorf("%w: it holds too many files, or its directory is damaged; unpack it first", ErrArchive)
	}
	return nil
}

// endOfDirectory is where in the last octets of a file the end of its directory begins, with a comment that fits behind it; negative: nowhere.
func endOfDirectory(tail []byte) int {
	for i := len(tail) - zipEnd; i >= 0; i-- {
		if bytes.HasPrefix(tail[i:], zipEmptyMagic) && int(binary.LittleEndian.Uint16(tail[i+zipEnd-2:])) <= len(tail)-i-zipEnd {
			return i
		}
	}
	return -1
}

// passedOver says whether a file is none of those that somebody put there: a directory, an empty one, what a file manager adds.
func passedOver(f *zip.File) bool {
	return strings.HasSuffix(f.Name, "/") || f.UncompressedSize64 == 0 || strings.HasPrefix(f.Name, "__MACOSX/") || strings.HasPrefix(path.Base(f.Name), ".")
}

// encrypted is the bit of a file's flags that says so (APPNOTE.TXT, section 4.4.4).
const encrypted = 1

// legible says why a file cannot be read, if it cannot. One that is an archive itself is refused: nobody knows how deep it goes.
func legible(f *zip.File) error {
	switch {
	case f.Flags&encrypted != 0:
		return fmt.Errorf("%w: %q in it is encrypted", ErrArchive, f.Name)
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return fmt.Errorf("%w: %q in it is compressed by method %d; deflate and none are read", ErrArchive, f.Name, f.Method)
	}
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("%w: %q in it: %w", ErrArchive, f.Name, err)
	}
	defer func() { _ = r.Close() }() // it was only read
	head := make([]byte, len(zipMagic))
	if n, _ := io.ReadFull(r, head); Compressed(head[:n]) { // what else is wrong with it is said when it is read
		return fmt.Errorf("%w: %q in it is compressed or an archive itself; unpack it first", ErrArchive, f.Name)
	}
	return nil
}

// Read implements io.Reader.
func (a *archive) Read(b []byte) (int, error) {
	for len(b) > 0 {
		if a.now == nil {
			if len(a.files) == 0 {
				return 0, io.EOF
			}
			if err := a.next(); err != nil {
				return 0, err
			}
		}
		if n, err := a.some(b); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

// some reads what comes next of the file that is open. At its end it closes it, and returns the end of its last line if that has none.
func (a *archive) some(b []byte) (int, error) {
	n, err := a.now.Read(b)
	ended := errors.Is(err, io.EOF)
	switch {
	case n > 0:
		a.last = b[n-1]
		if ended {
			err = nil // it is told again
		}
	case ended && a.closed():
		b[0], a.last = '\n', '\n'
		return 1, nil
	case ended:
		return 0, nil
	}
	return n, a.damaged(err)
}

// closed ends a file, and says whether its last line still needs an end.
func (a *archive) closed() (needs bool) {
	_ = a.now.Close() // it was only read
	a.now = nil
	return a.last != '\n'
}

// next begins with the next file.
func (a *archive) next() (err error) {
	f := a.files[0]
	a.files, a.name = a.files[1:], f.Name
	a.now, err = f.Open()
	return a.damaged(err)
}

// damaged says of which file an error is.
func (a *archive) damaged(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w to its end: %q in it: %w", ErrArchive, a.name, err)
}
