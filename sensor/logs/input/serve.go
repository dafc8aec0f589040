package input

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// listen opens the address of a source for connections.
func (s *source) listen() (net.Listener, error) {
	l, err := (&net.ListenConfig{KeepAlive: time.Minute}).Listen(context.Background(), "tcp", s.config.Address)
	if err != nil {
		return nil, s.taken(err)
	}
	if s.config.Cert == "" {
		return l, nil
	}
	conf, err := s.serverTLS()
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return tls.NewListener(l, conf), nil
}

// taken says what to do about an address that cannot be had.
func (s *source) taken(err error) error {
	do := "name an address of this machine with listen"
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		do = "another program listens there: stop it (ss -lnp says which), or choose another port with listen"
	case errors.Is(err, os.ErrPermission):
		do = "ports below 1024 need root or CAP_NET_BIND_SERVICE: choose a higher one with listen"
	}
	return fmt.Errorf("listening for logs: %w; %s", err, do)
}

// serverTLS is what a server shows, and what it wants to see.
func (s *source) serverTLS() (*tls.Config, error) {
	pair := &keyPair{cert: s.config.Cert, key: s.config.Key, now: s.o.Now, problem: &s.problem}
	if err := pair.read(); err != nil {
		return nil, err
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.current}
	if s.config.CA == "" {
		return conf, nil
	}
	text, err := os.ReadFile(s.config.CA)
	if err != nil {
		return nil, fmt.Errorf("reading the authorities of clients: %w; name a PEM file with ca", err)
	}
	conf.ClientAuth, conf.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	if !conf.ClientCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("reading the authorities of clients in %s: there is no certificate in it; name a PEM file with ca", s.config.CA)
	}
	return conf, nil
}

// keyPair is a certificate that is read again when its file changes.
type keyPair struct {
	cert, key string
	now       func() time.Time
	problem   *problems

	mu      sync.Mutex // guards what is below
	pair    *tls.Certificate
	changed time.Time
	looked  time.Time
}

// renewal is how often the file is looked at.
const renewal = time.Minute

func (k *keyPair) read() error {
	info, err := os.Stat(k.cert)
	if err != nil {
		return fmt.Errorf("reading the certificate: %w; name PEM files with cert and key", err)
	}
	pair, err := tls.LoadX509KeyPair(k.cert, k.key)
	if err != nil {
		return fmt.Errorf("reading the certificate %s and its key %s: %w", k.cert, k.key, err)
	}
	k.pair, k.changed, k.looked = &pair, info.ModTime(), k.now()
	return nil
}

// current returns the certificate, the new one if there is one. If that cannot be read the old one stays.
func (k *keyPair) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := k.now(); now.Sub(k.looked) >= renewal {
		k.looked = now
		if info, err := os.Stat(k.cert); err == nil && info.ModTime().Equal(k.changed) {
			return k.pair, nil
		}
		if err := k.read(); err != nil {
			k.problem.note("certificate", fmt.Sprintf("keeping the old certificate: %v", err))
			return k.pair, nil
		}
		k.problem.solved("certificate")
	}
	return k.pair, nil
}

// serve hands connections to take, at most so many at once, until ctx ends; more are closed at once, and noted.
func (s *source) serve(ctx context.Context, l net.Listener, take func(ctx context.Context, c net.Conn)) error {
	var open sync.WaitGroup
	defer open.Wait()
	slots := make(chan struct{}, maxConnections)
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // Accept says so
	defer stop()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if again := pause(ctx, err); again {
				continue
			}
			return fmt.Errorf("waiting for connections at %s: %w", l.Addr(), err)
		}
		select {
		case slots <- struct{}{}:
			s.problem.solved("connections")
		default:
			s.problem.note("connections", fmt.Sprintf("refusing connections at %s: %d are open; let a relay gather them", l.Addr(), maxConnections))
			_ = c.Close() // it was not used
			continue
		}
		open.Add(1)
		go func() {
			defer func() { <-slots; open.Done() }()
			stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) }) // reading ends
			defer stop()
			take(ctx, c)
		}()
	}
}

// maxConnections bounds how many senders a source listens to at once.
const maxConnections = 256

// pause waits a moment where the system has no room for another connection.
func pause(ctx context.Context, err error) (again bool) {
	if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) && !errors.Is(err, syscall.ECONNABORTED) && !errors.Is(err, syscall.ENOBUFS) {
		return false
	}
	select {
	case <-ctx.Done():
	case <-time.After(100 * time.Millisecond):
	}
	return true
}
