// Package bundle packs a catalogue into one signed file, opens such a file only if its signature, its version and its day are right, and
// keeps the bundles that a sensor has taken in. It does not fetch them (see cmd/gnomon) and does not read signatures (see signatures).
//
// A bundle is a zip archive of catalogue files. Its signature is a file of its own beside it, in the form of minisign (Ed25519 over
// BLAKE2b-512), so that `minisign -V` checks it too. The signed comment says what the bundle is, its version and its last day.
package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"aead.dev/minisign"
)

const (
	// Suffix is what a signature's name adds to that of its bundle.
	Suffix = ".minisig"
	// MaxBytes bounds a bundle. The catalogue of a thousand services takes a twentieth of it.
	MaxBytes = 16 << 20
	// MaxSignature bounds a signature, which takes a few hundred bytes.
	MaxSignature = 4 << 10

	maxUnpacked = 64 << 20
	maxFiles    = 20_000
	versionFile = "VERSION"
)

// Reasons to refuse a bundle.
var (
	ErrSignature = errors.New("no key that is trusted has signed it")
	ErrExpired   = errors.New("it has expired")
	ErrOlder     = errors.New("it is no newer than the catalogue in use")
	ErrDamaged   = errors.New("it is damaged")
)

// Bundle is a catalogue whose signature was right.
type Bundle struct {
	Version string
	Expires time.Time // its last moment, UTC
	Files   fs.FS
}

