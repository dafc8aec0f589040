package quic

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// deliver adds datagrams one by one. It returns what the last one gave; the others must give nothing and no error.
func deliver(t *testing.T, c *Client, datagrams ...[]byte) ([]byte, error) {
	t.Helper()
	for i, d := range datagrams[:len(datagrams)-1] {
		if hello, err := c.Add(d); hello != nil || err != nil {
			t.Fatalf("datagram %d: hello of %d bytes, error %v", i, len(hello), err)
		}
	}
	return c.Add(datagrams[len(datagrams)-1])
}

func TestVersions(t *testing.T) {
	hello := realHello(t, false)
	versions := []uint32{version1, version2, 0xfaceb001, 0xfaceb002, 0xfaceb00e, 0x0a0a0a0a, 0x5a6a7a8a, 0x12345678}
	for draft := uint32(21); draft <= 34; draft++ {
		versions = append(versions, 0xff000000+draft)
	}
	for _, version := range versions {
		datagram := packet{version: version, dcid: dcidA, frames: padded(cryptoFrame(0, hello))}.seal(t)
		if !LooksInitial(datagram) {
			t.Errorf("version %#x: does not look like an Initial", version)
		}
		var c Client
		got, err := c.Add(datagram)
		if err != nil || !bytes.Equal(got, hello) || c.Version != version {
			t.Errorf("version %#x: hello of %d bytes, version %#x, error %v", version, len(got), c.Version, err)
		}
	}
}

func TestPacketNumbers(t *testing.T) {
	hello := realHello(t, false)
	for length, number := range []uint32{0x7f, 0x1234, 0x123456, 0x12345678} {
		var c Client
		got, err := c.Add(packet{version: version1, dcid: dcidA, number: number, length: length + 1, frames: padded(cryptoFrame(0, hello))}.seal(t))
		if err != nil || !bytes.Equal(got, hello) {
			t.Errorf("number of %d bytes: hello of %d bytes, error %v", length+1, len(got), err)
		}
	}
}

// TestSplitEverywhere cuts a hello at every byte into two packets, in both orders.
func TestSplitEverywhere(t *testing.T) {
	hello := realHello(t, true)
	if len(hello) < 1300 {
		t.Fatalf("the hello has %d bytes: too few to need two packets", len(hello))
	}
	var c Client
	for at := 1; at < len(hello); at += 7 {
		one := packet{version: version1, dcid: dcidA, number: 0, frames: cryptoFrame(0, hello[:at])}.seal(t)
		two := packet{version: version1, dcid: dcidA, number: 1, frames: cryptoFrame(at, hello[at:])}.seal(t)
		for _, order := range [][2][]byte{{one, two}, {two, one}} {
			c.Reset()
			got, err := deliver(t, &c, order[0], order[1])
			if err != nil || !bytes.Equal(got, hello) {
				t.Fatalf("cut at %d: hello of %d bytes, error %v", at, len(got), err)
			}
		}
	}
}

func TestManyFrames(t *testing.T) {
	hello := realHello(t, true)
	piece := func(from, to int) []byte { return cryptoFrame(from, hello[from:min(to, len(hello))]) }
	var backwards, single, overlapping []byte
	for at := (len(hello) - 1) / 50 * 50; at >= 0; at -= 50 {
		backwards = append(append(backwards, piece(at, at+50)...), framePing, framePadding)
	}
	for at := range hello[:100] {
		single = append(single, piece(at, at+1)...)
	}
	for at := 0; at < len(hello); at += 64 {
		overlapping = append(overlapping, piece(max(0, at-32), at+64)...)
	}
	ack := []byte{frameACK, 0x41, 0x00, 0x00, 1, 2, 0, 3}
	ackECN := []byte{frameACKECN, 5, 0, 0, 5, 1, 2, 3}
	tests := []struct {
		name   string
		frames []byte
	}{
		{"last piece first", backwards},
		{"hundred pieces of one byte", append(single, piece(100, 9999)...)},
		{"overlapping", overlapping},
		{"said twice", append(piece(0, 9999), piece(0, 9999)...)},
		{"behind acknowledgements", append(append(slices.Clip(ack), ackECN...), piece(0, 9999)...)},
		{"an empty piece first", append(cryptoFrame(0, nil), piece(0, 9999)...)},
		{"HelloRetryRequest answered in the same stream", append(piece(0, 9999), cryptoFrame(len(hello), hello)...)},
		{"connection closed behind it", append(piece(0, 9999), frameClose, 0x0a, 0, 2, 'n', 'o')},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c Client
			got, err := c.Add(packet{version: version1, dcid: dcidA, frames: tt.frames}.seal(t))
			if err != nil || !bytes.Equal(got, hello) {
				t.Errorf("hello of %d bytes, error %v", len(got), err)
			}
		})
	}
}

