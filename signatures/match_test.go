package signatures

import (
	"fmt"
	"strings"
	"testing"
)

// embeddedCatalogue loads the catalogue of the program, all layers or the default one.
func embeddedCatalogue(t testing.TB, layers ...Layer) *Catalogue {
	t.Helper()
	c, err := Load(Options{Layers: layers})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// testCatalogue builds a catalogue of the services in one TOML text.
func testCatalogue(t testing.TB, toml string) *Catalogue {
	t.Helper()
	raw, err := decode("test.toml", []byte(toml))
	if err != nil {
		t.Fatal(err)
	}
	j := newJoiner(1)
	if err := j.add([]parsedFile{{"test.toml", raw}}, false); err != nil {
		t.Fatal(err)
	}
	c, err := newCatalogue("test", j, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// oneService writes a service with names given as "match name".
func oneService(id string, names ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[[service]]\nid = %q\nname = %q\ncategory = \"search\"\nkind = \"web\"\nverified = 2026-11-21\nnames = [\n", id, id)
	for _, entry := range names {
		match, name, _ := strings.Cut(entry, " ")
		fmt.Fprintf(&b, "    { name = %q, match = %q, role = \"primary\", confidence = \"high\", sources = [\"v2fly\"] },\n", name, match)
	}
	return b.String() + "]\n"
}

func idOf(c *Catalogue, name string) string {
	if hit, ok := c.Match([]byte(name)); ok {
		return hit.Service.ID
	}
	return "-"
}

func TestMatch(t *testing.T) {
	c := testCatalogue(t, oneService("exact", "exact api.one.example", "exact one.two.three.example")+
		oneService("suffix", "suffix one.example", "suffix three.example", "suffix bücher.example")+
		oneService("wild", "wildcard q.*.cloud.example", "wildcard q.*.west.cloud.example", "wildcard run-*.*.cloud.example", "wildcard *-ml.cloud.example")+
		oneService("region", "exact q.north.cloud.example", "suffix q.south.cloud.example", "suffix cloud.example"))
	label63 := strings.Repeat("a", 63)
	tests := []struct{ name, host, want string }{
		{"exact", "api.one.example", "exact"},
		{"below exact", "v1.api.one.example", "suffix"},
		{"suffix itself", "one.example", "suffix"},
		{"below suffix", "a.b.c.one.example", "suffix"},
		{"not on a label border", "notone.example", "-"},
		{"longest wins", "one.two.three.example", "exact"},
		{"between", "two.three.example", "suffix"},
		{"upper case", "API.ONE.EXAMPLE", "exact"},
		{"mixed case (0x20)", "aPi.oNe.ExAmPlE", "exact"},
		{"trailing dot", "api.one.example.", "exact"},
		{"two trailing dots", "api.one.example..", "-"},
		{"leading dot", ".one.example", "-"},
		{"empty label", "a..one.example", "-"},
		{"A-label", "xn--bcher-kva.example", "suffix"},
		{"A-label in capitals", "WWW.XN--BCHER-KVA.EXAMPLE", "suffix"},
		{"whole label", "q.anything.cloud.example", "wild"},
		{"whole label, mixed case", "Q.Any-Thing1.Cloud.Example", "wild"},
		{"no label for the star", "q.cloud.example", "region"},
		{"two labels for the star", "q.a.b.cloud.example", "region"},
		{"below a wildcard", "x.q.a.cloud.example", "region"},
		{"deeper wildcard", "q.x.west.cloud.example", "wild"},
		{"two stars", "run-7.eu.cloud.example", "wild"},
		{"nothing for the star", "run-.eu.cloud.example", "region"},
		{"part of a label", "europe-west3-ml.cloud.example", "wild"},
		{"part of a label, empty", "-ml.cloud.example", "region"},
		{"exact before wildcard", "q.north.cloud.example", "region"},
		{"suffix before wildcard", "q.south.cloud.example", "region"},
		{"below suffix beside wildcard", "a.q.south.cloud.example", "region"},
		{"top-level domain", "example", "-"},
		{"empty", "", "-"},
		{"dot", ".", "-"},
		{"IPv4", "192.0.2.1", "-"},
		{"IPv6", "2001:db8::1", "-"},
		{"port", "one.example:443", "-"},
		{"space", "one.example ", "-"},
		{"NUL at the end", "one.example\x00", "-"},
		{"NUL inside", "a\x00.one.example", "-"},
		{"letters outside ASCII", "bücher.example", "-"},
		{"label of 63", label63 + ".one.example", "suffix"},
		{"label of 64", label63 + "a.one.example", "-"},
		{"253 octets", strings.Repeat("a.", (253-len("one.example"))/2) + "one.example", "suffix"},
		{"255 octets", strings.Repeat("a.", (255-len("one.example"))/2) + "one.example", "-"},
		{"300 octets", strings.Repeat("a", 300-len(".one.example")) + ".one.example", "-"},
		{"underscore", "_acme.one.example", "suffix"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := idOf(c, tt.host); got != tt.want {
				t.Errorf("Match(%q) is %s, want %s", tt.host, got, tt.want)
			}
		})
	}
}

// TestMatchOwnNames holds the catalogue against itself: every name of it finds its own entry.
func TestMatchOwnNames(t *testing.T) {
	for _, layers := range [][]Layer{nil, {LayerLowConfidence}} {
		c := embeddedCatalogue(t, layers...)
		names := 0
		for _, s := range c.Services() {
			for i := range s.Names {
				n := &s.Names[i]
				if n.Layer != LayerDefault && len(layers) == 0 {
					continue
				}
				names++
				host := strings.ReplaceAll(n.Name, "*", "some-region-1")
				hit, ok := c.Match([]byte(host))
				if !ok || hit.Name != n && n.Match != MatchWildcard || hit.Service != s {
					t.Errorf("%s of %s finds %+v", host, s.ID, hit)
				}
				if n.Match == MatchSuffix {
					if hit, ok := c.Match([]byte("Zz-9." + host + ".")); !ok || hit.Name != n {
						t.Errorf("a name below %s of %s finds %+v", host, s.ID, hit)
					}
				}
			}
		}
		if names < 900 {
			t.Errorf("only %d names were tried", names)
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	c := embeddedCatalogue(t)
	for _, host := range benchmarkHosts {
		name := []byte(host)
		if got := testing.AllocsPerRun(100, func() { c.Match(name) }); got != 0 {
			t.Errorf("Match(%q) allocates %v times", host, got)
		}
	}
}

var benchmarkHosts = []string{
	"www.example.org", "WWW.Wikipedia.ORG", "a1b2c3d4e5f6.cdn.static.some-company.example.net", "mail.google.com",
	"s3.eu-central-1.amazonaws.com", "chatgpt.com", "API.OpenAI.com", "bedrock-runtime.eu-central-1.amazonaws.com",
	"europe-west3-aiplatform.googleapis.com", "a.very.deep.name.below.claude.ai",
}

func BenchmarkMatch(b *testing.B) {
	c := embeddedCatalogue(b)
	for _, host := range benchmarkHosts {
		name := []byte(host)
		b.Run(host, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Match(name)
			}
		})
	}
}
