package ike

import (
	"encoding/binary"
	"errors"
	"testing"
)

// message makes a header with a body of n bytes.
func message(initiator, responder uint64, version, exchange byte, id uint32, n int) []byte {
	b := binary.BigEndian.AppendUint64(nil, initiator)
	b = binary.BigEndian.AppendUint64(b, responder)
	b = append(b, 33, version, exchange, 0x08)
	b = binary.BigEndian.AppendUint32(b, id)
	b = binary.BigEndian.AppendUint32(b, uint32(headerLen+n))
	return append(b, make([]byte, n)...)
}

func esp(spi, sequence uint32, n int) []byte {
	b := binary.BigEndian.AppendUint32(nil, spi)
	return append(binary.BigEndian.AppendUint32(b, sequence), make([]byte, n)...)
}

func marked(b []byte) []byte { return append(make([]byte, markerLen), b...) }

func TestParse(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
		want Message
		err  error
	}{
		{"first message", message(7, 0, version2, exchangeSAInit, 0, 400), Message{Initiator: 7}, nil},
		{"its answer", message(7, 9, version2, exchangeSAInit, 0, 400), Message{Initiator: 7, Responder: 9}, nil},
		{"authentication", message(7, 9, version2, 35, 1, 200), Message{Initiator: 7, Responder: 9}, nil},
		{"version 1, main mode", message(7, 0, version1, exchangeIdentity, 0, 300), Message{Initiator: 7}, nil},
		{"version 1, aggressive mode", message(7, 0, version1, exchangeAggressive, 0, 300), Message{Initiator: 7}, nil},
		{"no initiator", message(0, 9, version2, exchangeSAInit, 0, 400), Message{}, ErrMalformed},
		{"another version", message(7, 9, 0x30, exchangeSAInit, 0, 400), Message{}, ErrMalformed},
		{"another exchange", message(7, 9, version2, 99, 0, 400), Message{}, ErrMalformed},
		{"exchange of the other version", message(7, 9, version1, exchangeSAInit, 0, 400), Message{}, ErrMalformed},
		{"first with a number", message(7, 0, version2, exchangeSAInit, 3, 400), Message{}, ErrMalformed},
		{"longer than it says", append(message(7, 9, version2, 35, 1, 200), 0), Message{}, ErrMalformed},
		{"nothing", nil, Message{}, ErrTruncated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.b)
			if !errors.Is(err, tt.err) || err == nil && got != tt.want {
				t.Errorf("%+v, %v; want %+v, %v", got, err, tt.want, tt.err)
			}
			if got, err := ParseNAT(marked(tt.b)); !errors.Is(err, tt.err) || err == nil && got != tt.want {
				t.Errorf("behind the marker: %+v, %v", got, err)
			}
		})
	}
}

func TestParseNAT(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
		want Message
		err  error
	}{
		{"packet", esp(0xc0ffee00, 3, 72), Message{ESP: true, SPI: 0xc0ffee00, Sequence: 3}, nil},
		{"reserved SPI", esp(255, 3, 72), Message{}, ErrMalformed},
		{"not padded", esp(0xc0ffee00, 3, 73), Message{}, ErrMalformed},
		{"keep-alive", []byte{0xff}, Message{}, ErrTruncated},
		{"nothing", nil, Message{}, ErrTruncated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := ParseNAT(tt.b); !errors.Is(err, tt.err) || err == nil && got != tt.want {
				t.Errorf("%+v, %v; want %+v, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestTruncated(t *testing.T) {
	whole := message(7, 9, version2, exchangeSAInit, 0, 400)
	for n := range whole {
		if _, err := Parse(whole[:n]); !errors.Is(err, ErrTruncated) {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
		if _, err := ParseNAT(marked(whole)[:n]); !errors.Is(err, ErrTruncated) {
			t.Errorf("behind the marker, %d of %d bytes: %v", n, len(whole), err)
		}
	}
}

func TestAllocations(t *testing.T) {
	b, junk := message(7, 9, version2, exchangeSAInit, 0, 400), []byte("junk")
	if n := testing.AllocsPerRun(100, func() { _, _ = Parse(b); _, _ = ParseNAT(junk) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParseNAT(b *testing.B) {
	packet := esp(0xc0ffee00, 3, 1400)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseNAT(packet); err != nil {
			b.Fatal(err)
		}
	}
}
