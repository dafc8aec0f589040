package dns

import (
	"math/rand/v2"
	"testing"
)

func TestNextTCP(t *testing.T) {
	tests := []struct {
		name, stream, msg, rest string
		need                    int
		whole                   bool
	}{
		{"empty", "", "", "", 2, false},
		{"half a length", "\x00", "", "\x00", 1, false},
		{"length alone", "\x00\x03", "", "\x00\x03", 3, false},
		{"one byte short", "\x00\x03ab", "", "\x00\x03ab", 1, false},
		{"one message", "\x00\x03abc", "abc", "", 0, true},
		{"one and a half", "\x00\x03abc\x00\x05d", "abc", "\x00\x05d", 0, true},
		{"empty message", "\x00\x00\x00\x01a", "", "\x00\x01a", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			msg, rest, need := NextTCP([]byte(tt.stream))
			if string(msg) != tt.msg || string(rest) != tt.rest || need != tt.need || (msg != nil) != tt.whole {
				t.Errorf("got %q (%t), %q, %d", msg, msg != nil, rest, need)
			}
		})
	}
}

func TestPlausible(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
		want bool
	}{
		{"query", query(t, "a.example.", 1), true},
		{"response", ordinary(t), true},
		{"response cut in its answers", ordinary(t)[:40], true},
		{"refusal that is a header alone", []byte("\x00\x01\x80\x05\x00\x00\x00\x00\x00\x00\x00\x00"), true},
		{"short", []byte("\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00"), false},
		{"Z bit", []byte("\x00\x01\x01\x40\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01"), false},
		{"opcode 9", []byte("\x00\x01\x49\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01"), false},
		{"query with a response code", []byte("\x00\x01\x01\x02\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01"), false},
		{"query without a question", []byte("\x00\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"), false},
		{"more questions than fit", []byte("\x00\x01\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01"), false},
		{"more records than fit a datagram", []byte("\x00\x01\x81\x80\x00\x01\x80\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01"), false},
		{"HTTP", []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), false},
		{"STUN", []byte("\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Plausible(tt.b); got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestPlausibleRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 1200)
	taken := 0
	for range 200_000 {
		for i := range headerLen {
			b[i] = byte(r.Uint32())
		}
		if Plausible(b) {
			taken++
		}
	}
	if taken > 2 {
		t.Errorf("took %d of 200,000 random headers", taken)
	}
}
