package clients

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestParseRequest(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want Request
		bad  bool
	}{
		{"post", "POST,300,https://chatgpt.com/a?b=1,2", Request{"POST", "https://chatgpt.com/a?b=1,2", 300}, false},
		{"get", "GET,0,http://a/", Request{"GET", "http://a/", 0}, false},
		{"no size", "GET,http://a/", Request{}, true},
		{"negative size", "GET,-1,http://a/", Request{}, true},
		{"empty", "", Request{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseRequest(tt.in)
			if (err != nil) != tt.bad || got != tt.want {
				t.Fatalf("got %+v, %v", got, err)
			}
			if !tt.bad && got.String() != tt.in {
				t.Errorf("written again it is %q", got.String())
			}
		})
	}
}

func TestCommands(t *testing.T) {
	requests := []Request{{"POST", "https://chatgpt.com/a", 7}, {"GET", "https://claude.ai/b", 0}}
	tests := []struct {
		client  string
		version string
		proxy   string
		want    []string // arguments that must be there
		bad     bool
	}{
		{"curl", H1, "", []string{"--http1.1", "--next", "https://chatgpt.com/a", "https://claude.ai/b"}, false},
		{"curl", H2, "http://alice:secret@10.20.0.128:3128", []string{"--http2", "--proxy", "http://alice:secret@10.20.0.128:3128"}, false},
		{"curl", WS, "", nil, true},
		{"python", H1, "", []string{systemPython, "h1", "/ca.pem", "-", "POST,7,https://chatgpt.com/a"}, false},
		{"go", H3, "", []string{"lab", "client", "h3", "GET,0,https://claude.ai/b"}, false},
		{"node", WS, "", []string{"node", "--experimental-websocket", "ws"}, false},
		{"java", H2, "", []string{"java", "h2", "/ca.pem", "-"}, false},
		{"chromium", H3, "", []string{"--enable-quic", "--origin-to-force-quic-on=chatgpt.com:443,claude.ai:443"}, false},
		{"chromium", H2, "", []string{"--disable-quic", "--ignore-certificate-errors-spki-list=hash"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.client+" "+tt.version, func(t *testing.T) {
			all := All("lab")
			c := all[slices.IndexFunc(all, func(c Client) bool { return c.Name == tt.client })]
			argv, _, err := c.Command(Job{Version: tt.version, Requests: requests, CAFile: "/ca.pem", KeyHash: "hash", Proxy: tt.proxy, Dir: t.TempDir()})
			if (err != nil) != tt.bad {
				t.Fatalf("error is %v", err)
			}
			for _, want := range tt.want {
				if !slices.Contains(argv, want) {
					t.Errorf("arguments %q lack %q", argv, want)
				}
			}
		})
	}
}

func TestCurlBody(t *testing.T) {
	dir := t.TempDir()
	argv, _, err := curl(Job{Version: H1, Requests: []Request{{"POST", "https://chatgpt.com/", 7}}, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.Index(argv, "--data-binary")
	if i < 0 {
		t.Fatalf("arguments %q have no body", argv)
	}
	body, err := os.ReadFile(strings.TrimPrefix(argv[i+1], "@"))
	if err != nil || len(body) != 7 {
		t.Errorf("body has %d bytes (%v), want 7", len(body), err)
	}
}

func TestPageURL(t *testing.T) {
	got, err := pageURL(Job{Requests: []Request{{"WS", "wss://chatgpt.com/ws", 5}, {"GET", "https://a.example/?down=1&x=2", 0}}})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme != "https" || u.Host != "chatgpt.com" || u.Path != "/page" {
		t.Errorf("page is at %s", got)
	}
	if r := u.Query()["r"]; len(r) != 2 || r[1] != "GET,0,https://a.example/?down=1&x=2" {
		t.Errorf("page does %q", r)
	}
	if _, err := pageURL(Job{}); err == nil {
		t.Error("a job without requests has a page")
	}
}

func TestManner(t *testing.T) {
	tests := []struct {
		name    string
		client  string
		version string
		manner  Manner
		want    []string
		bad     bool
	}{
		{"curl, TLS 1.2 and a certificate", "curl", H1, Manner{TLS12: true, Cert: "/c.pem"}, []string{"--tls-max", "1.2", "--cert", "/c.pem"}, false},
		{"curl, compressed", "curl", H2, Manner{Gzip: true}, []string{"Content-Encoding: gzip"}, false},
		{"curl cannot resume", "curl", H2, Manner{Fresh: true}, nil, true},
		{"Go, all of it", "go", H1, Manner{TLS12: true, Fresh: true, Gzip: true, Cert: "/c.pem"}, []string{"client", "-cert=/c.pem", "-fresh", "-gzip", "-tls12", "h1"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := All("lab")
			c := all[slices.IndexFunc(all, func(c Client) bool { return c.Name == tt.client })]
			argv, _, err := c.Command(Job{Version: tt.version, Requests: []Request{{"POST", "https://a.example/", 700}}, CAFile: "/ca.pem", Dir: t.TempDir(), Manner: tt.manner})
			if (err != nil) != tt.bad {
				t.Fatalf("error %v", err)
			}
			for _, want := range tt.want {
				if !slices.Contains(argv, want) {
					t.Errorf("%q lacks %q", argv, want)
				}
			}
		})
	}
}

func TestCompressed(t *testing.T) {
	for _, n := range []int{64, 100, 1 << 10, 50 << 10, 1<<20 + 1} {
		b := Compressed(n)
		if len(b) != n {
			t.Errorf("%d bytes, want %d", len(b), n)
		}
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
