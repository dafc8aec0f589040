// Package dns reads DNS messages (RFC 1035, 6891, 9460) from bytes, whole or cut: the question, the addresses of the answer
// section and what HTTPS records promise. The same form serves mDNS (RFC 6762) and LLMNR (RFC 4795); which of them it is, only
// the port tells. It keeps no transactions and no address-to-name table (see evidence), and knows no ports or addresses of peers.
package dns

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// ErrTruncated says that the bytes end before the first question does.
var ErrTruncated = errors.New("reading a DNS message: it ends before its question does; give more bytes or drop it")

// ErrMalformed says that the bytes cannot be a DNS message as a name server or a client would write it.
var ErrMalformed = errors.New("reading a DNS message: a name or a record breaks RFC 1035; drop it and count it")

const (
	headerLen  = 12    // RFC 1035, section 4.1.1
	maxMessage = 65535 // what the length field of TCP and UDP can say
	maxAddrs   = 256   // more than any answer over UDP without EDNS can hold
	maxCNAMEs  = 16    // resolvers give up earlier
)

// Types whose records this package reads itself.
const (
	TypeA     uint16 = 1  // RFC 1035, section 3.4.1
	TypeCNAME uint16 = 5  // RFC 1035, section 3.3.1
	TypeAAAA  uint16 = 28 // RFC 3596, section 2.1
	typeOPT   uint16 = 41 // RFC 6891, section 6.1.1
	TypeSVCB  uint16 = 64 // RFC 9460, section 14.1
	TypeHTTPS uint16 = 65 // RFC 9460, section 14.2
)

const (
	classIN     = 1      // RFC 1035, section 3.2.4
	classMask   = 0x7fff // RFC 6762, sections 5.4 and 10.2: the top bit is QU in a question, cache-flush in a record
	opcodeQuery = 0      // RFC 1035, section 4.1.1
)

// Address is one address that a message gives, with the life the record allows it.
type Address struct {
	IP  netip.Addr
	TTL uint32 // seconds; 0 where the record has the top bit set (RFC 2181, section 8)
	// InChain says that the record belongs to the question: its owner is QNAME or the target of the last CNAME that leads
	// there from QNAME, in the order in which servers write them (RFC 1034, section 4.3.2). Only then does QNAME name IP.
	InChain bool
}

// Message is what one DNS message says. One Message is made to be parsed into again and again: its slices belong to it or
// alias the parsed bytes, and hold until the next Parse. The zero Message is ready; its first Parse allocates, later ones do not.
type Message struct {
	ID        uint16
	Response  bool   // QR
	Opcode    uint8  // 0 is a standard query; answers of other opcodes are not read, they have another meaning
	Rcode     uint16 // with the upper eight bits of EDNS where the message has them
	TC        bool   // the server cut the message and asks to come back over TCP
	EDNS      bool   // an OPT record was seen
	Truncated bool   // the bytes end, or turn unreadable after the answers, before the sections that the header announces do

	Questions uint16 // QDCOUNT; 0 in most mDNS responses
	// QName is the first question's name in presentation form, lower case, without the last dot, and "." for the root; nil if
	// there is no question. Bytes that would be mistaken are escaped as in zone files: \. inside a label, \DDD for unprintable ones.
	QName   []byte
	Escaped bool // QName holds such escapes, so it is data or damage and no host's name
	QType   uint16
	QClass  uint16 // without the top bit
	Unicast bool   // that top bit: an mDNS client wants a unicast response (QU)

	Addrs   []Address // every A and AAAA of the answer section, in order, at most 256
	Unkept  int       // addresses and hints beyond that
	MinTTL  uint32    // the least TTL among Addrs, 0 if there are none
	CNAMEs  int       // CNAME records of the answer section, at most 16; see AppendCNAME
	Service bool      // an HTTPS or SVCB record is among the answers
	Hints   []Address // ipv4hint and ipv6hint of those
	ALPN    []byte    // alpn of the first that has one, as on the wire: each preceded by its length; see HasALPN
	ECH     bool      // one of them carries an ECH configuration, so its clients may hide their names
	// ECHConfigs is the first such configuration list, as on the wire; see package ech.
	ECHConfigs []byte

	b      []byte // the parsed bytes, for AppendCNAME
	chain  int    // where the name stands that the next record of the chain must bear; 0 without a question
	cnames [maxCNAMEs]uint16
}

// Parse reads b, a message without TCP's length prefix. It gives what can be read: with a nil error that is the question and
// every record up to the end, or up to the cut if Truncated is set. With ErrTruncated there is no question, and with
// ErrMalformed m holds what stood before the damage, which is worth showing but is evidence of nothing.
func (m *Message) Parse(b []byte) error {
	m.reset()
	if len(b) > maxMessage {
		b = b[:maxMessage]
	}
	m.b = b
	if len(b) < headerLen {
		return ErrTruncated
	}
	m.header(b)
	off := headerLen
	if m.Questions > 0 {
		var err error
		if off, err = m.question(b); err != nil {
			return err
		}
		for range m.Questions - 1 { // 5 bytes each at least, so b bounds the loop
			if off, err = skipQuestion(b, off); err != nil {
				return m.cut(err)
			}
		}
	}
	off, err := m.answers(b, off, int(binary.BigEndian.Uint16(b[6:])))
	if err != nil {
		return m.cut(err)
	}
	m.rest(b, off, int(binary.BigEndian.Uint16(b[8:]))+int(binary.BigEndian.Uint16(b[10:])))
	return nil
}

// cut turns the end of the bytes into a fact about m; what is wrong otherwise stays an error.
func (m *Message) cut(err error) error {
	if !errors.Is(err, ErrTruncated) {
		return err
	}
	m.Truncated = true
	return nil
}

