package quic

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/wire/tls"
)

// vectorFrame is the CRYPTO frame of RFC 9001, appendix A.2, and of RFC 9369, appendix A.2.
const vectorFrame = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c" +
	"00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d00170018" +
	"00100007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171" +
	"fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101" +
	"001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f0" +
	"3e51570806048000ffff"

// TestVectors checks keys and packets against the appendices A of RFC 9001 and RFC 9369.
func TestVectors(t *testing.T) {
	tests := []struct {
		name        string
		version     uint32
		key, iv, hp string
		head        string // the protected packet's first bytes
		tail        string // and its last
	}{
		{
			name: "version 1", version: version1,
			key: "1f369613dd76d5467730efcbe3b1a22d", iv: "fa044b2f42a3fd3b46fb255c", hp: "9f50449e04a0e810283a1e9933adedd2",
			head: "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b",
			tail: "e221af44860018ab0856972e194cd934",
		},
		{
			name: "version 2", version: version2,
			key: "8b1a0bc121284290a29e0971b5cd045d", iv: "91f73e2351d8fa91660e909f", hp: "45b95e15235d6f45a6b19cbcb0294ba9",
			head: "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			first, _ := suitesOf(tt.version)
			var k keys
			k.derive(first, dcidA)
			for what, pair := range map[string][2]string{
				"key": {hex.EncodeToString(k.key[:]), tt.key}, "iv": {hex.EncodeToString(k.iv[:]), tt.iv}, "hp": {hex.EncodeToString(k.hp[:]), tt.hp},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s %s, want %s", what, pair[0], pair[1])
				}
			}
			frames := append(unhex(t, vectorFrame), make([]byte, 1162)...)[:1162]
			datagram := packetOf(tt.version, frames).seal(t)
			if len(datagram) != 1200 || !bytes.HasPrefix(datagram, unhex(t, tt.head)) || !bytes.HasSuffix(datagram, unhex(t, tt.tail)) {
				t.Errorf("packet of %d bytes is %x...%x", len(datagram), datagram[:40], datagram[1184:])
			}
			var c Client
			hello, err := c.Add(datagram)
			if err != nil {
				t.Fatal(err)
			}
			var h tls.Hello
			if err := h.Parse(hello); err != nil || string(h.ServerName) != "example.com" || c.Version != tt.version {
				t.Errorf("name %q, version %#x, error %v", h.ServerName, c.Version, err)
			}
		})
	}
}

// packetOf is the packet of the appendices: number 2 in four bytes, no token.
func packetOf(version uint32, frames []byte) packet {
	p := packet{version: version, dcid: dcidA, number: 2, length: 4, frames: frames}
	return p
}
