package afpacket

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestConfigDefaults(t *testing.T) {
	cfg, err := Config{Interfaces: []string{"eth0"}}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Workers != 1 || cfg.BlockSize != 1<<20 || cfg.Blocks != 64 || cfg.Timeout != 100*time.Millisecond || cfg.Logger == nil {
		t.Errorf("defaults are %+v", cfg)
	}
}

func TestConfigIsChecked(t *testing.T) {
	one := []string{"eth0"}
	for _, tt := range []struct {
		name string
		cfg  Config
		want string // part of the error
	}{
		{"no interface", Config{}, "no interface is named"},
		{"empty name", Config{Interfaces: []string{""}}, "empty name"},
		{"named twice", Config{Interfaces: []string{"eth0", "eth0"}}, "eth0 is named twice"},
		{"named in a tap too", Config{Interfaces: one, Taps: [][]string{{"eth0", "eth1"}}}, "eth0 is named twice"},
		{"half a tap", Config{Taps: [][]string{{"eth0"}}}, "fewer than two interfaces"},
		{"any and another", Config{Interfaces: []string{"any", "eth0"}}, "name no other beside it"},
		{"too many", Config{Interfaces: make([]string, maxPorts+1)}, "1025 interfaces"},
		{"workers", Config{Interfaces: one, Workers: -1}, "number of workers is -1: use 1 to 64"},
		{"too many workers", Config{Interfaces: one, Workers: 65}, "number of workers is 65"},
		{"odd block", Config{Interfaces: one, BlockSize: 100_000}, "block size is 100000: use a multiple of 65536"},
		{"huge block", Config{Interfaces: one, BlockSize: 32 << 20}, "block size"},
		{"one block", Config{Interfaces: one, Blocks: 1}, "number of blocks is 1:"},
		{"huge ring", Config{Interfaces: one, Blocks: 2048}, "use 2 to 1024"},
		{"snaplen", Config{Interfaces: one, Snaplen: -1}, "snaplen is -1"},
		{"timeout", Config{Interfaces: one, Timeout: time.Microsecond}, "timeout in ms is 0: use 1 to 1000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Open(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestTitle(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"one", Config{Interfaces: []string{"eth0"}, Workers: 1}, "eth0"},
		{"a tap", Config{Taps: [][]string{{"eth1", "eth2"}}, Workers: 1}, "eth1+eth2"},
		{"all kinds", Config{Interfaces: []string{"eth0", "wg0"}, Taps: [][]string{{"eth1", "eth2"}}, Workers: 4}, "eth0,wg0,eth1+eth2 (worker 2 of 4)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.cfg.title(min(1, tt.cfg.Workers-1)); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestPermissionIsExplained(t *testing.T) {
	err := explain("opening capture on", "eth1", syscall.EPERM)
	if !errors.Is(err, os.ErrPermission) {
		t.Error("the error is not os.ErrPermission")
	}
	if want := "opening capture on eth1: operation not permitted; run as root or grant CAP_NET_RAW (see packaging/)"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}
