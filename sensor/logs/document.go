package logs

import (
	"net/netip"
	"strings"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// document writes what a line says, and nothing else, under its ECS names.
func (a *Activities) document(r *Record, line []byte) *event.Event {
	ev := &event.Event{
		ECS:       &event.ECS{Version: event.ECSVersion},
		Event:     event.Meta{Dataset: event.DatasetActivity, Kind: "event", Category: []string{"network"}},
		Timestamp: event.Time(r.Time),
		Observer:  &a.config.Observer,
		Network:   &event.Network{},
		Log:       &event.Log{File: &event.LogFile{Path: a.config.Source}},
		Gnomon:    &event.Gnomon{Schema: event.SchemaVersion, Site: a.config.Site},
	}
	ev.Event.ID = a.id(r, line)
	start, end := r.Span()
	ev.Event.Start, ev.Event.End = event.Time(start), event.Time(end)
	ev.Event.Action, ev.Event.Outcome = r.Action.String(), r.Action.outcome()
	ev.Source = side(r.Client, r.ClientPort, r.Up, r.HasUp)
	ev.Destination = side(r.Server, r.ServerPort, r.Down, r.HasDown)
	if len(r.User) > 0 {
		ev.User = &event.User{Name: text(r.User)}
	}
	if len(r.Method) > 0 {
		ev.HTTP = &event.HTTP{Request: &event.HTTPRequest{Method: text(r.Method)}}
	}
	a.name(ev, r.Kind, r.Host)
	switch addr := r.Client; {
	case addr.Is4():
		ev.Network.Type = "ipv4"
	case addr.Is6():
		ev.Network.Type = "ipv6"
	}
	return ev
}

// name puts a host where its kind of line has it.
func (a *Activities) name(ev *event.Event, k Kind, host []byte) {
	if k == KindLookup {
		ev.Network.Protocol = "dns"
		if len(host) > 0 {
			ev.DNS = &event.DNS{Type: "query", Question: &event.Question{Name: strings.ToLower(text(host))}}
		}
		return
	}
	if len(host) == 0 {
		return
	}
	name := strings.ToLower(text(host))
	ev.Destination.Domain = name
	if k == KindWeb {
		ev.Network.Protocol = "http"
		ev.URL = &event.URL{Domain: name}
	}
}

// outcome is event.outcome.
func (a Action) outcome() string {
	switch a {
	case ActionAllowed:
		return "success"
	case ActionDenied, ActionChallenged:
		return "failure"
	}
	return ""
}

// side is one end of what a line tells of.
func side(addr netip.Addr, port uint16, bytes uint64, known bool) *event.Endpoint {
	e := &event.Endpoint{}
	if addr.IsValid() {
		e.IP = addr.String()
	}
	if port != 0 {
		e.Port = &port
	}
	if known {
		e.Bytes = &bytes
	}
	return e
}

// text is a copy that JSON can hold.
func text(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }
