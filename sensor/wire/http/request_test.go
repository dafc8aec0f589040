package http

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// upload is what a browser's request to a chat service would look like in the clear.
const upload = "POST /backend/conversation HTTP/1.1\r\nHost: chat.example.com\r\nConnection: keep-alive\r\n" +
	"Content-Length: 1234\r\nsec-ch-ua-platform: \"Linux\"\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n" +
	"Content-Type: application/json\r\nAccept: */*\r\nOrigin: http://chat.example.com\r\n" +
	"Accept-Encoding: gzip, deflate\r\nAccept-Language: en-GB,en;q=0.9\r\nCookie: a=b; c=d\r\n\r\n"

func TestParse(t *testing.T) {
	tests := []struct {
		name, head string
		host       string
		port       uint16
		ok         func(r *Request) bool // further facts
	}{
		{"origin form", upload, "chat.example.com", 0, func(r *Request) bool {
			return r.Form == FormOrigin && string(r.Method) == "POST" && r.Minor == 1 && r.ContentLength == 1234 && !r.Chunked &&
				string(r.UserAgent) == "Mozilla/5.0 (X11; Linux x86_64)"
		}},
		{"port", "GET / HTTP/1.0\r\nhOST:\ta.example:8080 \r\n\r\n", "a.example", 8080, func(r *Request) bool {
			return r.Minor == 0 && r.ContentLength == -1
		}},
		{"empty port", "GET / HTTP/1.1\r\nHost: a.example:\r\n\r\n", "a.example", 0, nil},
		{"CONNECT", "CONNECT a.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n", "a.example", 443, func(r *Request) bool {
			return r.Form == FormAuthority
		}},
		{"CONNECT with a path behind", "CONNECT a.example:25 / HTTP/1.0\r\nno field\r\n\r\n", "a.example", 25, nil},
		{"CONNECT to IPv6", "CONNECT [2001:db8::1]:443 HTTP/1.1\r\n\r\n", "2001:db8::1", 443, nil},
		{"absolute form", "GET http://u:p@a.example:81/x?y HTTP/1.1\r\n\r\n", "a.example", 81, func(r *Request) bool {
			return r.Form == FormAbsolute && string(r.AbsoluteHost) == "a.example"
		}},
		{"absolute form beside Host", "GET http://a.example HTTP/1.1\r\nHost: b.example:5\r\n\r\n", "b.example", 5, func(r *Request) bool {
			return string(r.AbsoluteHost) == "a.example"
		}},
		{"absolute form beside an empty Host", "GET http://a.example?q HTTP/1.1\r\nHost: \r\n\r\n", "a.example", 0, nil},
		{"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", "a.example", 0, func(r *Request) bool { return r.Form == FormAsterisk }},
		{"other form", "GET x HTTP/1.1\r\nHost: a.example\r\n\r\n", "a.example", 0, func(r *Request) bool { return r.Form == FormOther }},
		{"spaces in the target", "GET /a b c HTTP/1.1\r\nHost: a.example\r\n\r\n", "a.example", 0, nil},
		{"first of two Hosts", "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", "a.example", 0, nil},
		{"line feeds alone", "GET / HTTP/1.1\nHost: a.example\nContent-Length: 7\n\n", "a.example", 0, func(r *Request) bool { return r.ContentLength == 7 }},
		{"blank lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "a.example", 0, nil},
		{"folded", "GET / HTTP/1.1\r\nX: a\r\n\tHost: x.example\r\nHost:\r\n a.example\r\n\r\n", "a.example", 0, nil},
		{"space before the colon", "GET / HTTP/1.1\r\nHost : a.example\r\n\r\n", "a.example", 0, nil},
		{"IPv6", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", "2001:db8::1", 80, nil},
		{"bare IPv6", "GET / HTTP/1.1\r\nHost: fe80::1%eth0\r\n\r\n", "fe80::1%eth0", 0, nil},
		{"no Host", "GET / HTTP/1.0\r\nAccept: */*\r\n\r\n", "", 0, nil},
		{"chunked", "PUT / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: gzip, Chunked\r\nHost: a.example\r\n\r\n", "a.example", 0,
			func(r *Request) bool { return r.Chunked && r.ContentLength == -1 }},
		{"chunked before a length", "PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", "", 0,
			func(r *Request) bool { return r.Chunked && r.ContentLength == -1 }},
		{"length twice", "PUT / HTTP/1.1\r\nContent-Length: 3, 3\r\nContent-Length: 3\r\n\r\n", "", 0,
			func(r *Request) bool { return r.ContentLength == 3 }},
		{"WebSocket", "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: h2c, WebSocket\r\nConnection: upgrade\r\n\r\n", "a.example", 0,
			func(r *Request) bool { return r.WebSocket }},
		{"method not in the list", "BREW /pot HTTP/1.1\r\nHost: a.example\r\n\r\n", "a.example", 0, nil},
	}
	var r Request
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := r.Parse([]byte(tt.head + "GET /next HTTP/1.1"))
			if err != nil || n != len(tt.head) || !r.Complete || r.Malformed {
				t.Fatalf("took %d of %d, complete %t, malformed %t, %v", n, len(tt.head), r.Complete, r.Malformed, err)
			}
			if string(r.Host) != tt.host || r.Port != tt.port {
				t.Errorf("host %q port %d, want %q %d", r.Host, r.Port, tt.host, tt.port)
			}
			if tt.ok != nil && !tt.ok(&r) {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestParseMalformed(t *testing.T) {
	tests := []struct{ name, head string }{
		{"space in the host", "GET / HTTP/1.1\r\nHost: this is no host\r\n\r\n"},
		{"markup in the host", "GET / HTTP/1.1\r\nHost: <a.example>\r\n\r\n"},
		{"control byte in the host", "GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n"},
		{"fold in the host", "GET / HTTP/1.1\r\nHost: a.example\r\n b.example\r\n\r\n"},
		{"URI as the host", "GET http://a.example/ HTTP/1.1\r\nHost: http://a.example/\r\n\r\n"},
		{"port that is none", "GET / HTTP/1.1\r\nHost: a.example:http\r\n\r\n"},
		{"port out of range", "GET / HTTP/1.1\r\nHost: a.example:65536\r\n\r\n"},
		{"bracket without its other", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"},
		{"CONNECT to a path", "CONNECT /x HTTP/1.1\r\nHost: a.example\r\n\r\n"},
		{"two lengths", "PUT / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\nContent-Length: 3\r\n\r\n"},
		{"negative length", "PUT / HTTP/1.1\r\nContent-Length: -3\r\n\r\n"},
		{"endless length", "PUT / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"},
		{"coded without an end", "PUT / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: gzip\r\n\r\n"},
	}
	var r Request
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := r.Parse([]byte(tt.head))
			if err != nil || n != len(tt.head) {
				t.Fatalf("took %d of %d, %v", n, len(tt.head), err)
			}
			if !r.Malformed || r.Host != nil || r.ContentLength != -1 {
				t.Errorf("malformed %t, host %q, length %d", r.Malformed, r.Host, r.ContentLength)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		name, head string
		want       error
	}{
		{"nothing", "", ErrTruncated},
		{"blank lines", "\r\n\r\n", ErrTruncated},
		{"part of a method", "GE", ErrTruncated},
		{"HTTP/0.9", "GET /\r\n", ErrMalformed},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ErrMalformed},
		{"status line", "HTTP/1.1 200 OK\r\n\r\n", ErrMalformed},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", ErrMalformed},
		{"SSH", "SSH-2.0-OpenSSH_9.2\r\n", ErrMalformed},
		{"method alone", "GET HTTP/1.1\r\n\r\n", nil},
		{"version without a target", "GET\r\n", ErrMalformed},
		{"SIP", "INVITE sip:a@b SIP/2.0\r\n\r\n", ErrMalformed},
		{"long token", strings.Repeat("A", 33), ErrMalformed},
		{"endless target", "GET /" + strings.Repeat("a", MaxHead), ErrTooLong},
		{"endless fields", "GET / HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", MaxHead/6), ErrTooLong},
	}
	var r Request
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if n, err := r.Parse([]byte(tt.head)); !errors.Is(err, tt.want) || err != nil && n != 0 {
				t.Errorf("got %d, %v", n, err)
			}
		})
	}
}

