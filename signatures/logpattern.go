package signatures

import (
	"cmp"
	"slices"
	"strings"
)

// Logs know more than a tap: a path, a program's own name for itself. Patterns over them are text in which a star stands for any run
// of octets; case does not matter. The longest pattern that fits wins.

type textPattern struct {
	text    string // lower case
	service *Service
}

func sortPatterns(list []textPattern) {
	for i := range list {
		list[i].text = strings.ToLower(list[i].text)
	}
	slices.SortFunc(list, func(a, b textPattern) int {
		return cmp.Or(len(b.text)-len(a.text), strings.Compare(a.text, b.text))
	})
}

// MatchURL finds the service of a host and a path, such as an assistant below the address of a search engine. It is asked before
// Match, whose answer it overrides.
func (c *Catalogue) MatchURL(host, path string) (*Service, bool) {
	if len(c.urls) == 0 {
		return nil, false
	}
	return matchText(c.urls, strings.TrimSuffix(host, ".")+path)
}

// MatchUserAgent finds the service whose own client writes such a User-Agent header.
func (c *Catalogue) MatchUserAgent(agent string) (*Service, bool) {
	return matchText(c.agents, agent)
}

func matchText(list []textPattern, text string) (*Service, bool) {
	if len(list) == 0 {
		return nil, false
	}
	text = strings.ToLower(text)
	for i := range list {
		if glob(list[i].text, text) {
			return list[i].service, true
		}
	}
	return nil, false
}

// glob compares the whole text with a pattern. Taking each plain part as early as it fits is enough, so the time is bounded by the
// product of the lengths at worst.
func glob(pattern, text string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return text == pattern
	}
	if !strings.HasPrefix(text, first) {
		return false
	}
	text = text[len(first):]
	for {
		part, more, star := strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(text, part)
		}
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text, rest = text[i+len(part):], more
	}
}
