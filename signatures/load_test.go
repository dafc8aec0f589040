package signatures

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// TestPlainForm holds every file of the catalogue to the form that is read fast, and both readers to the same result.
func TestPlainForm(t *testing.T) {
	err := fs.WalkDir(Files(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".toml" {
			return err
		}
		data, err := fs.ReadFile(Files(), path)
		if err != nil {
			return err
		}
		tables, _, ok := parseTree(string(data))
		if !ok {
			t.Errorf("%s: not in the plain form", path)
			return nil
		}
		plain, err := decodeTables(path, tables)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		by, err := decodeTOML(path, string(data))
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if !equalFiles(plain, by) {
			t.Errorf("%s: the plain reader and the TOML package differ", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

var decodeTests = []struct {
	name, toml string
	want       string // part of the error; empty where the file is fine
}{
	{"empty", "", ""},
	{"comment only", "# nothing\n", ""},
	{"vendor", "vendor = \"A\"\n", ""},
	{"no line end", "vendor = \"A\"", ""},
	{"unknown key at the top", "vendor = \"A\"\nvendro = \"B\"\n", "f.toml:2:1: unknown key \"vendro\""},
	{"unknown key of a service", "[[service]]\nid = \"a\"\n  titel = \"A\"\n", "f.toml:3:3: unknown key \"titel\""},
	{"unknown key of a name", "[[service]]\nnames = [\n    { name = \"a.example\", rol = \"primary\" },\n]\n", "f.toml:3:27: unknown key \"rol\""},
	{"unknown key of a source", "[source.a]\nurl = \"x\"\nfoo = true\n", "f.toml:3:1: unknown key \"foo\""},
	{"unknown key of a fact", "[[service]]\n[service.risk]\nopt_out = { value = \"yes\", sauce = \"x\" }\n", "f.toml:3:28: unknown key \"sauce\""},
	{"unknown key beside an escape", "vendor = \"A\\u0042\"\n[[service]]\nid = \"a\"\ntitel = \"b\"\n", "f.toml:4:1: unknown key \"service.titel\""},
	{"unknown table", "[servce]\nid = \"a\"\n", "f.toml:1:2: unknown key \"servce\""},
	{"escape", "vendor = \"A\\u0042\"\n", ""},
	{"literal string", "vendor = 'A'\n", ""},
	{"string of several lines", "vendor = \"\"\"A\nB\"\"\"\n", ""},
	{"quoted key", "\"vendor\" = \"A\"\n", ""},
	{"names as tables", "[[service]]\nid = \"a\"\n[[service.names]]\nname = \"a.example\"\n", ""},
	{"risk inline", "[[service]]\nrisk = { opt_out = { value = \"yes\" } }\n", ""},
	{"array over lines", "[[service]]\nurls = [ # why\n  \"a\", # b\n  \"c\"\n]\n", ""},
	{"two services", "[[service]]\nid = \"a\"\n[service.risk]\n[[service]]\nid = \"b\"\n[service.risk]\n", ""},
	{"carriage returns", "vendor = \"A\"\r\n", ""},
	{"key twice", "vendor = \"A\"\nvendor = \"B\"\n", "f.toml:2:1"},
	{"table twice", "[source.a]\n[source.a]\n", "f.toml:2:2"},
	{"not closed", "vendor = \"A\nx = 1\n", "f.toml:1:"},
	{"array not closed", "[[service]]\nurls = [\"a\",\n", "f.toml:"},
	{"wrong type", "[[service]]\nid = 7\n", "line 2 (last key \"service.id\")"},
	{"wrong type in a list", "[[service]]\nurls = [\"a\", 7]\n", "line 2 (last key \"service.urls\")"},
	{"date that is none", "[[service]]\nverified = 2026-02-30\n", "f.toml:2:"},
	{"control character", "vendor = \"A\x01\"\n", "f.toml:1:"},
	{"control character in a comment", "#\x14", "f.toml:1:"},
	{"not UTF-8", "vendor = \"\xff\"\n", "f.toml"},
}

func TestDecode(t *testing.T) {
	for _, tt := range decodeTests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decode("f.toml", []byte(tt.toml))
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("decode: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("decode says %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestTruncated cuts a file at every length: the plain reader and the TOML package agree on each, and none panics.
func TestTruncated(t *testing.T) {
	data, err := fs.ReadFile(Files(), "anthropic.toml")
	if err != nil {
		t.Fatal(err)
	}
	for n := range data {
		src := string(data[:n])
		tables, _, ok := parseTree(src)
		if !ok {
			continue
		}
		if _, err := decodeTables("f.toml", tables); err != nil {
			continue
		}
		if _, err := decodeTOML("f.toml", src); err != nil {
			t.Fatalf("cut at %d the plain reader takes the file and the TOML package says %v", n, err)
		}
	}
}

// TestHostileFile bounds the work on files that nobody wrote by hand.
func TestHostileFile(t *testing.T) {
	var keys strings.Builder
	for i := range maxFile / 16 {
		fmt.Fprintf(&keys, "key%d = \"\"\n", i)
	}
	for name, src := range map[string]string{
		"deep arrays": "x = " + strings.Repeat("[", maxFile/2),
		"deep tables": "x = " + strings.Repeat("{a=", maxFile/4),
		"many keys":   keys.String(),
		"odd start":   "vendor = 'A'\nx = " + strings.Repeat("[", maxFile/2),
	} {
		if _, _, ok := parseTree(src); ok {
			t.Errorf("%s: the plain reader takes it", name)
		}
		if _, err := decode("f.toml", []byte(src)); err == nil || !strings.Contains(err.Error(), "plain form") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func TestBuildErrors(t *testing.T) {
	name := func(fields string) string {
		return "[[service]]\nid = \"a\"\nnames = [\n    { " + fields + " },\n]\n"
	}
	good := `match = "suffix", role = "primary", confidence = "high"`
	tests := []struct{ name, toml, want string }{
		{"no id", "[[service]]\nname = \"A\"\n", `service "": an id is`},
		{"id in capitals", "[[service]]\nid = \"ChatGPT\"\n", "an id is lower-case"},
		{"unknown match", name(`name = "a.example", match = "prefix", role = "primary", confidence = "high"`), `match is "prefix"; it must be one of exact, suffix, wildcard`},
		{"no role", name(`name = "a.example", match = "exact", confidence = "high"`), `role is ""; it must be one of primary, upload`},
		{"unknown layer", name(`name = "a.example", layer = "x", ` + good), `layer is "x"`},
		{"scheme", name(`name = "https://a.example", ` + good), "not a host name"},
		{"one label", name(`name = "google", ` + good), "whole top-level domain"},
		{"address", name(`name = "192.0.2.1", ` + good), "an address is no name"},
		{"star without wildcard", name(`name = "*.a.example", ` + good), "a star needs match"},
		{"wildcard without star", name(`name = "a.example", match = "wildcard", role = "primary", confidence = "high"`), "without a star"},
		{"two stars in a label", name(`name = "*-*.a.example", match = "wildcard", role = "primary", confidence = "high"`), "two stars in one label"},
		{"star over owners", name(`name = "*.example", match = "wildcard", role = "primary", confidence = "high"`), "last two labels"},
		{"star in the second label", name(`name = "a.*.example", match = "wildcard", role = "primary", confidence = "high"`), "last two labels"},
		{"same id twice", oneService("a", "exact a.example") + oneService("a", "exact b.example"), `service "a" is already in f.toml`},
		{"same name twice", oneService("a", "exact a.example") + oneService("b", "suffix A.Example."), `name "a.example" of service "b" is already one of service "a"`},
		{"same name twice in a service", oneService("a", "exact a.example", "suffix a.example"), `name "a.example" of service "a" is already`},
		{"range", "[[service]]\nid = \"a\"\nip_ranges = [\"192.0.2.1\"]\n", "192.0.2.0/24"},
		{"unknown risk", "[[service]]\nid = \"a\"\n[service.risk]\nmood = { value = \"good\" }\n", `unknown risk attribute "mood"`},
		{"unknown grade of a risk", "[[service]]\nid = \"a\"\n[service.risk]\nregion = { value = \"FR\", confidence = \"sure\" }\n", `confidence is "sure"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := fstest.MapFS{"f.toml": {Data: []byte(tt.toml)}, "VERSION": {Data: []byte("1")}}
			_, err := Load(Options{Base: base})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "f.toml") {
				t.Errorf("Load says %v, want %q and the file in it", err, tt.want)
			}
		})
	}
}

func TestOwnSignatures(t *testing.T) {
	tests := []struct {
		name, toml string
		want       map[string]string // host -> id
	}{
		{"a new service", oneService("ours", "suffix llm.corp.example"), map[string]string{"llm.corp.example": "ours", "chatgpt.com": "chatgpt"}},
		{"more names", "[[service]]\nid = \"chatgpt\"\nnames = [{ name = \"gpt.corp.example\", match = \"exact\", role = \"primary\", confidence = \"high\" }]\n",
			map[string]string{"gpt.corp.example": "chatgpt", "chatgpt.com": "chatgpt"}},
		{"in its place", "[[service]]\nid = \"claude\"\nname = \"C\"\nreplace = true\ncategory = \"search\"\nkind = \"web\"\nnames = [{ name = \"claude.ai\", match = \"exact\", role = \"primary\", confidence = \"high\" }]\n",
			map[string]string{"claude.ai": "claude", "www.claude.ai": "-", "claude.com": "-"}},
		{"a name taken over", oneService("tenant", "suffix corp.openai.azure.com", "suffix chat.com"), map[string]string{
			"x.corp.openai.azure.com": "tenant", "y.openai.azure.com": "azure-openai", "chat.com": "tenant", "chatgpt.com": "chatgpt"}},
		{"extend and take over at once", oneService("chatgpt", "exact new.corp.example") + oneService("chat", "suffix chat.com"), map[string]string{
			"chat.com": "chat", "chatgpt.com": "chatgpt", "new.corp.example": "chatgpt"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "own.toml"), []byte(tt.toml), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := Load(Options{Own: dir})
			if err != nil {
				t.Fatal(err)
			}
			for host, want := range tt.want {
				if got := idOf(c, host); got != want {
					t.Errorf("Match(%q) is %s, want %s", host, got, want)
				}
			}
		})
	}
}

func TestOwnInherits(t *testing.T) {
	dir := t.TempDir()
	own := "[[service]]\nid = \"chatgpt\"\nkind = \"agent\"\n[service.risk]\nregion = { value = \"US\", sources = [\"general\"], date = 2026-11-21, confidence = \"low\" }\n"
	if err := os.WriteFile(filepath.Join(dir, "own.toml"), []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Options{Own: dir})
	if err != nil {
		t.Fatal(err)
	}
	s, ok := c.Service("chatgpt")
	if !ok || s.Name != "ChatGPT" || s.Vendor != "OpenAI" || s.Country != "US" || s.Kind != "agent" || s.Verified.IsZero() || len(s.Risk) < 4 {
		t.Errorf("the service is %+v", s)
	}
}

func TestLoadErrors(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	if _, err := Load(Options{Own: missing}); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a missing directory gives %v", err)
	}
	odd := fstest.MapFS{"f.toml": {Data: []byte("vendor = \"A\"\n[[service]]\nid = 'a'\n" + strings.Repeat("# much\n", maxOddFile))}}
	if _, err := Load(Options{Base: odd}); err == nil || !strings.Contains(err.Error(), "f.toml:3:6: not in the plain form") {
		t.Errorf("a large file in another form gives %v", err)
	}
	if _, err := Load(Options{Base: fstest.MapFS{}}); err == nil || !strings.Contains(err.Error(), "VERSION") {
		t.Errorf("a catalogue without a version gives %v", err)
	}
	big := fstest.MapFS{"f.toml": {Data: []byte(strings.Repeat("#\n", maxFile))}}
	if _, err := Load(Options{Base: big}); err == nil || !strings.Contains(err.Error(), "split it") {
		t.Errorf("a huge file gives %v", err)
	}
}
