package sensor

import (
	"hash/maphash"
	"net/netip"

	"github.com/gnomon-sensor/gnomon/classifiers"
	"github.com/gnomon-sensor/gnomon/sensor/candidates"
	"github.com/gnomon-sensor/gnomon/sensor/decode"
	"github.com/gnomon-sensor/gnomon/sensor/evidence"
	"github.com/gnomon-sensor/gnomon/sensor/flow"
	"github.com/gnomon-sensor/gnomon/sensor/hugepage"
	"github.com/gnomon-sensor/gnomon/sensor/pdns"
	"github.com/gnomon-sensor/gnomon/sensor/prefetch"
	"github.com/gnomon-sensor/gnomon/sensor/wire/dns"
)

// maxWatched bounds the flows of a worker whose pace is watched at once, 48 bytes each.
const maxWatched = 1 << 14

// unlisted remembers which open flows carry a name that is in no catalogue.
type unlisted struct {
	seed  maphash.Seed
	open  []*openNames // by the flow's slot; nil where none was needed yet
	paces []*[pacesTogether]candidates.Pace
	lent  uint16   // places in paces that were handed out so far
	free  []uint16 // and those of them that came back
	name  [256]byte
}

// openNames are those of as many slots as lie together: 64 KiB. In one piece that grew they were copied, and faulted in, twice over.
type openNames [openTogether]openName

const openTogether = 1 << 12

// pacesTogether is how many paces go together: 12 KiB. They stay where they are, as the names do.
const pacesTogether = 1 << 8

// openName is the name of an open flow.
type openName struct {
	ref  candidates.Ref
	hash uint32 // of the name
}

// noteName counts a name that the classifier knows nothing of, once for each flow. What is a service's after all counts there.
func (s *Sensor) noteName(f *flow.Flow, seg *decode.Segment, o *evidence.Observation, known bool) {
	if s.config.Unlisted == nil {
		return
	}
	if known {
		s.endName(f, false)
		return
	}
	switch {
	case s.met != nil:
		if s.met.countable() && f.State&flow.Hidden == 0 {
			s.countName(f, seg.Time, o.Name, s.met)
		}
	case !s.listed:
		_, category := s.hiderOf(o)
		s.noteUnlisted(f, seg.Time, o.Name, category)
	}
}

// noteUnlisted counts a name that is in no catalogue, if it could stand in one: the outer name of an encrypted hello, and what hides names,
// could not; category is of the latter. The name may have been shown by the client, by the server's certificate or by what the address was
// looked up for.
func (s *Sensor) noteUnlisted(f *flow.Flow, at int64, shown []byte, category string) {
	if category != "" || f.State&flow.Hidden != 0 || len(shown) == 0 || len(shown) > candidates.MaxName+1 {
		return
	}
	name := lowerInto(s.unlisted.name[:0], shown)
	if candidates.Countable(name) {
		s.countName(f, at, name, &stranger{key: maphash.Bytes(s.unlisted.seed, name)})
	}
}

// noteLookedUp is noteUnlisted for the name that the server's address was looked up for; it says whether that counts. Without a hello a
// connection on another port may be mail as well.
func (s *Sensor) noteLookedUp(f *flow.Flow, at int64, answer *pdns.Answer) bool {
	if s.config.Unlisted == nil || answer.Others > 0 || f.State&flow.Hidden != 0 || !f.Key.HasPort(portHTTPS) {
		return false
	}
	_, category := s.infrastructure(answer.Name)
	s.noteUnlisted(f, at, answer.Name, category)
	return true
}

// countName counts a flow for a name, and decides whether its pace is watched. known is what is remembered of the name.
func (s *Sensor) countName(f *flow.Flow, at int64, name []byte, known *stranger) {
	spot, hash := s.unlisted.spot(s.flows.Slot(f)), uint32(known.key>>32)
	if spot.ref != 0 && spot.hash == hash {
		return // the next request of a connection, the hello within a CONNECT
	}
	addr := f.Key.Address(f.Client())
	if skip := s.config.Uncounted; skip != nil && skip(addr.Addr(), at) {
		return
	}
	client := candidates.Client{Hi: addr.Hi, Lo: addr.Lo}
	ref, watch := s.config.Unlisted.Again(known.ref, client, at)
	if ref == 0 {
		ref, watch = s.config.Unlisted.See(name, client, at)
		known.ref = ref
	}
	spot.ref, spot.hash = ref, hash // of a name that was shown before, the contact stays and the bytes are the better name's
	if watch && f.Watch == 0 {
		if f.Watch = s.unlisted.lend(); f.Watch != 0 {
			f.State |= flow.Watched
		}
	}
}

