package sensor_test

import (
	"bytes"
	"crypto/tls"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/capture"
	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// explanation is what is said of the flows that are meant.
func explanation(t *testing.T, classify classifiers.Classifier, source capture.Source, flows ...string) string {
	t.Helper()
	var filters []*sensor.FlowFilter
	for _, text := range flows {
		filter, err := sensor.ParseFlow(text)
		if err != nil {
			t.Fatal(err)
		}
		filters = append(filters, filter)
	}
	var out bytes.Buffer
	config := settings()
	config.All, config.Explain = true, sensor.NewExplainer(&out, filters)
	config.Explain.Begin()
	runWith(t, config, source, classify)
	if _, err := config.Explain.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestExplain(t *testing.T) {
	up, down := handshake(t, tls.VersionTLS12, "", "", "a.example.com", "b.example.com")
	up13, down13 := handshake(t, tls.VersionTLS13, "claude.ai", "", "claude.ai")
	classify := classifier(t)
	both := client.String() + " > " + server.String()
	tests := []struct {
		name string
		send func(p *tape)
		want []string // in this order
	}{
		{"a name", func(p *tape) { p.dial(client, server, 1).shake(up13, down13) },
			[]string{"SYN", "ClientHello", `server name "claude.ai"`, "=> Claude", "evidence sni, confidence high", "not looked at any more", "flow 1 ended (shutdown)", "server name claude.ai"}},
		{"a hello in two segments", func(p *tape) { c := p.dial(client, server, 1); c.say(up13[:99]); c.say(up13[99:]) },
			[]string{"waiting for the rest of a TLS hello: 99 bytes", "are missing", `server name "claude.ai"`}},
		{"half a hello", func(p *tape) { p.dial(client, server, 1).say(up13[:99]) },
			[]string{"waiting for the rest of a TLS hello", "no name was given", "neither a TLS or QUIC hello"}},
		{"a hello without its start", func(p *tape) {
			c := p.dial(client, server, 1)
			c.up += 99
			p.tcp(client, server, ack, c.up, c.down, up13[99:])
		}, []string{"the 99 bytes before the captured ones are missing", "no name was given", "bytes are missing from the capture"}},
		{"no SYN", func(p *tape) { p.tcp(client, server, ack, 5000, 1, bytes.Repeat([]byte{23}, 9000)) },
			[]string{"looking on", "no name was given", "only one direction", "began before the capture did"}},
		{"certificate of several names", func(p *tape) { p.dial(client, server, 1).shake(up, down) },
			[]string{"without a server name", "waiting for the server's certificate", `certificate, for ["a.example.com" "b.example.com"]`, "which was meant cannot be known", "several names or a wildcard"}},
		{"looked up", func(p *tape) {
			p.lookup(client, 1, "claude.ai", server.Addr())
			p.dial(client, server, 1).say([]byte("hm"))
		},
			[]string{"looked up for claude.ai", "evidence ip-from-dns", "confidence low"}},
		{"copies", func(p *tape) {
			p.dial(client, server, 1)
			p.frames = append(p.frames, p.frames[len(p.frames)-3])
		}, []string{"captured before: not counted again", "no payload was captured"}},
		{"a name that is nothing", func(p *tape) {
			other, answer := handshake(t, tls.VersionTLS13, "shop.example.com", "", "shop.example.com")
			p.dial(client, server, 1).shake(other, answer)
		}, []string{`server name "shop.example.com"`, "the catalogue has no AI service of that name", "no AI service of the catalogue"}},
		{"HTTP", func(p *tape) { p.dial(client, server, 1).say([]byte("GET / HTTP/1.1\r\nHost: claude.ai\r\n\r\n")) },
			[]string{"HTTP request (GET)", `host "claude.ai"`, "=> Claude", "host claude.ai"}},
		{"a game", func(p *tape) { p.udp(client, server, []byte("a game")) },
			[]string{"UDP 6 bytes", "1 of 64 datagrams", "no name was given", "only one direction"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newTape()
			tt.send(p)
			said := explanation(t, classify, p, both)
			rest := said
			for _, want := range tt.want {
				_, after, ok := strings.Cut(rest, want)
				if !ok {
					t.Fatalf("%q is missing, or not in its place:\n%s", want, said)
				}
				rest = after
			}
		})
	}
}

// Looking on changes nothing of what is found, and says nothing of flows that were not asked for.
func TestExplainChangesNothing(t *testing.T) {
	classify := classifier(t)
	for _, dir := range cases(t) {
		all := settings()
		all.All = true
		want := runWith(t, all, input(t, dir), classify).lines.String()
		var out bytes.Buffer
		filter, err := sensor.ParseFlow("198.51.100.99:9")
		if err != nil {
			t.Fatal(err)
		}
		all = settings()
		all.All, all.Explain = true, sensor.NewExplainer(&out, []*sensor.FlowFilter{filter})
		if got := runWith(t, all, input(t, dir), classify).lines.String(); got != want {
			t.Errorf("%s: other documents", filepath.Base(dir))
		}
		if n, err := all.Explain.Flush(); n != 0 || err != nil || out.Len() != 0 {
			t.Errorf("%s: %d flows, error %v, %q", filepath.Base(dir), n, err, out.String())
		}
	}
}

func TestParseFlow(t *testing.T) {
	p := newTape()
	p.dial(client, server, 1)
	classify := classifier(t)
	id := event.CommunityID(client, server, 6)
	tests := []struct {
		text string
		ok   bool
		hit  bool
	}{
		{"10.0.0.7:40000 192.0.2.80:443", true, true},
		{"192.0.2.80:443 -> 10.0.0.7:40000", true, true},
		{"10.0.0.7:40000-192.0.2.80:443", true, true},
		{"tcp,10.0.0.7:40000,192.0.2.80:443", true, true},
		{"TCP 10.0.0.7:40000 <-> 192.0.2.80", true, true},
		{"10.0.0.7 40000 192.0.2.80 443", true, true},
		{"10.0.0.7 192.0.2.80", true, true},
		{"udp 10.0.0.7:40000 192.0.2.80:443", true, false},
		{"10.0.0.7:443", true, false},
		{"10.0.0.7", true, true},
		{"192.0.2.80:443", true, true},
		{"[::ffff:192.0.2.80]:443", true, true},
		{"[2001:db8::1]:443", true, false},
		{"2001:db8::1", true, false},
		{id, true, true},
		{" " + id + " ", true, true},
		{"1:AAAAAAAAAAAAAAAAAAAAAAAAAAA=", true, false},
		{"", false, false},
		{"tcp", false, false},
		{"example.com:443", false, false},
		{"10.0.0.7:99999", false, false},
		{"10.0.0.1 10.0.0.2 10.0.0.3", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			if _, err := sensor.ParseFlow(tt.text); (err == nil) != tt.ok {
				t.Fatalf("error %v", err)
			}
			if tt.ok && (explanation(t, classify, p.rewind(), tt.text) != "") != tt.hit {
				t.Errorf("hit: %v", !tt.hit)
			}
		})
	}
}
