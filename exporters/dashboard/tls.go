package dashboard

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// renewal is how often the files of the certificate are looked at.
const renewal = time.Minute

// keyPair is a certificate that is read again when its files change.
type keyPair struct {
	cert, key string
	now       func() time.Time
	log       *slog.Logger

	mu      sync.Mutex // guards what is below
	pair    *tls.Certificate
	changed time.Time // of the younger file, when pair was read
	looked  time.Time
}

// load reads the pair.
func (k *keyPair) load() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.read()
}

func (k *keyPair) read() error {
	changed := k.lastChange()
	pair, err := tls.LoadX509KeyPair(k.cert, k.key)
	if err != nil {
		return fmt.Errorf("reading dashboard.tls_cert %s and dashboard.tls_key %s: %w", k.cert, k.key, err)
	}
	k.pair, k.changed, k.looked = &pair, changed, k.now()
	return nil
}

func (k *keyPair) lastChange() time.Time {
	var last time.Time
	for _, name := range []string{k.cert, k.key} {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

// current returns the pair, the new one if there is one. If that cannot be read the old one stays.
func (k *keyPair) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now().Sub(k.looked) >= renewal {
		k.looked = k.now()
		if k.lastChange().After(k.changed) {
			if err := k.read(); err != nil {
				k.log.Warn("keeping the old certificate of the pages", "error", err)
			}
		}
	}
	return k.pair, nil
}

func (k *keyPair) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: k.current, NextProtos: []string{"h2", "http/1.1"}}
}
