// Package gohttp is the laboratory's Go client: net/http, quic-go, WebSocket, encrypted hellos, and pipelined requests in the
// clear. It runs as a process of its own inside a client's namespace; see clients for how it is started.
package gohttp

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/gnomon-sensor/gnomon/testdata/lab/clients"
	"github.com/miekg/dns"
	"github.com/quic-go/quic-go/http3"
)

// Run does the requests args name: flags of the manner, version, CA file, proxy URL or "-", then one argument per request.
func Run(ctx context.Context, args []string) error {
	how, args, err := mannerOf(args)
	if err != nil {
		return err
	}
	if len(args) < 3 {
		return errors.New("reading arguments: give version, CA file, proxy or -, and at least one request")
	}
	config, err := how.configure(args[1])
	if err != nil {
		return err
	}
	var requests []clients.Request
	for _, arg := range args[3:] {
		r, err := clients.ParseRequest(arg)
		if err != nil {
			return err
		}
		requests = append(requests, r)
	}
	switch version := args[0]; version {
	case clients.Raw:
		return pipeline(ctx, requests)
	case clients.WS:
		return messages(ctx, config, requests)
	default:
		return how.exchange(ctx, version, config, args[2], requests)
	}
}

func closeAfter(done func() error, err error) error {
	if closing := done(); err == nil {
		return closing
	}
	return err
}

// roundTripper returns the transport for a version of HTTP and what ends its connections.
func roundTripper(ctx context.Context, version string, config *tls.Config, proxy string) (http.RoundTripper, func() error, error) {
	if version == clients.H3 {
		h3 := &http3.Transport{TLSClientConfig: config}
		return h3, h3.Close, nil
	}
	t := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: version != clients.H1}
	if version == clients.H1 {
		t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	if proxy != "-" {
		u, err := url.Parse(proxy)
		if err != nil {
			return nil, nil, fmt.Errorf("reading proxy address: %w", err)
		}
		t.Proxy = http.ProxyURL(u)
	}
	if version == clients.ECH {
		t.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialHidden(ctx, config, network, address)
		}
	}
	return t, func() error { t.CloseIdleConnections(); return nil }, nil
}

func fetch(ctx context.Context, transport http.RoundTripper, requests []clients.Request, compressed bool) error {
	client := &http.Client{Transport: transport}
	for _, r := range requests {
		req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, body(r.Upload))
		if err != nil {
			return fmt.Errorf("preparing %s: %w", r.URL, err)
		}
		if compressed && r.Upload > 0 {
			req.Body = io.NopCloser(bytes.NewReader(clients.Compressed(r.Upload)))
			req.Header.Set("Content-Encoding", "gzip")
		}
		resp, err := client.Do(req)
		if err != nil {
			return fmt.Errorf("fetching %s: %w", r.URL, err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return fmt.Errorf("reading answer of %s: %w", r.URL, err)
		}
	}
	return nil
}

func body(size int) io.Reader {
	if size == 0 {
		return http.NoBody
	}
	return bytes.NewReader(bytes.Repeat([]byte("x"), size))
}

// dialHidden encrypts the name with the key in the host's HTTPS record (RFC 9460, RFC 9849).
func dialHidden(ctx context.Context, config *tls.Config, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", address, err)
	}
	list, err := echConfig(ctx, host)
	if err != nil {
		return nil, err
	}
	own := config.Clone()
	own.EncryptedClientHelloConfigList = list
	own.ServerName = host
	own.NextProtos = []string{"h2", "http/1.1"}
	own.MinVersion = tls.VersionTLS13
	return (&tls.Dialer{Config: own}).DialContext(ctx, network, address)
}

func echConfig(ctx context.Context, host string) ([]byte, error) {
	resolv, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		return nil, fmt.Errorf("reading resolver address: %w", err)
	}
	question := new(dns.Msg).SetQuestion(dns.Fqdn(host), dns.TypeHTTPS)
	answer, err := dns.ExchangeContext(ctx, question, net.JoinHostPort(resolv.Servers[0], "53"))
	if err != nil {
		return nil, fmt.Errorf("asking for HTTPS record of %s: %w", host, err)
	}
	for _, rr := range answer.Answer {
		https, ok := rr.(*dns.HTTPS)
		if !ok {
			continue
		}
		for _, kv := range https.Value {
			if ech, ok := kv.(*dns.SVCBECHConfig); ok {
				return ech.ECH, nil
			}
		}
	}
	return nil, fmt.Errorf("asking for HTTPS record of %s: it has no key for an encrypted hello", host)
}

// pipeline writes all requests at once on one connection to the first one's host, then reads all answers.
func pipeline(ctx context.Context, requests []clients.Request) error {
	var out bytes.Buffer
	var sent []*http.Request
	for _, r := range requests {
		req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, body(r.Upload))
		if err != nil {
			return fmt.Errorf("preparing %s: %w", r.URL, err)
		}
		if err := req.Write(&out); err != nil {
			return fmt.Errorf("writing request for %s: %w", r.URL, err)
		}
		sent = append(sent, req)
	}
	if len(sent) == 0 {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(sent[0].URL.Hostname(), "80"))
	if err != nil {
		return fmt.Errorf("dialling %s: %w", sent[0].URL.Host, err)
	}
	defer conn.Close()
	if _, err := conn.Write(out.Bytes()); err != nil {
		return fmt.Errorf("sending %d requests: %w", len(sent), err)
	}
	answers := bufio.NewReader(conn)
	for _, req := range sent {
		resp, err := http.ReadResponse(answers, req)
		if err != nil {
			return fmt.Errorf("reading answer of %s: %w", req.URL, err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return fmt.Errorf("reading answer of %s: %w", req.URL, err)
		}
	}
	return nil
}

// Main is Run, or prints the version of Go and of quic-go when that is all args ask for.
func Main(ctx context.Context, args []string) error {
	if len(args) == 1 && args[0] == "version" {
		fmt.Println(version())
		return nil
	}
	return Run(ctx, args)
}

func version() string {
	out := "Go " + strings.TrimPrefix(runtime.Version(), "go")
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return out
	}
	for _, dep := range info.Deps {
		if dep.Path == "github.com/quic-go/quic-go" {
			out += ", quic-go " + dep.Version
		}
	}
	return out
}
