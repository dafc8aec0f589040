package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor/config"
)

// stateDir is where the sensor keeps its identity and its data.
func stateDir(c *config.Config, environ []string) string {
	if c.Observer.StateDir != "" {
		return c.Observer.StateDir
	}
	if os.Geteuid() == 0 {
		return "/var/lib/gnomon"
	}
	home := map[string]string{}
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		home[name] = value
	}
	if dir := home["XDG_STATE_HOME"]; dir != "" {
		return filepath.Join(dir, "gnomon")
	}
	return filepath.Join(home["HOME"], ".local", "state", "gnomon")
}

// observerID reads the sensor's identity, a UUID, or makes it at the first start.
func observerID(dir string) (string, error) {
	path := filepath.Join(dir, "observer.id")
	text, err := os.ReadFile(path)
	if err == nil {
		id := strings.TrimSpace(string(text))
		if len(id) != 36 || strings.Trim(id, "0123456789abcdef-") != "" {
			return "", fmt.Errorf("reading the sensor's identity: %s holds %.60q, no UUID; restore it or remove it to become a new sensor", path, id)
		}
		return id, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading the sensor's identity: %w", err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("making the state directory: %w; name another with --state-dir or observer.state_dir", err)
	}
	id := newUUID()
	if err := writeFile(path, id+"\n"); err != nil {
		return "", fmt.Errorf("keeping the sensor's identity: %w", err)
	}
	return id, nil
}

// writeFile writes a small file so that it is there whole or not at all.
func writeFile(path, text string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// newUUID is a random UUID (RFC 9562, section 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never returns an error
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
