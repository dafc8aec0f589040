// Package login knows who may see the pages: names, roles and passwords, sessions, and how often one may guess. It does not speak HTTP
// and does not decide what a role may see (see dashboard).
package login

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Cost of a new hash: what RFC 9106, section 4, calls for where memory is short (a sensor may be a small ARM box), with one lane.
const (
	newMemory = 19 << 10 // KiB
	newTime   = 2
	newLanes  = 1
	saltLen   = 16
	sumLen    = 32
)

// Bounds of a hash in the configuration: a mistyped cost must not take the memory of the sensor.
const (
	maxMemory = 256 << 10 // KiB
	maxTime   = 16
	maxLanes  = 8
	minSalt   = 8
	minSum    = 16
	maxField  = 128
)

// The length of a password, in characters at least and in bytes at most.
const (
	MinPassword = 12
	MaxPassword = 1024
)

// errHash says what a hash looks like.
var errHash = errors.New("it is no argon2id hash; make one with `gnomon dashboard hash-password`")

// hash is an argon2id hash in the form that the reference implementation writes: $argon2id$v=19$m=19456,t=2,p=1$salt$sum.
type hash struct {
	memory, time uint32
	lanes        uint8
	salt, sum    []byte
}

// HashPassword makes the hash that stands in the configuration for a password.
func HashPassword(password string) (string, error) {
	if utf8.RuneCountInString(password) < MinPassword {
		return "", fmt.Errorf("hashing the password: it is too short; choose at least %d characters", MinPassword)
	}
	if len(password) > MaxPassword {
		return "", fmt.Errorf("hashing the password: it is too long; choose at most %d bytes", MaxPassword)
	}
	h := hash{memory: newMemory, time: newTime, lanes: newLanes, salt: random(saltLen)}
	h.sum = h.key(password, sumLen)
	return h.String(), nil
}

// parseHash reads a hash and checks that it can be afforded.
func parseHash(s string) (hash, error) {
	var h hash
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.lanes); err != nil || h.cost() != parts[3] {
		return h, errHash
	}
	if !h.affordable() {
		return h, fmt.Errorf("its cost %s is out of range: at most m=%d,t=%d,p=%d", parts[3], maxMemory, maxTime, maxLanes)
	}
	var err error
	if h.salt, err = field(parts[4], minSalt); err != nil {
		return h, err
	}
	h.sum, err = field(parts[5], minSum)
	return h, err
}

// affordable says whether the cost is within what RFC 9106, section 3.1, allows and a sensor can bear.
func (h hash) affordable() bool {
	return h.lanes >= 1 && h.lanes <= maxLanes && h.time >= 1 && h.time <= maxTime && h.memory >= 8*uint32(h.lanes) && h.memory <= maxMemory
}

func field(s string, least int) ([]byte, error) {
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < least || len(b) > maxField || strings.ContainsAny(s, "\r\n") { // which the decoder passes over
		return nil, errHash
	}
	return b, nil
}

func (h hash) cost() string { return fmt.Sprintf("m=%d,t=%d,p=%d", h.memory, h.time, h.lanes) }

func (h hash) String() string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$%s$%s$%s", argon2.Version, h.cost(), enc.EncodeToString(h.salt), enc.EncodeToString(h.sum))
}

func (h hash) key(password string, size uint32) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.lanes, size)
}

// matches compares in a time that does not depend on where the two differ.
func (h hash) matches(password string) bool {
	return subtle.ConstantTimeCompare(h.key(password, uint32(len(h.sum))), h.sum) == 1
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails: the runtime ends the process instead
	return b
}
