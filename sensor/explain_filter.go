package sensor

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// errFlow says what a flow may look like.
var errFlow = errors.New(`write "ADDRESS:PORT ADDRESS:PORT" with tcp or udp before it if need be, one ADDRESS:PORT or ADDRESS, or a community id (1:...)`)

// FlowFilter chooses flows to explain.
type FlowFilter struct {
	text      string
	community string
	proto     uint32 // 0: any
	ends      []netip.AddrPort
}

// ParseFlow reads the name of a flow: both ends in either order and with any of the usual separators, one end, an address alone, or a
// community id.
func ParseFlow(text string) (*FlowFilter, error) {
	w := &FlowFilter{text: text}
	if s := strings.TrimSpace(text); strings.HasPrefix(s, "1:") && !strings.ContainsAny(s, ". ") {
		w.community = s
		return w, nil
	}
	fields := strings.Fields(strings.NewReplacer("<->", " ", "->", " ", "<-", " ", ">", " ", "-", " ", ",", " ", "\u2192", " ").Replace(text))
	for len(fields) > 0 {
		used, ok := w.take(fields)
		if !ok {
			return nil, fmt.Errorf("reading flow %q: %w", text, errFlow)
		}
		fields = fields[used:]
	}
	if len(w.ends) == 0 {
		return nil, fmt.Errorf("reading flow %q: %w", text, errFlow)
	}
	return w, nil
}

// take reads the next word, and the one behind it if that is its port.
func (w *FlowFilter) take(fields []string) (used int, ok bool) {
	switch word := strings.ToLower(fields[0]); word {
	case "tcp":
		w.proto = decode.TCP
		return 1, true
	case "udp":
		w.proto = decode.UDP
		return 1, true
	}
	end, used, err := parseEnd(fields)
	w.ends = append(w.ends, end)
	return used, err == nil && len(w.ends) <= 2
}

// parseEnd reads an address, one with a port, or one whose port is the next word.
func parseEnd(fields []string) (end netip.AddrPort, used int, err error) {
	if end, err = netip.ParseAddrPort(fields[0]); err == nil {
		return netip.AddrPortFrom(end.Addr().Unmap(), end.Port()), 1, nil
	}
	addr, err := netip.ParseAddr(strings.Trim(fields[0], "[]"))
	if err != nil || len(fields) == 1 {
		return netip.AddrPortFrom(addr.Unmap(), 0), 1, err
	}
	if port, portErr := strconv.ParseUint(fields[1], 10, 16); portErr == nil {
		return netip.AddrPortFrom(addr.Unmap(), uint16(port)), 2, nil
	}
	return netip.AddrPortFrom(addr.Unmap(), 0), 1, nil
}

// String is the filter as it was written.
func (w *FlowFilter) String() string { return w.text }

// match says whether the flow is meant.
func (w *FlowFilter) match(k *decode.Key) bool {
	a, b := k.Endpoint(0), k.Endpoint(1)
	switch {
	case w.community != "":
		return w.community == event.CommunityID(a, b, uint8(k.Proto))
	case w.proto != 0 && w.proto != k.Proto:
		return false
	case len(w.ends) == 1:
		return isEnd(w.ends[0], a) || isEnd(w.ends[0], b)
	}
	return isEnd(w.ends[0], a) && isEnd(w.ends[1], b) || isEnd(w.ends[0], b) && isEnd(w.ends[1], a)
}

// isEnd compares; port 0 is any.
func isEnd(want, end netip.AddrPort) bool {
	return want.Addr() == end.Addr() && (want.Port() == 0 || want.Port() == end.Port())
}
