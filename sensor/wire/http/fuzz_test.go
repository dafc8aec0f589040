package http

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
)

// What the standard library accepts as a request must be one here too, with the same end, host and length.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(upload))
	f.Add([]byte("CONNECT [2001:db8::1]:443 HTTP/1.1\r\nProxy-Authorization: Basic YWxpY2U6czNjcmV0LXBhc3N3b3Jk\r\n\r\n"))
	f.Add([]byte("GET http://u@a.example:81/x HTTP/1.0\r\nHost: b.example\r\nX: a\r\n b\r\n\r\nrest"))
	f.Add([]byte("\r\nPUT / HTTP/1.1\nTransfer-Encoding: chunked\nContent-Length: 3, 3\n\n"))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: fe80::1%eth0\r\nUpgrade: websocket\r\n\r\n"))
	var r Request
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := r.Parse(b)
		check(t, &r, b, n, err)
		reader := bytes.NewReader(b)
		buffered := bufio.NewReaderSize(reader, len(b)+16)
		other, otherErr := http.ReadRequest(buffered)
		if otherErr != nil || other.ProtoMajor != 1 || len(b) > MaxHead || blankStart(b) || blankName(other.Header) {
			return
		}
		if err != nil {
			t.Fatalf("%q: %v, but it is a request", b, err)
		}
		compare(t, &r, other)
	})
}

// blankStart says that a line of blanks follows the request line, which the standard library takes for the end of the head.
func blankStart(b []byte) bool {
	_, fields, _ := bytes.Cut(b, []byte("\n"))
	return len(fields) > 0 && (fields[0] == ' ' || fields[0] == '\t')
}

// blankName says that blanks stand between a field's name and its colon: a server has to refuse that (RFC 9112, section 5.1), those that do not take the
// name for what it is, as is done here, and the standard library for another.
func blankName(fields http.Header) bool {
	for name := range fields {
		if strings.TrimRight(name, " \t") != name {
			return true
		}
	}
	return false
}

// check holds what is true of any bytes.
func check(t *testing.T, r *Request, b []byte, n int, err error) {
	t.Helper()
	if n < 0 || n > len(b) || (err == nil) != (n > 0) || r.Complete != (err == nil) {
		t.Fatalf("took %d of %d, complete %t, %v", n, len(b), r.Complete, err)
	}
	if bytes.ContainsAny(r.Host, " \t\r\n<>\x00/@") || bytes.ContainsAny(r.AbsoluteHost, " \t\r\n<>\x00/@") {
		t.Fatalf("host %q, absolute %q", r.Host, r.AbsoluteHost)
	}
	if r.Malformed && r.ContentLength >= 0 && r.Host != nil && r.AbsoluteHost != nil {
		t.Fatalf("malformed, but nothing is unknown: %+v", r)
	}
	if yes, maybe := Begins(b); yes && maybe {
		t.Fatal("both begins and may begin")
	}
}

func compare(t *testing.T, r *Request, other *http.Request) {
	t.Helper()
	if string(r.Method) != other.Method || int(r.Minor) != other.ProtoMinor {
		t.Fatalf("method %q version 1.%d, want %q 1.%d", r.Method, r.Minor, other.Method, other.ProtoMinor)
	}
	if chunked := len(other.TransferEncoding) > 0; r.Chunked != chunked && other.ProtoAtLeast(1, 1) {
		t.Fatalf("chunked %t, want %t", r.Chunked, chunked)
	}
	if !r.Malformed && !r.Chunked && max(r.ContentLength, 0) != other.ContentLength && other.ProtoAtLeast(1, 1) {
		t.Fatalf("length %d, want %d", r.ContentLength, other.ContentLength)
	}
	if r.Form == FormOrigin && !r.Malformed && !strings.Contains(other.Host, ":") && string(r.Host) != other.Host {
		t.Fatalf("host %q, want %q", r.Host, other.Host)
	}
}

// However a stream is cut, the same body ends at the same place; and where the standard library reads a chunked body to its
// end, it is as long.
func FuzzBody(f *testing.F) {
	f.Add([]byte(chunked+"GET /"), int64(-1), uint8(1))
	f.Add([]byte("helloGET /"), int64(5), uint8(3))
	f.Add([]byte("3\nabc\n0\n\nGET /"), int64(-1), uint8(2))
	f.Add([]byte("ffffffffffffffff\r\n"), int64(-1), uint8(7))
	f.Fuzz(func(t *testing.T, stream []byte, length int64, size uint8) {
		var whole, cut Body
		whole.Reset(length, length < 0)
		cut.Reset(length, length < 0)
		rest, done := whole.Advance(stream)
		cutRest, cutDone := advance(&cut, string(stream), int(size)+1)
		if done != cutDone && len(stream) > 0 || done && string(rest) != cutRest || whole != cut {
			t.Fatalf("at once %q %t %+v, cut %q %t %+v", rest, done, whole, cutRest, cutDone, cut)
		}
		if whole.Bytes > int64(len(stream)) || length > 0 && whole.Bytes > length {
			t.Fatalf("%d bytes of content in %d", whole.Bytes, len(stream))
		}
		if length >= 0 {
			return
		}
		content, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(stream)))
		if err == nil && (whole.Lost() || whole.Bytes != int64(len(content))) {
			t.Fatalf("%d bytes, lost %t, want %d", whole.Bytes, whole.Lost(), len(content))
		}
	})
}
