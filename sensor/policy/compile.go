package policy

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// maxRules bounds a policy: beyond it, services should be grouped.
const maxRules = 10_000

// Policy is rules that are ready to judge. It does not change once it is compiled.
type Policy struct {
	rules []compiled
	// Each rule stands in one list, by the narrowest key that it gives; lists are in the order of the rules.
	byService, byVendor, byCategory map[string][]int32
	others                          []int32
	unreviewed                      *event.Policy
	services                        []mention
}

// mention is a service that a rule speaks of.
type mention struct{ rule, service string }

// compiled is a rule that is ready. Empty lists match everything.
type compiled struct {
	vendors, categories, departments []string
	services                         []string // until it is listed by them
	names                            []glob
	networks                         []netip.Prefix
	from, until, review              event.Time // until and review are the first moments behind them
	says, overdue                    *event.Policy
}

// Compile makes rules ready. Days begin at midnight in loc; nil is UTC. The error names every rule that is wrong, with the key and the
// value.
func Compile(rules []Rule, loc *time.Location) (*Policy, error) {
	if loc == nil {
		loc = time.UTC
	}
	if len(rules) > maxRules {
		return nil, fmt.Errorf("policy.rule: there are %d rules, at most %d; name several services in one rule", len(rules), maxRules)
	}
	p := &Policy{byService: map[string][]int32{}, byVendor: map[string][]int32{}, byCategory: map[string][]int32{},
		unreviewed: &event.Policy{Status: Unreviewed}}
	seen := map[string]int{}
	var faults []error
	for i := range rules {
		r := &rules[i]
		c, err := r.compile(loc)
		if err == nil {
			err = r.place(seen, len(rules)-1-i)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("policy.rule %d (id %q): %w", i+1, r.ID, err))
			continue
		}
		seen[r.ID] = i + 1
		p.add(c, r.ID)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return p, nil
}

// place looks at a rule among the others: those seen before it, by id, and so many behind it.
func (r *Rule) place(seen map[string]int, behind int) error {
	if other := seen[r.ID]; other > 0 {
		return fmt.Errorf("id = %q is that of rule %d too; give each its own", r.ID, other)
	}
	if behind > 0 && r.anything() && r.From.IsZero() && r.Until.IsZero() {
		return fmt.Errorf("it matches every use, so the %d rules behind it would never be asked; put it last, or say what it is about", behind)
	}
	return nil
}

// compile makes one rule ready.
func (r *Rule) compile(loc *time.Location) (c compiled, err error) {
	c = compiled{until: math.MaxInt64, review: math.MaxInt64, says: &event.Policy{Status: r.Status, Owner: r.Owner, Rule: r.ID}}
	overdue := *c.says
	overdue.Status = InReview
	c.overdue = &overdue
	if !r.From.IsZero() {
		c.from = r.From.begin(loc)
	}
	if !r.Until.IsZero() {
		c.until = r.Until.end(loc)
	}
	if !r.Review.IsZero() {
		c.review = r.Review.end(loc)
	}
	for _, list := range [...]struct {
		key  string
		from []string
		to   *[]string
	}{{"services", r.Services, &c.services}, {"vendors", r.Vendors, &c.vendors}, {"categories", r.Categories, &c.categories}, {"departments", r.Departments, &c.departments}} {
		for _, s := range list.from {
			if strings.TrimSpace(s) == "" {
				err = errors.Join(err, fmt.Errorf("%s: an entry is empty; remove it", list.key))
			}
			*list.to = append(*list.to, strings.ToLower(strings.TrimSpace(s)))
		}
	}
	return c, errors.Join(r.check(), err, c.patterns(r))
}

// patterns reads the names and networks of a rule.
func (c *compiled) patterns(r *Rule) (err error) {
	for _, s := range r.Names {
		g, globErr := newGlob(s)
		err = errors.Join(err, globErr)
		c.names = append(c.names, g)
	}
	for _, s := range r.Networks {
		p, prefixErr := netip.ParsePrefix(s)
		if prefixErr != nil || p.Masked() != p {
			err = errors.Join(err, fmt.Errorf("networks: %q is no network; write for example 10.1.0.0/16", s))
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		c.networks = append(c.networks, p)
	}
	return err
}

// add puts a rule behind the others. It is asked only for uses that have the key it is listed by, so it need not look at that again.
func (p *Policy) add(c compiled, id string) {
	n := int32(len(p.rules))
	for _, service := range c.services {
		p.services = append(p.services, mention{id, service})
	}
	switch {
	case len(c.services) > 0:
		list(p.byService, c.services, n)
		c.services = nil
	case len(c.vendors) > 0:
		list(p.byVendor, c.vendors, n)
		c.vendors = nil
	case len(c.categories) > 0:
		list(p.byCategory, c.categories, n)
		c.categories = nil
	default:
		p.others = append(p.others, n)
	}
	p.rules = append(p.rules, c)
}

// list notes a rule under its keys, of which one may stand there twice.
func list(index map[string][]int32, keys []string, n int32) {
	for _, key := range keys {
		if of := index[key]; len(of) == 0 || of[len(of)-1] != n {
			index[key] = append(of, n)
		}
	}
}

// Len is the number of rules.
func (p *Policy) Len() int { return len(p.rules) }

// UnknownServices warns of services that rules speak of and the catalogue does not know: a slip of the pen approves nothing.
func (p *Policy) UnknownServices(known func(id string) bool) []string {
	var out []string
	for _, m := range p.services {
		if !known(m.service) {
			out = append(out, fmt.Sprintf("rule %q speaks of the service %q, which is not in the catalogue; `gnomon catalogue list` has all", m.rule, m.service))
		}
	}
	return out
}

// timeOf is the moment that a record is judged by: when its slice began.
func timeOf(ev *event.Event) event.Time { return cmp.Or(ev.Event.Start, ev.Timestamp) }