func (m *Message) reset() {
	*m = Message{QName: m.QName[:0], Addrs: m.Addrs[:0], Hints: m.Hints[:0]}
	if cap(m.QName) < maxPresentation { // the name writer relies on the room, so it need not check it
		m.QName = make([]byte, 0, maxPresentation)
		m.Addrs = make([]Address, 0, maxAddrs)
		m.Hints = make([]Address, 0, maxAddrs)
	}
}

// header reads all but the counts of records (RFC 1035, section 4.1.1).
func (m *Message) header(b []byte) {
	m.ID = binary.BigEndian.Uint16(b)
	m.Response = b[2]&0x80 != 0
	m.Opcode = b[2] >> 3 & 0xf
	m.TC = b[2]&0x02 != 0
	m.Rcode = uint16(b[3] & 0xf)
	m.Questions = binary.BigEndian.Uint16(b[4:])
}

// question reads the first question, which no pointer can stand in: there is only the header to point to.
func (m *Message) question(b []byte) (next int, err error) {
	name, next, ok := plainName(m.QName, b, headerLen)
	if !ok {
		if name, next, err = appendName(m.QName, b, headerLen); err != nil {
			return 0, err
		}
	}
	if len(b)-next < 4 {
		return 0, ErrTruncated
	}
	m.QName = name
	m.Escaped = len(name) != max(next-headerLen-2, 1) // each label's length became a dot, but for the first and the root
	m.QType = binary.BigEndian.Uint16(b[next:])
	class := binary.BigEndian.Uint16(b[next+2:])
	m.QClass, m.Unicast = class&classMask, class&^classMask != 0
	m.chain = headerLen
	return next + 4, nil
}

func skipQuestion(b []byte, off int) (next int, err error) {
	next, _, err = skipName(b, off)
	if err == nil && len(b)-next < 4 {
		err = ErrTruncated
	}
	return next + 4, err
}

// answers reads n records of the answer section.
func (m *Message) answers(b []byte, off, n int) (next int, err error) {
	for range n { // 11 bytes each at least
		r, err := readRecord(b, off)
		if err != nil {
			return off, err
		}
		off = r.next
		if m.Opcode != opcodeQuery || r.class != classIN {
			continue
		}
		if err := m.answer(b, &r); err != nil {
			return off, err
		}
	}
	return off, nil
}

func (m *Message) answer(b []byte, r *record) (err error) { //nolint:gocyclo // one case for each record type
	data := b[r.data:r.next]
	switch {
	case r.typ == TypeA && len(data) == 4:
		m.Addrs, err = m.keep(m.Addrs, r, netip.AddrFrom4([4]byte(data)))
	case r.typ == TypeAAAA && len(data) == 16:
		m.Addrs, err = m.keep(m.Addrs, r, netip.AddrFrom16([16]byte(data)))
	case r.typ == TypeCNAME:
		return m.cname(b, r)
	case r.typ == TypeHTTPS || r.typ == TypeSVCB:
		return m.service(b, r)
	default:
		return nil
	}
	if n := len(m.Addrs); n == 1 || n > 0 && r.ttl < m.MinTTL {
		m.MinTTL = r.ttl
	}
	return err
}

// keep appends ip to list unless that is full.
func (m *Message) keep(list []Address, r *record, ip netip.Addr) ([]Address, error) {
	if len(list) == maxAddrs {
		m.Unkept++
		return list, nil
	}
	in, err := m.inChain(r)
	return append(list, Address{IP: ip, TTL: r.ttl, InChain: in}), err
}

// cname notes where the target stands and, if the record goes on from the chain's last name, that the chain is there now.
func (m *Message) cname(b []byte, r *record) error {
	if m.CNAMEs == maxCNAMEs || r.next == r.data {
		return nil
	}
	if err := checkName(b[:r.next], r.data); err != nil {
		return malformed(err) // the record is whole, so a name that is not is wrong
	}
	in, err := m.inChain(r)
	if err != nil {
		return err
	}
	m.cnames[m.CNAMEs] = uint16(r.data)
	m.CNAMEs++
	if in {
		m.chain = r.data
	}
	return nil
}

// inChain compares the owner of r with the name that the chain has come to, and with the question. Almost always the owner is a
// pointer to just that place, so no label is read.
func (m *Message) inChain(r *record) (bool, error) {
	at := r.owner
	if p, ok := pointer(m.b, at); ok {
		at = p
	}
	if m.chain == 0 {
		return false, malformed(checkName(m.b, at))
	}
	if at == m.chain || at == headerLen {
		return true, nil
	}
	if sameName(m.b, at, m.chain) || m.chain != headerLen && sameName(m.b, at, headerLen) {
		return true, nil
	}
	return false, malformed(checkName(m.b, at))
}

// rest walks the other sections for the OPT record. Damage there takes nothing from the answers.
func (m *Message) rest(b []byte, off, n int) {
	for range n {
		r, err := readRecord(b, off)
		if err != nil {
			m.Truncated = true
			return
		}
		if r.typ == typeOPT && b[r.owner] == 0 {
			m.EDNS = true
			m.Rcode = m.Rcode&0xf | uint16(b[r.ttlAt])<<4 // RFC 6891, section 6.1.3
		}
		off = r.next
	}
}

// AppendCNAME appends the target of the i-th CNAME of the last Parse to dst, in the form of QName; i is below CNAMEs, and the
// parsed bytes must still be there.
func (m *Message) AppendCNAME(dst []byte, i int) []byte {
	if i < 0 || i >= m.CNAMEs {
		return dst
	}
	out, _, err := appendName(dst, m.b, int(m.cnames[i]))
	if err != nil {
		return dst
	}
	return out
}
