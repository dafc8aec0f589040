package synthetic

import "encoding/binary"

// Cases are all captures of this package.
func Cases() []Case { return []Case{tunnels(), resolvers()} }

// tunnels holds VPNs of every kind that a sensor can know by their shape, and what only resembles one.
func tunnels() Case {
	w := newWire()
	w.wireGuard()
	w.openVPN()
	w.ipsec()
	w.lookalikes()
	return Case{Name: "tunnels", Why: "VPNs by the shape of their first packets, and datagrams that only resemble one", Frames: w.frames, Truth: w.truth}
}

func le(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
func be(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }

// wireGuard follows section 5.4 of the protocol's paper.
func (w *wire) wireGuard() {
	initiation := func(sender uint32) []byte {
		return append(append(le([]byte{1, 0, 0, 0}, sender), w.sealed(124)...), make([]byte, 16)...)
	}
	response := func(sender, receiver uint32) []byte {
		return append(append(le(le([]byte{2, 0, 0, 0}, sender), receiver), w.sealed(64)...), make([]byte, 16)...)
	}
	data := func(receiver, counter uint32, n int) []byte {
		return append(le(le(le([]byte{4, 0, 0, 0}, receiver), counter), 0), w.sealed(n)...)
	}
	w.note("10.20.1.21 -> 198.51.100.10 udp/51820: WireGuard from its handshake on")
	p := talk("10.20.1.21:40001", "198.51.100.10:51820")
	w.datagram(p, true, initiation(0x1001))
	w.datagram(p, false, response(0x2002, 0x1001))
	for i := range uint32(8) {
		w.datagram(p, true, data(0x2002, i, 16+160))
		w.datagram(p, false, data(0x1001, i, 16+1312))
	}
	w.note("10.20.1.22 -> 198.51.100.11 udp/443: WireGuard that began before the capture")
	p = talk("10.20.1.22:40002", "198.51.100.11:443")
	for i := range uint32(6) {
		w.datagram(p, true, data(0x3003, 70000+i, 16+640))
	}
	w.datagram(p, false, data(0x4004, 90000, 16+1312))
	w.note("10.20.1.23 -> 198.51.100.12 udp/51820: an initiation that nobody answers, twice; it proves nothing")
	p = talk("10.20.1.23:40003", "198.51.100.12:51820")
	w.datagram(p, true, initiation(0x5005))
	w.datagram(p, true, initiation(0x5006))
}

// openVPN follows draft-openvpn-wire-protocol-00, section 4.
func (w *wire) openVPN() {
	const now = 1_793_610_000
	plain := func(op byte, acks int) []byte {
		b := append([]byte{op << 3}, "\x11\x22\x33\x44\x55\x66\x77\x88"...)
		if acks > 0 {
			b = append([]byte{op << 3}, "\x99\xaa\xbb\xcc\xdd\xee\xff\x01"...)
			b = append(append(be(append(b, 1), 0), "\x11\x22\x33\x44\x55\x66\x77\x88"...), 0, 0, 0, 0)
			return b
		}
		return append(b, 0, 0, 0, 0, 0)
	}
	crypt := func(op byte, session string, n int) []byte {
		return append(be(be(append([]byte{op << 3}, session...), 1), now), w.sealed(n)...)
	}
	w.note("10.20.1.24 -> 198.51.100.20 udp/1194: OpenVPN without a key for its control channel")
	p := talk("10.20.1.24:40004", "198.51.100.20:1194")
	w.datagram(p, true, plain(7, 0))
	w.datagram(p, false, plain(8, 1))
	w.datagram(p, true, append([]byte{9 << 3}, w.sealed(900)...))
	w.note("10.20.1.25 -> 198.51.100.21 udp/1194: OpenVPN under tls-crypt")
	p = talk("10.20.1.25:40005", "198.51.100.21:1194")
	w.datagram(p, true, crypt(7, "abcdefgh", 37))
	w.datagram(p, false, crypt(8, "ijklmnop", 49))
	w.datagram(p, true, append([]byte{9 << 3}, w.sealed(700)...))
	w.note("10.20.1.26 -> 198.51.100.22 tcp/443: OpenVPN over TCP on the port of the web")
	p = talk("10.20.1.26:40006", "198.51.100.22:443")
	w.connect(p)
	framed := func(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }
	w.segment(p, true, flagACK, framed(plain(7, 0)))
	w.segment(p, false, flagACK, framed(plain(8, 1)))
	w.segment(p, true, flagACK, framed(append([]byte{9 << 3}, w.sealed(1200)...)))
}

// ipsec follows RFC 7296, section 3.1, and RFC 3948.
func (w *wire) ipsec() {
	ike := func(responder byte, exchange byte, id uint32, n int) []byte {
		b := append([]byte("initiate"), 0, 0, 0, 0, 0, 0, 0, responder)
		b = be(be(append(b, 33, 0x20, exchange, 8), id), uint32(28+n))
		return append(b, w.sealed(n)...)
	}
	w.note("10.20.1.27 -> 198.51.100.30 udp/500, then udp/4500: IKEv2, then ESP in UDP")
	p := talk("10.20.1.27:500", "198.51.100.30:500")
	w.datagram(p, true, ike(0, 34, 0, 400))
	w.datagram(p, false, ike(9, 34, 0, 420))
	p = talk("10.20.1.27:4500", "198.51.100.30:4500")
	w.datagram(p, true, append([]byte{0, 0, 0, 0}, ike(9, 35, 1, 220)...))
	for i := range uint32(5) {
		w.datagram(p, true, append(be(be(nil, 0xc0de0001), i+1), w.sealed(88)...))
		w.datagram(p, true, append(be(be(nil, 0xc0de0001), i+100), w.sealed(88)...))
		w.datagram(p, false, append(be(be(nil, 0xc0de0002), i+1), w.sealed(1200)...))
	}
}

// lookalikes are no tunnels.
func (w *wire) lookalikes() {
	w.note("10.20.1.28 -> 198.51.100.40 udp/51820: datagrams of the right lengths with other bytes; no tunnel")
	p := talk("10.20.1.28:40008", "198.51.100.40:51820")
	w.datagram(p, true, append([]byte{1, 2, 3, 4}, w.sealed(144)...))
	w.datagram(p, false, append([]byte{2, 2, 3, 4}, w.sealed(88)...))
	w.note("10.20.1.29 -> 198.51.100.41 udp/4500: a port of IPsec with text on it; no tunnel")
	p = talk("10.20.1.29:40009", "198.51.100.41:4500")
	w.datagram(p, true, []byte("hello, is anybody there?"))
	w.datagram(p, false, []byte("no"))
	w.note("10.20.1.30 -> 198.51.100.42 udp/1194: a reset of a client, answered by something else; no tunnel")
	p = talk("10.20.1.30:40010", "198.51.100.42:1194")
	w.datagram(p, true, append([]byte{7 << 3}, "\x11\x22\x33\x44\x55\x66\x77\x88\x00\x00\x00\x00\x00"...))
	w.datagram(p, false, w.sealed(26))
}

// resolvers holds encrypted look-ups that show no name, and nameless traffic beside them. Addresses of resolvers are the true ones, which
// the catalogue knows.
func resolvers() Case {
	w := newWire()
	tlsData := func(n int) []byte { return append([]byte{0x17, 3, 3, byte(n >> 8), byte(n)}, w.sealed(n)...) }
	say := func(client, server string, up, down int) {
		p := talk(client, server)
		for range 3 {
			w.segment(p, true, flagACK, tlsData(up))
			w.segment(p, false, flagACK, tlsData(down))
		}
	}
	w.note("10.20.1.31 -> 9.9.9.9 tcp/443: a resolver by its address; the hello was before the capture")
	say("10.20.1.31:41001", "9.9.9.9:443", 120, 300)
	w.note("10.20.1.31 -> 198.51.100.53 tcp/853: DNS over TLS to a resolver that nobody knows")
	say("10.20.1.31:41002", "198.51.100.53:853", 120, 300)
	w.note("10.20.1.32 -> 1.1.1.1 udp/853: DNS over QUIC, no Initial seen")
	p := talk("10.20.1.32:41003", "1.1.1.1:853")
	w.datagram(p, true, append([]byte{0x41}, w.sealed(180)...))
	w.datagram(p, false, append([]byte{0x42}, w.sealed(280)...))
	w.note("10.20.1.33 -> 198.51.100.60 tcp/443: nameless; the hello was before the capture")
	say("10.20.1.33:41004", "198.51.100.60:443", 500, 4000)
	w.note("10.20.1.34 -> 198.51.100.61 tcp/443: nameless, and the server's direction is missing")
	p = talk("10.20.1.34:41005", "198.51.100.61:443")
	w.segment(p, true, flagACK, tlsData(700))
	w.segment(p, true, flagACK, tlsData(700))
	w.note("10.20.1.35 -> 198.51.100.62 tcp/443: a connection without a byte; it counts nowhere")
	w.connect(talk("10.20.1.35:41006", "198.51.100.62:443"))
	return Case{Name: "resolvers", Why: "encrypted look-ups known by address or port alone, beside other nameless traffic", Frames: w.frames, Truth: w.truth}
}
