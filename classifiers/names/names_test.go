package names

import (
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/signatures"
)

const (
	none   = classifiers.ConfidenceNone
	low    = classifiers.ConfidenceLow
	medium = classifiers.ConfidenceMedium
	high   = classifiers.ConfidenceHigh
)

// catalogue has one name for each thing that a verdict depends on.
const catalogue = `
[[service]]
id = "chat"
name = "Chat"
category = "chat-assistant"
kind = "web"
names = [
    { name = "chat.example",        match = "suffix",   role = "primary",    confidence = "high" },
    { name = "api.chat.example",    match = "exact",    role = "primary",    confidence = "medium" },
    { name = "medium.example",      match = "suffix",   role = "primary",    confidence = "medium" },
    { name = "up.chat.example",     match = "exact",    role = "upload",     confidence = "high" },
    { name = "static.chat.example", match = "exact",    role = "supporting", confidence = "high" },
    { name = "portal.example",      match = "suffix",   role = "shared",     confidence = "high" },
    { name = "rumour.example",      match = "suffix",   role = "primary",    confidence = "low", layer = "default" },
    { name = "run.*.cloud.example", match = "wildcard", role = "primary",    confidence = "medium" },
]

[[service]]
id = "maker"
name = "Maker"
category = "model-api"
kind = "api"
names = [
    { name = "maker.example",       match = "suffix",   role = "primary",    confidence = "high" },
    { name = "exact.example",       match = "exact",    role = "primary",    confidence = "high" },
]

[[service]]
id = "tool"
name = "Tool"
category = "coding-assistant"
kind = "ide"
names = [{ name = "tool.maker.example", match = "suffix", role = "primary", confidence = "high", why = "another product of the maker" }]
urls = ["www.portal.example/tool*"]
user_agents = ["tool-cli/*"]

[[service]]
id = "resolver"
name = "Resolver"
category = "encrypted-dns"
kind = "background"
ip_ranges = ["192.0.2.53/32", "2001:db8::53/128"]
names = [{ name = "dns.example", match = "suffix", role = "primary", confidence = "high" }]

[[service]]
id = "front"
name = "Front"
category = "ech-front"
kind = "background"
names = [{ name = "ech.example", match = "suffix", role = "primary", confidence = "high" }]
`

