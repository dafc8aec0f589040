package signatures

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// Logs know more than a tap: a path, a program's own name for itself. Patterns over them are text in which a star stands for any run
// of octets; case does not matter. Host and path are compared each for itself, so that no path can pass for a host. The longest pattern
// that fits wins. Nothing here allocates.

// urlPattern is a pattern of host and path.
type urlPattern struct {
	host, path string // lower case; the path begins with its slash
	service    *Service
}

// textPattern is a pattern of a User-Agent header.
type textPattern struct {
	text    string // lower case
	service *Service
}

// logPatterns are all patterns of a catalogue, each list with the longest first.
type logPatterns struct {
	byHost map[string][]urlPattern  // whose host has no star
	wide   []urlPattern             // whose host has one
	agents map[string][]textPattern // by their first octets
	any    []textPattern            // that begin with a star
}

const (
	// agentKey is how many octets of a User-Agent header choose the patterns that are tried: most headers of a network begin alike.
	agentKey = 4
	// maxMatched bounds what of a path or a header is compared. A pattern that asks for its end fits no longer one.
	maxMatched = 2 << 10
)

func (p *logPatterns) add(s *Service) {
	for _, text := range s.URLs {
		host, path, _ := strings.Cut(strings.ToLower(text), "/")
		u := urlPattern{strings.TrimSuffix(host, "."), "/" + path, s}
		if strings.Contains(host, "*") {
			p.wide = append(p.wide, u)
			continue
		}
		if p.byHost == nil {
			p.byHost = map[string][]urlPattern{}
		}
		p.byHost[u.host] = append(p.byHost[u.host], u)
	}
	for _, text := range s.UserAgents {
		text = strings.ToLower(text)
		if plain, _, _ := strings.Cut(text, "*"); len(plain) >= agentKey {
			if p.agents == nil {
				p.agents = map[string][]textPattern{}
			}
			p.agents[text[:agentKey]] = append(p.agents[text[:agentKey]], textPattern{text, s})
		} else {
			p.any = append(p.any, textPattern{text, s})
		}
	}
}

// sort puts the longest first.
func (p *logPatterns) sort() {
	urls := func(a, b urlPattern) int {
		return cmp.Or(len(b.host)+len(b.path)-len(a.host)-len(a.path), strings.Compare(a.host+a.path, b.host+b.path))
	}
	agents := func(a, b textPattern) int { return cmp.Or(len(b.text)-len(a.text), strings.Compare(a.text, b.text)) }
	slices.SortFunc(p.wide, urls)
	slices.SortFunc(p.any, agents)
	for _, list := range p.byHost {
		slices.SortFunc(list, urls)
	}
	for _, list := range p.agents {
		slices.SortFunc(list, agents)
	}
}

// MatchURL finds the service of a host and a path with its query, such as an assistant below the address of a search engine. It is asked
// before Match, whose answer it overrides.
func (c *Catalogue) MatchURL(host, path []byte) (*Service, bool) {
	p := &c.patterns
	if len(path) == 0 || len(host) > maxName+1 || len(p.byHost) == 0 && len(p.wide) == 0 {
		return nil, false
	}
	var hosts [maxName + 1]byte
	host = lowered(hosts[:0], trimDot(host))
	near := p.byHost[string(host)]
	if len(near) == 0 && len(p.wide) == 0 {
		return nil, false
	}
	var paths [maxMatched]byte
	path = lowered(paths[:0], path[:min(len(path), maxMatched)])
	if u := longerURL(fitting(near, host, path), fitting(p.wide, host, path)); u != nil {
		return u.service, true
	}
	return nil, false
}

// longerURL is the longer of two patterns, either of which may be none.
func longerURL(one, two *urlPattern) *urlPattern {
	if one == nil || two != nil && len(two.host)+len(two.path) > len(one.host)+len(one.path) {
		return two
	}
	return one
}

// fitting is the first pattern that fits.
func fitting(list []urlPattern, host, path []byte) *urlPattern {
	for i := range list {
		if glob(list[i].host, host) && glob(list[i].path, path) {
			return &list[i]
		}
	}
	return nil
}

// MatchUserAgent finds the service whose own client writes such a User-Agent header.
func (c *Catalogue) MatchUserAgent(agent []byte) (*Service, bool) {
	p := &c.patterns
	if len(agent) == 0 || len(p.agents) == 0 && len(p.any) == 0 {
		return nil, false
	}
	var key [agentKey]byte
	near := p.agents[string(lowered(key[:0], agent[:min(len(agent), agentKey)]))]
	if len(near) == 0 && len(p.any) == 0 {
		return nil, false
	}
	var buffer [maxMatched]byte
	agent = lowered(buffer[:0], agent[:min(len(agent), maxMatched)])
	one, two := agentOf(near, agent), agentOf(p.any, agent)
	if one == nil || two != nil && len(two.text) > len(one.text) {
		one = two
	}
	if one == nil {
		return nil, false
	}
	return one.service, true
}

func agentOf(list []textPattern, agent []byte) *textPattern {
	for i := range list {
		if glob(list[i].text, agent) {
			return &list[i]
		}
	}
	return nil
}

// lowered appends text with the letters of ASCII in lower case.
func lowered(to, text []byte) []byte {
	for _, b := range text {
		if b-'A' < 26 {
			b |= 0x20
		}
		to = append(to, b)
	}
	return to
}

// glob compares the whole text with a pattern. Taking each plain part as early as it fits is enough, so the time is bounded by the
// product of the lengths at worst.
func glob(pattern string, text []byte) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return string(text) == pattern
	}
	if len(text) < len(first) || string(text[:len(first)]) != first {
		return false
	}
	text = text[len(first):]
	for {
		part, more, star := strings.Cut(rest, "*")
		if !star {
			return len(text) >= len(part) && string(text[len(text)-len(part):]) == part
		}
		i := index(text, part)
		if i < 0 {
			return false
		}
		text, rest = text[i+len(part):], more
	}
}

// index is bytes.Index for a part that is a string.
func index(text []byte, part string) int {
	if part == "" {
		return 0
	}
	for from := 0; ; from++ {
		i := bytes.IndexByte(text[from:], part[0])
		if i < 0 || len(text)-from-i < len(part) {
			return -1
		}
		if from += i; string(text[from:from+len(part)]) == part {
			return from
		}
	}
}
