// Package ech reads the configurations of Encrypted Client Hello that HTTPS records publish (RFC 9849, section 4; RFC 9848): under which
// public name clients hide the name that they mean, and by which identifier. It reads no hellos (see wire/tls) and no DNS messages (see
// wire/dns), and decrypts nothing.
package ech

import (
	"encoding/binary"
	"errors"
)

var (
	// ErrTruncated says that the list ends before its last configuration does.
	ErrTruncated = errors.New("reading an ECH configuration: it ends early; give it the whole parameter")
	// ErrMalformed says that the bytes contradict RFC 9849.
	ErrMalformed = errors.New("reading an ECH configuration: it contradicts RFC 9849; do not use the record")
)

const (
	version    = 0xfe0d // RFC 9849, section 4
	maxName    = 253    // RFC 1035, section 2.3.4, without the root's dot
	fixedLen   = 4      // version and length of a configuration
	suiteLen   = 4      // a KDF and an AEAD
	lengthLen  = 2
	contentMin = 1 + 2 + lengthLen // config_id, kem_id, length of public_key
)

// Config is one configuration. PublicName aliases the list.
type Config struct {
	// ID is config_id: a hello with a real encrypted one inside repeats it, GREASE has a random one.
	ID uint8
	// PublicName stands in the outer hello.
	PublicName []byte
}

// Open takes the length off an ECHConfigList, the value of the parameter "ech", and returns the configurations for Next.
func Open(value []byte) ([]byte, error) {
	if len(value) < lengthLen {
		return nil, ErrTruncated
	}
	n, list := int(binary.BigEndian.Uint16(value)), value[lengthLen:]
	switch {
	case len(list) < n:
		return nil, ErrTruncated
	case len(list) > n || n < fixedLen:
		return nil, ErrMalformed
	}
	return list, nil
}

// Next reads the first configuration of a list and returns the rest. known is false for one of another version, which is stepped over.
func Next(list []byte) (c Config, known bool, rest []byte, err error) {
	if len(list) < fixedLen {
		return c, false, nil, ErrTruncated
	}
	n := int(binary.BigEndian.Uint16(list[2:]))
	if len(list)-fixedLen < n {
		return c, false, nil, ErrTruncated
	}
	rest = list[fixedLen+n:]
	if binary.BigEndian.Uint16(list) != version {
		return c, false, rest, nil
	}
	c, err = contents(list[fixedLen : fixedLen+n])
	return c, err == nil, rest, err
}

// contents reads ECHConfigContents.
func contents(b []byte) (c Config, err error) {
	if len(b) < contentMin {
		return c, ErrMalformed
	}
	c.ID = b[0]
	key, rest, ok := vector16(b[3:])
	suites, rest, more := vector16(rest)
	if !ok || !more || len(key) == 0 || len(suites) < suiteLen || len(suites)%suiteLen != 0 {
		return c, ErrMalformed
	}
	if c.PublicName, rest = publicName(rest); c.PublicName == nil {
		return c, ErrMalformed
	}
	if _, end, ok := vector16(rest); !ok || len(end) > 0 {
		return c, ErrMalformed
	}
	return c, nil
}

// publicName takes maximum_name_length and public_name off b; the name is nil if it is none.
func publicName(b []byte) (name, rest []byte) {
	if len(b) < 2 {
		return nil, nil
	}
	n, b := int(b[1]), b[2:]
	if n == 0 || n > maxName || len(b) < n {
		return nil, nil
	}
	return b[:n:n], b[n:]
}

// vector16 takes a vector with two bytes of length off b.
func vector16(b []byte) (v, rest []byte, ok bool) {
	if len(b) < lengthLen {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if b = b[lengthLen:]; len(b) < n {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}
