package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aead.dev/minisign"
)

var (
	today   = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	lastDay = time.Date(2027, 2, 28, 0, 0, 0, 0, time.UTC)
)

// maker signs bundles with a key of the test's own.
type maker struct {
	private minisign.PrivateKey
	keys    Keys
}

func newMaker(t testing.TB) maker {
	t.Helper()
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParseKeys([]string{public.String()})
	if err != nil {
		t.Fatal(err)
	}
	return maker{private, keys}
}

// bundle packs and signs a catalogue with one file.
func (m maker) bundle(t testing.TB, version string, expires time.Time) (data, signature []byte) {
	t.Helper()
	data, err := Pack(fstest.MapFS{"VERSION": {Data: []byte(version + "\n")}, "corp.toml": {Data: []byte("vendor = \"Corp " + version + "\"\n")},
		"notes.txt": {Data: []byte("not a part of it")}})
	if err != nil {
		t.Fatal(err)
	}
	if signature, err = Sign(m.private, data, expires); err != nil {
		t.Fatal(err)
	}
	return data, signature
}

func TestOpen(t *testing.T) {
	m := newMaker(t)
	data, signature := m.bundle(t, "2026.12.1", lastDay)
	b, err := Open(data, signature, slices.Concat(newMaker(t).keys, m.keys))
	if err != nil {
		t.Fatal(err)
	}
	if b.Version != "2026.12.1" || !b.Expires.Equal(lastDay.AddDate(0, 0, 1)) {
		t.Errorf("the bundle is %s until %v", b.Version, b.Expires)
	}
	files, err := fs.Glob(b.Files, "*")
	if err != nil || !slices.Equal(files, []string{"VERSION", "corp.toml"}) {
		t.Errorf("it holds %q (%v)", files, err)
	}
	again, _ := m.bundle(t, "2026.12.1", lastDay)
	if !bytes.Equal(data, again) {
		t.Error("the same files give another bundle the second time")
	}
}

// Whatever was changed, cut, swapped or signed as something else is refused.
func TestOpenRefuses(t *testing.T) {
	m := newMaker(t)
	data, signature := m.bundle(t, "2026.12.1", lastDay)
	other, otherSignature := m.bundle(t, "2026.12.2", lastDay)
	flip := func(b []byte, at int) []byte {
		b = slices.Clone(b)
		b[at] ^= 1
		return b
	}
	comment := func(text string) []byte {
		r := minisign.NewReader(bytes.NewReader(data))
		if _, err := new(bytes.Buffer).ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		return r.SignWithComments(m.private, text, "")
	}
	for _, c := range []struct {
		name            string
		data, signature []byte
		keys            Keys
		want            error
	}{
		{"no key is trusted", data, signature, nil, ErrSignature},
		{"another key is trusted", data, signature, newMaker(t).keys, ErrSignature},
		{"a bit of the bundle was changed", flip(data, len(data)/2), signature, m.keys, ErrSignature},
		{"the end of the bundle is missing", data[:len(data)-1], signature, m.keys, ErrSignature},
		{"something was added", append(slices.Clone(data), 0), signature, m.keys, ErrSignature},
		{"the signature of another bundle", data, otherSignature, m.keys, ErrSignature},
		{"the bundle of another signature", other, signature, m.keys, ErrSignature},
		{"half a signature", data, signature[:len(signature)/2], m.keys, ErrDamaged},
		{"no signature", data, nil, m.keys, ErrDamaged},
		{"a page instead of a signature", data, []byte("<html>404</html>"), m.keys, ErrDamaged},
		{"a later day written into the comment", data, bytes.Replace(signature, []byte("2027-02-28"), []byte("2099-02-28"), 1), m.keys, ErrSignature},
		{"another version in the comment", data, comment("gnomon catalogue 2026.13.9 expires 2027-02-28"), m.keys, ErrDamaged},
		{"signed as something else", data, comment("gnomon release 1.0 expires 2027-02-28"), m.keys, ErrSignature},
		{"no last day", data, comment("gnomon catalogue 2026.12.1"), m.keys, ErrSignature},
		{"the unhashed form", data, minisign.SignWithComments(m.private, data, "gnomon catalogue 2026.12.1 expires 2027-02-28", ""), m.keys, ErrSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			if b, err := Open(c.data, c.signature, c.keys); b != nil || !errors.Is(err, c.want) {
				t.Errorf("Open = %v, %v; want %v", b, err, c.want)
			}
		})
	}
}

