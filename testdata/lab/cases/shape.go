package cases

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/gnomon-sensor/gnomon/testdata/lab/packet"
	"github.com/gnomon-sensor/gnomon/testdata/lab/pcapfile"
)

// shape reports that a capture does not show what its case exists for. It is held against the frames as recorded, before
// any rewriting, and again against the committed file where nothing was rewritten.
type shape func([]packet.Packet) error

// packets returns the TCP and UDP packets of a capture, in order.
func packets(frames []pcapfile.Frame) []packet.Packet {
	var out []packet.Packet
	for _, f := range frames {
		if p, ok := packet.Parse(f.Data); ok {
			out = append(out, p)
		}
	}
	return out
}

var errShape = errors.New("the capture does not show what the case is for")

// clientData returns the packets with payload to a port, of the first conversation with it.
func clientData(all []packet.Packet, proto byte, port uint16) []packet.Packet {
	var out []packet.Packet
	for _, p := range all {
		if p.Proto == proto && p.Dst.Port() == port && len(p.Payload) > 0 && (len(out) == 0 || p.Flow == out[0].Flow) {
			out = append(out, p)
		}
	}
	return out
}

// longHello wants a ClientHello that does not fit into its first segment.
func longHello(all []packet.Packet) error {
	data := clientData(all, packet.TCP, 443)
	if len(data) < 2 || !startsHello(data[0].Payload) {
		return fmt.Errorf("looking for a hello: %w", errShape)
	}
	if length := int(binary.BigEndian.Uint16(data[0].Payload[3:])); length <= len(data[0].Payload)-5 {
		return fmt.Errorf("looking for a hello over two segments: %d bytes fit into one: %w", length, errShape)
	}
	return nil
}

// swappedHello wants the second segment of a hello before the first.
func swappedHello(all []packet.Packet) error {
	data := clientData(all, packet.TCP, 443)
	if len(data) < 2 || startsHello(data[0].Payload) || !startsHello(data[1].Payload) || data[1].Seq+uint32(len(data[1].Payload)) != data[0].Seq {
		return fmt.Errorf("looking for a hello whose second segment comes first: %w", errShape)
	}
	return nil
}

// startsHello reports whether a segment starts with a handshake record (RFC 8446, section 5.1) of a ClientHello.
func startsHello(b []byte) bool {
	return len(b) > 5 && b[0] == 22 && b[5] == 1
}

// longInitial wants a QUIC hello over at least two datagrams: Initials (RFC 9000, section 17.2.2) before any answer.
func longInitial(all []packet.Packet) error {
	initials := 0
	for _, p := range all {
		if p.Proto != packet.UDP || len(p.Payload) == 0 || p.Dst.Port() != 443 && p.Src.Port() != 443 {
			continue
		}
		if p.Src.Port() == 443 || p.Payload[0]&0xf0 != 0xc0 {
			break
		}
		initials++
	}
	if initials < 2 {
		return fmt.Errorf("looking for Initials before the first answer: there are %d: %w", initials, errShape)
	}
	return nil
}

// impaired wants segments of an upload that were repeated, and segments that came too late.
func impaired(all []packet.Packet) error {
	var repeated, late int
	seen := map[uint32]bool{}
	var next uint32
	for _, p := range clientData(all, packet.TCP, 443) {
		end := p.Seq + uint32(len(p.Payload))
		switch {
		case seen[p.Seq]:
			repeated++
		case len(seen) > 0 && int32(p.Seq-next) < 0:
			late++
		}
		if len(seen) == 0 || int32(end-next) > 0 {
			next = end
		}
		seen[p.Seq] = true
	}
	if repeated == 0 || late == 0 {
		return fmt.Errorf("looking for impairments: %d segments repeated, %d late: %w", repeated, late, errShape)
	}
	return nil
}

// lookUpOverTCP wants DNS over TCP.
func lookUpOverTCP(all []packet.Packet) error {
	if len(clientData(all, packet.TCP, 53)) == 0 {
		return fmt.Errorf("looking for DNS over TCP: %w", errShape)
	}
	return nil
}

// said wants each text at least so often in what clients sent to a port: before the server's first answer if early.
func said(port uint16, early bool, texts map[string]int) shape {
	return func(all []packet.Packet) error {
		var stream []byte
		for _, p := range all {
			if early && p.Src.Port() == port && len(p.Payload) > 0 {
				break
			}
			if data := clientData([]packet.Packet{p}, packet.TCP, port); len(data) > 0 {
				stream = append(stream, p.Payload...)
			}
		}
		for text, times := range texts {
			if got := bytes.Count(stream, []byte(text)); got < times {
				return fmt.Errorf("looking for %q: it is there %d times, want %d: %w", text, got, times, errShape)
			}
		}
		return nil
	}
}
