package signatures

import (
	"fmt"
	"slices"
	"strings"
)

// Change is what a newer catalogue says otherwise of one service.
type Change struct {
	// Old is nil for a service that is new, New for one that is gone.
	Old, New *Service
	// Added, Removed and Altered are names; Details says in words what is other.
	Added, Removed, Altered []string
	Details                 []string
}

// Service is the service that has changed, as it is now if it still is.
func (c *Change) Service() *Service {
	if c.New != nil {
		return c.New
	}
	return c.Old
}

// Diff says what a newer catalogue adds, removes and changes, in the order of ids. Where a fact comes from is not compared: only what it says.
func Diff(older, newer *Catalogue) []Change {
	var changes []Change
	a, b := older.services, newer.services
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].ID < b[0].ID:
			changes = append(changes, Change{Old: a[0], Removed: namesOf(a[0])})
			a = a[1:]
		case len(a) == 0 || b[0].ID < a[0].ID:
			changes = append(changes, Change{New: b[0], Added: namesOf(b[0])})
			b = b[1:]
		default:
			if c := compare(a[0], b[0]); len(c.Details) > 0 {
				changes = append(changes, c)
			}
			a, b = a[1:], b[1:]
		}
	}
	return changes
}

func namesOf(s *Service) []string {
	var names []string
	for i := range s.Names {
		names = append(names, s.Names[i].Name)
	}
	return names
}

// compare says how a service differs from what it was.
func compare(a, b *Service) Change {
	c := Change{Old: a, New: b}
	for _, f := range []struct{ what, was, is string }{{"name", a.Name, b.Name}, {"vendor", a.Vendor, b.Vendor}, {"country", a.Country, b.Country},
		{"category", a.Category, b.Category}, {"kind", a.Kind, b.Kind}} {
		if f.was != f.is {
			c.say("%s was %q, is %q", f.what, f.was, f.is)
		}
	}
	c.names()
	for _, f := range b.Risk {
		if i := slices.IndexFunc(a.Risk, func(g Fact) bool { return g.Attribute == f.Attribute }); i < 0 || a.Risk[i].Value != f.Value {
			was := "not known"
			if i >= 0 {
				was = a.Risk[i].Value
			}
			c.say("risk %s was %s, is %s", f.Attribute, was, f.Value)
		}
	}
	for _, list := range []struct {
		what    string
		was, is []string
	}{{"address pattern", a.URLs, b.URLs}, {"user agent", a.UserAgents, b.UserAgents}, {"range", prefixes(a), prefixes(b)}} {
		c.list(list.what, list.was, list.is)
	}
	return c
}

func (c *Change) say(format string, args ...any) {
	c.Details = append(c.Details, fmt.Sprintf(format, args...))
}

// names compares the names of the service.
func (c *Change) names() {
	for i := range c.New.Names {
		n := &c.New.Names[i]
		k := slices.IndexFunc(c.Old.Names, func(o Name) bool { return o.Name == n.Name })
		if k < 0 {
			c.Added = append(c.Added, n.Name)
			c.say("+ %s (%s, %s)", n.Name, n.Role, n.Match)
		} else if was, is := meaning(&c.Old.Names[k]), meaning(n); was != is {
			c.Altered = append(c.Altered, n.Name)
			c.say("~ %s was %s, is %s", n.Name, was, is)
		}
	}
	for i := range c.Old.Names {
		if n := &c.Old.Names[i]; !slices.ContainsFunc(c.New.Names, func(o Name) bool { return o.Name == n.Name }) {
			c.Removed = append(c.Removed, n.Name)
			c.say("- %s (%s, %s)", n.Name, n.Role, n.Match)
		}
	}
}

// meaning is what a name does, without its proofs.
func meaning(n *Name) string {
	parts := []string{n.Role.String(), n.Match.String(), n.Confidence.String()}
	if n.Layer != LayerDefault {
		parts = append(parts, "layer "+n.Layer.String())
	}
	if n.Kind != "" {
		parts = append(parts, n.Kind)
	}
	return strings.Join(parts, " ")
}

func prefixes(s *Service) []string {
	var all []string
	for _, p := range s.Ranges {
		all = append(all, p.String())
	}
	return all
}

func (c *Change) list(what string, was, is []string) {
	for _, s := range is {
		if !slices.Contains(was, s) {
			c.say("+ %s %s", what, s)
		}
	}
	for _, s := range was {
		if !slices.Contains(is, s) {
			c.say("- %s %s", what, s)
		}
	}
}
