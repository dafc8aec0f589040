package tls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"io"
	"math/big"
	"net"
	"testing"
	"time"
)

// recorder is one end of a connection that keeps what is written and never answers.
type recorder struct {
	net.Conn
	sent bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error)      { return r.sent.Write(b) }
func (r *recorder) Read([]byte) (int, error)         { return 0, io.EOF }
func (r *recorder) Close() error                     { return nil }
func (r *recorder) SetDeadline(time.Time) error      { return nil }
func (r *recorder) SetReadDeadline(time.Time) error  { return nil }
func (r *recorder) SetWriteDeadline(time.Time) error { return nil }

// realHello is the first flight of crypto/tls's own client, with its record header.
func realHello(t testing.TB, config *tls.Config) []byte {
	t.Helper()
	conn := new(recorder)
	if err := tls.Client(conn, config).Handshake(); err == nil {
		t.Fatal("a handshake without a server succeeded")
	}
	stream := conn.sent.Bytes()
	n := recordHeaderLen + int(binary.BigEndian.Uint16(stream[3:]))
	return stream[:n] // without the alert behind it
}

// wanted is a usual client's configuration.
func wanted() *tls.Config {
	return &tls.Config{ServerName: "chat.example.com", NextProtos: []string{"h2", "http/1.1"}}
}

// tapped is a connection that copies what the server sends.
type tapped struct {
	net.Conn
	sent bytes.Buffer
}

func (c *tapped) Write(b []byte) (int, error) {
	c.sent.Write(b)
	return c.Conn.Write(b)
}

// serverStream is everything that a server sends during a handshake of at most the given version.
func serverStream(t testing.TB, certificate tls.Certificate, version uint16) []byte {
	t.Helper()
	left, right := net.Pipe()
	tap := &tapped{Conn: right}
	done := make(chan error, 1)
	go func() {
		server := tls.Server(tap, &tls.Config{Certificates: []tls.Certificate{certificate}, MaxVersion: version, NextProtos: []string{"h2"}})
		done <- server.Handshake()
	}()
	config := wanted()
	config.InsecureSkipVerify = true
	client := tls.Client(left, config)
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	// A TLS 1.3 server writes session tickets after the client's last message; the pipe has no buffer, so read until it is done.
	go io.Copy(io.Discard, left)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	left.Close()
	return tap.sent.Bytes()
}

// certificate makes a self-signed certificate.
func certificate(t testing.TB, commonName string, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{"Example"}, CommonName: commonName},
		NotAfter: time.Unix(1<<32, 0), DNSNames: names, IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// extension is one extension of a made-up hello.
type extension struct {
	typ  uint16
	body []byte
}

func u16(v int) []byte { return []byte{byte(v >> 8), byte(v)} }

func vector16(b []byte) []byte { return append(u16(len(b)), b...) }

func sni(name string) extension {
	entry := append([]byte{nameTypeHost}, vector16([]byte(name))...)
	return extension{extServerName, vector16(entry)}
}

func alpn(names ...string) extension {
	var list []byte
	for _, n := range names {
		list = append(append(list, byte(len(n))), n...)
	}
	return extension{extALPN, vector16(list)}
}

func values(typ uint16, v ...int) extension {
	var list []byte
	for _, x := range v {
		list = append(list, u16(x)...)
	}
	return extension{typ, vector16(list)}
}

func versions(v ...int) extension {
	body := []byte{byte(2 * len(v))}
	for _, x := range v {
		body = append(body, u16(x)...)
	}
	return extension{extSupportedVersions, body}
}

// makeHello makes a ClientHello message of TLS 1.2's legacy version.
func makeHello(suites []int, extensions ...extension) []byte {
	body := append([]byte{3, 3}, make([]byte, randomLen)...)
	body = append(body, 0)
	body = append(body, values(0, suites...).body...)
	body = append(body, 1, 0)
	if extensions != nil {
		var all []byte
		for _, e := range extensions {
			all = append(append(all, u16(int(e.typ))...), vector16(e.body)...)
		}
		body = append(body, vector16(all)...)
	}
	return message(typeClientHello, body)
}

func message(typ byte, body []byte) []byte {
	return append([]byte{typ, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

func record(typ byte, payload []byte) []byte {
	return append([]byte{typ, 3, 1}, vector16(payload)...)
}

// fragmented spreads a message over records of n bytes each.
func fragmented(msg []byte, n int) (stream []byte) {
	for len(msg) > 0 {
		n = min(n, len(msg))
		stream = append(stream, record(recordHandshake, msg[:n])...)
		msg = msg[n:]
	}
	return stream
}