// A head cut at any length gives the host as soon as its line is whole, never part of one, and is complete only at its end.
func TestParseTruncated(t *testing.T) {
	tests := []struct {
		name, head, host, last string
	}{
		{"Host field", upload, "chat.example.com", "Host: chat.example.com\r\n"},
		{"absolute form", "GET http://a.example/x HTTP/1.1\r\nAccept: */*\r\n\r\n", "a.example", "http://a.example/"},
		{"CONNECT", "CONNECT a.example:443 HTTP/1.1\r\nA: b\r\n\r\n", "a.example", "CONNECT a.example:443 "},
	}
	var r Request
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			known := strings.Index(tt.head, tt.last) + len(tt.last)
			for n := range tt.head {
				if _, err := r.Parse([]byte(tt.head[:n])); !errors.Is(err, ErrTruncated) || r.Complete {
					t.Fatalf("%d bytes: complete %t, %v", n, r.Complete, err)
				}
				if want := tt.host; n < known && len(r.Host) != 0 || n >= known && string(r.Host) != want {
					t.Fatalf("%d bytes: host %q", n, r.Host)
				}
			}
		})
	}
}

func TestProxyUser(t *testing.T) {
	tests := []struct{ name, field, want string }{
		{"user", "Proxy-Authorization: Basic YWxpY2U6czNjcmV0LXBhc3N3b3Jk", "alice"},
		{"domain", "proxy-authorization:basic  Q09SUFxkYXZlOnMzY3JldC1wYXNzd29yZA==", `CORP\dave`},
		{"one letter", "Proxy-Authorization: Basic YTpzM2NyZXQtcGFzc3dvcmQ=", "a"},
		{"no user", "Proxy-Authorization: Basic OnMzY3JldC1wYXNzd29yZA==", ""},
		{"no colon", "Proxy-Authorization: Basic czNjcmV0LXBhc3N3b3Jk", ""},
		{"damaged", "Proxy-Authorization: Basic czNj!mV0LXBhc3N3b3Jk", ""},
		{"control byte", "Proxy-Authorization: Basic YQliOnMzY3JldC1wYXNzd29yZA==", ""},
		{"user without an end", "Proxy-Authorization: Basic " + strings.Repeat("YWFh", 100), ""},
		{"other scheme", "Proxy-Authorization: Bearer YWxpY2U6czNjcmV0LXBhc3N3b3Jk", ""},
		{"the server's user", "Authorization: Basic YWxpY2U6czNjcmV0LXBhc3N3b3Jk", ""},
	}
	var r Request
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			head := "GET http://x:s3cret-password@a.example/s3cret-password HTTP/1.1\r\n" + tt.field + "\r\nHost: a.example\r\nUser-Agent: b\r\n\r\n"
			if _, err := r.Parse([]byte(head)); err != nil {
				t.Fatal(err)
			}
			if got := string(r.ProxyUser()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			for _, secret := range []string{"s3cret", "czNj", "cret", "YWxpY2U6"} {
				if reaches(&r, secret) {
					t.Errorf("%q can be reached through the record", secret)
				}
			}
		})
	}
}

