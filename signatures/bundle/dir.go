package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	currentFile   = "current" // the version in use and, on a second line, the one before
	bundleFile    = "catalogue.zip"
	signatureFile = bundleFile + Suffix
	halfMade      = ".new-" // begins the names of directories that are not complete
)

// Dir is a directory that keeps the bundle in use and the one before it, each in a directory named after its version:
//
//	current                        2026.12.1, and on the next line 2026.11.4
//	2026.12.1/catalogue.zip        and catalogue.zip.minisig
//	2026.11.4/catalogue.zip        and catalogue.zip.minisig
//
// A bundle is written in full, beside the others, before the file current names it: whatever interrupts that, one whole bundle is in use.
type Dir string

// Current opens the bundle in use and checks it again; nil without an error means that there is none.
func (d Dir) Current(keys Keys) (*Bundle, error) {
	now, _, err := d.versions()
	if err != nil || now == "" {
		return nil, err
	}
	return d.open(now, keys)
}

// versions are the one in use and the one before it; both empty if none was ever taken in.
func (d Dir) versions() (now, before string, err error) {
	text, err := os.ReadFile(filepath.Join(string(d), currentFile))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("reading which catalogue is in use: %w", err)
	}
	now, before, _ = strings.Cut(strings.TrimSpace(string(text)), "\n")
	for _, v := range []string{now, before} {
		if v != "" && numbers(v) == nil {
			return "", "", fmt.Errorf("reading which catalogue is in use: %s holds %.40q, no version; remove it to use the built-in catalogue, and update again",
				filepath.Join(string(d), currentFile), v)
		}
	}
	return now, before, nil
}

func (d Dir) open(version string, keys Keys) (*Bundle, error) {
	place := filepath.Join(string(d), version)
	data, err := readBounded(filepath.Join(place, bundleFile), MaxBytes)
	if err != nil {
		return nil, err
	}
	signature, err := readBounded(filepath.Join(place, signatureFile), MaxSignature)
	if err != nil {
		return nil, err
	}
	b, err := Open(data, signature, keys)
	if err != nil {
		return nil, fmt.Errorf("opening the catalogue in %s: %w", place, err)
	}
	return b, nil
}

// readBounded reads a file that may not be larger than it should be.
func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading a catalogue: %w", err)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("reading a catalogue: %s has %d bytes, more than the %d that one may have", path, info.Size(), limit)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading a catalogue: %w", err)
	}
	return data, nil
}

// Signature is the signature of the bundle in use, nil if there is none: whoever offers the same offers nothing new.
func (d Dir) Signature() []byte {
	now, _, err := d.versions()
	if err != nil || now == "" {
		return nil
	}
	signature, err := readBounded(filepath.Join(string(d), now, signatureFile), MaxSignature)
	if err != nil {
		return nil
	}
	return signature
}

// Changed is when another bundle was last put in use; zero if there is none.
func (d Dir) Changed() time.Time {
	info, err := os.Stat(filepath.Join(string(d), currentFile))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// Install puts a bundle that Open and Usable have passed in use. The one that was in use stays, for Back; older ones go.
func (d Dir) Install(b *Bundle, data, signature []byte) error {
	now, _, err := d.versions()
	if err != nil {
		return err
	}
	if err := d.write(b.Version, now, data, signature); err != nil {
		return fmt.Errorf("keeping catalogue %s: %w; the one in use stays", b.Version, err)
	}
	if err := d.use(b.Version, now); err != nil {
		return err
	}
	d.tidy(b.Version, now)
	return nil
}

// write makes the version's directory, whole or not at all.
func (d Dir) write(version, inUse string, data, signature []byte) error {
	if version == inUse {
		return errors.New("that version is in use already")
	}
	if err := os.MkdirAll(string(d), 0o750); err != nil {
		return err
	}
	half, err := os.MkdirTemp(string(d), halfMade)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(half) }() // by then it has its name, or has failed
	for name, content := range map[string][]byte{bundleFile: data, signatureFile: signature} {
		if err := writeSynced(filepath.Join(half, name), content); err != nil {
			return err
		}
	}
	place := filepath.Join(string(d), version)
	if err := os.RemoveAll(place); err != nil { // of an update that was interrupted, or taken back
		return err
	}
	return os.Rename(half, place)
}

// use names the bundle in use, at once for everyone who looks.
func (d Dir) use(version, before string) error {
	half := filepath.Join(string(d), halfMade+currentFile)
	err := writeSynced(half, []byte(version+"\n"+before+"\n"))
	if err == nil {
		err = os.Rename(half, filepath.Join(string(d), currentFile))
	}
	if err != nil {
		return fmt.Errorf("putting catalogue %s in use: %w; the one before stays", version, err)
	}
	return nil
}

// tidy removes what is neither in use nor the one before. What cannot be removed is tried again next time.
func (d Dir) tidy(keep ...string) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return
	}
	for _, e := range entries {
		kept := e.Name() == currentFile
		for _, version := range keep {
			kept = kept || e.Name() == version
		}
		if !kept && (numbers(e.Name()) != nil || strings.HasPrefix(e.Name(), halfMade)) {
			_ = os.RemoveAll(filepath.Join(string(d), e.Name()))
		}
	}
}

// Back puts the bundle before in use again, or, if there was none, the built-in catalogue: version is empty then.
func (d Dir) Back(keys Keys) (version string, err error) {
	now, before, err := d.versions()
	if err != nil {
		return "", err
	}
	switch {
	case now == "":
		return "", errors.New("going back to the catalogue before: there is none; the built-in one is in use")
	case before == "":
		if err := os.Remove(filepath.Join(string(d), currentFile)); err != nil {
			return "", fmt.Errorf("going back to the built-in catalogue: %w", err)
		}
		return "", nil
	}
	if _, err := d.open(before, keys); err != nil {
		return "", err
	}
	return before, d.use(before, "")
}

// writeSynced writes a file down to the disk.
func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
