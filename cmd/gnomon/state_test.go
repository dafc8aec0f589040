package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/config"
)

// The machine's identity gives the same UUID each time, from which it cannot be told.
func TestMachineID(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"an identity", "0123456789abcdef0123456789abcdef\n", ""},
		{"not set up", "uninitialized\n", "systemd-machine-id-setup"},
		{"empty", "", "systemd-machine-id-setup"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "machine-id")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			id, err := machineID(path)
			again, _ := machineID(path)
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("got %q, %v", id, err)
				}
				return
			}
			if err != nil || !config.ValidUUID(id) || id != again || id[14] != '8' || strings.Contains(id, "0123456789ab") {
				t.Errorf("got %q, then %q, %v", id, again, err)
			}
		})
	}
	if _, err := machineID(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "observer.id") {
		t.Errorf("without a file: %v", err)
	}
}

// The identity is the one that is configured, else the one in the state directory, which stays.
func TestSensorID(t *testing.T) {
	p := program{}
	c := config.Default()
	c.Observer.StateDir = filepath.Join(t.TempDir(), "new")
	first, err := p.sensorID(&c)
	if err != nil || !config.ValidUUID(first) {
		t.Fatalf("%q, %v", first, err)
	}
	if again, err := p.sensorID(&c); err != nil || again != first {
		t.Errorf("then %q, %v", again, err)
	}
	c.Observer.ID = "0b5c6a1e-6a55-4c4f-9f3c-1f1f0b6f2a11"
	if id, err := p.sensorID(&c); err != nil || id != c.Observer.ID {
		t.Errorf("configured: %q, %v", id, err)
	}
	if err := os.WriteFile(filepath.Join(c.Observer.StateDir, "observer.id"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Observer.ID = ""
	if _, err := p.sensorID(&c); err == nil {
		t.Error("a damaged identity is taken")
	}
}
