package clients

import (
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"strings"
)

// Compressed returns a gzip stream (RFC 1952) of exactly n bytes, as a client sends whose text was longer; n is at least 64. A comment in its
// header fills it up.
func Compressed(n int) []byte {
	const words, margin = 4096, 48
	dice := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	noise := make([]byte, n)
	_, _ = dice.Read(noise) // it never fails
	content := n - margin - n/words
	for {
		short := squeeze(noise[:content], "")
		if rest := n - len(short); rest > 1 { // a comment takes its length and an end
			return squeeze(noise[:content], strings.Repeat("-", rest-1))
		}
		content -= max(1, len(short)-n+2)
	}
}

func squeeze(content []byte, comment string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Comment = comment
	_, _ = w.Write(content) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
