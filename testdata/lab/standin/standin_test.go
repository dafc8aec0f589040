package standin

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
	"github.com/miekg/dns"
)

func TestZone(t *testing.T) {
	names := []Name{
		{Host: "claude.ai", Chain: []string{"a.cdn.example", "b.cdn.example"}},
		{Host: "gemini.google.com", H3: true},
	}
	tests := []struct {
		name  string
		ipv6  bool
		ask   string
		typ   uint16
		rcode int
		want  []string // the answers' data
	}{
		{"chain then address", false, "claude.ai.", dns.TypeA, dns.RcodeSuccess, []string{"a.cdn.example.", "b.cdn.example.", "203.0.113.10"}},
		{"any case of letters", false, "GEMINI.google.com.", dns.TypeA, dns.RcodeSuccess, []string{"203.0.113.11"}},
		{"no IPv6 in an IPv4 zone", false, "gemini.google.com.", dns.TypeAAAA, dns.RcodeSuccess, nil},
		{"IPv6", true, "gemini.google.com.", dns.TypeAAAA, dns.RcodeSuccess, []string{"2001:db8:203::b"}},
		{"service record", false, "gemini.google.com.", dns.TypeHTTPS, dns.RcodeSuccess, []string{`1 . alpn="h3,h2"`}},
		{"unknown", false, "example.com.", dns.TypeA, dns.RcodeNameError, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			zone := NewZone(names)
			zone.IPv6 = tt.ipv6
			answers, rcode := zone.Answer(dns.Question{Name: tt.ask, Qtype: tt.typ, Qclass: dns.ClassINET})
			if rcode != tt.rcode {
				t.Errorf("code is %s, want %s", dns.RcodeToString[rcode], dns.RcodeToString[tt.rcode])
			}
			var got []string
			for _, rr := range answers {
				got = append(got, strings.TrimPrefix(rr.String(), rr.Header().String()))
			}
			if strings.Join(got, " ") != strings.Join(tt.want, " ") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// serve starts the handler as Server does, on the loopback, and returns a client that trusts it.
func serve(t *testing.T, h2 bool) (*http.Client, *truth.Book, string) {
	t.Helper()
	authority, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{cfg: Config{Zone: NewZone(nil), Authority: authority, Book: &truth.Book{}}, done: make(chan struct{}, 1)}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: &handler{book: s.cfg.Book, done: s.signal}, ConnContext: s.connContext, TLSConfig: s.tlsConfig()}
	go func() { _ = web.ServeTLS(&listener{plain, s.cfg.Book, "tls"}, "", "") }()
	t.Cleanup(func() { _ = web.Close() })
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	config := &tls.Config{RootCAs: roots, ServerName: "chatgpt.com"}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: h2}}
	return client, s.cfg.Book, "https://" + plain.Addr().String()
}

func TestServerCounts(t *testing.T) {
	tests := []struct {
		name     string
		h2       bool
		protocol string
		query    string
		up, down int64
	}{
		{"small answer", false, "http/1.1", "?down=10", 5000, 10},
		{"in pieces over h2", true, "h2", "?down=100&chunks=7&gap=1", 70000, 100},
		{"nothing asked for", true, "h2", "", 0, 0},
		{"nonsense asked for", true, "h2", "?down=-5&chunks=x", 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, book, base := serve(t, tt.h2)
			resp, err := client.Post(base+"/prompt"+tt.query, "text/plain", strings.NewReader(strings.Repeat("x", int(tt.up))))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || int64(len(got)) != tt.down {
				t.Fatalf("answer has %d bytes (%v), want %d", len(got), err, tt.down)
			}
			records := book.Snapshot()
			if len(records) != 1 {
				t.Fatalf("book has %d records", len(records))
			}
			r := records[0]
			if r.Name != "chatgpt.com" || r.Protocol != tt.protocol || r.Uploaded != tt.up || r.Downloaded != tt.down || r.Requests != 1 {
				t.Errorf("record is %+v", r)
			}
			if r.SocketIn <= tt.up || r.SocketOut <= tt.down {
				t.Errorf("socket carried %d in and %d out, which is less than the bodies", r.SocketIn, r.SocketOut)
			}
		})
	}
}

func TestPageSaysWhenDone(t *testing.T) {
	s := &Server{done: make(chan struct{}, 1)}
	book := &truth.Book{}
	rec := &truth.Record{Kind: truth.KindConnection}
	book.Add(rec)
	h := &handler{book: book, done: s.signal}
	for _, path := range []string{PagePath, DonePath, DonePath} { // the second end finds nobody waiting and must not block
		req := httptest.NewRequest(http.MethodGet, "https://chatgpt.com"+path, nil)
		h.ServeHTTP(httptest.NewRecorder(), req.WithContext(withRecord(req.Context(), rec)))
	}
	select {
	case <-s.Done():
	default:
		t.Error("nobody was told")
	}
	if got := book.Snapshot()[0]; got.Requests != 3 || got.Downloaded != int64(len(page)) {
		t.Errorf("record is %+v", got)
	}
}

func TestECHKeyIsUsable(t *testing.T) {
	key, list, err := NewECHKey("public.example")
	if err != nil {
		t.Fatal(err)
	}
	authority, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	clientEnd, serverEnd := net.Pipe()
	defer clientEnd.Close()
	defer serverEnd.Close()
	server := tls.Server(serverEnd, &tls.Config{
		EncryptedClientHelloKeys: []tls.EncryptedClientHelloKey{key},
		GetCertificate:           func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return authority.Certificate(h.ServerName) },
	})
	go func() { _ = server.Handshake() }()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	client := tls.Client(clientEnd, &tls.Config{ServerName: "hidden.example", RootCAs: roots, EncryptedClientHelloConfigList: list, MinVersion: tls.VersionTLS13})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if !client.ConnectionState().ECHAccepted {
		t.Error("the hello was not accepted encrypted")
	}
}
