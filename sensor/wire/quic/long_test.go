package quic

import (
	"bytes"
	"testing"
)

func TestLong(t *testing.T) {
	frames := padded(nil)
	tests := []struct {
		name     string
		datagram []byte
		ok       bool
		opens    bool
	}{
		{"Initial", packet{version: version1, dcid: dcidA, scid: dcidB, frames: frames}.seal(t), true, true},
		{"Initial of version 2", packet{version: version2, dcid: dcidA, scid: dcidB, frames: frames}.seal(t), true, true},
		{"Initial of a draft", packet{version: 0xff00001d, dcid: dcidA, scid: dcidB, frames: frames}.seal(t), true, true},
		{"0-RTT", packet{version: version1, typ: zeroRTT, dcid: dcidA, scid: dcidB, frames: frames}.seal(t), true, true},
		{"Handshake", packet{version: version1, typ: handshake, dcid: dcidA, scid: dcidB, frames: frames}.seal(t), true, false},
		{"Retry", packet{version: version1, typ: retry, dcid: dcidA, scid: dcidB, frames: frames}.seal(t), true, false},
		{"version negotiation", packet{dcid: dcidA, scid: dcidB, frames: frames}.seal(t), true, false},
		{"unknown version", packet{version: 0x12345678, dcid: dcidA, scid: dcidB, frames: frames}.seal(t), false, false},
		{"RTP", append([]byte{0x80, 0x60}, make([]byte, 200)...), false, false},
		{"short header", append([]byte{0x40}, frames...), false, false},
		{"nothing", nil, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var l Long
			if got := l.Parse(tt.datagram); got != tt.ok || l.Opens != tt.opens || got && !IsLong(tt.datagram[0]) {
				t.Fatalf("%v, %+v", got, l)
			}
			if tt.ok && (!bytes.Equal(l.Destination, dcidA) || !bytes.Equal(l.Source, dcidB)) {
				t.Errorf("connection ids %x, %x", l.Destination, l.Source)
			}
			if l.Negotiation != (tt.name == "version negotiation") {
				t.Errorf("negotiation: %v", l.Negotiation)
			}
			ids := 1 + 4 + 1 + len(dcidA) + 1 + len(dcidB)
			for n := range min(len(tt.datagram), ids) {
				if l.Parse(tt.datagram[:n]) {
					t.Errorf("cut at %d: read", n)
				}
			}
		})
	}
}

func TestConnectionIDLengths(t *testing.T) {
	whole := []byte{0xe0, 0, 0, 0, 1, 4, 1, 2, 3, 4, 2, 5, 6, 0, 0}
	tests := []struct {
		name        string
		b           []byte
		destination int
		source      int // -1: not there
	}{
		{"a handshake packet", whole, 4, 2},
		{"no destination", []byte{0xe0, 0, 0, 0, 1, 0, 1, 9, 0}, 0, 1},
		{"too long", []byte{0xe0, 0, 0, 0, 1, 21, 1, 2}, -1, -1},
		{"a short header", []byte{0x40, 0, 0, 0, 1, 4, 1, 2}, -1, -1},
		{"nothing", nil, -1, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if n, ok := DestinationCID(tt.b); ok != (tt.destination >= 0) || ok && n != tt.destination {
				t.Errorf("destination %d, %v", n, ok)
			}
			if n, ok := SourceCID(tt.b); ok != (tt.source >= 0) || ok && n != tt.source {
				t.Errorf("source %d, %v", n, ok)
			}
		})
	}
	for n := range whole {
		DestinationCID(whole[:n])
		SourceCID(whole[:n])
	}
}
