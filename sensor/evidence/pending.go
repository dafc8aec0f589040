package evidence

import (
	"fmt"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/tls"
)

// Pending says in words what of f is half read and what is missing, for `inspect --explain`. It is empty if nothing is.
func (r *Reader) Pending(f *flow.Flow) string {
	side := r.flows.Peek(f)
	if side == nil {
		return ""
	}
	switch held := side.Reader.(type) {
	case *stream:
		return held.pending()
	case *handshake:
		return held.pending()
	}
	return ""
}

func (st *stream) pending() string {
	for _, a := range st.dir {
		if a != nil {
			return a.pending()
		}
	}
	switch {
	case st.flight.awaited:
		return "the hello has no name: waiting for the server's certificate"
	case st.http.active && st.http.connect:
		return "waiting for what the tunnel of the CONNECT carries"
	}
	return ""
}

// pending says what an assembly waits for.
func (a *assembly) pending() string {
	what := map[kind]string{kindUnknown: "the start of the stream", kindTLS: "a TLS hello", kindHTTP: "the head of an HTTP request",
		kindDNS: "a DNS message", kindCertificate: "the server's certificate", kindBody: "the end of an HTTP body"}[a.kind]
	if gap := a.gap(); gap > 0 || len(a.spans) == 0 {
		return fmt.Sprintf("waiting for %s: the %d bytes before the captured ones are missing", what, gap)
	}
	head := a.head()
	said := fmt.Sprintf("waiting for the rest of %s: %d bytes are there without a gap", what, len(head))
	if a.kind == kindTLS {
		if _, need, _ := tls.Unwrap(nil, head); need > 0 {
			said += fmt.Sprintf(", at least %d are missing", need)
		}
	}
	if n := len(a.spans); n > 1 {
		said += fmt.Sprintf("; behind it a gap of %d, then %d more", a.spans[1].from-a.spans[0].to, a.spans[n-1].to-a.spans[1].from)
	}
	return said
}

func (h *handshake) pending() string {
	for _, client := range h.client {
		if client == nil {
			continue
		}
		switch have, want := client.Progress(); {
		case have == 0 && want == 0:
		case want == 0:
			return fmt.Sprintf("waiting for the start of a QUIC hello: %d bytes of it are there without a gap", have)
		default:
			return fmt.Sprintf("waiting for the rest of a QUIC hello: %d of %d bytes are there without a gap", have, want)
		}
	}
	return "no Initial packet of this flow could be opened so far: its keys derive from the client's first, which must be in the capture"
}

// Searching says in words how far the search for a name in f may still go, for `inspect --explain`.
func Searching(f *flow.Flow) string {
	if f.Key.Proto == decode.UDP {
		return fmt.Sprintf("looking on for a QUIC hello: %d of %d datagrams were looked at", f.Acked[0], maxLooked)
	}
	return fmt.Sprintf("looking on for a hello or a request in the first %d bytes each way", searchBytes)
}
