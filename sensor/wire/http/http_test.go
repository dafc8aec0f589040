package http

import "testing"

func TestBegins(t *testing.T) {
	tests := []struct {
		name, b    string
		yes, maybe bool
	}{
		{"GET", "GET / HTTP/1.1\r\n", true, false},
		{"method and space", "POST ", true, false},
		{"method cut before its space", "POST", false, true},
		{"one letter", "P", false, true},
		{"prefix of several", "PRO", false, true},
		{"second of a letter", "PUT /x", true, false},
		{"WebDAV", "PROPFIND /x", true, false},
		{"hyphen", "M-SEARCH * HTTP/1.1", true, false},
		{"blank line before", "\r\nGET /", true, false},
		{"blank line alone", "\r\n", false, true},
		{"nothing", "", false, true},
		{"tab", "GET\t/", false, false},
		{"lower case", "get / HTTP/1.1", false, false},
		{"status line", "HTTP/1.1 200 OK", false, false},
		{"HTTP/2 preface", "PRI * HTTP/2.0", false, false},
		{"TLS", "\x16\x03\x01", false, false},
		{"high byte", "\xff", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			yes, maybe := Begins([]byte(tt.b))
			if yes != tt.yes || maybe != tt.maybe || LooksRequest([]byte(tt.b)) != tt.yes {
				t.Errorf("got %t, %t", yes, maybe)
			}
		})
	}
}

// Each method is told at its space, may come at every length before, and stands under its first letter.
func TestMethods(t *testing.T) {
	for i, list := range methods {
		for _, m := range list {
			if int(m[0]-'A') != i {
				t.Errorf("%q stands under %q", m, 'A'+rune(i))
			}
			for n := range m {
				if yes, maybe := Begins([]byte(m[:n])); yes || !maybe {
					t.Errorf("%q: got %t, %t", m[:n], yes, maybe)
				}
			}
			if yes, maybe := Begins([]byte(m)); !yes || maybe {
				t.Errorf("%q: got %t, %t", m, yes, maybe)
			}
		}
	}
}

// Whatever else comes first is no request at once.
func TestBeginsByTwoBytes(t *testing.T) {
	starts := map[string]bool{}
	for _, list := range methods {
		for _, m := range list {
			starts[m[:2]] = true
		}
	}
	for first := range 256 {
		for second := range 256 {
			b := []byte{byte(first), byte(second)}
			blank := first == '\r' || first == '\n' // and what follows may be one
			if yes, maybe := Begins(b); yes || maybe != (starts[string(b)] || blank && beginsMethod(b[1])) {
				t.Errorf("%q: %v, %v", b, yes, maybe)
			}
		}
	}
}

func beginsMethod(b byte) bool {
	return b == '\r' || b == '\n' || b >= 'A' && b <= 'Z' && len(methods[b-'A']) > 0
}

func TestParseStatus(t *testing.T) {
	tests := []struct {
		name, b string
		code    int
		ok      bool
	}{
		{"tunnel is open", "HTTP/1.1 200 Connection established\r\n\r\n", 200, true},
		{"proxy wants a user", "HTTP/1.0 407 Proxy Authentication Required\r\n", 407, true},
		{"no reason", "HTTP/1.1 101\r\n", 101, true},
		{"cut behind the code", "HTTP/1.1 101", 101, true},
		{"cut in the code", "HTTP/1.1 10", 0, false},
		{"four digits", "HTTP/1.1 2000 OK", 0, false},
		{"letters", "HTTP/1.1 2x0 OK", 0, false},
		{"zero", "HTTP/1.1 000 OK", 0, false},
		{"HTTP/2", "HTTP/2.0 200 OK", 0, false},
		{"request", "GET / HTTP/1.1\r\n", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if code, ok := ParseStatus([]byte(tt.b)); ok != tt.ok || ok && code != tt.code {
				t.Errorf("got %d, %t", code, ok)
			}
		})
	}
}

func TestLooks(t *testing.T) {
	tests := []struct {
		name, b         string
		response, http2 bool
	}{
		{"response", "HTTP/1.1 200 OK", true, false},
		{"preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00", false, true},
		{"preface cut", "PRI * HTTP/2.0\r\n\r\nSM", false, false},
		{"request", "GET / HTTP/1.1", false, false},
		{"nothing", "", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := LooksResponse([]byte(tt.b)); got != tt.response {
				t.Errorf("response: got %t", got)
			}
			if got := LooksHTTP2([]byte(tt.b)); got != tt.http2 {
				t.Errorf("HTTP/2: got %t", got)
			}
		})
	}
}

func BenchmarkLooksRequest(b *testing.B) {
	payloads := []struct {
		name string
		b    []byte
	}{{"GET", []byte("GET / HTTP/1.1\r\n")}, {"PATCH", []byte("PATCH / HTTP/1.1\r\n")}, {"TLS", []byte("\x17\x03\x03\x05\xb4")}}
	for _, p := range payloads {
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				LooksRequest(p.b)
			}
		})
	}
}
