package http

import (
	"strings"
	"testing"
)

const chunked = "4\r\nWiki\r\n6;name=\"v\"\r\npedia \r\nE \r\nin \r\n\r\nchunks.\r\n0\r\nDigest: x\r\nMore: y\r\n\r\n"

func TestBody(t *testing.T) {
	tests := []struct {
		name    string
		length  int64
		chunked bool
		stream  string
		rest    string
		content int64
		done    bool
	}{
		{"none", -1, false, "GET /", "GET /", 0, true},
		{"empty", 0, false, "GET /", "GET /", 0, true},
		{"length", 5, false, "helloGET /", "GET /", 5, true},
		{"length not reached", 6, false, "hello", "", 5, false},
		{"chunks with extension and trailers", -1, true, chunked + "GET /", "GET /", 24, true},
		{"chunks of line feeds alone", -1, true, "3\nabc\n0\n\nGET /", "GET /", 3, true},
		{"no chunk but the last", -1, true, "0\r\n\r\nPOST /", "POST /", 0, true},
		{"zeros before the size", -1, true, "0003\r\nabc\r\n000\r\n\r\nG", "G", 3, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for segment := 1; segment <= len(tt.stream); segment++ {
				var b Body
				b.Reset(tt.length, tt.chunked)
				rest, done := advance(&b, tt.stream, segment)
				if rest != tt.rest || done != tt.done || b.Bytes != tt.content || b.Lost() {
					t.Fatalf("segments of %d: rest %q, done %t, %d bytes, lost %t", segment, rest, done, b.Bytes, b.Lost())
				}
			}
		})
	}
}

// advance feeds stream in segments of size bytes and returns what is behind the body.
func advance(b *Body, stream string, size int) (rest string, done bool) {
	for len(stream) > 0 && !done {
		n := min(size, len(stream))
		var r []byte
		r, done = b.Advance([]byte(stream[:n]))
		stream = stream[n:]
		rest = string(r)
	}
	return rest + stream, done
}

// Cut anywhere before its end, a body is not done and not lost.
func TestBodyTruncated(t *testing.T) {
	for n := range chunked {
		var b Body
		b.Reset(-1, true)
		if rest, done := b.Advance([]byte(chunked[:n])); len(rest) > 0 || done || b.Lost() {
			t.Fatalf("%d bytes: rest %q, done %t, lost %t", n, rest, done, b.Lost())
		}
	}
}

func TestBodyLost(t *testing.T) {
	tests := []struct{ name, stream string }{
		{"no size", "\r\n"},
		{"no digit", "hello"},
		{"byte behind the size", "5x"},
		{"size beyond all bodies", "ffffffffffffffffff\r\n"},
		{"data longer than its size", "3\r\nabcd\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b Body
			b.Reset(-1, true)
			if rest, done := b.Advance([]byte(tt.stream + "0\r\n\r\nGET / HTTP/1.1")); rest != nil || done || !b.Lost() {
				t.Errorf("rest %q, done %t, lost %t", rest, done, b.Lost())
			}
		})
	}
}

func TestBodySkip(t *testing.T) {
	tests := []struct {
		name     string
		length   int64
		before   string
		skip     int64
		after    string
		ok, done bool
		content  int64
	}{
		{"inside of a length", 10, "abc", 4, "hijNEXT", true, true, 10},
		{"up to the end", 10, "abc", 7, "NEXT", true, true, 10},
		{"beyond the end", 10, "abc", 8, "NEXT", false, false, 10},
		{"behind the end", 3, "abc", 1, "NEXT", false, false, 3},
		{"inside of a chunk", -1, "a\r\nabc", 4, "hij\r\n0\r\n\r\nNEXT", true, true, 10},
		{"beyond the chunk", -1, "a\r\nabc", 8, "\r\n0\r\n\r\nNEXT", false, false, 10},
		{"in a size", -1, "a", 1, "\nabc", false, false, 0},
		{"nothing", -1, "a", 0, "\r\n0123456789\r\n0\r\n\r\nNEXT", true, true, 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b Body
			b.Reset(tt.length, tt.length < 0)
			b.Advance([]byte(tt.before))
			if ok := b.Skip(tt.skip); ok != tt.ok || b.Lost() == ok {
				t.Fatalf("skip: got %t, lost %t", ok, b.Lost())
			}
			rest, done := b.Advance([]byte(tt.after))
			if done != tt.done || b.Bytes != tt.content || done && string(rest) != "NEXT" {
				t.Errorf("rest %q, done %t, %d bytes", rest, done, b.Bytes)
			}
		})
	}
}

func TestAdvanceAllocates(t *testing.T) {
	stream := []byte(chunked)
	var b Body
	if n := testing.AllocsPerRun(100, func() {
		b.Reset(-1, true)
		if _, done := b.Advance(stream); !done {
			t.Fatal("not done")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAdvance(b *testing.B) {
	segment := []byte("5a0\r\n" + strings.Repeat("x", 0x5a0) + "\r\n")
	var body Body
	body.Reset(-1, true)
	b.ReportAllocs()
	b.SetBytes(int64(len(segment)))
	for b.Loop() {
		body.Advance(segment)
	}
	if body.Lost() {
		b.Fatal("lost")
	}
}
