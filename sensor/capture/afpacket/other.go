//go:build !linux

package afpacket

import (
	"errors"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
)

// errNotLinux says that this system has no TPACKET_V3 rings.
var errNotLinux = errors.New("live capture needs Linux; read capture files here")

// Open would open one source per worker; here it only says what is missing or wrong.
func Open(cfg Config) ([]capture.Source, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return nil, explain("opening capture on", cfg.title(0), errNotLinux)
}

// DefaultInterface would name the interface of the default route.
func DefaultInterface() (string, error) {
	return "", explain("looking for", "the default interface", errNotLinux)
}

// State would say whether an interface is up.
func State(name string) (LinkState, error) {
	return LinkState{}, explain("asking for the state of", name, errNotLinux)
}

// Offloads would say which offloads are on.
func Offloads(name string) (OffloadState, error) {
	return OffloadState{}, explain("asking for the offloads of", name, errNotLinux)
}
