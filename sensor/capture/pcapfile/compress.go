package pcapfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// compression is how the bytes on disk are packed.
type compression int

const (
	plain compression = iota
	gzipped
	zstandard
)

// maxWindow is the most that a zstd frame may ask to have kept of what it has put out; zstd --long, the most that its program unpacks
// without being told to, uses as much. gzip needs 32 KiB.
const maxWindow = 128 << 20

// packedRead is how much of a compressed file is read at once.
const packedRead = 128 << 10

// compressionOf tells the packing by its magic (RFC 1952, section 2.3.1; RFC 8878, section 3.1).
func compressionOf(head []byte) compression {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}):
		return gzipped
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstandard
	case len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}):
		return zstandard // a skippable frame, as parallel compressors put it in front
	}
	return plain
}

// reader unpacks in. Nothing runs in the background, so that nothing has to be closed.
func (c compression) reader(in io.Reader) (io.Reader, error) {
	in = bufio.NewReaderSize(in, packedRead) // both decompressors read a few bytes at a time
	if c == gzipped {
		return gzip.NewReader(in)
	}
	return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
}

// compressionReason says what a decompressor met.
func compressionReason(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return "the compressed data ends in the middle"
	}
	return fmt.Sprintf("the compressed data is damaged (%v)", err)
}

// meter counts what is read from the disk and keeps its errors apart from those of a decompressor above it.
type meter struct {
	in   io.Reader
	done atomic.Int64
	eof  bool
	err  error // any but io.EOF
}

// Read reads on until the first error, and repeats that ever after.
func (m *meter) Read(b []byte) (int, error) {
	if m.eof {
		return 0, io.EOF
	}
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.in.Read(b)
	m.done.Add(int64(n))
	if err == io.EOF {
		m.eof = true
	} else {
		m.err = err
	}
	return n, err
}
