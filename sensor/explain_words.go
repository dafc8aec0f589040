package sensor

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/wire/http"
	"github.com/gnomon-sensor/gnomon/sensor/wire/quic"
)

// shapeOf says what a packet is and what its payload begins with.
func shapeOf(seg *decode.Segment) string {
	if seg.Key.Proto == decode.UDP {
		return fmt.Sprintf("UDP %d bytes%s", seg.Len, datagramShape(seg.Payload))
	}
	var flags []string
	for _, f := range []struct {
		bit  uint8
		name string
	}{{decode.SYN, "SYN"}, {decode.FIN, "FIN"}, {decode.RST, "RST"}, {decode.ACK, "ACK"}} {
		if seg.Flags&f.bit != 0 && (f.bit != decode.ACK || len(flags) > 0) {
			flags = append(flags, f.name)
		}
	}
	said := strings.Join(append([]string{"TCP"}, flags...), " ")
	if seg.Len == 0 {
		return said
	}
	return fmt.Sprintf("%s %d bytes%s", said, seg.Len, streamShape(seg.Payload))
}

func datagramShape(b []byte) string {
	var long quic.Long
	switch {
	case !long.Parse(b):
		return ""
	case long.Negotiation:
		return ", QUIC version negotiation"
	case long.Opens:
		return fmt.Sprintf(", QUIC Initial or 0-RTT of version %#x to connection id %x", binary.BigEndian.Uint32(b[1:]), long.Destination)
	}
	return fmt.Sprintf(", QUIC Handshake or Retry of version %#x", binary.BigEndian.Uint32(b[1:]))
}

// Names of TLS records and of the messages that open them (RFC 8446, sections 4 and 5.1).
func tlsRecord(b []byte) string {
	names := map[byte]string{20: "ChangeCipherSpec", 21: "alert", 22: "handshake", 23: "application data"}
	messages := map[byte]string{1: "ClientHello", 2: "ServerHello", 11: "Certificate", 16: "ClientKeyExchange"}
	if len(b) < 5 || b[1] != 3 || b[2] > 4 || names[b[0]] == "" {
		return ""
	}
	said := fmt.Sprintf("a TLS record of %d bytes (%s", binary.BigEndian.Uint16(b[3:]), names[b[0]])
	if b[0] == 22 && len(b) > 5 && messages[b[5]] != "" {
		said += ", " + messages[b[5]]
	}
	return said + ")"
}

func streamShape(b []byte) string {
	if said := tlsRecord(b); said != "" {
		return ", beginning with " + said
	}
	if yes, _ := http.Begins(b); yes {
		method, _, _ := bytes.Cut(b[:min(len(b), 32)], []byte(" "))
		return fmt.Sprintf(", beginning with an HTTP request (%s)", method)
	}
	if bytes.HasPrefix(b, []byte("HTTP/")) {
		return ", beginning with an HTTP answer"
	}
	return ""
}

// conclusion says which name a flow was given, or why none.
func conclusion(f *flow.Flow, st *story) (lines []string) {
	if st != nil {
		lines = append(lines, nameWords(st)...)
		if v := verdictWords(st); v != "" {
			return append(lines, strings.TrimPrefix(v, "=> "))
		}
	}
	if len(lines) > 0 {
		return append(lines, "no AI service of the catalogue")
	}
	return append([]string{"no name was given, because:"}, reasons(f, st)...)
}

func nameWords(st *story) (lines []string) {
	switch {
	case st.serverName != "" && st.ech:
		lines = append(lines, fmt.Sprintf("server name %s, beside an encrypted hello or a dummy of one", st.serverName))
	case st.serverName != "":
		lines = append(lines, "server name "+st.serverName)
	}
	if st.host != "" {
		lines = append(lines, "host "+st.host)
	}
	if st.certificate != nil && st.certificate.sole != "" {
		lines = append(lines, "the server's certificate is for "+st.certificate.sole)
	}
	if st.dnsName != "" {
		lines = append(lines, fmt.Sprintf("the server's address was looked up for %s", st.dnsName))
	}
	return lines
}

// reasons are why a flow without a name has none.
func reasons(f *flow.Flow, st *story) (lines []string) {
	add := func(yes bool, why string) {
		if yes {
			lines = append(lines, "- "+why)
		}
	}
	tcp, up, down := f.Key.Proto == decode.TCP, f.Up(), f.Down()
	hello := st != nil && st.protocol != ""
	add(up.Bytes+down.Bytes == 0, "no payload was captured: the connection was refused, or only its control packets are there")
	add(up.Packets == 0 || down.Packets == 0, "only one direction was captured")
	add(tcp && f.State&(flow.SynA|flow.SynB) == 0, "the connection began before the capture did, and its hello may lie there")
	add(f.State&flow.Cut != 0, "the snaplen cut payload off: capture whole frames")
	add(f.State&flow.Gap != 0, "bytes are missing from the capture")
	add(hello, "the hello carries no server name")
	add(hello && st.certificate != nil, "the server's certificate has several names or a wildcard")
	add(hello && st.certificate == nil, "the server showed no certificate in clear")
	add(f.State&flow.Denied != 0, "what the address was looked up for is not among the certificate's names")
	add(!hello && up.Bytes+down.Bytes > 0, "neither a TLS or QUIC hello nor an HTTP request was found in what was captured")
	add(f.State&flow.Denied == 0, "no look-up that led to the server's address was captured, or it led to several names")
	return lines
}
