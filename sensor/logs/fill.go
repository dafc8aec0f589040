package logs

import (
	"bytes"
	"net/netip"
)

// find is the value of the first source that has one.
func (f *fields) find(sources []source) []byte {
	for i := range sources {
		if b := f.value(&sources[i]); len(b) > 0 {
			return b
		}
	}
	return nil
}

// value is what a source gives; nil for nothing.
func (f *fields) value(s *source) []byte {
	var b []byte
	switch {
	case s.zoned:
		b = f.zoned
	case len(s.slots) == 1:
		b = f.get(s.slots[0])
	default:
		if f.get(s.slots[0]) == nil {
			return nil
		}
		b = f.join(s.slots)
	}
	for i := range s.cleaned {
		if len(b) == 0 {
			return nil
		}
		c := &s.cleaned[i]
		b, f.scratch = c.apply(c, b, f.scratch)
	}
	if nothing(b) {
		return nil
	}
	return b
}

// fill makes the record.
func (l *layout) fill(f *fields, r *Record, c *clock) {
	p := &l.plan
	r.Kind, r.Phase, r.Misfit = l.kind, l.phase, f.misfit
	for i := range p.time {
		if b := f.value(&p.time[i]); len(b) > 0 {
			if t, ok := c.parse(b); ok {
				r.Time = t
				break
			}
		}
	}
	r.Client, r.ClientPort = f.address(p.client)
	r.Server, r.ServerPort = f.address(p.server)
	f.port(p.clientPort, &r.ClientPort)
	f.port(p.serverPort, &r.ServerPort)
	l.fillHost(f, r)
	l.fillUser(f, r)
	l.fillBytes(f, r)
	r.Method = f.find(p.method)
	r.Session = f.find(p.session)
	l.judge(f, r)
	l.fillAsked(f, r)
	l.fillElapsed(f, r)
}

// fillAsked takes what is matched and not kept: a path that stands in a field of its own, and the program's name for itself.
func (l *layout) fillAsked(f *fields, r *Record) {
	if len(l.plan.path) > 0 && len(r.Path) == 0 && len(r.Host) > 0 {
		r.Path = pathOf(f.find(l.plan.path))
	}
	if len(l.plan.agent) > 0 {
		r.Agent = f.find(l.plan.agent)
	}
}

// maxElapsed is the longest time that a line is believed to tell of.
const maxElapsed = 7 * 24 * 3600 * second

// fillElapsed says from when to when it was.
func (l *layout) fillElapsed(f *fields, r *Record) {
	elapsed := int64(0)
	if b := f.find(l.plan.elapsedMS); len(b) > 0 {
		elapsed = parseDecimal(b, 1e6)
	} else if b := f.find(l.plan.elapsedS); len(b) > 0 {
		elapsed = parseDecimal(b, second)
	}
	if elapsed > maxElapsed {
		elapsed = 0
	}
	r.Elapsed, r.Begins = elapsed, l.begins
}

// address is the first source that holds an address.
func (f *fields) address(sources []source) (netip.Addr, uint16) {
	for i := range sources {
		if b := f.value(&sources[i]); len(b) > 0 {
			if a, port, ok := parseAddr(b); ok && !a.IsUnspecified() {
				return a, port
			}
		}
	}
	return netip.Addr{}, 0
}

// port takes a port of its own.
func (f *fields) port(sources []source, port *uint16) {
	if len(sources) == 0 {
		return
	}
	if n, ok := f.number(sources); ok && n < 1<<16 {
		*port = uint16(n)
	}
}

// fillHost takes the first name. An address in place of one stands for the server where no other field names it.
func (l *layout) fillHost(f *fields, r *Record) {
	if l.kind == KindLookup {
		r.Host = bytes.TrimRight(f.find(l.plan.host), ".")
		return
	}
	for i := range l.plan.host {
		b := f.value(&l.plan.host[i])
		if len(b) == 0 {
			continue
		}
		t := splitHost(b)
		if a, ok := hostAddr(t.host); ok {
			if !r.Server.IsValid() || l.kind == KindWeb {
				r.Server, r.ServerPort = a, t.port
			}
		} else if len(t.host) > 0 {
			r.Host, r.Path = t.host, t.path
			if t.port != 0 {
				r.ServerPort = t.port
			}
			return
		}
	}
}

// hostAddr reads an address in place of a name.
func hostAddr(b []byte) (netip.Addr, bool) {
	if len(b) == 0 || (!digit(b[0]) || !digit(b[len(b)-1])) && bytes.IndexByte(b, ':') < 0 {
		return netip.Addr{}, false
	}
	a, _, ok := parseAddr(b)
	return a, ok
}