func TestConnectionIDs(t *testing.T) {
	hello := realHello(t, true)
	half := len(hello) / 2
	first, second := padded(cryptoFrame(0, hello[:half])), padded(cryptoFrame(half, hello[half:]))
	one := packet{version: version1, dcid: dcidA, frames: first}.seal(t)
	other := realHello(t, false)
	tests := []struct {
		name      string
		datagrams [][]byte
		want      []byte
	}{
		{"client learns its server's id", [][]byte{one, packet{version: version1, dcid: dcidC, keysOf: dcidA, frames: second}.seal(t)}, hello},
		{"the server's id is empty", [][]byte{one, packet{version: version1, keysOf: dcidA, frames: second}.seal(t)}, hello},
		{"Retry", [][]byte{one,
			packet{version: version1, dcid: dcidB, token: []byte("token"), number: 1, frames: first}.seal(t),
			packet{version: version1, dcid: dcidB, token: []byte("token"), number: 2, frames: second}.seal(t)}, hello},
		{"Retry with a short id", [][]byte{one,
			packet{version: version1, dcid: []byte("abc"), token: []byte("token"), number: 1, frames: first}.seal(t),
			packet{version: version1, dcid: []byte("abc"), token: []byte("token"), number: 2, frames: second}.seal(t)}, hello},
		{"two Retries", [][]byte{one,
			packet{version: version1, dcid: dcidB, token: []byte("token"), number: 1, frames: first}.seal(t),
			packet{version: version1, dcid: dcidC, token: []byte("token"), number: 2, frames: first}.seal(t),
			packet{version: version1, dcid: dcidC, token: []byte("token"), number: 3, frames: second}.seal(t)}, hello},
		{"another connection's hello does not mix", [][]byte{one,
			packet{version: version1, dcid: dcidB, frames: padded(cryptoFrame(0, other))}.seal(t)}, other},
		{"other version after negotiation", [][]byte{one,
			packet{version: version2, dcid: dcidA, frames: padded(cryptoFrame(0, other))}.seal(t)}, other},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c Client
			got, err := deliver(t, &c, tt.datagrams...)
			if err != nil || !bytes.Equal(got, tt.want) {
				t.Errorf("hello of %d bytes, want %d, error %v", len(got), len(tt.want), err)
			}
		})
	}
}

