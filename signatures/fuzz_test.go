package signatures

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// slowMatch is the matcher as its rules read: every entry is tried, the longest wins.
func slowMatch(c *Catalogue, host string) *Name {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if len(host) > maxName || !validLabels([]byte(host)) {
		return nil
	}
	labels := strings.Split(host, ".")
	var best *Name
	bestLength, bestKind := 0, 0
	for _, s := range c.services {
		for i := range s.Names {
			n := &s.Names[i]
			want := strings.Split(n.Name, ".")
			length, kind := len(want), 2
			switch n.Match {
			case MatchExact:
				if n.Name != host {
					continue
				}
			case MatchSuffix:
				if n.Name != host && !strings.HasSuffix(host, "."+n.Name) {
					continue
				}
			case MatchWildcard:
				if !slowWild(labels, want) {
					continue
				}
				kind = 1
			}
			if n.Layer != LayerDefault || length < bestLength || length == bestLength && kind < bestKind {
				continue
			}
			best, bestLength, bestKind = n, length, kind
		}
	}
	return best
}

func slowWild(have, want []string) bool {
	if len(have) != len(want) {
		return false
	}
	for i := range have {
		before, after, star := strings.Cut(want[i], "*")
		switch {
		case !star && have[i] != want[i]:
			return false
		case star && (len(have[i]) <= len(before)+len(after) || !strings.HasPrefix(have[i], before) || !strings.HasSuffix(have[i], after)):
			return false
		}
	}
	return true
}

func FuzzMatch(f *testing.F) {
	c := embeddedCatalogue(f)
	for _, host := range benchmarkHosts {
		f.Add(host)
	}
	for _, host := range lookAlikes {
		f.Add(host)
	}
	for _, s := range c.Services() {
		for _, n := range s.Names[:min(1, len(s.Names))] {
			f.Add("x." + n.Name)
		}
	}
	f.Fuzz(func(t *testing.T, host string) {
		hit, ok := c.Match([]byte(host))
		want := slowMatch(c, host)
		if ok != (want != nil) || hit.Name != want && hit.Name.Match != MatchWildcard {
			t.Errorf("Match(%q) is %+v, the slow matcher says %+v", host, hit.Name, want)
		}
	})
}

// FuzzParseTree holds the reader of the plain form against the TOML package: what it takes the package takes too, with the same
// result, so the two never disagree about a file.
func FuzzParseTree(f *testing.F) {
	for _, name := range []string{"openai.toml", "github.toml", "anthropic.toml", "sources.toml", "infrastructure/relay.toml"} {
		if data, err := embedded.ReadFile("catalogue/" + name); err == nil {
			f.Add(string(data))
		}
	}
	for _, tt := range decodeTests {
		f.Add(tt.toml)
	}
	f.Fuzz(func(t *testing.T, src string) {
		tables, _, ok := parseTree(src)
		if !ok {
			return
		}
		plain, err := decodeTables("f.toml", tables)
		if err != nil {
			return // it is the stricter of the two: keys in capitals are unknown to it
		}
		var by rawFile
		meta, tomlErr := toml.Decode(src, &by)
		if tomlErr != nil || len(meta.Undecoded()) > 0 {
			t.Fatalf("the TOML package refuses what the plain reader takes: %v %v", tomlErr, meta.Undecoded())
		}
		if !equalFiles(plain, by) {
			t.Fatalf("plain reader %+v\nTOML package %+v", plain, by)
		}
	})
}

// equalFiles compares without lines, which only the plain reader knows, and with dates in UTC.
func equalFiles(a, b rawFile) bool {
	for _, f := range []*rawFile{&a, &b} {
		for i := range f.Service {
			s := &f.Service[i]
			plainDates(s)
			s.line = 0
			if len(s.Names) == 0 {
				s.Names = nil
			}
			for k := range s.Names {
				s.Names[k].line = 0
			}
		}
		if len(f.Source) == 0 {
			f.Source = nil
		}
	}
	return reflect.DeepEqual(normalLists(a), normalLists(b))
}

// normalLists makes empty lists and maps nil: the two readers differ there and nothing depends on it.
func normalLists(f rawFile) rawFile {
	empty := func(list *[]string) {
		if len(*list) == 0 {
			*list = nil
		}
	}
	for i := range f.Service {
		s := &f.Service[i]
		for _, list := range []*[]string{&s.URLs, &s.UserAgents, &s.IPRanges} {
			empty(list)
		}
		for k := range s.Names {
			empty(&s.Names[k].Sources)
		}
		if len(s.Risk) == 0 {
			s.Risk = nil
		}
		for key, fact := range s.Risk {
			empty(&fact.Sources)
			s.Risk[key] = fact
		}
	}
	return f
}

// FuzzGlob holds the patterns of logs against regular expressions that say the same.
func FuzzGlob(f *testing.F) {
	f.Add("/assistant*/run", "/assistant/v2/run")
	f.Add("*corp-cli/*beta", "my corp-cli/2 beta")
	f.Add("a**b*", "ab")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 64 || len(text) > 256 {
			return
		}
		got := glob(pattern, []byte(text))
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) {
			return // a regular expression reads letters, where glob reads bytes
		}
		want := regexp.MustCompile(`(?s)^` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`) + `$`)
		if got != want.MatchString(text) {
			t.Errorf("glob(%q, %q) is %v", pattern, text, got)
		}
	})
}
