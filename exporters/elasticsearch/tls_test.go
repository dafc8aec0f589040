package elasticsearch

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// party is somebody with a certificate.
type party struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a party whose certificate is by another; nil: by itself.
func issue(t *testing.T, name string, by *party) *party {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: by == nil,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if by == nil {
		template.KeyUsage |= x509.KeyUsageCertSign
		by = &party{template, key}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	p := &party{key: key}
	if p.cert, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	return p
}

// fingerprint is that of the first certificate of a PEM text.
func fingerprint(t *testing.T, text []byte) string {
	t.Helper()
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatal("there is no certificate")
	}
	d := sha256.Sum256(block.Bytes)
	return hex.EncodeToString(d[:])
}

// files writes certificate and key.
func (p *party) files(t *testing.T) (cert, key string) {
	t.Helper()
	raw, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(kind string, raw []byte) string {
		path := filepath.Join(t.TempDir(), kind)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("CERTIFICATE", p.cert.Raw), write("PRIVATE KEY", raw)
}

// serve starts a server that shows certificates, its own first, and takes clients of an authority, if there is one.
func serve(t *testing.T, own *party, clients *party, along ...*party) string {
	t.Helper()
	shown := tls.Certificate{PrivateKey: own.key, Certificate: [][]byte{own.cert.Raw}}
	for _, p := range along {
		shown.Certificate = append(shown.Certificate, p.cert.Raw)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{shown}}
	if clients != nil {
		s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		s.TLS.ClientCAs.AddCert(clients.cert)
	}
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func TestTLS(t *testing.T) {
	ca, other := issue(t, "authority", nil), issue(t, "another authority", nil)
	node, client, stranger := issue(t, "node", ca), issue(t, "client", ca), issue(t, "stranger", other)
	self := issue(t, "self-signed", nil)
	caFile, _ := ca.files(t)
	pinOf := func(p *party) string {
		return fingerprint(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw}))
	}
	otherFile, _ := other.files(t)
	clientCert, clientKey := client.files(t)
	strangerCert, strangerKey := stranger.files(t)
	tests := []struct {
		name   string
		server string
		change func(*Config)
		reason string // "" where it is let in
	}{
		{"the system's authorities", serve(t, node, nil), func(*Config) {}, "unknown authority"},
		{"authority", serve(t, node, nil), func(c *Config) { c.CA = caFile }, ""},
		{"another authority", serve(t, node, nil), func(c *Config) { c.CA = otherFile }, "unknown authority"},
		{"pinned authority", serve(t, node, nil, ca), func(c *Config) { c.CAFingerprint = pinOf(ca) }, ""},
		{"pinned authority that is not sent", serve(t, node, nil), func(c *Config) { c.CAFingerprint = pinOf(ca) }, "pin its own"},
		{"pinned certificate of the node", serve(t, node, nil), func(c *Config) { c.CAFingerprint = pinOf(node) }, ""},
		{"pinned and self-signed", serve(t, self, nil), func(c *Config) { c.CAFingerprint = pinOf(self) }, ""},
		{"an impostor sends the pinned one along", serve(t, stranger, nil, ca), func(c *Config) { c.CAFingerprint = pinOf(ca) }, "unknown authority"},
		{"an impostor of its own making", serve(t, self, nil, ca, node), func(c *Config) { c.CAFingerprint = pinOf(ca) }, "unknown authority"},
		{"a client that shows who it is", serve(t, node, ca), func(c *Config) { c.CA, c.Cert, c.Key = caFile, clientCert, clientKey }, ""},
		{"a client that does not", serve(t, node, ca), func(c *Config) { c.CA = caFile }, "certificate required"},
		{"a stranger", serve(t, node, ca), func(c *Config) { c.CA, c.Cert, c.Key = caFile, strangerCert, strangerKey }, "certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := clientOf(t, tt.change, tt.server)
			status, _, err := client.Do(t.Context(), http.MethodGet, "/", nil)
			// A server of TLS 1.3 refuses a client after the handshake (RFC 8446, section 4.4.2.4): a request that is written just when the refusal
			// comes fails with that it could not be written.
			for tries := 1; err != nil && !strings.Contains(err.Error(), tt.reason) && tries < 100; tries++ {
				status, _, err = client.Do(t.Context(), http.MethodGet, "/", nil)
			}
			if (err == nil) != (tt.reason == "") || err != nil && !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("it says %d %v, want %q", status, err, tt.reason)
			}
		})
	}
	t.Run("another name", func(t *testing.T) {
		address := strings.Replace(serve(t, node, nil), "127.0.0.1", "localhost", 1)
		_, _, err := clientOf(t, func(c *Config) { c.CAFingerprint = pinOf(node) }, address).Do(t.Context(), http.MethodGet, "/", nil)
		if err == nil || !strings.Contains(err.Error(), "localhost") {
			t.Errorf("a certificate for 127.0.0.1 does for localhost: %v", err)
		}
	})
}

func TestFiles(t *testing.T) {
	odd := filepath.Join(t.TempDir(), "odd")
	if err := os.WriteFile(odd, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*Config)
		reason string
	}{
		{"no file", func(c *Config) { c.CA = odd + "?" }, "reading elasticsearch.ca"},
		{"no certificate", func(c *Config) { c.CA = odd }, "no certificate in PEM form"},
		{"no pair", func(c *Config) { c.Cert, c.Key = odd, odd }, "elasticsearch.cert and elasticsearch.key"},
		{"nowhere", func(c *Config) { c.Addresses = nil }, "elasticsearch.addresses"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Default()
			c.Addresses = []string{"https://127.0.0.1:9200"}
			tt.change(&c)
			if _, err := NewClient(&c, nil); err == nil || !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("it says %v, want %q", err, tt.reason)
			}
		})
	}
}

// A proxy is asked for the nodes.
func TestProxy(t *testing.T) {
	asked := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r.URL.String() }))
	defer proxy.Close()
	c := clientOf(t, func(c *Config) { c.Proxy = proxy.URL }, "http://es.example:9200")
	if status, _, err := c.Do(t.Context(), http.MethodGet, "/x", nil); err != nil || status != http.StatusOK || asked != "http://es.example:9200/x" {
		t.Errorf("%d %v, and the proxy is asked for %q", status, err, asked)
	}
}