func TestCoalesced(t *testing.T) {
	hello := realHello(t, true)
	half := len(hello) / 2
	one := packet{version: version1, dcid: dcidA, frames: cryptoFrame(0, hello[:half])}.seal(t)
	two := packet{version: version1, dcid: dcidA, number: 1, frames: cryptoFrame(half, hello[half:])}.seal(t)
	twoOtherID := packet{version: version1, dcid: dcidC, keysOf: dcidA, number: 1, frames: cryptoFrame(half, hello[half:])}.seal(t)
	early := packet{version: version1, typ: zeroRTT, dcid: dcidA, frames: make([]byte, 100)}.seal(t)
	late := packet{version: version1, typ: handshake, dcid: dcidA, frames: make([]byte, 100)}.seal(t)
	tests := []struct {
		name     string
		datagram []byte
	}{
		{"two Initials", slices.Concat(one, two)},
		{"in the wrong order", slices.Concat(two, one)},
		{"0-RTT in front", slices.Concat(early, one, two)},
		{"0-RTT and Handshake between", slices.Concat(one, early, late, two)},
		{"glued datagrams, the second to another id", slices.Concat(one, twoOtherID)},
		{"zeros between and behind", slices.Concat(one, make([]byte, 300), two, make([]byte, 40))},
		{"a short header behind", slices.Concat(one, two, []byte{0x40, 1, 2, 3})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := slices.Clone(tt.datagram)
			var c Client
			got, err := c.Add(tt.datagram)
			if err != nil || !bytes.Equal(got, hello) {
				t.Errorf("hello of %d bytes, error %v", len(got), err)
			}
			if !bytes.Equal(before, tt.datagram) {
				t.Error("the datagram was changed")
			}
		})
	}
}

func TestAddRefuses(t *testing.T) {
	hello := realHello(t, false)
	good := packet{version: version1, dcid: dcidA, frames: padded(cryptoFrame(0, hello))}
	with := func(change func(*packet)) []byte {
		p := good
		change(&p)
		return p.seal(t)
	}
	sealed := good.seal(t)
	flipped := slices.Clone(sealed)
	flipped[len(flipped)/2] ^= 1
	tests := []struct {
		name     string
		datagram []byte
		want     error
	}{
		{"empty", nil, ErrNotInitial},
		{"short header", []byte{0x40, 1, 2, 3, 4, 5, 6, 7, 8, 9}, ErrNotInitial},
		{"version negotiation", with(func(p *packet) { p.version = 0 }), ErrNotInitial},
		{"Retry", with(func(p *packet) { p.typ = retry }), ErrNotInitial},
		{"Handshake alone", with(func(p *packet) { p.typ = handshake }), ErrNotInitial},
		{"id over 20 bytes", with(func(p *packet) { p.dcid = make([]byte, 21) }), ErrNotInitial},
		{"a server's packet", with(func(p *packet) { p.server = true }), ErrSealed},
		{"a server's packet to an empty id", with(func(p *packet) { p.server, p.keysOf, p.dcid = true, dcidA, nil }), ErrSealed},
		{"keys of an id not seen", with(func(p *packet) { p.keysOf = dcidB }), ErrSealed},
		{"one bit flipped", flipped, ErrSealed},
		{"reserved bits set", with(func(p *packet) { p.reserved = 1 }), ErrSealed},
		{"STREAM frame", with(func(p *packet) { p.frames = append([]byte{0x06, 0, 0, 0x08}, make([]byte, 50)...) }), ErrMalformed},
		{"CRYPTO beyond the packet", with(func(p *packet) { p.frames = append(make([]byte, 50), 0x06, 0, 0x20) }), ErrMalformed},
		{"CRYPTO without a length", with(func(p *packet) { p.frames = append(make([]byte, 50), 0x06, 0) }), ErrMalformed},
		{"CRYPTO beyond 64 KiB", with(func(p *packet) { p.frames = cryptoFrame(maxHello, make([]byte, 50)) }), ErrMalformed},
		{"CRYPTO beyond everything", with(func(p *packet) {
			p.frames = append([]byte{0x06, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x20}, make([]byte, 50)...)
		}), ErrMalformed},
		{"ACK with ranges without end", with(func(p *packet) { p.frames = append(make([]byte, 50), frameACK, 1, 0, 0xbf, 0xff, 0xff, 0xff, 1) }), ErrMalformed},
		{"ACK cut", with(func(p *packet) { p.frames = append(make([]byte, 50), frameACK, 1) }), ErrMalformed},
		{"CLOSE cut", with(func(p *packet) { p.frames = append(make([]byte, 50), frameClose, 1, 0, 9) }), ErrMalformed},
		{"no ClientHello", with(func(p *packet) { p.frames = padded(cryptoFrame(0, []byte{2, 0, 0, 10})) }), ErrMalformed},
		{"ClientHello over 64 KiB", with(func(p *packet) { p.frames = padded(cryptoFrame(0, []byte{1, 1, 0, 0})) }), ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c Client
			if got, err := c.Add(tt.datagram); got != nil || !errors.Is(err, tt.want) {
				t.Errorf("hello of %d bytes, error %v, want %v", len(got), err, tt.want)
			}
			if got, err := c.Add(sealed); tt.want != ErrMalformed && (err != nil || !bytes.Equal(got, hello)) {
				t.Errorf("a good datagram afterwards gives %d bytes, error %v", len(got), err)
			}
		})
	}
}

