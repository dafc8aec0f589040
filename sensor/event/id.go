package event

import (
	"crypto/sha1" //nolint:gosec // the Community ID specification says SHA-1; it protects nothing
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"strings"
)

// lower is base32hex (RFC 4648, section 7) in lower case: unlike plain base32 it keeps the order of what it encodes, so that
// identifiers sort by time.
const lower = "0123456789abcdefghijklmnopqrstuv"

// Tuple is a flow's five-tuple with its VLAN and start: what an identifier is made from. Nothing in it comes from a counter, a clock or
// a start of the process, so running the same input again gives the same identifiers.
type Tuple struct {
	Source, Destination netip.AddrPort
	Protocol            uint8
	VLAN                uint16
	Start               int64 // of the flow, nanoseconds since 1970-01-01 UTC
}

// append writes the tuple in a fixed form.
func (t *Tuple) append(b []byte) []byte {
	for _, e := range []netip.AddrPort{t.Source, t.Destination} {
		a := e.Addr().As16()
		b = append(b, a[:]...)
		b = binary.BigEndian.AppendUint16(b, e.Port())
	}
	b = append(b, t.Protocol)
	b = binary.BigEndian.AppendUint16(b, t.VLAN)
	return binary.BigEndian.AppendUint64(b, uint64(t.Start))
}

// FlowID names the flow itself: the same in all of its slices.
func FlowID(observer string, t *Tuple) string {
	return id(t.Start, "flow", observer, t.append(nil))
}

// SliceID names one slice (or transaction) of a flow that shows one service: event.id.
func SliceID(observer, dataset string, t *Tuple, sliceStart int64, service string) string {
	b := t.append(make([]byte, 0, 96))
	b = binary.BigEndian.AppendUint64(b, uint64(sliceStart))
	b = append(b, service...)
	return id(sliceStart, dataset, observer, b)
}

// KeyID names anything that is written once: the parts say what it is, at places it in time.
func KeyID(at int64, dataset, observer string, parts ...string) string {
	return id(at, dataset, observer, []byte(strings.Join(parts, "\x00")))
}

// id is 48 bits of time in milliseconds, then 80 bits of SHA-256, in base32: 26 characters.
func id(at int64, dataset, observer string, rest []byte) string {
	b := make([]byte, 0, 192)
	b = append(b, observer...)
	b = append(b, 0)
	b = append(b, dataset...)
	b = append(b, 0)
	b = append(b, rest...)
	sum := sha256.Sum256(b)
	var raw [16]byte
	ms := uint64(max(at, 0)) / 1e6
	binary.BigEndian.PutUint64(raw[:8], ms<<16)
	copy(raw[6:], sum[:10])
	return base32.NewEncoding(lower).WithPadding(base32.NoPadding).EncodeToString(raw[:])
}

// CommunityID is version 1 of the Community ID flow hash with seed 0 (https://github.com/corelight/community-id-spec), by which other
// tools' records of the same flow can be found.
func CommunityID(source, destination netip.AddrPort, protocol uint8) string {
	a, b := source, destination
	if b.Addr().Compare(a.Addr()) < 0 || (a.Addr() == b.Addr() && b.Port() < a.Port()) {
		a, b = b, a
	}
	msg := make([]byte, 2, 48)
	msg = append(msg, a.Addr().AsSlice()...)
	msg = append(msg, b.Addr().AsSlice()...)
	msg = append(msg, protocol, 0)
	msg = binary.BigEndian.AppendUint16(msg, a.Port())
	msg = binary.BigEndian.AppendUint16(msg, b.Port())
	sum := sha1.Sum(msg) //nolint:gosec // see the import
	return "1:" + base64.StdEncoding.EncodeToString(sum[:])
}
