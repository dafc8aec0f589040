package gohttp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
	"github.com/quic-go/quic-go/http3"
)

// manner is clients.Manner as this client was told it.
type manner struct{ clients.Manner }

// mannerOf takes the flags off the arguments.
func mannerOf(args []string) (how manner, rest []string, err error) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") && args[0] != "-" {
		name, value, _ := strings.Cut(args[0], "=")
		switch name {
		case "-tls12":
			how.TLS12 = true
		case "-fresh":
			how.Fresh = true
		case "-gzip":
			how.Gzip = true
		case "-cert":
			how.Cert = value
		default:
			return how, nil, fmt.Errorf("reading arguments: there is no flag %q", name)
		}
		args = args[1:]
	}
	return how, args, nil
}

// configure returns a configuration that trusts the root in a file.
func (m *manner) configure(root string) (*tls.Config, error) {
	pem, err := os.ReadFile(root)
	if err != nil {
		return nil, fmt.Errorf("reading root certificate: %w", err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(pem)
	if m.TLS12 {
		config.MaxVersion = tls.VersionTLS12
	}
	if m.Fresh {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	if m.Cert != "" {
		cert, err := tls.LoadX509KeyPair(m.Cert, m.Cert)
		if err != nil {
			return nil, fmt.Errorf("reading the client's certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{cert}
	}
	return config, nil
}

// exchange does requests over HTTP.
func (m *manner) exchange(ctx context.Context, version string, config *tls.Config, proxy string, requests []clients.Request) error {
	if m.Fresh && version == clients.H3 {
		return early(ctx, config, requests)
	}
	transport, done, err := roundTripper(ctx, version, config, proxy)
	if err != nil {
		return err
	}
	if t, ok := transport.(*http.Transport); ok {
		t.DisableKeepAlives = m.Fresh
	}
	return closeAfter(done, fetch(ctx, transport, requests, m.Gzip))
}

// early does each request over a QUIC connection of its own, and all but the first as early data (RFC 9001, section 4.6).
func early(ctx context.Context, config *tls.Config, requests []clients.Request) error {
	for i, r := range requests {
		if i > 0 {
			r.Method = http3.MethodGet0RTT // the only way to ask for it; it may have a body like any other
		}
		t := &http3.Transport{TLSClientConfig: config}
		if err := closeAfter(t.Close, fetch(ctx, t, []clients.Request{r}, false)); err != nil {
			return err
		}
	}
	return nil
}