var forwardedFor = []byte("x-fwd-for:")

// fillUser takes the first name that is one: an address in its place, and what firewalls write there, is nobody.
func (l *layout) fillUser(f *fields, r *Record) {
	for i := range l.plan.user {
		b := f.value(&l.plan.user[i])
		if len(b) == 0 || bytes.HasPrefix(b, forwardedFor) {
			continue
		}
		if _, ok := hostAddr(b); ok {
			continue
		}
		r.User = b
		break
	}
	if len(l.plan.nobody) > 0 {
		r.Nobody = l.nobody.fit(f.find(l.plan.nobody))
	}
}

// fillBytes takes what came since the record before, where the line says it, else the totals.
func (l *layout) fillBytes(f *fields, r *Record) {
	p := &l.plan
	if len(p.deltaUp) > 0 {
		up, ok := f.number(p.deltaUp)
		down, ok2 := f.number(p.deltaDown)
		if ok || ok2 {
			r.Up, r.HasUp, r.Down, r.HasDown, r.Phase = up, ok, down, ok2, PhaseInterim
			return
		}
	}
	r.Up, r.HasUp = f.number(p.up)
	r.Down, r.HasDown = f.number(p.down)
}

// number is the first source that holds a count.
func (f *fields) number(sources []source) (uint64, bool) {
	for i := range sources {
		if n, ok := parseCount(f.value(&sources[i])); ok {
			return n, true
		}
	}
	return 0, false
}

// parseCount reads digits and nothing else; a count that does not fit is none.
func parseCount(b []byte) (uint64, bool) {
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	var n uint64
	for _, d := range b {
		if d -= '0'; d > 9 {
			return 0, false
		}
		n = n*10 + uint64(d)
	}
	return n, true
}

// parseDecimal reads a figure like 21 or 0.046 as so many of unit nanoseconds; 0 for anything else.
func parseDecimal(b []byte, unit int64) int64 {
	whole, part, _ := bytes.Cut(b, []byte("."))
	n, ok := parseCount(whole)
	if !ok || n > uint64(maxElapsed/unit) {
		return 0
	}
	at := int64(n) * unit
	for _, d := range part {
		if unit /= 10; unit == 0 || !digit(d) {
			break
		}
		at += int64(d-'0') * unit
	}
	return at
}

// judge says what was done with the attempt, and which part of a session the line tells of.
func (l *layout) judge(f *fields, r *Record) {
	p := &l.plan
	if len(p.action) > 0 {
		b := f.find(p.action)
		if !bytes.Equal(b, f.action) { // most lines say what the one before said
			f.action, f.acted = append(f.action[:0], b...), l.action(b)
		}
		r.Action = f.acted
	}
	if len(p.status) > 0 && string(f.find(p.status)) == "407" {
		r.Action = ActionChallenged
	}
	if len(p.phase) > 0 {
		switch phase := f.find(p.phase); {
		case l.starts.fit(phase):
			r.Phase = PhaseStart
		case l.interim.fit(phase):
			r.Phase = PhaseInterim
		}
	}
}

// denials and permissions are what logs call it, in lower case, where a format does not say otherwise.
var (
	denials     = []string{"den*", "drop*", "block*", "reject*", "tcp_denied*", "prohibit*", "reset*", "forbid*", "*_denied*", "discard*", "refus*"}
	permissions = []string{"allow*", "accept*", "permit*", "pass*", "tcp_*", "observed*", "close*", "monitor*", "alert*"}
)

// action reads what the log calls it.
func (l *layout) action(b []byte) Action {
	switch {
	case len(b) == 0:
		return ActionUnknown
	case bytes.HasSuffix(b, []byte("/407")):
		return ActionChallenged
	case l.denied.fit(b):
		return ActionDenied
	case l.allowed.fit(b):
		return ActionAllowed
	}
	return l.commonAction(b)
}

// commonAction reads the words that most logs use.
func (l *layout) commonAction(b []byte) Action {
	var buffer [24]byte
	low := buffer[:min(len(b), len(buffer))]
	for i := range low {
		if low[i] = b[i]; low[i]-'A' < 26 {
			low[i] |= 0x20
		}
	}
	switch {
	case l.denials.fit(low):
		return ActionDenied
	case l.permissions.fit(low):
		return ActionAllowed
	}
	return ActionUnknown
}