func TestTruncated(t *testing.T) {
	sealed := packet{version: version1, dcid: dcidA, token: []byte("t"), frames: padded(cryptoFrame(0, realHello(t, false)))}.seal(t)
	var c Client
	for n := range sealed {
		c.Reset()
		if hello, err := c.Add(sealed[:n]); hello != nil || !errors.Is(err, ErrNotInitial) {
			t.Fatalf("cut at %d of %d: hello of %d bytes, error %v", n, len(sealed), len(hello), err)
		}
	}
}

// TestLargeHello puts 60 KiB together, more than the inline buffer, and checks that a Client is small again after Reset.
func TestLargeHello(t *testing.T) {
	hello := append([]byte{clientHello, 0, 0xf0, 0}, bytes.Repeat([]byte("0123456789abcdef"), 0xf00)...)
	var c Client
	at, number := 0, uint32(0)
	var got []byte
	for part := range slices.Chunk(hello, 1100) {
		var err error
		if got, err = c.Add(packet{version: version1, dcid: dcidA, number: number, frames: cryptoFrame(at, part)}.seal(t)); err != nil {
			t.Fatal(err)
		}
		at, number = at+len(part), number+1
	}
	if !bytes.Equal(got, hello) {
		t.Errorf("hello of %d bytes, want %d", len(got), len(hello))
	}
	c.Reset()
	if len(c.crypto.data) != inlineHello {
		t.Errorf("holds %d bytes after Reset, want %d", len(c.crypto.data), inlineHello)
	}
}

func TestLooksInitial(t *testing.T) {
	frames := padded(cryptoFrame(0, realHello(t, false)))
	tests := []struct {
		name     string
		datagram []byte
		want     bool
	}{
		{"0-RTT first", packet{version: version1, typ: zeroRTT, dcid: dcidA, frames: frames}.seal(t), true},
		{"Handshake", packet{version: version1, typ: handshake, dcid: dcidA, frames: frames}.seal(t), false},
		{"0-RTT of version 2", packet{version: version2, typ: zeroRTT, dcid: dcidA, frames: frames}.seal(t), true},
		{"Handshake of version 2", packet{version: version2, typ: handshake, dcid: dcidA, frames: frames}.seal(t), false},
		{"small, version 1", packet{version: version1, dcid: dcidA, frames: make([]byte, 100)}.seal(t), true},
		{"small, unknown version", packet{version: 0x12345678, dcid: dcidA, frames: make([]byte, 100)}.seal(t), false},
		{"unknown version, short id", packet{version: 0x12345678, dcid: dcidA[:4], frames: append(frames, frames...)}.seal(t), false},
		{"version negotiation", packet{dcid: dcidA, frames: frames}.seal(t), false},
		{"short header", append([]byte{0x40}, make([]byte, 1300)...), false},
		{"text", bytes.Repeat([]byte("GET / "), 300), false},
		{"high bytes", bytes.Repeat([]byte{0xff}, 1300), false},
		{"short", []byte{0xc0, 0, 0, 0, 1}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := LooksInitial(tt.datagram); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}
