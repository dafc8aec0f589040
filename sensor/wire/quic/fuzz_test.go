package quic

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// FuzzInitial gives whole datagrams. Nearly all of them fail the tag, so this is about headers.
func FuzzInitial(f *testing.F) {
	hello := realHello(f, false)
	f.Add(packet{version: version1, dcid: dcidA, frames: padded(cryptoFrame(0, hello))}.seal(f))
	f.Add(packet{version: version2, dcid: dcidA, token: []byte("token"), frames: padded(cryptoFrame(0, hello))}.seal(f))
	f.Add(packet{version: 0xff00001d, dcid: dcidA, frames: cryptoFrame(0, hello)}.seal(f))
	f.Add(append(packet{version: version1, typ: zeroRTT, dcid: dcidA, frames: hello}.seal(f), packet{version: version1, dcid: dcidB, frames: hello}.seal(f)...))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		before := bytes.Clone(datagram)
		LooksInitial(datagram)
		var c Client
		hello, err := c.Add(datagram)
		if hello != nil && (err != nil || hello[0] != clientHello || len(hello) != helloLen(hello)) {
			t.Errorf("hello of %d bytes, error %v", len(hello), err)
		}
		if !bytes.Equal(before, datagram) {
			t.Error("the datagram was changed")
		}
	})
}

// FuzzClient seals what it is given, so that the frames are reached: first a packet whose frames are the input, then the hello itself,
// which has to come out whatever harmless things were said before.
func FuzzClient(f *testing.F) {
	hello := realHello(f, true)
	f.Add(cryptoFrame(0, hello), true)
	f.Add(cryptoFrame(700, hello[700:]), false)
	f.Add([]byte{frameACK, 0x41, 0, 0, 1, 2, 0, 3, framePing, frameACKECN, 5, 0, 0, 5, 1, 2, 3}, true)
	f.Add([]byte{frameClose, 0x0a, 0, 2, 'n', 'o'}, false)
	f.Add(append(cryptoFrame(60000, hello), cryptoFrame(3, nil)...), false)
	f.Fuzz(func(t *testing.T, frames []byte, second bool) {
		if len(frames) > 8000 {
			return
		}
		var c Client
		got, err := c.Add(packet{version: version1, dcid: dcidA, frames: append(frames, make([]byte, 4)...)}.seal(t))
		if got != nil && (err != nil || got[0] != clientHello || len(got) != helloLen(got) || len(got) > maxHello) {
			t.Fatalf("hello of %d bytes, error %v", len(got), err)
		}
		first := append(frames[:len(frames):len(frames)], 0)[0]
		if err == ErrSealed && plausibleFrame(first) || err == ErrNotInitial {
			t.Fatalf("a packet that is well sealed: %v", err)
		}
		if second { // under other keys the stream begins anew
			got, err = c.Add(packet{version: version2, dcid: dcidB, frames: cryptoFrame(0, hello)}.seal(t))
			if err != nil || !bytes.Equal(got, hello) {
				t.Fatalf("hello of %d bytes afterwards, error %v", len(got), err)
			}
		}
	})
}

// FuzzAssembly writes pieces of a known stream and compares with a map of bytes.
func FuzzAssembly(f *testing.F) {
	f.Add([]byte{0, 0, 10, 0, 8, 200, 1, 0, 255})
	f.Add([]byte{8, 0, 255, 15, 255, 255, 0, 0, 1})
	f.Fuzz(func(t *testing.T, pieces []byte) {
		stream := make([]byte, maxHello)
		for i := range stream {
			stream[i] = byte(i * 7 >> 3)
		}
		stream[0], stream[1], stream[2], stream[3] = clientHello, 0, 0x10, 0
		seen := make([]bool, maxHello)
		var a assembly
		for ; len(pieces) >= 3; pieces = pieces[3:] {
			start := int(binary.BigEndian.Uint16(pieces)) % 5000
			end := start + int(pieces[2])
			if !a.write(uint64(start), stream[start:end]) {
				t.Fatal("refused a piece")
			}
			for i := start; i < end; i++ {
				seen[i] = true
			}
		}
		prefix := 0
		for seen[prefix] {
			prefix++
		}
		if a.prefix != prefix || !bytes.Equal(a.data[:prefix], stream[:prefix]) {
			t.Fatalf("%d bytes without a gap, want %d", a.prefix, prefix)
		}
		if msg, ok := a.hello(); !ok || (msg != nil) != (prefix >= 0x1004) {
			t.Fatalf("hello of %d bytes, %v, with %d there", len(msg), ok, prefix)
		}
	})
}
