package openvpn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

const (
	client = 0x1122334455667788
	server = 0x99aabbccddeeff00
	now    = 1_790_000_000
)

// head is the opcode and the session.
func head(op Opcode, session uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{byte(op) << keyIDBits}, session)
}

// ids is the packet id and the time of a packet under a key.
func ids(b []byte, id uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, id), now)
}

// end is what a plain reset ends in: acknowledgements and packet id 0.
func end(b []byte, peers ...uint64) []byte {
	b = append(b, byte(len(peers)))
	for _, p := range peers {
		b = binary.BigEndian.AppendUint64(append(b, 0, 0, 0, 0), p)
	}
	return append(b, 0, 0, 0, 0)
}

func noise(b []byte, n int) []byte { return append(b, bytes.Repeat([]byte{0xc3}, n)...) }

func plainClient() []byte { return end(head(ClientV2, client)) }
func plainServer() []byte { return end(head(ServerV2, server), client) }
func authClient() []byte  { return end(ids(noise(head(ClientV2, client), 20), 1)) }
func authServer() []byte  { return end(ids(noise(head(ServerV2, server), 20), 1), client) }
func cryptClient() []byte { return noise(ids(head(ClientV2, client), 1), 37) }
func cryptServer() []byte { return noise(ids(head(ServerV2, server), 1), 49) }
func cryptV3() []byte     { return noise(ids(head(ClientV3, client), earlyID), 400) }

func TestParse(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
		want Reset
		err  error
	}{
		{"client", plainClient(), Reset{Opcode: ClientV2, Session: client}, nil},
		{"server", plainServer(), Reset{Opcode: ServerV2, Session: server, Peer: client}, nil},
		{"client under tls-auth", authClient(), Reset{Opcode: ClientV2, Session: client, Wrapped: true}, nil},
		{"server under tls-auth", authServer(), Reset{Opcode: ServerV2, Session: server, Peer: client, Wrapped: true}, nil},
		{"client under tls-crypt", cryptClient(), Reset{Opcode: ClientV2, Session: client, Wrapped: true}, nil},
		{"server under tls-crypt", cryptServer(), Reset{Opcode: ServerV2, Session: server, Wrapped: true}, nil},
		{"client under tls-crypt-v2", cryptV3(), Reset{Opcode: ClientV3, Session: client, Wrapped: true}, nil},
		{"another opcode", end(head(6, client)), Reset{}, ErrMalformed},
		{"key in use", append([]byte{byte(ClientV2)<<keyIDBits | 1}, plainClient()[1:]...), Reset{}, ErrMalformed},
		{"no session", end(head(ClientV2, 0)), Reset{}, ErrMalformed},
		{"text", []byte("8 bottles of beer on the wall, and more than that"), Reset{}, ErrMalformed},
		{"noise behind a session", noise(head(ClientV2, client), 45), Reset{}, ErrMalformed},
		{"too long", noise(ids(head(ClientV3, client), 1), maxLen), Reset{}, ErrMalformed},
		{"nothing", nil, Reset{}, ErrTruncated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.b)
			if !errors.Is(err, tt.err) || err == nil && got != tt.want {
				t.Errorf("%+v, %v; want %+v, %v", got, err, tt.want, tt.err)
			}
			framed := binary.BigEndian.AppendUint16(nil, uint16(len(tt.b)))
			if got, err := Stream(append(framed, tt.b...)); (err == nil) != (tt.err == nil) || err == nil && got != tt.want {
				t.Errorf("in a stream: %+v, %v", got, err)
			}
		})
	}
}

// TestTruncated cuts resets without a key, whose length is known, and all in a stream. Where a key hides the end, a packet that is cut
// cannot be told from one that is none; it is never taken for a reset.
func TestTruncated(t *testing.T) {
	for _, whole := range [][]byte{plainClient(), plainServer(), authClient(), authServer(), cryptClient(), cryptServer()} {
		for n := range whole {
			got, err := Parse(whole[:n])
			if err == nil || n < plainLen && !errors.Is(err, ErrTruncated) {
				t.Errorf("opcode %d, %d of %d bytes: %+v, %v", whole[0]>>keyIDBits, n, len(whole), got, err)
			}
		}
		framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(whole))), whole...)
		for n := range framed {
			if _, err := Stream(framed[:n]); !errors.Is(err, ErrTruncated) {
				t.Errorf("opcode %d, %d of %d bytes of a stream: %v", whole[0]>>keyIDBits, n, len(framed), err)
			}
		}
	}
}

func TestAllocations(t *testing.T) {
	b, junk := authServer(), []byte("junk")
	if n := testing.AllocsPerRun(100, func() { _, _ = Parse(b); _, _ = Stream(junk) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	reset := cryptServer()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(reset); err != nil {
			b.Fatal(err)
		}
	}
}