// reaches looks for s in the memory of r and in all that its slices lead to, up to their capacity.
func reaches(r *Request, s string) bool {
	if bytes.Contains(unsafe.Slice((*byte)(unsafe.Pointer(r)), unsafe.Sizeof(*r)), []byte(s)) {
		return true
	}
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice && f.Cap() > 0 {
			if bytes.Contains(unsafe.Slice((*byte)(f.UnsafePointer()), f.Cap()), []byte(s)) {
				return true
			}
		}
	}
	return false
}

func TestParseAllocates(t *testing.T) {
	heads := []string{upload, "CONNECT a.example:443 HTTP/1.1\r\nProxy-Authorization: Basic YWxpY2U6czNjcmV0LXBhc3N3b3Jk\r\n\r\n",
		"GET http://[2001:db8::1]/ HTTP/1.1\r\nUpgrade: h2c, websocket\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"}
	var r Request
	for _, head := range heads {
		b := []byte(head)
		if n := testing.AllocsPerRun(100, func() {
			if _, err := r.Parse(b); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%q: %v allocations", r.Method, n)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	head := []byte(upload)
	var r Request
	b.ReportAllocs()
	b.SetBytes(int64(len(head)))
	for b.Loop() {
		if _, err := r.Parse(head); err != nil {
			b.Fatal(err)
		}
	}
}
