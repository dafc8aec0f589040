package dns

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	mdns "github.com/miekg/dns"
)

const (
	maxAnswers = 1024 // records that Answers renders of one message
	maxData    = 4096 // bytes of RDATA, and characters of its text: pointers let a few bytes stand for a kilobyte
)

// Answer is one record of the answer section as people read it.
type Answer struct {
	Name string // owner, in the form of Message.QName
	Type string // mnemonic, see TypeName
	Data string // an address, a name without the last dot, or RDATA as in a zone file; "..." ends what was too long
	TTL  uint32 // seconds
}

// Answers renders the answer section of b, which holds a message without TCP's length prefix. It is for showing, not for the
// data path. Next to an error stand the answers up to the damage; at most 1024 are given.
func Answers(b []byte) ([]Answer, error) {
	if len(b) > maxMessage {
		b = b[:maxMessage]
	}
	if len(b) < headerLen {
		return nil, ErrTruncated
	}
	off := headerLen
	for range binary.BigEndian.Uint16(b[4:]) {
		var err error
		if off, err = skipQuestion(b, off); err != nil {
			return nil, err
		}
	}
	n := min(int(binary.BigEndian.Uint16(b[6:])), maxAnswers)
	var list []Answer
	for range n {
		r, err := readRecord(b, off)
		if err != nil {
			return list, err
		}
		owner, _, err := appendName(nil, b, r.owner)
		if err != nil {
			return list, malformed(err)
		}
		list = append(list, Answer{Name: string(owner), Type: TypeName(r.typ), Data: shorten(data(b, &r)), TTL: r.ttl})
		off = r.next
	}
	return list, nil
}

// data renders RDATA by its type.
func data(b []byte, r *record) string {
	raw := b[r.data:r.next]
	switch r.typ {
	case TypeA, TypeAAAA:
		if ip, ok := netip.AddrFromSlice(raw); ok && r.class == classIN {
			return ip.String()
		}
	case TypeCNAME, mdns.TypeNS, mdns.TypePTR, mdns.TypeDNAME:
		if name, _, err := appendName(nil, b[:r.next], r.data); err == nil {
			return string(name)
		}
	}
	if len(raw) <= maxData {
		if s, ok := zoneForm(b[:r.next], r); ok {
			return s
		}
	}
	return `\# ` + strconv.Itoa(len(raw)) + " " + hex.EncodeToString(raw[:min(len(raw), maxData)]) // RFC 3597, section 5
}

// zoneForm is the presentation form of RDATA if the type has one.
func zoneForm(msg []byte, r *record) (string, bool) {
	if _, known := mdns.TypeToRR[r.typ]; !known {
		return "", false
	}
	h := mdns.RR_Header{Name: ".", Rrtype: r.typ, Class: r.class, Ttl: r.ttl, Rdlength: uint16(r.next - r.data)}
	rr, _, err := mdns.UnpackRRWithHeader(h, msg, r.data)
	if err != nil {
		return "", false
	}
	return strings.TrimPrefix(rr.String(), rr.Header().String()), true
}

func shorten(s string) string {
	if len(s) <= maxData {
		return s
	}
	return s[:maxData] + "..."
}

// TypeName is the mnemonic of a record type, or TYPE and its number (RFC 3597, section 5).
func TypeName(typ uint16) string { return mdns.Type(typ).String() }

// RcodeName is the mnemonic of a response code, EDNS bits included, or RCODE and its number.
func RcodeName(rcode int) string {
	if rcode == mdns.RcodeBadVers { // shares its number with TSIG's BADSIG, which only stands inside a TSIG record
		return "BADVERS"
	}
	if s, ok := mdns.RcodeToString[rcode]; ok {
		return s
	}
	return "RCODE" + strconv.Itoa(rcode)
}
