package signatures

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestCatalogue(t *testing.T) {
	c := embeddedCatalogue(t)
	if parts := strings.Split(c.Version(), "."); len(parts) != 3 || len(parts[0]) != 4 {
		t.Errorf("the version is %q, want year, month and number", c.Version())
	}
	services := c.Services()
	if !slices.IsSortedFunc(services, func(a, b *Service) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the services are not in the order of their ids")
	}
	for _, s := range services {
		if got, ok := c.Service(s.ID); !ok || got != s {
			t.Errorf("Service(%q) is %v, %v", s.ID, got, ok)
		}
	}
	if s, ok := c.Service("no-such-service"); ok {
		t.Errorf("an unknown id finds %v", s)
	}
	services[0] = nil
	if c.Services()[0] == nil {
		t.Error("the caller's slice is the catalogue's own")
	}
}

func TestLayers(t *testing.T) {
	usual, all := embeddedCatalogue(t), embeddedCatalogue(t, LayerLowConfidence)
	if got := idOf(usual, "selfies-with-sama.vost.ai"); got != "-" {
		t.Errorf("a name of low confidence is matched by default, as %s", got)
	}
	if got := idOf(all, "selfies-with-sama.vost.ai"); got != "selfies-with-sama" {
		t.Errorf("with its layer the name finds %s, want selfies-with-sama", got)
	}
	if _, ok := usual.Service("selfies-with-sama"); ok {
		t.Error("a service without a name in the layers is listed")
	}
	for _, l := range []Layer{LayerDefault, LayerLowConfidence} {
		if got, ok := ParseLayer(l.String()); !ok || got != l {
			t.Errorf("ParseLayer(%q) is %v, %v", l, got, ok)
		}
	}
	if l, ok := ParseLayer("everything"); ok || l != LayerDefault {
		t.Errorf("an unknown layer is %v, %v", l, ok)
	}
}

func TestSource(t *testing.T) {
	c := embeddedCatalogue(t)
	tests := []struct {
		name, text string
		want       Source // URL, title, licence and weight are looked up
		fault      string
	}{
		{"tag", "v2fly", Source{Tag: "v2fly", Date: "2026-08-19"}, ""},
		{"inferred", "v2fly~", Source{Tag: "v2fly", Date: "2026-08-19", Below: true}, ""},
		{"another day", "v2fly@2026-09-01", Source{Tag: "v2fly", Date: "2026-09-01"}, ""},
		{"inferred on another day", "v2fly~@2026-09-01", Source{Tag: "v2fly", Date: "2026-09-01", Below: true}, ""},
		{"address", "https://a.example/b@2026-09-01", Source{URL: "https://a.example/b", Date: "2026-09-01"}, ""},
		{"address without a day", "https://a.example/b", Source{}, "no day"},
		{"no day behind the sign", "v2fly@yesterday", Source{}, "no day behind @"},
		{"unknown tag", "nobody", Source{}, "not explained"},
		{"plain http", "http://a.example/b@2026-09-01", Source{}, "neither"},
		{"empty", "", Source{}, "neither"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Source(tt.text)
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("Source(%q) says %v, want %q", tt.text, err, tt.fault)
				}
				return
			}
			if err != nil || got.Tag != tt.want.Tag || got.Date != tt.want.Date || got.Below != tt.want.Below {
				t.Errorf("Source(%q) is %+v, %v", tt.text, got, err)
			}
			if got.URL == "" || tt.want.Tag != "" && (got.Title == "" || got.Weight == "") {
				t.Errorf("Source(%q) is not explained: %+v", tt.text, got)
			}
		})
	}
}

func TestRisk(t *testing.T) {
	s, ok := embeddedCatalogue(t).Service("claude")
	if !ok || len(s.Risk) != 4 {
		t.Fatalf("the risk of claude is %+v", s)
	}
	for i, f := range s.Risk {
		if f.Attribute != riskAttributes[i] || f.Value == "" || f.Date.IsZero() || f.Confidence != ConfidenceHigh || len(f.Sources) == 0 {
			t.Errorf("attribute %d is %+v", i, f)
		}
	}
}

func TestMatchAddr(t *testing.T) {
	c := testCatalogue(t, "[[service]]\nid = \"wide\"\nip_ranges = [\"198.51.100.0/24\"]\n[[service]]\nid = \"narrow\"\nip_ranges = [\"198.51.100.8/29\", \"2001:db8::/64\"]\n")
	tests := []struct{ name, addr, want string }{
		{"wide", "198.51.100.1", "wide"},
		{"narrow", "198.51.100.9", "narrow"},
		{"IPv6", "2001:db8::1", "narrow"},
		{"outside", "198.51.101.1", "-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := "-"
			if s, ok := c.MatchAddr(netip.MustParseAddr(tt.addr)); ok {
				got = s.ID
			}
			if got != tt.want {
				t.Errorf("MatchAddr(%s) is %s, want %s", tt.addr, got, tt.want)
			}
		})
	}
}

