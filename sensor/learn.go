package sensor

import (
	"net/netip"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
)

// Learner is told what the traffic shows of the hosts themselves. Its methods are called from the workers' goroutines, at most once a
// second for the same address, and must not keep what they are given.
type Learner interface {
	// Resolver says that addr answered a DNS query, Proxy that it accepted a CONNECT: neither is ever a user.
	Resolver(addr netip.Addr, at int64)
	Proxy(addr netip.Addr, at int64)
	// DHCP gets the payload of a datagram to or from a DHCP port (RFC 2131, RFC 8415 if v6).
	DHCP(payload []byte, v6 bool, at int64)
}

// DHCP ports: RFC 2131, section 4.1; RFC 8415, section 7.2.
const (
	portBOOTPS, portBOOTPC     = 67, 68
	portDHCPv6c, portDHCPv6srv = 546, 547
)

// learner keeps the Learner from being told the same all the time.
type learner struct {
	to       Learner
	shared   bool // DHCP is passed on in order with other workers; see Share
	resolver seenHost
	proxy    seenHost
}

// seenHost is the address that was told last, and when.
type seenHost struct {
	addr decode.Address
	at   int64
}

func (h *seenHost) again(addr decode.Address, at int64) bool {
	if h.addr == addr && at-h.at < 1e9 && at >= h.at {
		return true
	}
	h.addr, h.at = addr, at
	return false
}

func (l *learner) sawResolver(addr decode.Address, at int64) {
	if l.to != nil && !l.resolver.again(addr, at) {
		l.to.Resolver(addr.Addr(), at)
	}
}

func (l *learner) sawProxy(addr decode.Address, at int64) {
	if l.to != nil && !l.proxy.again(addr, at) {
		l.to.Proxy(addr.Addr(), at)
	}
}

// connect notes the proxy that a CONNECT was sent to.
func (l *learner) connect(f *flow.Flow, seg *decode.Segment, o *evidence.Observation) {
	if o.Class == classifiers.ClassConnect {
		l.sawProxy(f.Key.Address(1-seg.Dir), seg.Time)
	}
}

// datagram passes DHCP on. A flow is asked once, when it is new.
func (l *learner) datagram(f *flow.Flow, seg *decode.Segment) {
	if l.to != nil && !l.shared && isDHCP(seg) {
		l.pass(seg)
	}
}

// isDHCP says whether a segment is a whole datagram to or from a port of DHCP.
func isDHCP(seg *decode.Segment) bool {
	return seg.Key.Proto == decode.UDP && (ofDHCP(seg.Key.Port(0)) || ofDHCP(seg.Key.Port(1))) && !seg.Cut()
}

func ofDHCP(port uint16) bool {
	return port-portBOOTPS <= portBOOTPC-portBOOTPS || port-portDHCPv6c <= portDHCPv6srv-portDHCPv6c
}

// pass passes a datagram on that isDHCP.
func (l *learner) pass(seg *decode.Segment) {
	v6 := !seg.Key.HasPort(portBOOTPS) && !seg.Key.HasPort(portBOOTPC)
	l.to.DHCP(seg.Payload, v6, seg.Time)
}

// macString is a hardware address as ECS writes it: upper case, hyphens.
func macString(mac [6]byte) string {
	if mac == ([6]byte{}) {
		return ""
	}
	const digits = "0123456789ABCDEF"
	text := []byte("00-00-00-00-00-00")
	for i, b := range mac { // not by package fmt, which takes ten times as long: there is one in every record
		text[3*i], text[3*i+1] = digits[b>>4], digits[b&0xf]
	}
	return string(text)
}
