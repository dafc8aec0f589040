package policy

import (
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// Live is the policy in use; another takes its place while records are judged.
type Live struct{ policy atomic.Pointer[Policy] }

// NewLive begins with a policy.
func NewLive(p *Policy) *Live {
	l := &Live{}
	l.policy.Store(p)
	return l
}

// Swap puts another policy into use, for the records from now on.
func (l *Live) Swap(p *Policy) { l.policy.Store(p) }

// Judge is that of the policy in use.
func (l *Live) Judge(ev *event.Event) { l.policy.Load().Judge(ev) }

// use is what rules look at.
type use struct {
	service    *event.Service
	name       string
	addr       netip.Addr
	department string
	at         event.Time
}

// Judge writes gnomon.policy into a record that shows the use of a service. What it writes is shared by records: nobody may change it.
func (p *Policy) Judge(ev *event.Event) {
	if ev.Gnomon == nil || ev.Gnomon.Service == nil {
		return
	}
	u := use{service: ev.Gnomon.Service, name: serverName(ev), at: timeOf(ev)}
	if ev.Source != nil {
		if addr, err := netip.ParseAddr(ev.Source.IP); err == nil {
			u.addr = addr.Unmap().WithZone("")
		}
	}
	if ev.User != nil && ev.User.Group != nil {
		u.department = ev.User.Group.Name
	}
	ev.Gnomon.Policy = p.judge(&u)
}

// serverName is the name that a verdict rests on.
func serverName(ev *event.Event) string {
	name := ""
	switch {
	case ev.Destination != nil && ev.Destination.Domain != "":
		name = ev.Destination.Domain
	case ev.TLS != nil && ev.TLS.Client != nil && ev.TLS.Client.ServerName != "":
		name = ev.TLS.Client.ServerName
	case ev.URL != nil && ev.URL.Domain != "":
		name = ev.URL.Domain
	case ev.DNS != nil && ev.DNS.Question != nil:
		name = ev.DNS.Question.Name
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

// judge asks the rules that may be about a use, in their order.
func (p *Policy) judge(u *use) *event.Policy {
	first := int32(len(p.rules))
	for _, list := range [...][]int32{p.byService[u.service.ID], p.byVendor[strings.ToLower(u.service.Vendor)],
		p.byCategory[strings.ToLower(u.service.Category)], p.others} {
		for _, n := range list {
			if n >= first {
				break
			}
			if p.rules[n].match(u) {
				first = n
				break
			}
		}
	}
	if int(first) == len(p.rules) {
		return p.unreviewed
	}
	r := &p.rules[first]
	if u.at >= r.review {
		return r.overdue
	}
	return r.says
}

// match says that a rule is about a use that has the key which the rule is listed by.
func (c *compiled) match(u *use) bool {
	return u.at >= c.from && u.at < c.until && among(c.vendors, u.service.Vendor) && among(c.categories, u.service.Category) &&
		c.matchName(u.name) && c.matchNetwork(u.addr) && among(c.departments, u.department)
}

// among says that a list, in lower case, is empty or has a value in it.
func among(list []string, value string) bool {
	if len(list) == 0 {
		return true
	}
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, value) })
}

func (c *compiled) matchName(name string) bool {
	for i := range c.names {
		if c.names[i].match(name) {
			return true
		}
	}
	return len(c.names) == 0
}

func (c *compiled) matchNetwork(addr netip.Addr) bool {
	for _, p := range c.networks {
		if p.Contains(addr) {
			return true
		}
	}
	return len(c.networks) == 0
}
