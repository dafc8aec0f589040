package sensor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"iter"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func labels(name string) iter.Seq[string] { return strings.SplitSeq(name, ".") }

// recorded is one side of a pipe that keeps what it writes, in pieces.
type recorded struct {
	net.Conn
	mu  sync.Mutex
	out []byte
}

func (r *recorded) Write(b []byte) (int, error) {
	r.mu.Lock()
	r.out = append(r.out, b...)
	r.mu.Unlock()
	return r.Conn.Write(b)
}

// handshake is what both sides of crypto/tls send in a handshake: the client with a name or without, the server with a certificate of
// the given names.
func handshake(t testing.TB, version uint16, sni, common string, names ...string) (up, down []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: common}, DNSNames: names, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	client, server := &recorded{Conn: a}, &recorded{Conn: b}
	done := make(chan error)
	go func() {
		cert := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
		done <- tls.Server(server, &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: version}).Handshake()
	}()
	err = tls.Client(client, &tls.Config{ServerName: sni, InsecureSkipVerify: true, MaxVersion: version}).Handshake()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	b.Close()
	return client.out, server.out
}

// shake plays a handshake on a connection: the hello, the server's flight, the rest.
func (c *talk) shake(up, down []byte) {
	n := 5 + int(up[3])<<8 + int(up[4])
	c.say(up[:n])
	c.hear(down)
	c.say(up[n:])
}

func TestCertificateNames(t *testing.T) {
	const v12, v13 = tls.VersionTLS12, tls.VersionTLS13
	tests := []struct {
		name       string
		version    uint16
		sni        string
		looked     string // what the client looked the address up for
		common     string
		names      []string
		domain     string
		service    string
		class      string
		confidence string
		also       []string
	}{
		{"one name of a service", v12, "", "", "", []string{"api.anthropic.com"}, "api.anthropic.com", "anthropic-api", "certificate", "medium", nil},
		{"only a common name", v12, "", "", "api.anthropic.com", nil, "api.anthropic.com", "anthropic-api", "certificate", "medium", nil},
		{"a name and what lies below it", v12, "", "", "", []string{"claude.ai", "*.claude.ai"}, "", "claude", "certificate", "low", nil},
		{"two services", v12, "", "", "", []string{"claude.ai", "api.anthropic.com"}, "", "", "", "", nil},
		{"a service among customers of a network", v12, "", "", "", []string{"claude.ai", "shop.example.com"}, "", "", "", "", nil},
		{"no service", v12, "", "", "", []string{"shop.example.com"}, "shop.example.com", "", "", "", nil},
		{"a hello with a name", v12, "shop.example.com", "", "", []string{"claude.ai"}, "shop.example.com", "", "", "", nil},
		{"TLS 1.3", v13, "", "", "", []string{"claude.ai"}, "", "", "", "", nil},
		{"TLS 1.3, looked up", v13, "", "claude.ai", "", []string{"claude.ai"}, "claude.ai", "claude", "ip-from-dns", "low", nil},
		{"looked up, and the certificate says so too", v12, "", "claude.ai", "", []string{"claude.ai"}, "claude.ai", "claude", "certificate", "medium", []string{"ip-from-dns"}},
		{"looked up, and the certificate covers it among others", v12, "", "claude.ai", "", []string{"claude.ai", "shop.example.com"}, "claude.ai", "claude", "ip-from-dns", "low", []string{"certificate"}},
		{"looked up, and the certificate is another's", v12, "", "claude.ai", "", []string{"a.example.com", "b.example.com"}, "", "", "", "", nil},
		{"looked up for something else", v12, "", "shop.example.com", "", []string{"claude.ai", "*.claude.ai"}, "", "claude", "certificate", "low", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTape()
			if tt.looked != "" {
				p.lookup(client, 1, tt.looked, server.Addr())
			}
			up, down := handshake(t, tt.version, tt.sni, tt.common, tt.names...)
			p.dial(client, server, 1000).shake(up, down)
			flows := flowsOf(inspected(t, p))
			if len(flows) != 1 {
				t.Fatalf("%d flows", len(flows))
			}
			ev := flows[0]
			if ev.Destination.Domain != tt.domain || ev.Network.Application != tt.service {
				t.Errorf("domain %q, service %q; want %q, %q", ev.Destination.Domain, ev.Network.Application, tt.domain, tt.service)
			}
			if ev.TLS.Client.ServerName != tt.sni {
				t.Errorf("server name %q", ev.TLS.Client.ServerName)
			}
			if shown := ev.TLS.Server != nil; shown != (tt.version == v12 && tt.sni == "") {
				t.Errorf("certificate shown: %v", shown)
			} else if shown && len(tt.names) > 0 && !slices.Equal(ev.TLS.Server.X509.AlternativeNames, tt.names) {
				t.Errorf("names %q", ev.TLS.Server.X509.AlternativeNames)
			}
			if e := ev.Gnomon.Evidence; tt.class == "" && e != nil || tt.class != "" && (e == nil || e.Class != tt.class || e.Confidence != tt.confidence || !slices.Equal(e.Also, tt.also)) {
				t.Errorf("evidence %+v", e)
			}
			// What `run` records is the same use, and nothing where there is none.
			var slices int
			for _, ev := range flowsOf(run(t, settings(), p.rewind())) {
				if slices++; ev.Network.Application != tt.service || ev.Network.Protocol != "tls" || ev.Gnomon.Upload == nil {
					t.Errorf("recorded %+v", ev.Network)
				}
			}
			if (slices > 0) != (tt.service != "") {
				t.Errorf("%d slices recorded", slices)
			}
		})
	}
}
