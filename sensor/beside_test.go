package sensor_test

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gnomon-sensor/gnomon/classifiers/names"
	"github.com/gnomon-sensor/gnomon/sensor/event"
	"github.com/gnomon-sensor/gnomon/signatures"
)

// chatCatalogue has a name of each role.
const chatCatalogue = `
[[service]]
id = "chat"
name = "Chat"
category = "chat-assistant"
kind = "web"
names = [
    { name = "chat.example",   match = "exact", role = "primary",    confidence = "high" },
    { name = "static.example", match = "exact", role = "supporting", confidence = "high" },
    { name = "portal.example", match = "exact", role = "shared",     confidence = "high" },
]

[[service]]
id = "other"
name = "Other"
category = "chat-assistant"
kind = "web"
names = [{ name = "other.example", match = "exact", role = "primary", confidence = "high" }]
`

func chatClassifier(t testing.TB) *names.Classifier {
	t.Helper()
	c, err := signatures.Load(signatures.Options{Base: fstest.MapFS{
		"a.toml": {Data: []byte(chatCatalogue)}, "VERSION": {Data: []byte("1\n")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return names.New(func() *signatures.Catalogue { return c })
}

// company plays connections to named servers.
type company struct {
	*tape
	t     *testing.T
	next  byte
	shown map[string][2][]byte
	sent  map[string]uint64 // by name, of all connections
	open  map[string]*talk  // the last connection to a name
}

// visit connects from the host 10.0.0.n; end says whether the connection is closed at once.
func (c *company) visit(n byte, name string, end bool) {
	c.t.Helper()
	if _, ok := c.shown[name]; !ok {
		up, down := handshake(c.t, tls.VersionTLS13, name, name, name)
		c.shown[name] = [2][]byte{up, down}
	}
	c.next++
	from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), 40000+uint16(c.next))
	k := c.dial(from, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 80}), 443), 1000)
	k.shake(c.shown[name][0], c.shown[name][1])
	c.sent[name] += uint64(len(c.shown[name][0]))
	c.open[name] = k
	if end {
		c.tcp(k.src, k.dst, fin|ack, k.up, k.down, nil)
		c.tcp(k.dst, k.src, fin|ack, k.down, k.up+1, nil)
	}
}

// more sends on the last connection to a name.
func (c *company) more(name string, n int) {
	record := append([]byte{0x17, 3, 3, byte(n >> 8), byte(n)}, make([]byte, n)...)
	c.open[name].say(record)
	c.sent[name] += uint64(len(record))
}

// wait lets time pass; somebody else's datagrams show it.
func (c *company) wait(d time.Duration) {
	for step := min(d, 10*time.Second); d > 0; d -= step {
		c.now += int64(step)
		c.udp(netip.MustParseAddrPort("10.0.0.99:9000"), netip.MustParseAddrPort("192.0.2.90:9000"), []byte("something else"))
	}
}

// A name that is no use by itself is reported beside such use of the same client at that time, with its bytes once, and else not at all.
func TestBeside(t *testing.T) {
	const supporting = "static.example chat sni medium supporting true"
	const shared = "portal.example chat sni low shared false"
	tests := []struct {
		name string
		play func(c *company)
		want []string // of names that are no use by themselves
	}{
		{"alone", func(c *company) {
			c.visit(7, "static.example", true)
			c.visit(7, "portal.example", true)
			c.wait(time.Minute)
		}, nil},
		{"after", func(c *company) {
			c.visit(7, "chat.example", true)
			c.wait(time.Minute)
			c.visit(7, "static.example", true)
		}, []string{supporting}},
		{"before, and open", func(c *company) {
			c.visit(7, "static.example", false)
			c.wait(20 * time.Minute)
			c.visit(7, "chat.example", true)
			c.wait(time.Minute)
		}, []string{supporting}},
		{"before, and open, and used on", func(c *company) {
			c.visit(7, "static.example", false)
			c.wait(10 * time.Minute)
			c.visit(7, "chat.example", true)
			c.more("static.example", 500)
			c.wait(2 * time.Minute)
		}, []string{supporting}},
		{"shortly before, and ended", func(c *company) {
			c.visit(7, "static.example", true)
			c.wait(2 * time.Second)
			c.visit(7, "chat.example", true)
			c.wait(time.Minute)
		}, []string{supporting}},
		{"long before", func(c *company) {
			c.visit(7, "static.example", true)
			c.wait(40 * time.Minute)
			c.visit(7, "chat.example", true)
			c.wait(time.Minute)
		}, nil},
		{"long after", func(c *company) {
			c.visit(7, "chat.example", true)
			c.wait(40 * time.Minute)
			c.visit(7, "static.example", true)
		}, nil},
		{"it keeps no visit open", func(c *company) {
			c.visit(7, "chat.example", true)
			c.wait(20 * time.Minute)
			c.visit(7, "static.example", true)
			c.wait(20 * time.Minute)
			c.visit(7, "static.example", true)
			c.sent["static.example"] /= 2
		}, []string{supporting}},
		{"another client", func(c *company) {
			c.visit(7, "chat.example", true)
			c.visit(8, "static.example", true)
			c.wait(time.Minute)
		}, nil},
		{"another service", func(c *company) {
			c.visit(7, "other.example", true)
			c.visit(7, "static.example", true)
			c.wait(time.Minute)
		}, nil},
		{"a look-up is no use", func(c *company) {
			c.lookup(netip.MustParseAddrPort("10.0.0.7:5000"), 1, "chat.example", netip.MustParseAddr("192.0.2.81"))
			c.visit(7, "static.example", true)
			c.wait(time.Minute)
		}, nil},
		{"shared, before", func(c *company) {
			c.visit(7, "portal.example", true)
			c.visit(7, "chat.example", true)
			c.wait(time.Minute)
		}, nil},
		{"shared, after", func(c *company) {
			c.visit(7, "chat.example", true)
			c.visit(7, "portal.example", true)
			c.wait(time.Minute)
		}, []string{shared}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &company{tape: newTape(), t: t, shown: map[string][2][]byte{}, sent: map[string]uint64{}, open: map[string]*talk{}}
			tt.play(c)
			first := runWith(t, settings(), c.rewind(), chatClassifier(t))
			if again := runWith(t, settings(), c.rewind(), chatClassifier(t)); again.lines.String() != first.lines.String() {
				t.Error("the same input gave other records")
			}
			c.check(flowsOf(first), tt.want)
		})
	}
}

