package input

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// running is a set that runs, and where its only source listens.
type running struct {
	*world
	set  *Set
	addr string
	stop func()
}

// run starts a source that listens on a free port of this machine.
func run(t *testing.T, c Config) *running {
	t.Helper()
	c.Address = "127.0.0.1:0"
	w := newWorld(t, c)
	return w.run()
}

func (w *world) run() *running {
	w.t.Helper()
	set := w.start()
	r := &running{world: w, set: set}
	switch l := set.sources[0].reader.(type) {
	case *tcp:
		r.addr = l.listener.Addr().String()
	case *udp:
		r.addr = l.conn.LocalAddr().String()
	case *push:
		r.addr = l.listener.Addr().String()
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- set.Run(ctx) }()
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	}
	w.t.Cleanup(r.stop)
	return r
}

// until waits for the counts to be as they should.
func (r *running) until(what string, ok func(c event.Source) bool) {
	r.t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	const patience = 2 * time.Minute // of a slow machine
	deadline := time.After(patience)
	for !ok(r.set.Sources()["proxy"]) {
		select {
		case <-look.C:
		case <-deadline:
			r.t.Fatalf("not within %v: %s; counted %+v", patience, what, r.set.Sources()["proxy"])
		}
	}
}

func (r *running) dial(conf *tls.Config) net.Conn {
	r.t.Helper()
	network := r.set.sources[0].config.Protocol
	var c net.Conn
	var err error
	if conf != nil {
		c, err = (&tls.Dialer{Config: conf}).DialContext(context.Background(), "tcp", r.addr)
	} else {
		c, err = (&net.Dialer{}).DialContext(context.Background(), network, r.addr)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// The header of either RFC is taken off, whichever way messages are divided.
func TestSyslog(t *testing.T) {
	line := func(i int) string { return strings.TrimSuffix(squid(i, 1), "\n") }
	old := func(i int) string { return "<134>Nov 21 08:07:01 gw squid[7]: " + line(i) }
	now := func(i int) string { return "<134>1 2026-11-21T08:07:01Z gw squid 7 - - " + line(i) }
	octets := func(s string) string { return fmt.Sprintf("%d %s", len(s), s) }
	for _, tt := range []struct {
		name, protocol string
		packets        []string
		want           int
	}{
		{"udp", "udp", []string{old(0), now(1), line(2), old(3) + "\n"}, 4},
		{"tcp, line feeds", "tcp", []string{old(0) + "\n" + now(1) + "\n", line(2) + "\n"}, 3},
		{"tcp, octets", "tcp", []string{octets(old(0)) + octets(now(1)), octets(old(2))}, 3},
		{"tcp, in pieces", "tcp", []string{octets(old(0))[:20], octets(old(0))[20:] + octets(old(1))[:2], octets(old(1))[2:]}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, Config{Protocol: tt.protocol, Format: "squid-native"})
			c := r.dial(nil)
			for _, p := range tt.packets {
				send(t, c, p)
			}
			r.until("all are used", func(c event.Source) bool { return c.Used == uint64(tt.want) })
			r.stop()
			r.want(tt.want)
			if c := r.set.Sources()["proxy"]; c.Rejected+c.Other+c.Lost != 0 {
				t.Errorf("counted %+v", c)
			}
		})
	}
}

// A format is told from the first messages, or after a while from fewer; what came before is not lost.
func TestSyslogAuto(t *testing.T) {
	r := run(t, Config{Protocol: "tcp"})
	c := r.dial(nil)
	send(t, c, squid(0, 3))
	r.until("three are held", func(event.Source) bool {
		s := r.set.sources[0]
		s.mu.Lock()
		defer s.mu.Unlock()
		for st := range s.holding {
			return len(st.held) == 3
		}
		return false
	})
	r.pass(heldFor)
	r.until("the three are used", func(c event.Source) bool { return c.Used == 3 && c.Format == "squid-native" })
	other := r.dial(nil)
	send(t, other, "what is this\n")
	send(t, other, squid(3, 1))
	r.until("the next is read as the first was", func(c event.Source) bool { return c.Used == 4 && c.Rejected == 1 })
}

// Messages that are too long, and halves, are counted.
func TestSyslogCounts(t *testing.T) {
	r := run(t, Config{Protocol: "tcp", Format: "squid-native"})
	c := r.dial(nil)
	send(t, c, strings.Repeat("x", 2*maxMessage)+"\n"+squid(0, 1)+"99 <1>half")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	r.until("all are counted", func(c event.Source) bool { return c.Used == 1 && c.Rejected == 1 && c.Lost == 1 })
}