func newClassifier(t testing.TB) *Classifier {
	t.Helper()
	c, err := signatures.Load(signatures.Options{Base: fstest.MapFS{
		"a.toml": {Data: []byte(catalogue)}, "VERSION": {Data: []byte("1\n")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return New(func() *signatures.Catalogue { return c })
}

func TestClassify(t *testing.T) {
	const (
		sni  = classifiers.ClassSNI
		quic = classifiers.ClassQUICSNI
		http = classifiers.ClassHTTPHost
		conn = classifiers.ClassConnect
		log  = classifiers.ClassLog
		cert = classifiers.ClassCertificate
		dns  = classifiers.ClassDNS
		ip   = classifiers.ClassIPFromDNS
	)
	tests := []struct {
		name  string
		ev    classifiers.Evidence
		grade classifiers.Confidence // none: no verdict
		role  signatures.Role
	}{
		{"sni", classifiers.Evidence{Class: sni, Name: []byte("chat.example")}, high, signatures.RolePrimary},
		{"quic", classifiers.Evidence{Class: quic, Name: []byte("CHAT.example")}, high, signatures.RolePrimary},
		{"host", classifiers.Evidence{Class: http, Name: []byte("chat.example")}, high, signatures.RolePrimary},
		{"host with port", classifiers.Evidence{Class: http, Name: []byte("chat.example:8080")}, high, signatures.RolePrimary},
		{"host with dot and port", classifiers.Evidence{Class: http, Name: []byte("chat.example.:80")}, high, signatures.RolePrimary},
		{"host with bare colon", classifiers.Evidence{Class: http, Name: []byte("chat.example:")}, high, signatures.RolePrimary},
		{"host with a path for a port", classifiers.Evidence{Class: http, Name: []byte("chat.example:80/x")}, none, 0},
		{"host with a huge port", classifiers.Evidence{Class: http, Name: []byte("chat.example:123456")}, none, 0},
		{"address for a host", classifiers.Evidence{Class: http, Name: []byte("[2001:db8::1]:443")}, none, 0},
		{"connect", classifiers.Evidence{Class: conn, Name: []byte("up.chat.example:443")}, high, signatures.RoleUpload},
		{"log", classifiers.Evidence{Class: log, Name: []byte("www.chat.example")}, high, signatures.RolePrimary},
		{"sni with port", classifiers.Evidence{Class: sni, Name: []byte("chat.example:443")}, none, 0},
		{"trailing dot", classifiers.Evidence{Class: sni, Name: []byte("medium.example.")}, high, signatures.RolePrimary},
		{"listed name of medium grade", classifiers.Evidence{Class: sni, Name: []byte("api.chat.example")}, high, signatures.RolePrimary},
		{"below a suffix of high grade", classifiers.Evidence{Class: sni, Name: []byte("x.chat.example")}, high, signatures.RolePrimary},
		{"below a suffix of medium grade", classifiers.Evidence{Class: sni, Name: []byte("x.medium.example")}, medium, signatures.RolePrimary},
		{"wildcard", classifiers.Evidence{Class: sni, Name: []byte("run.x.cloud.example")}, medium, signatures.RolePrimary},
		{"low grade caps", classifiers.Evidence{Class: sni, Name: []byte("rumour.example")}, low, signatures.RolePrimary},
		{"supporting", classifiers.Evidence{Class: sni, Name: []byte("static.chat.example")}, medium, signatures.RoleSupporting},
		{"shared", classifiers.Evidence{Class: sni, Name: []byte("portal.example")}, low, signatures.RoleShared},
		{"certificate", classifiers.Evidence{Class: cert, Name: []byte("chat.example")}, medium, signatures.RolePrimary},
		{"look-up", classifiers.Evidence{Class: dns, Name: []byte("chat.example")}, medium, signatures.RolePrimary},
		{"look-up of a shared name", classifiers.Evidence{Class: dns, Name: []byte("portal.example")}, low, signatures.RoleShared},
		{"address", classifiers.Evidence{Class: ip, Name: []byte("chat.example")}, low, signatures.RolePrimary},
		{"shared address", classifiers.Evidence{Class: ip, Name: []byte("chat.example"), Shared: 1}, low, signatures.RoleShared},
		{"grease", classifiers.Evidence{Class: sni, Name: []byte("chat.example"), ECH: true}, high, signatures.RolePrimary},
		{"outer name", classifiers.Evidence{Class: sni, Name: []byte("ech.example"), ECH: true}, none, 0},
		{"outer name over QUIC", classifiers.Evidence{Class: quic, Name: []byte("ech.example"), ECH: true}, none, 0},
		{"resolver", classifiers.Evidence{Class: sni, Name: []byte("dns.example")}, none, 0},
		{"no class", classifiers.Evidence{Name: []byte("chat.example")}, none, 0},
		{"class to come", classifiers.Evidence{Class: 200, Name: []byte("chat.example")}, none, 0},
		{"other name", classifiers.Evidence{Class: sni, Name: []byte("www.example.org")}, none, 0},
		{"look-alike", classifiers.Evidence{Class: sni, Name: []byte("notchat.example")}, none, 0},
		{"no name", classifiers.Evidence{Class: sni}, none, 0},
		{"port alone", classifiers.Evidence{Class: http, Name: []byte(":443")}, none, 0},
	}
	c := newClassifier(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, ok := c.Classify(&tt.ev)
			if ok != (tt.grade != none) {
				t.Fatalf("Classify(%s) is %+v, %v", tt.ev.Name, v, ok)
			}
			if v.Confidence != tt.grade || v.Role != tt.role || ok && (v.Class != tt.ev.Class || v.Service.ID != "chat") {
				t.Errorf("Classify(%s) is role %v, confidence %v; want %v, %v", tt.ev.Name, v.Role, v.Confidence, tt.role, tt.grade)
			}
		})
	}
}

func TestInfrastructure(t *testing.T) {
	c := newClassifier(t)
	tests := []struct{ name, host, want string }{
		{"resolver", "family.dns.example", signatures.CategoryEncryptedDNS},
		{"front", "ECH.example.", signatures.CategoryECHFront},
		{"AI service", "chat.example", ""},
		{"other", "www.example.org", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, got, ok := c.Infrastructure([]byte(tt.host)); got != tt.want || ok != (tt.want != "") {
				t.Errorf("Infrastructure(%s) is %q, %v; want %q", tt.host, got, ok, tt.want)
			}
		})
	}
}

func TestInfrastructureAddr(t *testing.T) {
	c := newClassifier(t)
	tests := []struct{ name, addr, want string }{
		{"IPv4", "192.0.2.53", signatures.CategoryEncryptedDNS},
		{"IPv4 in IPv6", "::ffff:192.0.2.53", signatures.CategoryEncryptedDNS},
		{"IPv6", "2001:db8::53", signatures.CategoryEncryptedDNS},
		{"neighbour", "192.0.2.54", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, got, ok := c.InfrastructureAddr(netip.MustParseAddr(tt.addr)); got != tt.want || ok != (tt.want != "") {
				t.Errorf("InfrastructureAddr(%s) is %q, %v; want %q", tt.addr, got, ok, tt.want)
			}
		})
	}
	if _, _, ok := c.InfrastructureAddr(netip.Addr{}); ok {
		t.Error("the zero address is infrastructure")
	}
}

