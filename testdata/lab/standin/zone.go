package standin

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Name is a host the stand-in plays.
type Name struct {
	Host  string
	Chain []string // further names a look-up passes: Host is an alias of the first, the last has the addresses
	H3    bool     // its HTTPS record offers HTTP/3
	Asks  bool     // it asks for a client's certificate
	TC    bool     // its answers over UDP are cut, so that clients ask again over TCP
}

// Zone holds all names and gives each an address of the documentation ranges (RFC 5737, RFC 3849).
type Zone struct {
	IPv6 bool // AAAA questions are answered
	IPv4 bool // A questions are answered
	ECH  []byte
	list []Name
}

// NewZone returns a zone in which the n-th name has the n-th address; it has IPv4 addresses only.
func NewZone(names []Name) *Zone {
	return &Zone{IPv4: true, list: slices.Clone(names)}
}

// firstHost leaves the low addresses to routers.
const firstHost = 10

// Addresses returns the addresses of a host.
func (z *Zone) Addresses(host string) (v4, v6 netip.Addr, ok bool) {
	i := slices.IndexFunc(z.list, func(n Name) bool { return n.Host == host })
	if i < 0 {
		return v4, v6, false
	}
	last := byte(firstHost + i%(254-firstHost))
	v4 = netip.AddrFrom4([4]byte{203, 0, 113, last})
	v6 = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0x02, 0x03, 15: last})
	return v4, v6, true
}

// Answer returns the answer section for a question, and the response code. Unknown names do not exist.
func (z *Zone) Answer(q dns.Question) ([]dns.RR, int) {
	host := strings.ToLower(strings.TrimSuffix(q.Name, "."))
	v4, v6, ok := z.Addresses(host)
	if !ok {
		return nil, dns.RcodeNameError
	}
	name := z.entry(host)
	var answers []dns.RR
	owner := q.Name
	for _, next := range name.Chain {
		answers = append(answers, &dns.CNAME{Hdr: header(owner, dns.TypeCNAME), Target: dns.Fqdn(next)})
		owner = dns.Fqdn(next)
	}
	switch {
	case q.Qtype == dns.TypeA && z.IPv4:
		answers = append(answers, &dns.A{Hdr: header(owner, dns.TypeA), A: v4.AsSlice()})
	case q.Qtype == dns.TypeAAAA && z.IPv6:
		answers = append(answers, &dns.AAAA{Hdr: header(owner, dns.TypeAAAA), AAAA: v6.AsSlice()})
	case q.Qtype == dns.TypeHTTPS && (name.H3 || z.ECH != nil):
		answers = append(answers, z.service(owner, name))
	}
	return answers, dns.RcodeSuccess
}

// asks says whether a host wants a client's certificate.
func (z *Zone) asks(host string) bool {
	return slices.ContainsFunc(z.list, func(n Name) bool { return n.Host == host && n.Asks })
}

func (z *Zone) entry(host string) Name {
	return z.list[slices.IndexFunc(z.list, func(n Name) bool { return n.Host == host })]
}

// service makes the HTTPS record (RFC 9460, section 9) of an owner.
func (z *Zone) service(owner string, name Name) *dns.HTTPS {
	alpn := []string{"h2"}
	if name.H3 {
		alpn = []string{"h3", "h2"}
	}
	rr := &dns.HTTPS{SVCB: dns.SVCB{Hdr: header(owner, dns.TypeHTTPS), Priority: 1, Target: "."}}
	rr.Value = append(rr.Value, &dns.SVCBAlpn{Alpn: alpn})
	if z.ECH != nil {
		rr.Value = append(rr.Value, &dns.SVCBECHConfig{ECH: z.ECH})
	}
	return rr
}

func header(owner string, typ uint16) dns.RR_Header {
	const lifetime = 300
	return dns.RR_Header{Name: owner, Rrtype: typ, Class: dns.ClassINET, Ttl: lifetime}
}
