package logs

import (
	"encoding/binary"
	"net/netip"

	"github.com/gnomon-sensor/gnomon/sensor/event"
)

// State is what the Activities of a source remember of the lines so far. Kept beside the place up to which a source has been read, and
// given back to new Activities, it makes them go on as if they had never stopped: the same identifiers, no byte of a session twice.
type State struct {
	// Repeats are the identical lines that were counted, 28 octets each.
	Repeats  []byte         `json:"repeats,omitempty"`
	Sessions []SessionState `json:"sessions,omitempty"`
	// Held are the records that wait for use of their service.
	Held []*event.Event `json:"held,omitempty"`
}

// SessionState is one open session.
type SessionState struct {
	Client netip.Addr `json:"client,omitzero"`
	Server netip.Addr `json:"server,omitzero"`
	ID     string     `json:"id"`
	Flow   string     `json:"flow"`
	Host   string     `json:"host"`
	Slices uint32     `json:"slices"`
	Last   int64      `json:"last"`
	Up     uint64     `json:"up"`
	Down   uint64     `json:"down"`
}

// State returns what is remembered now.
func (a *Activities) State() State {
	s := State{Repeats: a.repeats.append(nil), Held: a.held.list()}
	for _, one := range a.sessions.order {
		if a.sessions.byKey[one.key] != one {
			continue
		}
		s.Sessions = append(s.Sessions, SessionState{Client: one.key.client, Server: one.key.server, ID: one.key.id, Flow: one.flow, Host: one.host,
			Slices: one.slices, Last: one.last, Up: one.up, Down: one.down})
	}
	return s
}

// Restore makes Activities that have seen no line go on from s. Sessions of what the catalogue no longer calls a service are left out.
func (a *Activities) Restore(s State) {
	a.repeats.restore(s.Repeats)
	for i := range s.Sessions {
		one := &s.Sessions[i]
		r := Record{Client: one.Client, Server: one.Server, Session: []byte(one.ID), Host: []byte(one.Host), Time: one.Last}
		v, ok := a.judge(r.Host, &r)
		if !ok {
			continue
		}
		open := a.sessions.open(&r, nil, v, one.Flow)
		open.slices, open.up, open.down = one.Slices, one.Up, one.Down
	}
	for _, ev := range s.Held {
		if ev != nil && ev.Gnomon != nil && ev.Gnomon.Counted != nil && ev.Gnomon.Service != nil && ev.Source != nil {
			a.held.add(ev)
		}
	}
}

// repeats counts identical lines of one second. It remembers the last lines, at least half as many as there is room for.
type repeats struct {
	young, old map[repeat]uint32
}

type repeat struct {
	second int64
	line   [16]byte
}

const (
	// maxRepeats bounds how many different lines are remembered.
	maxRepeats = 1 << 16
	// repeatSize is the length of one of them in a State.
	repeatSize = 8 + 16 + 4
)

func newRepeats() repeats { return repeats{young: map[repeat]uint32{}, old: map[repeat]uint32{}} }

// count says how many times the line came before.
func (p *repeats) count(at int64, sum [32]byte) uint32 {
	key := repeat{second: at, line: [16]byte(sum[:16])}
	n, ok := p.young[key]
	if !ok {
		n = p.old[key]
		if len(p.young) >= maxRepeats/2 {
			clear(p.old)
			p.young, p.old = p.old, p.young
		}
	}
	p.young[key] = n + 1
	return n
}

// append writes what is remembered, the older half first.
func (p *repeats) append(b []byte) []byte {
	for key, n := range p.old {
		if _, newer := p.young[key]; !newer {
			b = key.append(b, n)
		}
	}
	for key, n := range p.young {
		b = key.append(b, n)
	}
	return b
}

func (k *repeat) append(b []byte, n uint32) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(k.second))
	b = append(b, k.line[:]...)
	return binary.BigEndian.AppendUint32(b, n)
}

func (p *repeats) restore(b []byte) {
	for ; len(b) >= repeatSize; b = b[repeatSize:] {
		if len(p.young) >= maxRepeats/2 {
			p.old, p.young = p.young, map[repeat]uint32{}
		}
		key := repeat{second: int64(binary.BigEndian.Uint64(b)), line: [16]byte(b[8:24])}
		p.young[key] = binary.BigEndian.Uint32(b[24:])
	}
}
