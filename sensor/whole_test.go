package sensor_test

import (
	"crypto/tls"
	"net/netip"
	"testing"
)

// A connection to an AI service that has ended long before the capture does is one document with all its bytes, like any other.
func TestWholeFlowEnds(t *testing.T) {
	for _, name := range []string{"claude.ai", "shop.example.com"} {
		t.Run(name, func(t *testing.T) {
			p := newTape()
			up, down := handshake(t, tls.VersionTLS13, name, name, name)
			c := p.dial(client, server, 1000)
			c.shake(up, down)
			p.tcp(client, server, fin|ack, c.up, c.down, nil)
			p.tcp(server, client, fin|ack, c.down, c.up+1, nil)
			other := netip.MustParseAddrPort("192.0.2.90:9000")
			for range 30 { // seconds, in which slices would be over
				p.now += 1e9
				p.udp(client, other, []byte("something else"))
			}
			n := 0
			for _, ev := range flowsOf(inspected(t, p)) {
				if ev.Network.Transport != "tcp" {
					continue
				}
				n++
				if ev.Gnomon.Flow.End != "fin" || ev.Source.Bytes == nil || *ev.Source.Bytes != uint64(len(up)) || *ev.Destination.Bytes != uint64(len(down)) {
					t.Errorf("end %q, %v bytes up and %v down; want fin, %d and %d", ev.Gnomon.Flow.End, ev.Source.Bytes, ev.Destination.Bytes, len(up), len(down))
				}
			}
			if n != 1 {
				t.Errorf("%d documents", n)
			}
		})
	}
}
