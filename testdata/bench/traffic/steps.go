package traffic

import (
	"encoding/binary"
	"strings"
)

const segment = 1440

// bulk is a TLS or, one time in five, a QUIC connection with a look-up before it now and then, that carries most of its bytes down or,
// sometimes, up.
func (m *maker) bulk() error {
	if m.r.IntN(2) == 0 {
		if err := m.lookup(); err != nil {
			return err
		}
	}
	quic := m.r.IntN(5) == 0
	f, err := m.connection(quic)
	if err != nil {
		return err
	}
	data := 1 + int(30*m.r.ExpFloat64())
	up := m.r.IntN(5) == 0
	for i := range data {
		f.todo = append(f.todo, packet{up: up, flags: ack, payload: m.bytes(segment, quic)})
		if i%2 == 1 {
			f.todo = append(f.todo, m.acknowledgement(!up, quic))
		}
		if i%8 == 7 {
			f.todo = append(f.todo, packet{up: !up, flags: ack | psh, payload: m.bytes(40+m.r.IntN(400), quic)})
		}
	}
	m.end(f, quic)
	return nil
}

// handshake is a connection with next to nothing behind its hello.
func (m *maker) handshake() error {
	quic := m.r.IntN(12) == 0
	f, err := m.connection(quic)
	if err != nil {
		return err
	}
	m.end(f, quic)
	return nil
}

// connection begins a flow up to the server's first flight.
func (m *maker) connection(quic bool) (*flow, error) {
	name := m.name()
	m.truth.Names[name]++
	if quic {
		f := m.begin(protoUDP, 443)
		var dcid [8]byte
		binary.LittleEndian.PutUint64(dcid[:], m.r.Uint64())
		datagrams, err := initials(named(m.hellos.quic, name), dcid)
		if err != nil {
			return nil, err
		}
		for _, d := range datagrams {
			f.todo = append(f.todo, packet{up: true, payload: d})
		}
		answer := append([]byte{0xc0 | byte(m.r.IntN(16)), 0, 0, 0, 1, 0, 8}, m.bytes(1193, true)...)
		f.todo = append(f.todo, packet{payload: answer}, packet{up: true, payload: m.bytes(60, true)})
		return f, nil
	}
	f := m.begin(protoTCP, 443)
	f.todo = append(f.todo, packet{up: true, flags: syn}, packet{flags: syn | ack}, packet{up: true, flags: ack})
	for hello := record(named(m.hellos.messages[m.r.IntN(len(m.hellos.messages))], name)); len(hello) > 0; {
		n := min(len(hello), segment)
		f.todo = append(f.todo, packet{up: true, flags: ack, payload: hello[:n]})
		hello = hello[n:]
	}
	answer := append([]byte{22, 3, 3, 0, 122}, m.bytes(1200, false)...)
	f.todo = append(f.todo, packet{flags: ack, payload: answer}, packet{up: true, flags: ack})
	return f, nil
}

// bytes are n bytes of no meaning; with quic, what begins a packet with a short header (RFC 9000, section 17.3).
func (m *maker) bytes(n int, quic bool) []byte {
	at := m.r.IntN(len(m.filler) - n)
	b := m.filler[at : at+n]
	if !quic {
		return b
	}
	b = append([]byte(nil), b...)
	b[0] = 0x40 | b[0]&0x1f
	return b
}

func (m *maker) acknowledgement(up, quic bool) packet {
	if quic {
		return packet{up: up, payload: m.bytes(35, true)}
	}
	return packet{up: up, flags: ack}
}

func (m *maker) end(f *flow, quic bool) {
	if !quic {
		f.todo = append(f.todo, packet{up: true, flags: fin | ack}, packet{flags: fin | ack}, packet{up: true, flags: ack})
	}
}

// lookup is a DNS question and its answer: a chain of two names and one to four addresses.
func (m *maker) lookup() error {
	f := m.begin(protoUDP, 53)
	name := m.name()
	m.truth.Names["?"+name]++
	id := uint16(m.r.Uint32())
	question := binary.BigEndian.AppendUint16(nil, id)
	question = append(question, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	question = append(question, wire(name)...)
	question = append(question, 0, 1, 0, 1)
	answers := 1 + m.r.IntN(4)
	answer := append([]byte(nil), question...)
	answer[2], answer[3], answer[7] = 0x81, 0x80, byte(1+answers)
	alias := wire("edge-" + name[:8] + ".cdn.example.net")
	answer = append(answer, 0xc0, 12, 0, 5, 0, 1, 0, 0, 1, 44, 0, byte(len(alias)))
	at := len(answer)
	answer = append(answer, alias...)
	for range answers {
		answer = append(answer, 0xc0|byte(at>>8), byte(at), 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, byte(m.r.IntN(8)), byte(m.r.IntN(256)))
	}
	f.todo = append(f.todo, packet{up: true, payload: question}, packet{payload: answer})
	return nil
}

// wire is a name as DNS carries it (RFC 1035, section 3.1).
func wire(name string) []byte {
	var b []byte
	for label := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0)
}

// small is a flow of little packets both ways that never ends: what a table of known flows costs.
func (m *maker) small() error {
	proto := byte(protoTCP)
	if m.r.IntN(2) == 0 {
		proto = protoUDP
	}
	f := m.begin(proto, 40000)
	f.again = true
	udp := proto == protoUDP
	f.todo = []packet{{up: true, flags: ack, payload: m.bytes(10+m.r.IntN(40), udp)}, {flags: ack, payload: m.bytes(10+m.r.IntN(40), udp)}}
	return nil
}
