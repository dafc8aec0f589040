package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
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

// machineIDPath is where systemd keeps the machine's identity (machine-id(5)).
const machineIDPath = "/etc/machine-id"

// sensorID is the sensor's identity: as the configuration says, of the machine, or the one in the state directory.
func (p *program) sensorID(c *config.Config) (string, error) {
	switch c.Observer.ID {
	case "":
		return observerID(stateDir(c, p.environ))
	case config.IDOfMachine:
		return machineID(machineIDPath)
	}
	return c.Observer.ID, nil
}

// machineID makes a UUID (RFC 9562, section 5.8) of the machine's identity, from which that cannot be told: machine-id(5) asks not to give it away.
func machineID(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the machine's identity: %w; set observer.id to a UUID instead", err)
	}
	id, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(id) != 16 {
		return "", fmt.Errorf("reading the machine's identity: %s holds none; run systemd-machine-id-setup, or set observer.id to a UUID", path)
	}
	h := hmac.New(sha256.New, id)
	h.Write([]byte("gnomon observer.id"))
	var b [16]byte
	copy(b[:], h.Sum(nil))
	return formatUUID(b, 8), nil
}

// observerID reads the sensor's identity, a UUID, or makes it at the first start.
func observerID(dir string) (string, error) {
	path := filepath.Join(dir, "observer.id")
	text, err := os.ReadFile(path)
	if err == nil {
		id := strings.TrimSpace(string(text))
		if !config.ValidUUID(id) {
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
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir brings a directory's entries to the disk: until then a loss of power may take a new name back.
func syncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// newUUID is a random UUID (RFC 9562, section 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never returns an error
	return formatUUID(b, 4)
}

// formatUUID writes a UUID of a version.
func formatUUID(b [16]byte, version byte) string {
	b[6], b[8] = b[6]&0x0f|version<<4, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
