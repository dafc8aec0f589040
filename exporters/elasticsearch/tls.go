package elasticsearch

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
)

// parseFingerprint reads a SHA-256 in hexadecimal, with or without colons; nil for none.
func parseFingerprint(s string) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, ":", ""))
	if err != nil || len(b) != sha256.Size {
		return nil, errors.New("write the SHA-256 of a certificate, 64 hexadecimal digits")
	}
	return b, nil
}

// tlsConfig reads the files that the settings name.
func (c *Config) tlsConfig() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		text, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("reading elasticsearch.ca: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("reading elasticsearch.ca: %s holds no certificate in PEM form", c.CA)
		}
	}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("reading elasticsearch.cert and elasticsearch.key: %w", err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	pin, err := parseFingerprint(c.CAFingerprint)
	if err != nil {
		return nil, fmt.Errorf("reading elasticsearch.ca_fingerprint: %w", err)
	}
	if pin != nil {
		conf.InsecureSkipVerify = true // verifyPinned verifies, with the pinned certificate as the only root
		conf.VerifyConnection = func(cs tls.ConnectionState) error { return verifyPinned(&cs, pin) }
	}
	return conf, nil
}

// errNotPinned says what to do if the certificate is not among those that the server sends.
var errNotPinned = errors.New("the server sends no certificate with the fingerprint of elasticsearch.ca_fingerprint; if it leaves its " +
	"authority's out, pin its own, or set elasticsearch.ca")

// verifyPinned verifies a server's certificate with the pinned one as the only root. That a server merely sends the pinned certificate
// along proves nothing: certificates are public.
func verifyPinned(cs *tls.ConnectionState, pin []byte) error {
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	found := false
	for _, cert := range cs.PeerCertificates {
		if digest := sha256.Sum256(cert.Raw); string(digest[:]) == string(pin) {
			roots.AddCert(cert)
			found = true
		} else {
			others.AddCert(cert)
		}
	}
	if !found {
		return errNotPinned
	}
	_, err := cs.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: cs.ServerName, Roots: roots, Intermediates: others})
	return err
}