// Every cut of a bundle and of its signature is refused: a half-written one can never be used.
func TestOpenTruncated(t *testing.T) {
	m := newMaker(t)
	data, signature := m.bundle(t, "2026.12.1", lastDay)
	for n := range data {
		if b, _ := Open(data[:n], signature, m.keys); b != nil {
			t.Fatalf("%d of %d bytes of the bundle were taken", n, len(data))
		}
	}
	whole := bytes.TrimRight(signature, "\n")
	for n := range whole {
		if b, _ := Open(data, whole[:n], m.keys); b != nil {
			t.Fatalf("%d of %d bytes of the signature were taken", n, len(whole))
		}
	}
}

func TestUsable(t *testing.T) {
	for _, c := range []struct {
		name    string
		version string
		inUse   string
		now     time.Time
		want    error
	}{
		{"newer", "2026.12.1", "2026.11.9", today, nil},
		{"newer by number, not by letter", "2026.11.10", "2026.11.9", today, nil},
		{"on its last day", "2026.12.1", "2026.11.1", lastDay.Add(23 * time.Hour), nil},
		{"the day after", "2026.12.1", "2026.11.1", lastDay.Add(24 * time.Hour), ErrExpired},
		{"the same", "2026.11.1", "2026.11.1", today, ErrOlder},
		{"older", "2026.10.7", "2026.11.1", today, ErrOlder},
		{"shorter is older", "2026.11", "2026.11.1", today, ErrOlder},
		{"over a catalogue without a version", "2026.11", "", today, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &Bundle{Version: c.version, Expires: lastDay.AddDate(0, 0, 1)}
			if err := b.Usable(c.inUse, c.now); !errors.Is(err, c.want) {
				t.Errorf("Usable = %v, want %v", err, c.want)
			}
		})
	}
}

// What is signed but cannot be a catalogue is refused when it is signed.
func TestSignRefuses(t *testing.T) {
	m := newMaker(t)
	bomb := func(files int, size uint64) []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		for range files {
			if _, err := w.CreateRaw(&zip.FileHeader{Name: "x.toml", UncompressedSize64: size}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	version := func(text string) []byte {
		data, err := Pack(fstest.MapFS{"VERSION": {Data: []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for _, c := range []struct {
		name string
		data []byte
		says string
	}{
		{"no archive", []byte("hello"), "damaged"},
		{"no version", version("")[:0], "damaged"},
		{"empty version", version(""), "none; write year"},
		{"a path as version", version("../../etc"), "none; write year"},
		{"a version with zeros", version("2026.01.1"), "none; write year"},
		{"unfolds to too much", bomb(2, 1<<40), "it would take"},
		{"too many files", bomb(maxFiles+1, 0), "it would take"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Sign(m.private, c.data, lastDay); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Sign: %v; want %q", err, c.says)
			}
		})
	}
}

func TestParseKeys(t *testing.T) {
	if _, err := ParseKeys([]string{"RWQnonsense"}); err == nil || !strings.Contains(err.Error(), "minisign.pub") {
		t.Errorf("a broken key: %v", err)
	}
}

func TestReadKey(t *testing.T) {
	m := newMaker(t)
	plain, err := m.private.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ReadKey(plain, "")
	if err != nil || !key.Equal(m.private) {
		t.Errorf("the key was not read: %v", err)
	}
	if _, err := ReadKey(plain[:60], ""); err == nil || !strings.Contains(err.Error(), "minisign -G") {
		t.Errorf("half a key: %v", err)
	}
}
