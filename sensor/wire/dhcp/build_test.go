package dhcp

import (
	"encoding/binary"
	"net/netip"
	"strings"
)

// clientMAC is in the range that RFC 7042, section 2.1.2 sets aside for documents.
var clientMAC = MAC{0x00, 0x00, 0x5e, 0x00, 0x53, 0x1f}

// option is one option of either protocol.
type option struct {
	code  int
	value []byte
}

// fixed is the part of a message of IPv4 before its options.
type fixed struct {
	op, hardware, length     byte
	id                       uint32
	client, yours, relay     string
	mac                      MAC
	serverField, fileOptions []byte
}

// build4 writes a message with its end mark and the padding to BOOTP's 300 bytes that many clients add.
func build4(f fixed, options ...option) []byte {
	b := make([]byte, 236, 300)
	b[0], b[1], b[2] = f.op, f.hardware, f.length
	binary.BigEndian.PutUint32(b[4:], f.id)
	for at, a := range map[int]string{12: f.client, 16: f.yours, 24: f.relay} {
		if a != "" {
			copy(b[at:], netip.MustParseAddr(a).AsSlice())
		}
	}
	copy(b[28:], f.mac[:])
	copy(b[44:], f.serverField)
	copy(b[108:], f.fileOptions)
	b = binary.BigEndian.AppendUint32(b, magicCookie)
	b = append(b, options4(options...)...)
	for len(b) < 300 {
		b = append(b, 0)
	}
	return b
}

func options4(options ...option) (b []byte) {
	for _, o := range options {
		b = append(append(b, byte(o.code), byte(len(o.value))), o.value...)
	}
	return append(b, optEnd)
}

func typed(t Type) option { return option{optType, []byte{byte(t)}} }

func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

func ip(s string) []byte { return netip.MustParseAddr(s).AsSlice() }

// wireName is a name in DNS form with its end.
func wireName(name string) (b []byte) {
	for label := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0)
}

// request is what a client sends that was offered an address.
func request() []byte {
	return build4(fixed{op: opRequest, hardware: 1, length: 6, id: 0x3903f326, mac: clientMAC}, typed(Request),
		option{optClientID, append([]byte{1}, clientMAC[:]...)}, option{optRequestedIP, ip("10.1.2.3")}, option{optServerID, ip("10.1.2.1")},
		option{optHostName, []byte("desk-17")}, option{optFQDN, append([]byte{fqdnWireForm, 0, 0}, wireName("desk-17.example.com")...)},
		option{55, []byte{1, 3, 6, 15, 119}})
}

// ack is the server's answer, passed on by a relay.
func ack() []byte {
	return build4(fixed{op: opReply, hardware: 1, length: 6, id: 0x3903f326, mac: clientMAC, yours: "10.1.2.3", relay: "10.1.2.254"}, typed(Ack),
		option{optServerID, ip("10.1.2.1")}, option{optLease, u32(86400)}, option{1, []byte{255, 255, 255, 0}})
}

// build6 writes a message of a client or server.
func build6(t Type6, id uint32, options ...option) []byte {
	return append([]byte{byte(t), byte(id >> 16), byte(id >> 8), byte(id)}, options6(options...)...)
}

func options6(options ...option) (b []byte) {
	for _, o := range options {
		b = binary.BigEndian.AppendUint16(b, uint16(o.code))
		b = binary.BigEndian.AppendUint16(b, uint16(len(o.value)))
		b = append(b, o.value...)
	}
	return b
}

// relayed puts a message into a relay's envelope.
func relayed(t Type6, inner []byte, more ...option) []byte {
	b := append([]byte{byte(t), 0}, make([]byte, 32)...)
	return append(b, options6(append(more, option{opt6RelayMessage, inner})...)...)
}

// association is IA_NA with one address.
func association(addr string, lease uint32, more ...option) option {
	body := append(make([]byte, 12), options6(address(addr, lease, more...))...)
	return option{opt6IANA, body}
}

func address(addr string, lease uint32, more ...option) option {
	body := append(append(ip(addr), u32(lease/2)...), u32(lease)...)
	return option{opt6IAAddr, append(body, options6(more...)...)}
}

func duid(mac MAC) option {
	return option{opt6ClientID, append([]byte{0, duidLLT, 0, 1, 0x2c, 0x01, 0x02, 0x03}, mac[:]...)}
}

func status(code byte) option { return option{opt6Status, []byte{0, code, 'n', 'o'}} }

func name6(name string) option { return option{opt6FQDN, append([]byte{1}, wireName(name)...)} }

// reply6 is a server's reply that grants an address.
func reply6() []byte {
	return build6(Reply6, 0xabcdef, duid(clientMAC), option{2, []byte{0, 3, 0, 1, 2, 0, 0, 0, 0, 1}}, name6("desk-17.example.com"),
		association("2001:db8::17", 7200))
}