// TestEmbeddedFronts holds the embedded catalogue to what the sensor counts on: these names are infrastructure and never a service.
func TestEmbeddedFronts(t *testing.T) {
	embedded, err := signatures.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	c := New(func() *signatures.Catalogue { return embedded })
	for host, want := range map[string]string{
		"cloudflare-ech.com": signatures.CategoryECHFront, "dns.google": signatures.CategoryEncryptedDNS,
		"mozilla.cloudflare-dns.com": signatures.CategoryEncryptedDNS, "mask.icloud.com": signatures.CategoryRelay,
		"www.nordvpn.com": signatures.CategoryVPN,
	} {
		if _, got, _ := c.Infrastructure([]byte(host)); got != want {
			t.Errorf("Infrastructure(%s) is %q, want %q", host, got, want)
		}
		if v, ok := c.Classify(&classifiers.Evidence{Class: classifiers.ClassSNI, Name: []byte(host), ECH: true}); ok {
			t.Errorf("Classify(%s) is %+v", host, v)
		}
	}
}

func TestSwap(t *testing.T) {
	var current atomic.Pointer[signatures.Catalogue]
	load := func(toml string) {
		c, err := signatures.Load(signatures.Options{Base: fstest.MapFS{"a.toml": {Data: []byte(toml)}, "VERSION": {Data: []byte("1")}}})
		if err != nil {
			t.Fatal(err)
		}
		current.Store(c)
	}
	load(catalogue)
	c := New(current.Load)
	ev := &classifiers.Evidence{Class: classifiers.ClassSNI, Name: []byte("chat.example")}
	if _, ok := c.Classify(ev); !ok {
		t.Fatal("no verdict before the swap")
	}
	before := c.Edition()
	if before != c.Edition() {
		t.Error("the same catalogue is another edition")
	}
	load(strings.ReplaceAll(catalogue, "chat.example", "talk.example"))
	if v, ok := c.Classify(ev); ok {
		t.Errorf("after the swap Classify is still %+v", v)
	}
	if before == c.Edition() {
		t.Error("another catalogue is the same edition")
	}
}

func TestClassifyDoesNotAllocate(t *testing.T) {
	c := newClassifier(t)
	for _, host := range []string{"www.example.org", "x.chat.example", "run.x.cloud.example", "dns.example"} {
		ev := &classifiers.Evidence{Class: classifiers.ClassSNI, Name: []byte(host)}
		if got := testing.AllocsPerRun(100, func() { c.Classify(ev) }); got != 0 {
			t.Errorf("Classify(%s) allocates %v times", host, got)
		}
	}
}

func BenchmarkClassify(b *testing.B) {
	embedded, err := signatures.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	c := New(func() *signatures.Catalogue { return embedded })
	for _, host := range []string{"www.example.org", "mail.google.com", "chatgpt.com"} {
		ev := &classifiers.Evidence{Class: classifiers.ClassSNI, Name: []byte(host)}
		b.Run(host, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Classify(ev)
			}
		})
	}
}

// What a log knows beside the name counts where a signature asks for it, and only there.
func TestAsked(t *testing.T) {
	c := newClassifier(t)
	for _, tt := range []struct {
		name, host, path, agent string
		class                   classifiers.Class
		want                    string // service, role, and what decided
	}{
		{"a path below a shared name", "www.portal.example", "/tool/run?x=1", "", classifiers.ClassLog, "tool primary url-path"},
		{"another path", "www.portal.example", "/mail", "", classifiers.ClassLog, "chat shared "},
		{"a path of another host", "other.example", "/www.portal.example/tool", "", classifiers.ClassLog, ""},
		{"a program at a host that nobody knows", "gateway.corp.example", "/v1", "Tool-CLI/2.0 (linux)", classifiers.ClassLog, "tool primary user-agent"},
		{"a program at a service of another vendor", "chat.example", "/v1", "tool-cli/2.0", classifiers.ClassLog, "chat primary "},
		{"a program at a resolver", "ech.example", "/dns-query", "tool-cli/2.0", classifiers.ClassLog, ""},
		{"another program", "gateway.corp.example", "/v1", "curl/8 tool-cli/2.0", classifiers.ClassLog, ""},
		{"a look-up", "www.portal.example", "/tool", "tool-cli/2.0", classifiers.ClassDNS, "chat shared "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ev := classifiers.Evidence{Class: tt.class, Name: []byte(tt.host), Path: []byte(tt.path), Agent: []byte(tt.agent)}
			got := ""
			if v, ok := c.Classify(&ev); ok {
				got = v.Service.ID + " " + v.Role.String() + " " + v.Also.String()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
