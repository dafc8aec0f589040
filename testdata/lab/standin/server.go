// Package standin plays the far side of the laboratory: a resolver and web servers for all names of a zone, which book what
// they saw in a truth.Book. It listens in the network namespace it is started in and knows no client.
package standin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/qlog"
)

// Config is what a stand-in needs.
type Config struct {
	Zone      *Zone
	Authority *Authority
	Book      *truth.Book
	Resolver  netip.AddrPort                // where look-ups are answered
	ECHKeys   []tls.EncryptedClientHelloKey // of the public name ECHName, if hellos may be encrypted
	ECHName   string
}

// Server is a running stand-in.
type Server struct {
	cfg      Config
	resolver *resolver
	web      []*http.Server
	h3       *http3.Server
	udp      *net.UDPConn
	done     chan struct{}
	serving  sync.WaitGroup
}

// Start listens on ports 80 and 443 (TCP and UDP) of all addresses and for look-ups. Call it inside the namespace.
func Start(cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, done: make(chan struct{}, 64)}
	var err error
	if s.resolver, err = startResolver(cfg.Zone, cfg.Book, cfg.Resolver); err != nil {
		return nil, err
	}
	plain, err := net.Listen("tcp", ":80")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening for HTTP: %w", err), s.Close())
	}
	secure, err := net.Listen("tcp", ":443")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening for HTTPS: %w", err), plain.Close(), s.Close())
	}
	if s.udp, err = net.ListenUDP("udp", &net.UDPAddr{Port: 443}); err != nil {
		return nil, errors.Join(fmt.Errorf("listening for QUIC: %w", err), plain.Close(), secure.Close(), s.Close())
	}
	handler := &handler{book: cfg.Book, done: s.signal}
	quiet := log.New(io.Discard, "", 0) // clients that break off are part of the experiment
	web := &http.Server{Handler: handler, ConnContext: s.connContext, TLSConfig: s.tlsConfig(), ErrorLog: quiet}
	s.web = append(s.web, web)
	s.serving.Go(func() { _ = web.Serve(&listener{plain, cfg.Book, "http"}) })
	s.serving.Go(func() { _ = web.ServeTLS(&listener{secure, cfg.Book, "tls"}, "", "") })
	s.h3 = &http3.Server{Handler: handler, TLSConfig: http3.ConfigureTLSConfig(s.tlsConfig()), ConnContext: s.quicContext,
		QUICConfig: &quic.Config{Allow0RTT: true, Tracer: qlog.DefaultConnectionTracer}} // writes what it received to $QLOGDIR, if that is set
	s.serving.Go(func() { _ = s.h3.Serve(s.udp) })
	return s, nil
}

// Done delivers a value each time a page has finished its requests.
func (s *Server) Done() <-chan struct{} { return s.done }

func (s *Server) signal() {
	select {
	case s.done <- struct{}{}:
	default: // nobody waits for that many
	}
}

// Close ends all connections and stops listening.
func (s *Server) Close() error {
	errs := []error{s.resolver.close()}
	for _, w := range s.web {
		errs = append(errs, w.Close())
	}
	if s.h3 != nil {
		errs = append(errs, s.h3.Close())
	}
	if s.udp != nil {
		errs = append(errs, s.udp.Close())
	}
	s.serving.Wait()
	return errors.Join(errs...)
}

func (s *Server) connContext(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	return withRecord(ctx, c.(*conn).rec)
}

func (s *Server) quicContext(ctx context.Context, c *quic.Conn) context.Context {
	state := c.ConnectionState().TLS
	rec := &truth.Record{
		Kind: truth.KindConnection, Transport: "udp", Protocol: "h3",
		Client: addrPort(c.RemoteAddr()), Name: state.ServerName, ECH: state.ECHAccepted,
	}
	if v4, v6, ok := s.cfg.Zone.Addresses(state.ServerName); ok {
		rec.Server = netip.AddrPortFrom(v4, 443) // the socket itself is bound to no address
		if rec.Client.Addr().Is6() {
			rec.Server = netip.AddrPortFrom(v6, 443)
		}
	}
	s.cfg.Book.Add(rec)
	return withRecord(ctx, rec)
}

// tlsConfig books the name and protocol of every handshake over TCP, whether or not a request follows.
func (s *Server) tlsConfig() *tls.Config {
	base := &tls.Config{
		EncryptedClientHelloKeys: s.cfg.ECHKeys,
		NextProtos:               []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return s.cfg.Authority.Certificate(hello.ServerName)
		},
	}
	config := base.Clone()
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		c, ok := hello.Conn.(*conn)
		if !ok {
			return nil, nil // QUIC: see quicContext
		}
		c.book.Update(func() { c.rec.Name = hello.ServerName })
		own := base.Clone()
		if s.cfg.Zone.asks(hello.ServerName) {
			own.ClientAuth = tls.RequireAnyClientCert
		}
		own.VerifyConnection = func(state tls.ConnectionState) error {
			c.book.Update(func() {
				c.rec.Name, c.rec.ECH, c.rec.Protocol = state.ServerName, state.ECHAccepted, "http/1.1"
				if state.NegotiatedProtocol != "" {
					c.rec.Protocol = state.NegotiatedProtocol
				}
				if state.ECHAccepted {
					c.rec.OuterName = s.cfg.ECHName
				}
			})
			return nil
		}
		return own, nil
	}
	return config
}