// While the sink has no room nothing is taken, and nothing lost, over TCP.
func TestBackPressure(t *testing.T) {
	r := run(t, Config{Protocol: "tcp", Format: "squid-native"})
	r.mu.Lock()
	r.full = make(chan struct{})
	r.mu.Unlock()
	c := r.dial(nil)
	send(t, c, squid(0, 3*roomEvery))
	r.until("some are taken", func(c event.Source) bool { return c.Read == roomEvery-1 })
	close(r.full)
	r.until("all are", func(c event.Source) bool { return c.Used == 3*roomEvery })
}

// Datagrams that the kernel has no room for, while the sink has none, are counted.
func TestDatagramsLost(t *testing.T) {
	r := run(t, Config{Protocol: "udp", Format: "squid-native"})
	if err := r.set.sources[0].reader.(*udp).conn.SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	r.full = make(chan struct{})
	r.mu.Unlock()
	c := r.dial(nil)
	const sent = 2000
	for range sent {
		send(t, c, squid(0, 1))
	}
	close(r.full)
	all, taken := uint64(sent), uint64(0)
	r.until("every datagram is taken or lost", func(c event.Source) bool {
		if c.Lost > 0 && c.Read+c.Lost == all {
			return true
		}
		if c.Read == taken { // what the kernel had is taken; it says with the next how many it dropped
			send(t, r.dial(nil), squid(1, 1))
			all++
		}
		taken = c.Read
		return false
	})
}

// A port that is taken is said at the start, with what to do.
func TestPortTaken(t *testing.T) {
	for _, protocol := range []string{"udp", "tcp", "http"} {
		t.Run(protocol, func(t *testing.T) {
			r := run(t, Config{Protocol: protocol})
			_, err := Open([]Config{{Name: "other", Protocol: protocol, Address: r.addr}}, r.options())
			if err == nil || !strings.Contains(err.Error(), "another program listens there") {
				t.Errorf("it says %v", err)
			}
		})
	}
}

// authority makes certificates.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.make("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// make writes NAME.pem and NAME.key.
func (a *authority) make(name string, c *x509.Certificate) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := c, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	if a.cert == nil {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			a.t.Fatal(err)
		}
		a.key = key
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for ending, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(a.path(name+ending), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

// trust is a client that trusts the authority.
func (a *authority) trust(certificates ...tls.Certificate) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &tls.Config{RootCAs: roots, Certificates: certificates, MinVersion: tls.VersionTLS12}
}

// Over TLS, whoever has no certificate of the authority is refused, and it is said.
func TestSyslogTLS(t *testing.T) {
	a := newAuthority(t)
	a.make("server", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	client := a.make("client", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	r := run(t, Config{Protocol: "tls", Format: "squid-native", Cert: a.path("server.pem"), Key: a.path("server.key"), CA: a.path("ca.pem")})
	send(t, r.dial(a.trust(client)), squid(0, 2))
	r.until("the client is heard", func(c event.Source) bool { return c.Used == 2 })
	stranger := r.dial(a.trust())
	_, _ = io.WriteString(stranger, squid(2, 1)) // it may be refused by now
	_, _ = io.ReadAll(stranger)
	r.until("the stranger is told of", func(c event.Source) bool { return strings.Contains(c.Problem, "the last client that was refused") })
	if c := r.set.Sources()["proxy"]; c.Read != 2 {
		t.Errorf("counted %+v", c)
	}
}

// A file that is no certificate is said at the start.
func TestTLSFiles(t *testing.T) {
	a := newAuthority(t)
	a.make("server", &x509.Certificate{})
	for _, tt := range []struct{ name, cert, ca, want string }{
		{"no certificate", "none.pem", "ca.pem", "name PEM files with cert and key"},
		{"another key", "ca.pem", "ca.pem", "reading the certificate"},
		{"no authority", "server.pem", "server.key", "there is no certificate in it"},
		{"no file of authorities", "server.pem", "none.pem", "name a PEM file with ca"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Config{})
			_, err := Open([]Config{{Name: "x", Protocol: "tls", Address: "127.0.0.1:0", Cert: a.path(tt.cert), Key: a.path("server.key"), CA: a.path(tt.ca)}}, w.options())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("it says %v", err)
			}
		})
	}
}

// post sends a body and returns the answer's status.
func (r *running) post(body []byte, header ...string) int {
	r.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+r.addr+"/logs", bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	_, _ = io.Copy(io.Discard, answer.Body)    // the status says it
	return answer.StatusCode
}
