package wireguard

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// message makes a datagram of n bytes: type, indices, and bytes that could be anything behind them.
func message(typ Type, n int, words ...uint32) []byte {
	b := append([]byte{byte(typ), 0, 0, 0}, bytes.Repeat([]byte{0xa7}, n-4)...)
	for i, w := range words {
		binary.LittleEndian.PutUint32(b[4+4*i:], w)
	}
	return b
}

func TestParse(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
		want Message
		err  error
	}{
		{"initiation", message(Initiation, 148, 7), Message{Type: Initiation, Sender: 7}, nil},
		{"response", message(Response, 92, 9, 7), Message{Type: Response, Sender: 9, Receiver: 7}, nil},
		{"cookie", message(Cookie, 64, 7), Message{Type: Cookie, Receiver: 7}, nil},
		{"keep-alive", message(Data, 32, 9, 1, 0), Message{Type: Data, Receiver: 9, Counter: 1}, nil},
		{"data", message(Data, 1440, 9, 5, 1), Message{Type: Data, Receiver: 9, Counter: 1<<32 | 5}, nil},
		{"longer than an initiation", message(Initiation, 149, 7), Message{}, ErrMalformed},
		{"longer than a response", message(Response, 93, 9, 7), Message{}, ErrMalformed},
		{"not padded", message(Data, 33, 9, 1, 0), Message{}, ErrMalformed},
		{"type 0", message(0, 148, 7), Message{}, ErrMalformed},
		{"type 5", message(5, 148, 7), Message{}, ErrMalformed},
		{"reserved bytes in use", append([]byte{1, 0, 1, 0}, make([]byte, 144)...), Message{}, ErrMalformed},
		{"text", []byte("GET"), Message{}, ErrMalformed},
		{"nothing", nil, Message{}, ErrTruncated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.b)
			if !errors.Is(err, tt.err) || err == nil && got != tt.want {
				t.Errorf("%+v, %v; want %+v, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestTruncated(t *testing.T) {
	for _, whole := range [][]byte{message(Initiation, 148, 7), message(Response, 92, 9, 7), message(Cookie, 64, 7), message(Data, 32, 9, 1, 0)} {
		for n := range whole {
			if _, err := Parse(whole[:n]); !errors.Is(err, ErrTruncated) {
				t.Errorf("type %d, %d of %d bytes: %v", whole[0], n, len(whole), err)
			}
		}
	}
}

func TestAllocations(t *testing.T) {
	b, junk := message(Response, 92, 9, 7), []byte("junk")
	if n := testing.AllocsPerRun(100, func() { _, _ = Parse(b); _, _ = Parse(junk) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	data := message(Data, 1440, 9, 1, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}
