package privacy

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestOpenKeyMakesOne(t *testing.T) {
	dir := t.TempDir()
	first, err := OpenKey(&Config{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenKey(&Config{}, dir)
	if err != nil || again != first || first == (Key{}) {
		t.Errorf("the second start: %v, the same key: %v", err, again == first)
	}
	info, err := os.Stat(filepath.Join(dir, keyName))
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != keySize {
		t.Errorf("the key's file: %v %+v", err, info)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("left in the directory: %v %v", files, err)
	}
	other, err := OpenKey(&Config{}, t.TempDir())
	if err != nil || other == first {
		t.Errorf("another sensor: %v, the same key: %v", err, other == first)
	}
}

// TestOpenKeyRace starts many at once on an empty directory: all must end up with one key.
func TestOpenKeyRace(t *testing.T) {
	dir := t.TempDir()
	var keys [16]Key
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = OpenKey(&Config{}, dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range keys {
		if keys[i] != keys[0] {
			t.Fatalf("start %d has a key of its own", i)
		}
	}
}

func TestOpenKeyErrors(t *testing.T) {
	good := strings.Repeat("k", keySize)
	tests := []struct {
		name, content string
		mode          os.FileMode
		want          string // of the error, "" for none
	}{
		{"good", good, 0o600, ""},
		{"group may read", good, 0o640, ""},
		{"read only", good, 0o400, ""},
		{"everybody may read", good, 0o644, "0644"},
		{"group may write", good, 0o660, "0660"},
		{"short", good[1:], 0o600, "31 octets instead of 32"},
		{"long", good + "\n", 0o600, "33 octets instead of 32"},
		{"empty", "", 0o600, "0 octets"},
		{"zeros", strings.Repeat("\x00", keySize), 0o600, "all its octets are zero"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), keyName)
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			for _, open := range []func() (Key, error){
				func() (Key, error) { return OpenKey(&Config{KeyFile: path}, "/nowhere") },
				func() (Key, error) { return OpenKey(&Config{}, filepath.Dir(path)) },
			} {
				key, err := open()
				if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path)) {
					t.Errorf("error %v, want one with %q", err, tt.want)
				}
				if err == nil && string(key[:]) != tt.content {
					t.Errorf("key %q", key)
				}
			}
			if left, err := os.ReadFile(path); err != nil || string(left) != tt.content {
				t.Errorf("the file was changed: %q %v", left, err)
			}
		})
	}
	t.Run("a directory", func(t *testing.T) {
		if _, err := OpenKey(&Config{KeyFile: t.TempDir()}, ""); err == nil || !strings.Contains(err.Error(), "regular file") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a file that a fleet shares is never made", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "fleet.key")
		if _, err := OpenKey(&Config{KeyFile: path}, t.TempDir()); err == nil {
			t.Error("no error")
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("it is there: %v", err)
		}
	})
	t.Run("no state directory", func(t *testing.T) {
		if _, err := OpenKey(&Config{}, filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "making the key") {
			t.Errorf("error %v", err)
		}
	})
}