// lowerInto appends a name in lower case, without the dot at its end.
func lowerInto(to, name []byte) []byte {
	if name[len(name)-1] == '.' {
		name = name[:len(name)-1]
	}
	for _, b := range name {
		if b >= 'A' && b <= 'Z' {
			b |= 0x20
		}
		to = append(to, b)
	}
	return to
}

// spot is the place of a flow, by its slot.
func (u *unlisted) spot(at uint32) *openName {
	for uint32(len(u.open)) <= at/openTogether {
		u.open = append(u.open, nil)
	}
	names := u.open[at/openTogether]
	if names == nil {
		names = new(openNames)
		hugepage.Touch(names[:]) // each is read before it is written: two faults for every page
		u.open[at/openTogether] = names
	}
	return &names[at%openTogether]
}

// spotIf is the place of a flow, or nil where none of its neighbours ever had one.
func (u *unlisted) spotIf(at uint32) *openName {
	if uint32(len(u.open)) <= at/openTogether || u.open[at/openTogether] == nil {
		return nil
	}
	return &u.open[at/openTogether][at%openTogether]
}

// expect has the place of a flow on its way to the cache.
func (u *unlisted) expect(at uint32) {
	if spot := u.spotIf(at); spot != nil {
		prefetch.At(spot)
	}
}

// lend hands out a place in paces, one more than its index; 0 if there is none.
func (u *unlisted) lend() uint16 {
	if n := len(u.free); n > 0 {
		at := u.free[n-1]
		u.free = u.free[:n-1]
		*u.pace(at) = candidates.Pace{}
		return at
	}
	if u.lent >= maxWatched {
		return 0
	}
	if u.lent%pacesTogether == 0 {
		u.paces = append(u.paces, new([pacesTogether]candidates.Pace))
	}
	u.lent++
	return u.lent
}

// pace is what was lent as a place.
func (u *unlisted) pace(at uint16) *candidates.Pace {
	return &u.paces[(at-1)/pacesTogether][(at-1)%pacesTogether]
}

// pace looks at a segment of a flow that is watched.
func (s *Sensor) pace(f *flow.Flow, seg *decode.Segment) {
	if seg.Len == 0 {
		return // an acknowledgement: of bulk, half
	}
	p := s.unlisted.pace(f.Watch)
	if seg.Dir == f.Client() {
		p.Up(seg.Len, seg.Key.Proto == decode.UDP)
		return
	}
	p.Down(seg.Time, seg.Len)
}

// endName hands on what a flow with an unlisted name carried, when it ends or turns out to be a service's.
func (s *Sensor) endName(f *flow.Flow, counts bool) {
	u := &s.unlisted
	spot := u.spotIf(s.flows.Slot(f))
	if spot == nil || spot.ref == 0 {
		return
	}
	answers := uint32(0)
	if f.Watch != 0 {
		answers = u.pace(f.Watch).Answers()
		u.free = append(u.free, f.Watch)
		f.Watch = 0
	}
	if counts {
		s.config.Unlisted.Add(spot.ref, f.Up().Bytes, f.Down().Bytes, answers)
	}
	*spot = openName{}
	f.State &^= flow.Watched
}

// noteAlias notes that the name of a question leads to an AI platform. The first CNAME is the one that tells: behind it come the
// platform's own.
func (s *Sensor) noteAlias(m *dns.Message, at int64) {
	if s.config.Unlisted == nil || m.CNAMEs == 0 || m.Escaped || !m.Response || !candidates.Countable(m.QName) {
		return
	}
	target := m.AppendCNAME(s.unlisted.name[:0], 0)
	s.asked = classifiers.Evidence{Class: classifiers.ClassDNS, Time: at, Name: target}
	if v, ok := s.classify.Classify(&s.asked); ok && v.Use() {
		s.config.Unlisted.Alias(m.QName, v.Service.ID, at)
	}
}

// Uncounted says of a client, as of a time, that its contacts with unlisted names are not counted.
type Uncounted func(client netip.Addr, at int64) bool