func TestLogPatterns(t *testing.T) {
	c := testCatalogue(t, "[[service]]\nid = \"a\"\nurls = [\"www.portal.example/Assistant*\"]\nuser_agents = [\"corp-cli/*\"]\n"+
		"[[service]]\nid = \"b\"\nurls = [\"*.portal.example/assistant/v2/*/run\"]\nuser_agents = [\"*Corp-CLI/2*beta\"]\n")
	tests := []struct{ name, host, path, agent, url, ua string }{
		{"prefix", "www.portal.example", "/assistant?q=1", "corp-cli/1.0 (linux)", "a", "a"},
		{"longest", "www.portal.example", "/assistant/v2/x/run", "corp-cli/2.1 beta", "b", "b"},
		{"upper case", "WWW.Portal.Example.", "/ASSISTANT", "Corp-Cli/1", "a", "a"},
		{"other path", "www.portal.example", "/", "Mozilla/5.0", "-", "-"},
		{"other host", "xwww.portal.example", "/assistant", "my corp-cli/1", "-", "-"},
		{"a path that looks like a host", "other.example", "/www.portal.example/assistant/v2/x/run", "x my corp-cli/2 beta", "-", "b"},
		{"very long", "www.portal.example", "/assistant?" + strings.Repeat("q", 1<<20), "corp-cli/" + strings.Repeat("1", 1<<20), "a", "a"},
		{"no path", "www.portal.example", "", "", "-", "-"},
		{"end does not fit", "eu.portal.example", "/assistant/v2/x/run2", "", "-", "-"},
	}
	id := func(s *Service, ok bool) string {
		if !ok {
			return "-"
		}
		return s.ID
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := id(c.MatchURL([]byte(tt.host), []byte(tt.path))); got != tt.url {
				t.Errorf("MatchURL(%s%s) is %s, want %s", tt.host, tt.path, got, tt.url)
			}
			if got := id(c.MatchUserAgent([]byte(tt.agent))); got != tt.ua {
				t.Errorf("MatchUserAgent(%s) is %s, want %s", tt.agent, got, tt.ua)
			}
		})
	}
}

// Every line of a log passes here: neither a hit nor a miss may allocate.
func TestLogPatternsDoNotAllocate(t *testing.T) {
	c := testCatalogue(t, "[[service]]\nid = \"a\"\nurls = [\"www.portal.example/assistant*\", \"*.portal.example/x\"]\nuser_agents = [\"corp-cli/*\", \"*cli/3\"]\n")
	host, path, agent, other := []byte("WWW.portal.example"), []byte("/Assistant?q"), []byte("corp-cli/1"), []byte("Mozilla/5.0 (X11; Linux x86_64)")
	n := testing.AllocsPerRun(100, func() {
		_, one := c.MatchURL(host, path)
		_, two := c.MatchURL(host, other)
		_, three := c.MatchUserAgent(agent)
		_, four := c.MatchUserAgent(other)
		if !one || two || !three || four {
			t.Error("matched otherwise")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLogPatterns(b *testing.B) {
	c := testCatalogue(b, "[[service]]\nid = \"a\"\nurls = [\"www.portal.example/assistant*\"]\nuser_agents = [\"corp-cli/*\"]\n")
	host, path, agent := []byte("www.other.example"), []byte("/some/path?with=a&query=string"), []byte("Mozilla/5.0 (X11; Linux x86_64)")
	b.ReportAllocs()
	for b.Loop() {
		c.MatchURL(host, path)
		c.MatchUserAgent(agent)
	}
}

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"abc", "abc", true}, {"abc", "abcd", false}, {"*", "", true}, {"a*", "a", true}, {"a*a", "a", false}, {"a*a", "aa", true},
		{"*b*b", "bb", true}, {"*b*b", "b", false}, {"a*b*c", "aXbYc", true}, {"a*b*c", "acb", false}, {"a**c", "abc", true}, {"", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.pattern+" "+tt.text, func(t *testing.T) {
			if got := glob(tt.pattern, []byte(tt.text)); got != tt.want {
				t.Errorf("glob(%q, %q) is %v", tt.pattern, tt.text, got)
			}
		})
	}
}
