package syslog

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/exporters"
	"github.com/gnomon-sensor/gnomon/exporters/exportertest"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// server is a syslog server that keeps what it gets.
type server struct {
	listener net.Listener
	newline  bool
	accepted chan struct{} // is closed with the first connection

	mu       sync.Mutex // guards what follows
	changed  *sync.Cond // a connection is over
	open     int        // connections
	conns    []net.Conn
	messages []string
	broken   error
}

func startServer(t *testing.T, l net.Listener, newline bool) *server {
	t.Helper()
	s := &server{listener: l, newline: newline, accepted: make(chan struct{})}
	s.changed = sync.NewCond(&s.mu)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			if s.conns = append(s.conns, conn); len(s.conns) == 1 {
				close(s.accepted)
			}
			s.open++
			s.mu.Unlock()
			go s.read(conn)
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return s
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// read takes messages apart as RFC 6587 has it.
func (s *server) read(conn net.Conn) {
	defer func() {
		s.mu.Lock()
		s.open--
		s.changed.Broadcast()
		s.mu.Unlock()
	}()
	r := bufio.NewReader(conn)
	for {
		var text string
		var err error
		if s.newline {
			text, err = r.ReadString('\n')
			text = strings.TrimSuffix(text, "\n")
		} else {
			text, err = octets(r)
		}
		s.mu.Lock()
		if err == nil {
			s.messages = append(s.messages, text)
		} else if err != io.EOF {
			s.broken = err
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func octets(r *bufio.Reader) (string, error) {
	length, err := r.ReadString(' ')
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, " "))
	if err != nil || n <= 0 || length[0] == '0' {
		return "", fmt.Errorf("a length of %q", length)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return string(b), err
}

// ids counts messages by externalId, after every connection has ended.
func (s *server) ids(t *testing.T) map[string]int {
	t.Helper()
	<-s.accepted
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.open > 0 {
		s.changed.Wait()
	}
	if s.broken != nil {
		t.Fatal(s.broken)
	}
	got := map[string]int{}
	for _, m := range s.messages {
		_, text, ok := strings.Cut(m, " - activity - ")
		p, err := parse(text)
		if !ok || err != nil {
			t.Fatalf("%v: %q", err, m)
		}
		got[p.ext["externalId"]]++
	}
	return got
}

func sender(t *testing.T, change func(*Config)) *Sender {
	t.Helper()
	c := Default()
	change(&c)
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	for _, framing := range []string{framingOctets, framingNewline} {
		t.Run("tcp "+framing, func(t *testing.T) {
			exportertest.Run(t, exportertest.Subject{Open: func(t *testing.T) (exporters.Exporter, func(*testing.T) map[string]int) {
				srv := startServer(t, listen(t), framing == framingNewline)
				s := sender(t, func(c *Config) { c.Address, c.Framing = "tcp://"+srv.listener.Addr().String(), framing })
				return s, func(t *testing.T) map[string]int {
					if s.gone == nil { // it had nothing to send
						return map[string]int{}
					}
					return srv.ids(t)
				}
			}})
		})
	}
	t.Run("udp", func(t *testing.T) {
		exportertest.Run(t, exportertest.Subject{Open: func(t *testing.T) (exporters.Exporter, func(*testing.T) map[string]int) {
			conn, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			return sender(t, func(c *Config) { c.Address = "udp://" + conn.LocalAddr().String() }), nil // the kernel may drop some
		}})
	})
}

// A datagram is one message.
func TestUDP(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := sender(t, func(c *Config) { c.Address, c.Facility = "udp://"+conn.LocalAddr().String(), 1 })
	ev := exportertest.Full(3)
	send(t, s, ev)
	b := make([]byte, 64<<10)
	if err := conn.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	n, _, err := conn.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(b[:n]); !strings.HasPrefix(got, "<14>1 2025-10-09T08:53:23.000000Z berlin-1 gnomon - activity - CEF:0|Gnomon|Gnomon|1.0.0|gnomon.activity|") ||
		!strings.Contains(got, " externalId="+ev.Event.ID+" ") {
		t.Errorf("got %q", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func send(t *testing.T, s *Sender, batch ...event.Event) {
	t.Helper()
	out := make([]exporters.Outcome, len(batch))
	if err := s.Export(context.Background(), batch, out); err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		if o.State != exporters.Stored {
			t.Fatalf("record %d: %+v", i, o)
		}
	}
}

// Records of other datasets are not sent.
func TestDatasets(t *testing.T) {
	srv := startServer(t, listen(t), false)
	s := sender(t, func(c *Config) {
		c.Address, c.Datasets = "tcp://"+srv.listener.Addr().String(), []string{"activity"}
	})
	finding, use := exportertest.Event(1), exportertest.Event(2)
	finding.Event.Dataset = event.DatasetFinding
	send(t, s, finding, use)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := srv.ids(t); len(got) != 1 || got[use.Event.ID] != 1 {
		t.Errorf("it got %v", got)
	}
}

// A server that was away, or that has closed the connection, is connected to again.
func TestReconnects(t *testing.T) {
	l, err := net.Listen("tcp", "127.77.7.7:0") // nobody else is given this port meanwhile: others are at 127.0.0.1
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s := sender(t, func(c *Config) { c.Address = "tcp://" + address })
	batch := []event.Event{exportertest.Event(0)}
	if err := s.Export(context.Background(), batch, make([]exporters.Outcome, 1)); err == nil || !strings.Contains(err.Error(), "connecting to tcp://"+address) {
		t.Fatalf("got %v", err)
	}
	if l, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	srv := startServer(t, l, false)
	send(t, s, exportertest.Event(1))
	until(t, "the first message is there", func() bool { return srv.count() == 1 })
	srv.mu.Lock()
	for _, conn := range srv.conns {
		_ = conn.Close()
	}
	srv.mu.Unlock()
	until(t, "the sender has seen that the connection is over", func() bool { return s.conn == nil || s.gone.Load() })
	send(t, s, exportertest.Event(2))
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	until(t, "the second message is there", func() bool { return srv.count() == 2 })
}

// count is how many messages are there.
func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.messages)
}

// until waits for something to become true; a slow machine may take its time.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come about: %s", what)
		}
	}
}

