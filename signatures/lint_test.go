package signatures

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

var lintDay = time.Date(2026, time.December, 1, 0, 0, 0, 0, time.UTC)

func TestEmbeddedLintsClean(t *testing.T) {
	for _, p := range Lint(Files(), nil, lintDay) {
		t.Error(p)
	}
}

func TestLint(t *testing.T) {
	const (
		source  = "[source.src]\ntitle = \"A\"\ndate = \"2026-11\"\nweight = \"good\"\n"
		service = "[[service]]\nid = \"a\"\nname = \"A\"\nvendor = \"V\"\ncategory = \"search\"\nkind = \"web\"\nverified = 2026-11-21\n"
		other   = "[[service]]\nid = \"b\"\nname = \"B\"\nvendor = \"W\"\ncategory = \"search\"\nkind = \"web\"\nverified = 2026-11-21\n"
	)
	name := func(fields string) string { return "names = [\n    { " + fields + " },\n]\n" }
	plain := func(n string) string {
		return name("name = \"" + n + "\", match = \"suffix\", role = \"primary\", confidence = \"high\", sources = [\"src\"]")
	}
	tests := []struct {
		name, toml string
		line       int
		severity   Severity
		want       string // empty where nothing is wrong
	}{
		{"clean", source + service + plain("corp.example"), 0, 0, ""},
		{"not TOML", "x = = 1\n", 1, SeverityError, "column"},
		{"unknown key", source + service + "titel = \"A\"\n" + plain("corp.example"), 12, SeverityError, `unknown key "titel"`},
		{"id", source + strings.Replace(service, `"a"`, `"A b"`, 1) + plain("corp.example"), 5, SeverityError, "an id is"},
		{"no name", source + strings.Replace(service, "name = \"A\"\n", "", 1) + plain("corp.example"), 5, SeverityError, "name missing"},
		{"no vendor", source + strings.Replace(service, "vendor = \"V\"\n", "", 1) + plain("corp.example"), 5, SeverityError, "vendor missing"},
		{"category", source + strings.Replace(service, "search", "serch", 1) + plain("corp.example"), 5, SeverityError, `category is "serch"`},
		{"kind", source + strings.Replace(service, "web", "wep", 1) + plain("corp.example"), 5, SeverityError, `kind is "wep"`},
		{"layer", source + service + "layer = \"x\"\n" + plain("corp.example"), 5, SeverityError, `layer is "x"`},
		{"country", source + service + "country = \"UK\"\n" + plain("corp.example"), 5, SeverityError, `country is "UK"`},
		{"country of two", source + service + "country = \"D E\"\n" + plain("corp.example"), 5, SeverityError, "country is"},
		{"no day", source + strings.Replace(service, "verified = 2026-11-21\n", "", 1) + plain("corp.example"), 5, SeverityError, "verified missing"},
		{"stale", source + strings.Replace(service, "2026-11-21", "2025-11-21", 1) + plain("corp.example"), 5, SeverityWarning, "over a year ago"},
		{"day to come", source + strings.Replace(service, "2026-11-21", "2027-01-01", 1) + plain("corp.example"), 5, SeverityError, "to come"},
		{"nothing", source + service, 5, SeverityError, "nothing to know it by"},
		{"id twice", source + service + plain("corp.example") + service + plain("two.example"), 15, SeverityError, `"a" is already at f.toml:5`},
		{"name twice", source + service + plain("corp.example") + other + plain("corp.example"), 23, SeverityError, `already one of "a" at f.toml:13`},
		{"role", source + service + name(`name = "corp.example", match = "exact", role = "main", confidence = "high", sources = ["src"]`), 13, SeverityError, `role is "main"`},
		{"kind of a name", source + service + name(`name = "corp.example", match = "exact", role = "primary", kind = "x", confidence = "high", sources = ["src"]`), 13, SeverityError, `kind is "x"`},
		{"no confidence", source + service + name(`name = "corp.example", match = "exact", role = "primary", sources = ["src"]`), 13, SeverityError, "confidence missing"},
		{"no sources", source + service + name(`name = "corp.example", match = "exact", role = "primary", confidence = "high"`), 13, SeverityError, "sources missing"},
		{"unknown source", source + service + name(`name = "corp.example", match = "exact", role = "primary", confidence = "high", sources = ["scr"]`), 13, SeverityError, `source "scr" is not explained`},
		{"source without a day", source + service + name(`name = "corp.example", match = "exact", role = "primary", confidence = "high", sources = ["https://a.example/b"]`), 13, SeverityError, "no day"},
		{"source by address", source + service + name(`name = "corp.example", match = "exact", role = "primary", confidence = "high", sources = ["https://a.example/b@2026-11-21", "src~"]`), 0, 0, ""},
		{"public suffix", source + service + plain("co.uk"), 13, SeverityError, "a public suffix"},
		{"suffix with guests", source + service + plain("github.io"), 13, SeverityError, "infrastructure that others use"},
		{"other suffix with guests", source + service + plain("hf.space"), 13, SeverityWarning, "guests"},
		{"guests, shared", source + service + strings.Replace(plain("hf.space"), "primary", "shared", 1), 0, 0, ""},
		{"guests, with a reason", source + service + strings.Replace(plain("hf.space"), " },", ", why = \"w\" },", 1), 0, 0, ""},
		{"infrastructure", source + service + plain("googleapis.com"), 13, SeverityError, "infrastructure that others use"},
		{"infrastructure by a star", source + service + strings.Replace(plain("*.amazonaws.com"), "suffix", "wildcard", 1), 13, SeverityError, "infrastructure that others use"},
		{"a part beside the star", source + service + strings.Replace(plain("q.*.amazonaws.com"), "suffix", "wildcard", 1), 0, 0, ""},
		{"infrastructure, shared", source + service + strings.Replace(plain("googleapis.com"), "primary", "shared", 1), 0, 0, ""},
		{"below another vendor", source + service + plain("corp.example") + other + plain("x.corp.example"), 23, SeverityWarning, `lies below "corp.example" of V`},
		{"below, with a reason", source + service + plain("corp.example") + other + strings.Replace(plain("x.corp.example"), " },", ", why = \"w\" },", 1), 0, 0, ""},
		{"url with a scheme", source + service + "urls = [\"https://corp.example/x\"]\n", 5, SeverityError, "without a scheme"},
		{"url without a path", source + service + "urls = [\"corp.example\"]\n", 5, SeverityError, "host and path"},
		{"wide user agent", source + service + "user_agents = [\"*cli*\"]\n", 5, SeverityError, "takes too much"},
		{"patterns", source + service + "urls = [\"corp.example/chat*\"]\nuser_agents = [\"corp-cli/*\"]\n", 0, 0, ""},
		{"range of one's own network", source + service + "ip_ranges = [\"10.0.0.0/24\"]\n", 5, SeverityError, "nobody's"},
		{"wide range", source + service + "ip_ranges = [\"8.0.0.0/8\"]\n", 5, SeverityError, "wider than one service"},
		{"no range", source + service + "ip_ranges = [\"8.8.8.8\"]\n", 5, SeverityError, "write it as"},
		{"fact without a date", source + service + plain("corp.example") + "[service.risk]\nopt_out = { value = \"yes\", sources = [\"src\"], confidence = \"low\" }\n", 5, SeverityError, "value or date missing"},
		{"unknown fact", source + service + plain("corp.example") + "[service.risk]\nmood = { value = \"good\", date = 2026-11-21, sources = [\"src\"] }\n", 5, SeverityError, `unknown risk attribute "mood"`},
		{"tag without a weight", strings.Replace(source, "good", "", 1), 0, SeverityError, "weight is"},
		{"tag with a wrong date", strings.Replace(source, "2026-11", "November", 1), 0, SeverityError, "date is"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Lint(fstest.MapFS{"f.toml": {Data: []byte(tt.toml)}}, nil, lintDay)
			if tt.want == "" {
				if len(got) > 0 {
					t.Errorf("Lint says %v", got)
				}
				return
			}
			for _, p := range got {
				if strings.Contains(p.Message, tt.want) && p.Line == tt.line && p.Severity == tt.severity && p.File == "f.toml" {
					return
				}
			}
			t.Errorf("Lint says %v, want %q at line %d", got, tt.want, tt.line)
		})
	}
}

func TestLintOwn(t *testing.T) {
	base := embeddedCatalogue(t)
	tests := []struct{ name, toml, want string }{
		{"extends", "[[service]]\nid = \"chatgpt\"\nnames = [{ name = \"gpt.corp.example\", match = \"exact\", role = \"primary\", confidence = \"high\", sources = [\"general\"] }]\n", ""},
		{"changes the kind", "[[service]]\nid = \"chatgpt\"\nkind = \"api\"\n", ""},
		{"wrong kind", "[[service]]\nid = \"chatgpt\"\nkind = \"x\"\n", "kind is"},
		{"in its place", "[[service]]\nid = \"chatgpt\"\nreplace = true\n", "name missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Lint(fstest.MapFS{"own.toml": {Data: []byte(tt.toml)}}, base, lintDay)
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("Lint says %v", got)
			case tt.want != "" && (len(got) == 0 || !strings.Contains(got[0].Message, tt.want)):
				t.Errorf("Lint says %v, want %q first", got, tt.want)
			}
		})
	}
}
