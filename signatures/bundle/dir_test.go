package bundle

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// install puts a version in use.
func (m maker) install(t *testing.T, d Dir, version string) {
	t.Helper()
	data, signature := m.bundle(t, version, lastDay)
	b, err := Open(data, signature, m.keys)
	if err == nil {
		err = d.Install(b, data, signature)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (m maker) wantVersion(t *testing.T, d Dir, want string) {
	t.Helper()
	b, err := d.Current(m.keys)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	if b != nil {
		got = b.Version
	}
	if got != want {
		t.Errorf("version %q is in use, want %q", got, want)
	}
}

func TestInstall(t *testing.T) {
	m, d := newMaker(t), Dir(filepath.Join(t.TempDir(), "catalogue"))
	m.wantVersion(t, d, "")
	if !d.Changed().IsZero() || d.Signature() != nil {
		t.Error("an empty directory knows when it changed, or a signature")
	}
	for _, version := range []string{"2026.11.1", "2026.11.2", "2026.12.1"} {
		m.install(t, d, version)
		m.wantVersion(t, d, version)
	}
	if d.Changed().IsZero() || len(d.Signature()) == 0 {
		t.Error("it does not know when it changed, or its signature")
	}
	names := list(t, d)
	if want := []string{"2026.11.2", "2026.12.1", "current"}; !slices.Equal(names, want) {
		t.Errorf("the directory holds %q, want %q: the bundle before stays, older ones go", names, want)
	}
	for _, want := range []string{"2026.11.2", ""} {
		if version, err := d.Back(m.keys); err != nil || version != want {
			t.Errorf("Back = %q, %v; want %q", version, err, want)
		}
		m.wantVersion(t, d, want)
	}
	if _, err := d.Back(m.keys); err == nil {
		t.Error("it went back from nothing")
	}
	m.install(t, d, "2026.12.1") // what was taken back may come again
	m.wantVersion(t, d, "2026.12.1")
}

func list(t *testing.T, d Dir) []string {
	t.Helper()
	entries, err := os.ReadDir(string(d))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// An update that is interrupted at any point leaves the bundle before in use, and the next update goes through.
func TestInterrupted(t *testing.T) {
	for _, c := range []struct {
		name  string
		leave func(d Dir) error
	}{
		{"while the directory was filled", func(d Dir) error {
			if err := os.Mkdir(filepath.Join(string(d), halfMade+"1"), 0o750); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(string(d), halfMade+"1", bundleFile), []byte("PK half"), 0o600)
		}},
		{"before it was put in use", func(d Dir) error {
			if err := os.Mkdir(filepath.Join(string(d), "2026.12.1"), 0o750); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(string(d), "2026.12.1", bundleFile), []byte("PK half"), 0o600)
		}},
		{"while it was put in use", func(d Dir) error {
			return os.WriteFile(filepath.Join(string(d), halfMade+currentFile), []byte("2026."), 0o600)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, d := newMaker(t), Dir(t.TempDir())
			m.install(t, d, "2026.11.1")
			if err := c.leave(d); err != nil {
				t.Fatal(err)
			}
			m.wantVersion(t, d, "2026.11.1")
			m.install(t, d, "2026.12.1")
			m.wantVersion(t, d, "2026.12.1")
			if names := list(t, d); !slices.Equal(names, []string{"2026.11.1", "2026.12.1", "current"}) {
				t.Errorf("what was left half made is still there: %q", names)
			}
		})
	}
}

// A bundle in use that was changed or cut on the disk is found out.
func TestCurrentDamaged(t *testing.T) {
	for _, c := range []struct {
		name, file, text, says string
	}{
		{"bundle", "2026.11.1/" + bundleFile, "PK", "no key that is trusted"},
		{"signature", "2026.11.1/" + signatureFile, "x", "damaged"},
		{"name", currentFile, "../../etc\n", "no version"},
		{"too large", "2026.11.1/" + signatureFile, strings.Repeat("x", MaxSignature+1), "more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, d := newMaker(t), Dir(t.TempDir())
			m.install(t, d, "2026.11.1")
			if err := os.WriteFile(filepath.Join(string(d), filepath.FromSlash(c.file)), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if b, err := d.Current(m.keys); b != nil || err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Current = %v, %v; want %q", b, err, c.says)
			}
		})
	}
}
