package sensor_test

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// datagram is one of a case's QUIC connection.
type datagram struct {
	up      bool
	payload []byte
}

// quicOf are the datagrams to and from port 443 of a case's capture, and how many bytes went up and down.
func quicOf(t testing.TB, name string) (all []datagram, up, down uint64) {
	t.Helper()
	source := input(t, filepath.Join(casesDir, name))
	var batch [64]capture.Frame
	for {
		n, err := source.Next(batch[:])
		for _, f := range batch[:n] {
			b := f.Data
			if len(b) < 42 || b[12] != 8 || b[13] != 0 || b[14] != 0x45 || b[23] != 17 { // IPv4 without options, UDP
				continue
			}
			from, to := binary.BigEndian.Uint16(b[34:]), binary.BigEndian.Uint16(b[36:])
			if from != 443 && to != 443 {
				continue
			}
			d := datagram{to == 443, append([]byte(nil), b[42:26+16+binary.BigEndian.Uint16(b[38:])-8]...)}
			if all = append(all, d); d.up {
				up += uint64(len(d.payload))
			} else {
				down += uint64(len(d.payload))
			}
		}
		if errors.Is(err, io.EOF) {
			return all, up, down
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// play puts datagrams on the tape, between the client and the server.
func (p *tape) play(all []datagram) {
	for _, d := range all {
		if d.up {
			p.udp(client, server, d.payload)
		} else {
			p.udp(server, client, d.payload)
		}
	}
}

// use is what a flow's document says.
type use struct {
	name, service string
	up, down      uint64
}

func usesOf(flows []event.Event) (uses []use) {
	for _, ev := range flows {
		u := use{service: ev.Network.Application, up: *ev.Source.Bytes, down: *ev.Destination.Bytes}
		if ev.TLS != nil {
			u.name = ev.TLS.Client.ServerName
		}
		uses = append(uses, u)
	}
	return uses
}

// A second QUIC connection on the five-tuple of the first is a flow of its own, with its own name and its own bytes.
func TestQUICConnectionsOnOneFiveTuple(t *testing.T) {
	grok, grokUp, grokDown := quicOf(t, "go-quic")
	copilot, copilotUp, copilotDown := quicOf(t, "firefox-quic")
	p := newTape()
	p.play(grok)
	p.play(copilot)
	p.play(grok[:2]) // a late copy of a hello, over two datagrams, that is two connections old: it is taken for a connection
	want := []use{
		{"api.x.ai", "xai-api", grokUp, grokDown},
		{"copilot.microsoft.com", "microsoft-copilot", copilotUp, copilotDown},
		{"api.x.ai", "xai-api", uint64(len(grok[0].payload) + len(grok[1].payload)), 0},
	}
	compare(t, usesOf(flowsOf(inspected(t, p))), want)
	compare(t, merge(usesOf(flowsOf(run(t, settings(), p.rewind())))), want)
}

func TestTCPConnectionsOnOneFiveTuple(t *testing.T) {
	up1, down1 := handshake(t, tls.VersionTLS13, "claude.ai", "", "claude.ai")
	up2, down2 := handshake(t, tls.VersionTLS13, "api.x.ai", "", "api.x.ai")
	want := []use{
		{"claude.ai", "claude", uint64(len(up1)), uint64(len(down1))},
		{"api.x.ai", "xai-api", uint64(len(up2)), uint64(len(down2))},
	}
	tests := []struct {
		name string
		end  func(c *talk)
	}{
		{"after FIN", func(c *talk) {
			c.p.tcp(c.src, c.dst, fin|ack, c.up, c.down, nil)
			c.p.tcp(c.dst, c.src, fin|ack, c.down, c.up+1, nil)
			c.p.tcp(c.src, c.dst, ack, c.up+1, c.down+1, nil)
		}},
		{"after FIN of one side", func(c *talk) { c.p.tcp(c.src, c.dst, fin|ack, c.up, c.down, nil) }},
		{"after RST", func(c *talk) { c.p.tcp(c.dst, c.src, rst, c.down, 0, nil) }},
		{"after nothing", func(*talk) {}},
	}
	for _, tt := range tests {
		for _, isn := range []uint32{1_000_000, 1300, ^uint32(0)} { // ahead of the first connection's bytes, within, far behind
			t.Run(tt.name, func(t *testing.T) {
				p := newTape()
				c := p.dial(client, server, 1000)
				c.shake(up1, down1)
				tt.end(c)
				p.dial(client, server, isn).shake(up2, down2)
				compare(t, usesOf(flowsOf(inspected(t, p))), want)
				compare(t, merge(usesOf(flowsOf(run(t, settings(), p.rewind())))), want)
			})
		}
	}
}

// merge adds up the slices of one name that follow each other.
func merge(uses []use) (merged []use) {
	for _, u := range uses {
		if n := len(merged); n > 0 && merged[n-1].name == u.name {
			merged[n-1].up += u.up
			merged[n-1].down += u.down
			continue
		}
		merged = append(merged, u)
	}
	return merged
}

func compare(t *testing.T, got, want []use) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d flows %+v, want %+v", len(got), got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("flow %d: %+v, want %+v", i, got[i], want[i])
		}
	}
}
