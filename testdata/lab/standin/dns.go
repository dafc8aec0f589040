package standin

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/gnomon-sensor/gnomon/testdata/lab/truth"
	"github.com/miekg/dns"
)

// resolver answers look-ups from a zone and books them.
type resolver struct {
	zone    *Zone
	book    *truth.Book
	servers []*dns.Server
	at      netip.AddrPort
}

// startResolver listens on UDP and TCP of an address of the namespace it is called in.
func startResolver(zone *Zone, book *truth.Book, at netip.AddrPort) (*resolver, error) {
	r := &resolver{zone: zone, book: book, at: at}
	packets, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("listening for look-ups on %s: %w", at, err)
	}
	streams, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening for look-ups on %s: %w", at, err), packets.Close())
	}
	r.servers = []*dns.Server{{PacketConn: packets, Handler: r}, {Listener: streams, Handler: r}}
	for _, s := range r.servers {
		go func() { _ = s.ActivateAndServe() }() // it ends with an error when close shuts its socket
	}
	return r, nil
}

func (r *resolver) close() error {
	return errors.Join(r.servers[0].PacketConn.Close(), r.servers[1].Listener.Close())
}

// ServeDNS answers one question.
func (r *resolver) ServeDNS(w dns.ResponseWriter, ask *dns.Msg) {
	reply := new(dns.Msg).SetReply(ask)
	reply.RecursionAvailable = true
	if len(ask.Question) != 1 {
		reply.Rcode = dns.RcodeFormatError
		_ = w.WriteMsg(reply) // a client that left needs no answer
		return
	}
	q := ask.Question[0]
	transport := w.RemoteAddr().Network()
	reply.Answer, reply.Rcode = r.zone.Answer(q)
	if opt := ask.IsEdns0(); opt != nil {
		reply.SetEdns0(1232, false)
	}
	host := strings.ToLower(strings.TrimSuffix(q.Name, "."))
	if reply.Rcode == dns.RcodeSuccess && transport == "udp" && r.zone.entry(host).TC {
		reply.Answer, reply.Truncated = nil, true
	}
	r.book.Add(r.record(w, q, reply))
	_ = w.WriteMsg(reply)
}

func (r *resolver) record(w dns.ResponseWriter, q dns.Question, reply *dns.Msg) *truth.Record {
	rec := &truth.Record{
		Kind: truth.KindDNS, Transport: w.RemoteAddr().Network(), Client: addrPort(w.RemoteAddr()), Server: r.at, Protocol: "dns",
		Name: strings.TrimSuffix(q.Name, "."), Type: dns.TypeToString[q.Qtype], Code: dns.RcodeToString[reply.Rcode], Truncated: reply.Truncated,
	}
	for _, rr := range reply.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			rec.Answers = append(rec.Answers, rr.A.String())
		case *dns.AAAA:
			rec.Answers = append(rec.Answers, rr.AAAA.String())
		case *dns.CNAME:
			rec.Chain = append(rec.Chain, strings.TrimSuffix(rr.Target, "."))
		}
	}
	return rec
}

// addrPort returns a socket's address without the IPv4-in-IPv6 form.
func addrPort(a net.Addr) netip.AddrPort {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
