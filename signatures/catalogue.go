package signatures

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Catalogue is a loaded set of signatures. It never changes: a new one is loaded beside it and put in its place. All its methods may
// be called from several goroutines at once.
type Catalogue struct {
	version  string
	services []*Service // by id
	sources  map[string]rawSource
	matcher  *matcher
	ranges   []addrRange
	patterns logPatterns
}

// addrRange is one range of addresses of a service; the longest stand first.
type addrRange struct {
	prefix  netip.Prefix
	service *Service
}

// newCatalogue puts the joined services in order. A service none of whose names is matched in the chosen layers is left out, unless
// it has no names at all and lives by its patterns or ranges.
func newCatalogue(version string, j *joiner, layers []Layer) (*Catalogue, error) {
	services := j.sorted()
	c := &Catalogue{version: version, services: make([]*Service, 0, len(services)), sources: j.sources}
	names := 0
	for _, s := range services {
		names += len(s.Names)
	}
	hits := make([]Hit, 0, names)
	for _, s := range services {
		before := len(hits)
		for i := range s.Names {
			if l := s.Names[i].Layer; l == LayerDefault || slices.Contains(layers, l) {
				hits = append(hits, Hit{s, &s.Names[i]})
			}
		}
		if len(s.Names) == 0 || len(hits) > before {
			c.addService(s)
		}
	}
	slices.SortStableFunc(c.ranges, func(a, b addrRange) int { return b.prefix.Bits() - a.prefix.Bits() })
	c.patterns.sort()
	var err error
	if c.matcher, err = newMatcher(hits); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Catalogue) addService(s *Service) {
	c.services = append(c.services, s)
	for _, prefix := range s.Ranges {
		c.ranges = append(c.ranges, addrRange{prefix, s})
	}
	c.patterns.add(s)
}

// Version is the version of the catalogue without signatures of one's own: year, month and a running number, as in "2026.11.1".
func (c *Catalogue) Version() string { return c.version }

// Services are all services in the order of their ids. The slice is the caller's, the services are not.
func (c *Catalogue) Services() []*Service { return slices.Clone(c.services) }

// Service returns the service with an id.
func (c *Catalogue) Service(id string) (*Service, bool) {
	i, ok := slices.BinarySearchFunc(c.services, id, func(s *Service, id string) int { return strings.Compare(s.ID, id) })
	if !ok {
		return nil, false
	}
	return c.services[i], true
}

// Source explains a source of a name or a fact. Its error says what is wrong with the text, or that its tag is not explained.
func (c *Catalogue) Source(text string) (Source, error) {
	source, err := ParseSource(text)
	if err != nil || source.Tag == "" {
		return source, err
	}
	raw, ok := c.sources[source.Tag]
	if !ok {
		return source, fmt.Errorf("reading source %q: the tag is not explained; add it to sources.toml", text)
	}
	source.URL, source.Title, source.Licence, source.Weight = raw.URL, raw.Title, raw.Licence, raw.Weight
	source.Date = orDefault(source.Date, raw.Date)
	return source, nil
}

// Match finds the entry that a host name belongs to: the longest name of the catalogue that covers it. The name may be in any case
// and end in a dot. What is no host name, an address among them, matches nothing. Match does not allocate.
func (c *Catalogue) Match(name []byte) (Hit, bool) { return c.matcher.find(name) }

// MatchAddr finds the service that owns the narrowest range around an address.
func (c *Catalogue) MatchAddr(addr netip.Addr) (*Service, bool) {
	addr = addr.Unmap()
	for i := range c.ranges {
		if c.ranges[i].prefix.Contains(addr) {
			return c.ranges[i].service, true
		}
	}
	return nil, false
}
