package privacy

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// keyName is the key's file in the state directory.
const keyName = "pseudonym.key"

// keySize is the length of a key in octets: as long as what HMAC-SHA-256 gives (RFC 2104, section 3).
const keySize = 32

// Key makes pseudonyms.
type Key [keySize]byte

// OpenKey reads the key in the file that the configuration names, which a fleet shares, or else in the state directory, where it makes
// one at the first start.
func OpenKey(c *Config, stateDir string) (Key, error) {
	if c.KeyFile != "" {
		return readKey(c.KeyFile)
	}
	path := filepath.Join(stateDir, keyName)
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := makeKey(path); err != nil && !errors.Is(err, fs.ErrExist) { // another process may have been faster: its key counts
		return Key{}, fmt.Errorf("making the key for pseudonyms %s: %w", path, err)
	}
	return readKey(path)
}

// readKey reads a key and looks at who else can.
func readKey(path string) (key Key, err error) {
	f, err := os.Open(path)
	if err != nil {
		return Key{}, fmt.Errorf("reading the key for pseudonyms: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Key{}, fmt.Errorf("reading the key for pseudonyms %s: %w", path, err)
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return Key{}, fmt.Errorf("reading the key for pseudonyms %s: it is no regular file; name one", path)
	case mode.Perm()&0o027 != 0:
		return Key{}, fmt.Errorf("reading the key for pseudonyms %s: its mode is %#o, so others can read or change it; chmod 600 it, and if they could until now, think of a new key", path, mode.Perm())
	case info.Size() != keySize:
		return Key{}, fmt.Errorf("reading the key for pseudonyms %s: it has %d octets instead of %d; put the right file back, for a new key makes new people of all users", path, info.Size(), keySize)
	}
	if _, err := io.ReadFull(f, key[:]); err != nil {
		return Key{}, fmt.Errorf("reading the key for pseudonyms %s: %w", path, err)
	}
	if key == (Key{}) {
		return Key{}, fmt.Errorf("reading the key for pseudonyms %s: all its octets are zero; write random ones: head -c %d /dev/urandom", path, keySize)
	}
	return key, nil
}

// makeKey writes a new key so that the file is there whole or not at all, and never replaces one.
func makeKey(path string) error {
	var key Key
	_, _ = rand.Read(key[:]) // it ends the program rather than fail
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, keyName+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(key[:])
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Link(f.Name(), path) // unlike a rename it fails if there is one
	}
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
