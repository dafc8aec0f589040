package logs

import (
	"github.com/gnomon-sensor/gnomon/sensor"
	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
)

// Unlisted says who counts the names of lines that show no service of the catalogue.
type Unlisted struct {
	// Table counts; nil: nobody does.
	Table *candidates.Table
	// Uncounted leaves clients out; nil: none.
	Uncounted sensor.Uncounted
}

// hiders is implemented by classifiers that know what hides names: a resolver, a relay or a VPN is no AI service in the making.
type hiders interface {
	Infrastructure(name []byte) (id, category string, ok bool)
}

// unlisted counts the name of a line that showed no service. The path goes no further than into the question whether it is a model API's.
func (a *Activities) unlisted(r *Record) {
	if a.config.Unlisted.Table == nil || a.listed || !contact(r) {
		return
	}
	name := lowerName(a.lower[:0], r.Host)
	if !candidates.Countable(name) || a.hides(name) {
		return
	}
	line := candidates.Line{At: r.Time, Up: r.Up, Down: r.Down, Path: r.Path}
	if r.Time == 0 {
		line.At = a.config.Written
	}
	if r.Client.IsValid() {
		if skip := a.config.Unlisted.Uncounted; skip != nil && skip(r.Client, line.At) {
			return
		}
		addr := decode.AddressOf(r.Client)
		line.Client = candidates.Client{Hi: addr.Hi, Lo: addr.Lo}
	}
	a.config.Unlisted.Table.Log(name, &line)
}

// contact says whether a line tells of one. A look-up and an attempt that was turned away are none, and the beginning of a session is told
// again at its end.
func contact(r *Record) bool {
	return r.Kind != KindLookup && r.Phase != PhaseStart && r.Action != ActionDenied && r.Action != ActionChallenged
}

// hides says whether a name belongs to what hides others.
func (a *Activities) hides(name []byte) bool {
	h, ok := a.classify.(hiders)
	if ok {
		_, _, ok = h.Infrastructure(name)
	}
	return ok
}

// lowerName appends a host's name in lower case, as far as a name may be long.
func lowerName(to, host []byte) []byte {
	for _, b := range host[:min(len(host), candidates.MaxName+1)] {
		if b >= 'A' && b <= 'Z' {
			b |= 0x20
		}
		to = append(to, b)
	}
	return to
}
