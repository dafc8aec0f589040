package logs

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// What compressed streams begin with (RFC 1952, section 2.3.1; RFC 8878, section 3.1.1).
var (
	gzipMagic = []byte("\x1f\x8b")
	zstdMagic = []byte("\x28\xb5\x2f\xfd")
)

// maxWindow bounds the memory that a compressed log may claim.
const maxWindow = 64 << 20

// Decompress returns what r holds, without its compression if it has one that is known (gzip, several of them one after the other, and
// zstd). Memory stays bounded; what comes out is read as it comes and never held.
func Decompress(r io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, _ := b.Peek(4) // a shorter one is not compressed
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("reading gzip: %w", err)
		}
		return bufio.NewReaderSize(z, 64<<10), nil
	case Archived(head):
		return nil, fmt.Errorf("%w: its directory stands at its end, which a stream does not show; name a file", ErrArchive)
	case bytes.Equal(head, zstdMagic):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("reading zstd: %w", err)
		}
		return bufio.NewReaderSize(z, 64<<10), nil
	}
	return b, nil
}

// Compressed says whether a file that begins with head is of a compression that Unpack knows.
func Compressed(head []byte) bool {
	return bytes.HasPrefix(head, gzipMagic) || bytes.HasPrefix(head, zstdMagic) || Archived(head)
}