// Pack writes the catalogue files as a bundle. The same files give the same bytes.
func Pack(files fs.FS) ([]byte, error) {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".toml" && name != versionFile {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		w, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
	if err = errors.Join(err, archive.Close()); err != nil {
		return nil, fmt.Errorf("packing the catalogue: %w", err)
	}
	if out.Len() > MaxBytes {
		return nil, fmt.Errorf("packing the catalogue: it takes %d bytes, and no more than %d would be taken in; leave something out", out.Len(), MaxBytes)
	}
	return out.Bytes(), nil
}

// commentStart begins the signed comment: a key that signs other things too cannot have signed one of them as a catalogue.
const commentStart = "gnomon catalogue "

// Sign signs a bundle of Pack. It counts as expired after the day of expires.
func Sign(key minisign.PrivateKey, data []byte, expires time.Time) ([]byte, error) {
	files, err := unpack(data)
	if err != nil {
		return nil, fmt.Errorf("signing the catalogue: %w", err)
	}
	version, err := versionOf(files)
	if err != nil {
		return nil, fmt.Errorf("signing the catalogue: %w", err)
	}
	hashed := minisign.NewReader(bytes.NewReader(data))
	if _, err := io.Copy(io.Discard, hashed); err != nil {
		return nil, fmt.Errorf("signing the catalogue: %w", err)
	}
	return hashed.SignWithComments(key, commentStart+version+" expires "+expires.Format(time.DateOnly), "signature of a gnomon catalogue"), nil
}

// ReadKey reads a private key as minisign writes it. The password is used if the key is encrypted.
func ReadKey(text []byte, password string) (minisign.PrivateKey, error) {
	var key minisign.PrivateKey
	if !minisign.IsEncrypted(text) {
		if err := key.UnmarshalText(text); err != nil {
			return key, fmt.Errorf("reading the signing key: %w; give the file that minisign -G wrote", err)
		}
		return key, nil
	}
	key, err := minisign.DecryptKey(password, text)
	if err != nil {
		return key, fmt.Errorf("reading the signing key: %w; is the password right?", err)
	}
	return key, nil
}

// Keys are the public keys that are trusted.
type Keys []minisign.PublicKey

// ParseKeys reads public keys as minisign prints them: 56 letters beginning with RW.
func ParseKeys(texts []string) (Keys, error) {
	var keys Keys
	for _, text := range texts {
		var key minisign.PublicKey
		if err := key.UnmarshalText([]byte(strings.TrimSpace(text))); err != nil {
			return nil, fmt.Errorf("reading the public key %.60q: %w; give the last line of a minisign.pub", text, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Open checks the signature and reads what the bundle says of itself. An expired one is opened: see Bundle.Usable.
func Open(data, signature []byte, keys Keys) (*Bundle, error) {
	var sig minisign.Signature
	if len(signature) > MaxSignature || sig.UnmarshalText(signature) != nil {
		return nil, fmt.Errorf("reading the signature of a catalogue: %w: it is no minisign signature, or only a part of one", ErrDamaged)
	}
	if !trusted(data, signature, &sig, keys) {
		return nil, fmt.Errorf("checking a catalogue: %w (key %X); name the key in catalogue.keys if you trust it. A file that was changed or cut says the same",
			ErrSignature, sig.KeyID)
	}
	version, day, ok := strings.Cut(strings.TrimPrefix(sig.TrustedComment, commentStart), " expires ")
	last, err := time.Parse(time.DateOnly, day)
	if !ok || err != nil || !strings.HasPrefix(sig.TrustedComment, commentStart) {
		return nil, fmt.Errorf("checking a catalogue: %w: it was signed as %.80q, not as a catalogue", ErrSignature, sig.TrustedComment)
	}
	files, err := unpack(data)
	if err != nil {
		return nil, err
	}
	inside, err := versionOf(files)
	if err != nil {
		return nil, err
	}
	if inside != version {
		return nil, fmt.Errorf("checking a catalogue: %w: it was signed as version %s and holds %s", ErrDamaged, version, inside)
	}
	return &Bundle{Version: version, Expires: last.AddDate(0, 0, 1), Files: files}, nil
}

// trusted says whether one of the keys has signed the bytes, and the comment with them. Only the hashed form of a signature counts: it is
// what minisign makes unless told otherwise.
func trusted(data, signature []byte, sig *minisign.Signature, keys Keys) bool {
	return sig.Algorithm == minisign.HashEdDSA && slices.ContainsFunc(keys, func(key minisign.PublicKey) bool {
		return key.ID() == sig.KeyID && minisign.Verify(key, data, signature)
	})
}

// Usable says why the bundle should not take the place of a catalogue of the given version: it must be newer, and not past its last day.
func (b *Bundle) Usable(inUse string, now time.Time) error {
	if Compare(b.Version, inUse) <= 0 {
		return fmt.Errorf("taking in catalogue %s: %w (%s)", b.Version, ErrOlder, inUse)
	}
	if !now.Before(b.Expires) {
		return fmt.Errorf("taking in catalogue %s: %w: its last day was %s; get a newer one, and look at this machine's clock",
			b.Version, ErrExpired, b.Expires.AddDate(0, 0, -1).Format(time.DateOnly))
	}
	return nil
}

// Unpack reads the files of a bundle whose signature is not asked for: to look at, not to use.
func Unpack(data []byte) (fs.FS, error) { return unpack(data) }

// unpack reads the archive's directory and bounds what it may unfold to.
func unpack(data []byte) (*zip.Reader, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("reading a catalogue: %w: %w", ErrDamaged, err)
	}
	total := uint64(0)
	for _, f := range archive.File {
		total += min(f.UncompressedSize64, maxUnpacked)
	}
	if len(data) > MaxBytes || len(archive.File) > maxFiles || total > maxUnpacked {
		return nil, fmt.Errorf("reading a catalogue: %w: it would take %d files and %d bytes", ErrDamaged, len(archive.File), total)
	}
	return archive, nil
}

// versionOf reads the version that a catalogue says it has.
func versionOf(files fs.FS) (string, error) {
	f, err := files.Open(versionFile)
	if err != nil {
		return "", fmt.Errorf("reading the version of a catalogue: %w; it stands in the file %s", err, versionFile)
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, 64))
	if err != nil {
		return "", fmt.Errorf("reading the version of a catalogue: %w: %w", ErrDamaged, err)
	}
	version := strings.TrimSpace(string(text))
	if numbers(version) == nil {
		return "", fmt.Errorf("reading the version of a catalogue: %w: %q is none; write year, month and number as in 2026.11.1", ErrDamaged, version)
	}
	return version, nil
}