// authority makes a certificate for 127.0.0.1 that vouches for itself, as PEM files.
func authority(t *testing.T) (cert, key string, pair tls.Certificate) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if pair, err = tls.LoadX509KeyPair(cert, key); err != nil {
		t.Fatal(err)
	}
	return cert, key, pair
}

// Over TLS the server has to be who it says, and may ask the same of the sensor.
func TestTLS(t *testing.T) {
	cert, key, pair := authority(t)
	other, _, _ := authority(t)
	pool := x509.NewCertPool()
	pool.AddCert(pair.Leaf)
	asking := &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	for _, c := range []struct {
		name    string
		server  *tls.Config
		change  func(*Config)
		refused string
	}{
		{"known authority", &tls.Config{Certificates: []tls.Certificate{pair}}, func(c *Config) { c.CA = cert }, ""},
		{"unknown authority", &tls.Config{Certificates: []tls.Certificate{pair}}, func(c *Config) { c.CA = other }, "certificate"},
		{"the system's authorities", &tls.Config{Certificates: []tls.Certificate{pair}}, func(*Config) {}, "certificate"},
		{"both sides", asking, func(c *Config) { c.CA, c.Cert, c.Key = cert, cert, key }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := startServer(t, tls.NewListener(listen(t), c.server), false)
			s := sender(t, func(conf *Config) {
				conf.Address = "tls://" + srv.listener.Addr().String()
				c.change(conf)
			})
			err := s.Export(context.Background(), []event.Event{exportertest.Event(1)}, make([]exporters.Outcome, 1))
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if got := srv.ids(t); len(got) != 1 {
				t.Errorf("it got %v", got)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		name, says string
		change     func(*Config)
	}{
		{"nothing", "", func(c *Config) { c.Address = "" }},
		{"udp", "", func(c *Config) { c.Address = "udp://10.0.0.1:514" }},
		{"v6", "", func(c *Config) { c.Address = "tls://[::1]:6514" }},
		{"no port", "write udp://HOST:PORT", func(c *Config) { c.Address = "udp://siem" }},
		{"no scheme", "write udp://HOST:PORT", func(c *Config) { c.Address = "siem:514" }},
		{"another scheme", "write udp://HOST:PORT", func(c *Config) { c.Address = "https://siem:514" }},
		{"a path", "write udp://HOST:PORT", func(c *Config) { c.Address = "udp://siem:514/x" }},
		{"a password", "write udp://HOST:PORT", func(c *Config) { c.Address = "udp://a:b@siem:514" }},
		{"dataset", `"flows" is none of`, func(c *Config) { c.Datasets = []string{"flows"} }},
		{"no dataset", "nothing would be sent", func(c *Config) { c.Datasets = nil }},
		{"facility", "0 to 23", func(c *Config) { c.Facility = 24 }},
		{"framing", "neither octets nor newline", func(c *Config) { c.Framing = "nul" }},
		{"timeout", "1s to 5m", func(c *Config) { c.Timeout = 0 }},
		{"half a pair", "set both or none", func(c *Config) { c.Address, c.Cert = "tls://siem:6514", "x" }},
		{"authority without TLS", "only tls:// uses them", func(c *Config) { c.CA = "x" }},
		{"authority that is not there", "reading syslog.ca", func(c *Config) { c.Address, c.CA = "tls://siem:6514", "/nonexistent" }},
		{"authority that is none", "no certificate in PEM form", func(c *Config) { c.Address, c.CA = "tls://siem:6514", os.Args[0] }},
		{"key that is not there", "reading syslog.cert and syslog.key", func(c *Config) { c.Address, c.Cert, c.Key = "tls://siem:6514", "/nonexistent", "/nonexistent" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf := Default()
			conf.Address = "tcp://siem:601"
			c.change(&conf)
			if conf.Address == "" {
				if err := conf.Validate(); err != nil {
					t.Error(err)
				}
				return
			}
			_, err := Open(conf)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}