// check compares what was reported of the names that are no use by themselves, and that every byte of them is told once and their visit
// is one of use.
func (c *company) check(flows []event.Event, want []string) {
	c.t.Helper()
	var got []string
	visits := map[string]bool{}
	told := map[string]uint64{}
	for i := range flows {
		ev := &flows[i]
		if ev.Gnomon.Evidence.Role == "" {
			visits[ev.Gnomon.Visit.ID] = true
		}
	}
	for i := range flows {
		ev := &flows[i]
		e := ev.Gnomon.Evidence
		if e.Role == "" {
			continue
		}
		if !visits[ev.Gnomon.Visit.ID] {
			c.t.Errorf("%s belongs to a visit of its own", ev.Destination.Domain)
		}
		told[ev.Destination.Domain] += *ev.Source.Bytes
		line := fmt.Sprint(ev.Destination.Domain, " ", ev.Network.Application, " ", e.Class, " ", e.Confidence, " ", e.Role, " ", *ev.Gnomon.Counted)
		if !slices.Contains(got, line) {
			got = append(got, line)
		}
	}
	if !slices.Equal(got, want) {
		c.t.Errorf("reported %q, want %q", got, want)
	}
	for _, line := range want {
		if name, _, _ := strings.Cut(line, " "); told[name] != c.sent[name] {
			c.t.Errorf("%s: %d bytes up, want %d", name, told[name], c.sent[name])
		}
	}
}

// One connection may carry several names: requests one after the other, or a hello in a tunnel.
func TestBesideOnOneConnection(t *testing.T) {
	const connect = "CONNECT chat.example:443 HTTP/1.1\r\nHost: chat.example:443\r\n\r\n"
	get := func(host string) []byte { return []byte("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n") }
	hello, _ := handshake(t, tls.VersionTLS13, "static.example", "static.example", "static.example")
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	tests := []struct {
		name string
		says [][]byte
		want []string // service, role and bytes up of each record
	}{
		{"use, then its files", [][]byte{get("chat.example"), get("static.example")}, []string{"chat  78"}},
		{"files, then their use", [][]byte{get("static.example"), get("chat.example")}, []string{"chat  78"}},
		{"files, then another service", [][]byte{get("static.example"), get("other.example")}, []string{"other  39"}},
		{"another service, then files", [][]byte{get("other.example"), get("static.example")}, []string{"other  39"}},
		{"files alone", [][]byte{get("static.example"), get("www.example.org")}, nil},
		{"a hello within a tunnel", [][]byte{[]byte(connect), hello}, []string{fmt.Sprint("chat  ", len(connect)+len(hello))}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTape()
			c := p.dial(client, netip.MustParseAddrPort("192.0.2.80:3128"), 1000)
			for _, b := range tt.says {
				c.say(b)
				c.hear(answer)
			}
			var got []string
			for _, ev := range flowsOf(runWith(t, settings(), p, chatClassifier(t))) {
				got = append(got, fmt.Sprint(ev.Network.Application, " ", ev.Gnomon.Evidence.Role, " ", *ev.Source.Bytes))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("recorded %q, want %q", got, tt.want)
			}
		})
	}
}
