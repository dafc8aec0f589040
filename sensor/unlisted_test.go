package sensor_test

import (
	"crypto/tls"
	"math"
	"net/netip"
	"slices"
	"testing"

	"github.com/gnomon-sensor/gnomon/sensor/candidates"
)

// Contacts with names that are in no catalogue count, whichever way a name was shown; those that the catalogue knows do not.
func TestUnlistedNames(t *testing.T) {
	const v12, v13 = tls.VersionTLS12, tls.VersionTLS13
	neighbour := netip.MustParseAddrPort("10.0.0.8:50000")
	tests := []struct {
		name    string
		version uint16
		sni     string
		looked  []string // by the client
		others  []string // by another client
		names   []string // of the certificate
		want    []string // with bytes
	}{
		{"the hello", v13, "shop.example.com", nil, nil, []string{"shop.example.com"}, []string{"shop.example.com"}},
		{"the hello of a service", v13, "claude.ai", nil, nil, []string{"claude.ai"}, nil},
		{"looked up", v13, "", []string{"shop.example.com"}, nil, []string{"shop.example.com"}, []string{"shop.example.com"}},
		{"looked up by another", v13, "", nil, []string{"shop.example.com"}, []string{"shop.example.com"}, []string{"shop.example.com"}},
		{"an address of several names", v13, "", []string{"shop.example.com", "other.example.org"}, nil, []string{"shop.example.com"}, nil},
		{"a service looked up", v13, "", []string{"claude.ai"}, nil, []string{"claude.ai"}, nil},
		{"a certificate of one name", v12, "", nil, nil, []string{"shop.example.com"}, []string{"shop.example.com"}},
		{"a certificate of a service", v12, "", nil, nil, []string{"claude.ai"}, nil},
		{"a certificate of several", v12, "", nil, nil, []string{"shop.example.com", "www.example.com"}, nil},
		{"looked up and certified", v12, "", []string{"shop.example.com"}, nil, []string{"shop.example.com"}, []string{"shop.example.com"}},
		{"looked up, and the certificate is of several others", v12, "", []string{"shop.example.com"}, nil, []string{"a.example.org", "b.example.org"}, nil},
		{"looked up, and the certificate is another's", v12, "", []string{"shop.example.com"}, nil, []string{"a.example.org"}, []string{"a.example.org"}},
		{"looked up, and the certificate is a service's", v12, "", []string{"shop.example.com"}, nil, []string{"claude.ai"}, nil},
		{"a resolver looked up", v13, "", []string{"dns.google"}, nil, []string{"dns.google"}, nil},
		{"nothing", v13, "", nil, nil, []string{"shop.example.com"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTape()
			for i, name := range tt.looked {
				p.lookup(client, uint16(i), name, server.Addr())
			}
			for i, name := range tt.others {
				p.lookup(neighbour, uint16(i), name, server.Addr())
			}
			up, down := handshake(t, tt.version, tt.sni, "", tt.names...)
			p.dial(client, server, 1000).shake(up, down)
			conf := settings()
			conf.Unlisted = candidates.New(candidates.Default())
			run(t, conf, p)
			var got []string
			for _, day := range conf.Unlisted.Take(math.MaxInt64) {
				for _, n := range day.Names {
					if n.Down == 0 {
						continue
					}
					got = append(got, n.Name)
					if n.Flows != 1 || n.Up != uint64(len(up)) || n.Down != uint64(len(down)) || n.Clients.Count() != 1 {
						t.Errorf("%s: %d flows, %d bytes up and %d down", n.Name, n.Flows, n.Up, n.Down)
					}
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("counted %q, want %q", got, tt.want)
			}
		})
	}
}
